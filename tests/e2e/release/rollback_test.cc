// Going back by a Decision, and trying again by one.
#include <thread>

#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class RollBack : public Releases {};

TEST_F(RollBack, ToWhatWasJustGoodIsFastAndStays) {
  Observe();
  Release(Stepped(stable_));
  WaitReason("AlreadyRunning");
  Want(next_);
  Delivered(2, "Promoted");
  Changes deployments(kApps, ns_, "deployments");
  DecideRelease("Rollback", SampleOf(stable_).Digest(), "anna");
  const Json entry = Delivered(3, "Promoted");
  EXPECT_EQ(entry.value("cause", ""), "Rollback") << entry;
  EXPECT_TRUE(entry.value("fast", false)) << entry;
  EXPECT_EQ(entry.value("image", ""), SampleOf(stable_).image);
  EXPECT_EQ(Text(entry, "/decisions/0/verb"), "Rollback") << entry;
  EXPECT_EQ(Text(entry, "/decisions/0/actor"), "anna") << entry;
  ExpectStable(stable_);
  for (const auto& change : deployments.Stop()) {
    EXPECT_EQ(Text(change, "/object/metadata/name"), "web") << "there was a canary";
  }
  // That is what somebody wants: the Release is healthy. Its spec still names the other image, and is not
  // obeyed until it changes.
  WaitReason("RolledBack");
  EXPECT_EQ(Ready(), "True");
  HasWords(Message(), {"anna", "the story wants it"});
  std::this_thread::sleep_for(Seconds(4));
  EXPECT_EQ(Newest(Status()).value("number", 0), 3);
  EXPECT_EQ(Text(Status(), "/rollback/image"), SampleOf(stable_).image);
  Want(another_);
  Delivered(4, "Promoted");
  EXPECT_FALSE(Status().contains("rollback"));
  ExpectStable(another_);
  Unharmed();
}

TEST_F(RollBack, ToWhatWasNeverDeliveredIsRefused) {
  Release(Stepped(stable_));
  WaitReason("AlreadyRunning");
  DecideRelease("Rollback", SampleOf(another_).Digest());  // never delivered
  DecideRelease("Rollback", SampleOf(stable_).Digest());   // it is what runs
  EXPECT_TRUE(Eventually(Seconds(60), "both are taken up", [&](std::string& seen) {
    const Json status = Status();
    seen = status.dump();
    return status.value("decisions", Json::array()).size() == 2;
  }));
  for (const auto& decision : Status()["decisions"]) EXPECT_NE(decision.value("refused", ""), "") << decision;
  EXPECT_EQ(Newest(Status()).value("number", 0), 1);
  ExpectStable(stable_);
}

TEST_F(RollBack, AnOlderOneGoesThroughTheSteps) {
  Json spec = Stepped(stable_);
  spec["rollback"] = {{"fastWindow", "0s"}};
  Release(spec);
  WaitReason("AlreadyRunning");
  Want(next_);
  Delivered(2, "Promoted");
  DecideRelease("Rollback", SampleOf(stable_).Digest());
  const Json entry = Delivered(3, "Promoted");
  EXPECT_FALSE(entry.value("fast", false)) << entry;
  EXPECT_EQ(entry.value("steps", Json::array()).size(), 1U) << entry;
  ExpectStable(stable_);
}

TEST_F(RollBack, AHeldDigestIsTriedAgainByADecision) {
  Release(Stepped("bad"));
  Delivered(1, "Aborted");
  ExpectStable(stable_);
  DecideRelease("Retry", SampleOf(next_).Digest());  // of something else: refused
  DecideRelease("Retry", SampleOf("bad").Digest(), "ben");
  const Json entry = Delivered(2, "Aborted");
  EXPECT_EQ(entry.value("cause", ""), "Retry") << entry;
  EXPECT_EQ(Text(entry, "/decisions/0/actor"), "ben") << entry;
  int refused = 0;
  for (const auto& decision : Status()["decisions"]) refused += decision.value("refused", "").empty() ? 0 : 1;
  EXPECT_EQ(refused, 1) << Status()["decisions"];
  ExpectStable(stable_);
}

// A Decision about the Release acts on its promotion under way.
TEST_F(RollBack, AbortOnTheReleaseAbortsItsPromotion) {
  Release(Stepped(next_, "10m"));
  ASSERT_TRUE(Eventually(Seconds(60), "its promotion holds", [&](std::string& seen) {
    const std::string promotion = Text(Newest(Status()), "/promotion");
    seen = Get(promotion).value("status", Json::object()).dump();
    return !promotion.empty() && Text(Get(promotion), "/status/phase") == "Holding";
  }));
  DecideRelease("Abort", SampleOf(next_).Digest());
  const Json entry = Delivered(1, "Aborted");
  EXPECT_EQ(entry.value("reason", ""), "AbortedByDecision") << entry;
  EXPECT_EQ(Text(entry, "/decisions/0/verb"), "Abort") << entry;
  ExpectStable(stable_);
}

}  // namespace
}  // namespace slipway::testing
