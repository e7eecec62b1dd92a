// What must be true before anything is changed, and what is on record afterwards.
#include <set>
#include <thread>

#include "base/time.h"
#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class Gates : public Releases {
 protected:
  void WaitMessage(const std::string& words) {
    EXPECT_TRUE(Eventually(Seconds(60), "the Release says " + words, [&](std::string& seen) {
      seen = Message();
      return seen.find(words) != std::string::npos;
    }));
  }
};

TEST_F(Gates, TwoPeopleMustApproveAndOneOfThemTwiceIsOne) {
  Json spec = Stepped(next_);
  spec["gates"] = {{"approvals", 2}};
  Release(spec);
  WaitReason("AwaitingApproval");
  WaitMessage("0 of 2");
  EXPECT_EQ(GetJson(ns_, "canarypromotions")["items"].size(), 0U);
  const std::string digest = SampleOf(next_).Digest();
  const auto carl = Decide("carls", "Approve", "Release", "web", digest, "carl");
  EXPECT_FALSE(carl.ok());
  HasWords(carl.text, {"carl may not approve Release web"});
  const auto other =
      Decide("of-another-image", "Approve", "Release", "web", SampleOf(another_).Digest(), "ben");
  ASSERT_TRUE(other.ok()) << other.text;
  DecideRelease("Approve", digest, "anna");
  WaitMessage("1 of 2");
  DecideRelease("Approve", digest, "anna");
  std::this_thread::sleep_for(Seconds(3));
  EXPECT_EQ(Text(Status(), "/conditions/0/reason"), "AwaitingApproval") << Status()["conditions"];
  DecideRelease("Approve", digest, "ben");
  const Json entry = Delivered(1, "Promoted");
  std::set<std::string> who;
  for (const auto& decision : entry["decisions"]) {
    if (decision.value("refused", "").empty()) who.insert(decision.value("actor", ""));
  }
  EXPECT_EQ(who, (std::set<std::string>{"anna", "ben"})) << entry["decisions"];
  ExpectStable(next_);
}

TEST_F(Gates, ARejectedDigestIsHeld) {
  Json spec = Stepped(next_);
  spec["gates"] = {{"approvals", 1}};
  Release(spec);
  WaitReason("AwaitingApproval");
  DecideRelease("Reject", SampleOf(next_).Digest(), "anna");
  WaitReason("Rejected");
  HasWords(Message(), {"anna", "the story wants it"});
  ExpectStable(stable_);
  Want(another_);
  WaitReason("AwaitingApproval");
}

// Everything that led to a delivery, in one entry.
TEST_F(Gates, TheHistoryIsTheWholeRecord) {
  Configure("green");
  Json spec = Stepped(next_, "1s");
  spec["gates"] = {{"approvals", 1}};
  spec["configMaps"] = {"web-config"};
  spec["migration"] = {{"command", {"/app/sample"}}, {"args", {"migrate"}}, {"timeout", "60s"}};
  spec["verification"] = Json::array({{{"name", "after"}, {"requests", 20}, {"p95Limit", "2s"}}});
  spec["strategy"]["canary"]["steps"] = Steps({20, 60}, "1s");
  Release(spec);
  WaitReason("AwaitingApproval");
  DecideRelease("Approve", SampleOf(next_).Digest(), "anna");
  const Json entry = Delivered(1, "Promoted", Seconds(240));
  EXPECT_EQ(entry.value("cause", ""), "Spec");
  EXPECT_EQ(entry.value("image", ""), SampleOf(next_).image);
  EXPECT_EQ(entry.value("commit", ""), SampleOf(next_).version);
  EXPECT_EQ(entry.value("previousImage", ""), SampleOf(stable_).image);
  EXPECT_EQ(entry.value("strategy", ""), "Canary");
  EXPECT_EQ(entry.value("generation", 0), 1);
  EXPECT_EQ(entry.value("promotionUID", ""), Text(Get(entry.value("promotion", "-")), "/metadata/uid"));
  EXPECT_EQ(Text(entry, "/decisions/0/actor"), "anna");
  EXPECT_EQ(Text(entry, "/migration/outcome"), "Succeeded");
  EXPECT_EQ(Text(entry, "/configMaps/0/name"), "web-config");
  EXPECT_EQ(entry.value("secrets", Json::array()), Json::array({"web-secret"}));
  ASSERT_EQ(entry.value("steps", Json::array()).size(), 2U) << entry;
  EXPECT_EQ(entry["steps"][0].value("weightGot", 0), 20);
  EXPECT_EQ(entry["steps"][1].value("weightGot", 0), 60);
  EXPECT_EQ(entry.value("weightWanted", 0), 60);
  ASSERT_GE(entry.value("checks", Json::array()).size(), 2U) << entry;
  for (const auto& check : entry["checks"]) EXPECT_EQ(check.value("verdict", ""), "Passed") << check;
  const auto started = ParseTime(entry.value("started", ""));
  const auto finished = ParseTime(entry.value("finished", ""));
  ASSERT_TRUE(started && finished);
  EXPECT_LT(*started, *finished);
  EXPECT_FALSE(entry.value("key", "").empty());
  EXPECT_EQ(entry.dump().find("green"), std::string::npos) << "what is in a ConfigMap is not in the record";
  ExpectStable(next_);
}

}  // namespace
}  // namespace slipway::testing
