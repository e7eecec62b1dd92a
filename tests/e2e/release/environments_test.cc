// Production takes what staging has verified: with consent of both, after its soak, approved.
#include <thread>

#include "base/time.h"
#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class Environments : public Releases {
 protected:
  static constexpr const char* kProduction = "e2e-production";

  void SetUp() override {
    std::string kind;
    In(kProduction, [&] {
      Releases::SetUp();
      kind = stable_;
      stable_.clear();
    });
    production_ = kind;
    ASSERT_NO_FATAL_FAILURE(Releases::SetUp());
    // One that neither of the two serves.
    for (const char* good : {"one", "two", "three", "four"}) {
      if (good != stable_ && good != production_) delivered_ = good;
    }
  }

  void TearDown() override {
    if (HasFailure()) In(kProduction, [&] { Releases::TearDown(); });
    Releases::TearDown();
  }

  std::string production_;
  std::string delivered_;
};

TEST_F(Environments, ProductionTakesWhatStagingVerifiedWithConsentAfterItsSoakAndApproval) {
  Release(Rolling(delivered_));
  In(kProduction, [&] {
    Observe();
    Json spec = Stepped(delivered_);
    spec.erase("image");
    spec.erase("version");
    spec["imageFrom"]["release"] = {{"name", "web"}, {"namespace", "e2e-release"}};
    spec["gates"] = {{"soak", "25s"}, {"approvals", 1}};
    Release(spec);
    WaitReason("NotConsented");
    HasWords(Message(), {"spec.promotesTo", "namespace: e2e-production"});
  });
  Delivered(1, "Promoted");
  const auto verified = ParseTime(Text(Status(), "/verified"));
  ASSERT_TRUE(verified);
  PatchRelease({{"promotesTo", Json::array({{{"name", "web"}, {"namespace", kProduction}}})}});

  In(kProduction, [&] {
    WaitReason("Soaking");
    WaitReason("AwaitingApproval");
    DecideRelease("Approve", SampleOf(delivered_).Digest(), "anna");
    const Json entry = Delivered(1, "Promoted");
    EXPECT_EQ(entry.value("cause", ""), "Release") << entry;
    EXPECT_EQ(entry.value("fromRelease", ""), "e2e-release/web") << entry;
    EXPECT_EQ(entry.value("image", ""), SampleOf(delivered_).image);
    EXPECT_EQ(entry.value("commit", ""), SampleOf(delivered_).version) << entry;
    EXPECT_EQ(ParseTime(Text(entry, "/soakedSince")), verified) << entry;
    EXPECT_GE(ParseTime(Text(entry, "/started")).value_or(TimePoint{}), *verified + Seconds(25)) << entry;
    ExpectStable(delivered_);
    Unharmed();
  });
}

// What staging took back never comes here.
TEST_F(Environments, WhatFailedInStagingDoesNotReachProduction) {
  Json staging = Rolling("bad");
  staging["promotesTo"] = Json::array({{{"name", "web"}, {"namespace", kProduction}}});
  Release(staging);
  In(kProduction, [&] {
    Json spec = Stepped(delivered_);
    spec.erase("image");
    spec.erase("version");
    spec["imageFrom"]["release"] = {{"name", "web"}, {"namespace", "e2e-release"}};
    Release(spec);
    WaitReason("NotVerified");
  });
  Delivered(1, "RolledBack");
  std::this_thread::sleep_for(Seconds(3));
  In(kProduction, [&] {
    EXPECT_TRUE(Status().value("history", Json::array()).empty()) << Status();
    ExpectStable(production_);
  });
}

}  // namespace
}  // namespace slipway::testing
