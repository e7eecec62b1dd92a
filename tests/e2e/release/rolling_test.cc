// Deliveries without a canary: by rolling update, to a Deployment that no pod of serves, and back when what
// was asked afterwards fails.
#include <thread>

#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class Roll : public Releases {};

TEST_F(Roll, ARollingDeliveryHasNoCanaryAndIsVerified) {
  Changes deployments(kApps, ns_, "deployments");
  Observe();
  Json spec = Rolling(next_);
  spec["verification"] = Json::array({{{"name", "after"}, {"requests", 50}, {"p95Limit", "2s"}}});
  Release(spec);
  const Json entry = Delivered(1, "Promoted");
  EXPECT_EQ(entry.value("strategy", ""), "Rolling") << entry;
  EXPECT_TRUE(entry.value("steps", Json::array()).empty()) << entry;
  ASSERT_EQ(entry.value("checks", Json::array()).size(), 2U) << entry;
  for (const auto& check : entry["checks"]) EXPECT_EQ(check.value("verdict", ""), "Passed") << check;
  EXPECT_NE(Text(WaitReason("Delivered"), "/verified"), "");
  ExpectStable(next_);
  for (const auto& change : deployments.Stop()) {
    EXPECT_EQ(Text(change, "/object/metadata/name"), "web") << "there was a canary";
  }
  Unharmed();
}

TEST_F(Roll, WhatFailsItsVerificationGoesBackByItself) {
  Observe();
  Json spec = Rolling("bad");
  Release(spec);
  const Json rolling = Delivered(1, "RolledBack");
  HasWords(rolling.value("message", ""), {"/healthz"});
  EXPECT_NE(rolling.value("reason", ""), "") << rolling;
  ExpectStable(stable_);
  EXPECT_EQ(Text(WaitReason(rolling.value("reason", "")), "/phase"), "RolledBack");
  // Held: it is not tried again by itself.
  std::this_thread::sleep_for(Seconds(4));
  EXPECT_EQ(Newest(Status()).value("number", 0), 1);

  // The same after a canary that passed: only what is asked at the end is not as it should be.
  spec = Stepped(next_);
  const Json request = {{"path", "/about"}, {"status", 418}};
  spec["verification"] = Json::array({{{"name", "teapot"}, {"requests", 20}, {"http", {request}}}});
  Release(spec);
  const Json entry = Delivered(2, "RolledBack");
  HasWords(entry.value("message", ""), {"418"});
  EXPECT_EQ(entry.value("reason", ""), "UnexpectedStatus") << entry;
  ASSERT_EQ(entry.value("steps", Json::array()).size(), 1U) << entry;
  EXPECT_EQ(entry["steps"][0].value("verdict", ""), "Passed");
  ExpectStable(stable_);
  EXPECT_EQ(Text(Status(), "/verified"), "") << "nothing was ever verified";
  Unharmed();
}

TEST_F(Roll, WithoutRollbackTheNewImageStays) {
  Json spec = Rolling("bad");
  spec["rollback"] = {{"onFailure", false}};
  Release(spec);
  const Json entry = Delivered(1, "Aborted");
  HasWords(entry.value("message", ""), {"/healthz"});
  ExpectStable("bad");
  EXPECT_EQ(Ready(), "False");
  // That it is there already makes it no better.
  DecideRelease("Retry", SampleOf("bad").Digest());
  Delivered(2, "Aborted");
  EXPECT_EQ(Text(Status(), "/verified"), "");
  EXPECT_EQ(Ready(), "False");
}

// There was never a pod that served: nothing to keep, and nothing to compare with.
TEST_F(Roll, AFirstDeliveryGoesAtOnce) {
  Kubectl({"-n", ns_, "delete", "deployment", "web", "--timeout=60s"});
  Deploy("registry.slipway.test:5000/slipway/nothing@sha256:" + std::string(64, '0'), 3);
  Changes deployments(kApps, ns_, "deployments");
  Release(Stepped(next_));
  const Json entry = Delivered(1, "Promoted");
  EXPECT_TRUE(entry.value("steps", Json::array()).empty()) << entry;
  const std::string promotion = entry.value("promotion", "");
  EXPECT_EQ(Get(promotion).value("/status/baseline/served"_json_pointer, true), false) << Get(promotion);
  bool told = false;
  for (const auto& [reason, note] : EventsOf(ns_, Get(promotion))) told = told || reason == "FirstDelivery";
  EXPECT_TRUE(told);
  ExpectStable(next_, 3);
  for (const auto& change : deployments.Stop()) {
    EXPECT_EQ(Text(change, "/object/metadata/name"), "web") << "there was a canary";
  }
}

}  // namespace
}  // namespace slipway::testing
