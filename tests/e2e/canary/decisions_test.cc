// What people decide about a promotion under way: who may, about which image, and what comes of it.
#include <thread>

#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class DecisionsOn : public Canaries {};

TEST_F(DecisionsOn, PauseHoldsResumeGoesOnPromoteSkipsTheRest) {
  Observe();
  Create("steered", Spec(next_, Steps({10, 50, 70}, "10s")));
  WaitPhase("steered", "Holding");
  DecideOn("steered", "Pause");
  ASSERT_TRUE(Eventually(Seconds(20), "it pauses", [&](std::string& seen) {
    const Json ready = ReadyOf("steered");
    seen = ready.dump();
    return ready.value("reason", "") == "Paused" && ready.value("status", "") == "Unknown";
  }));
  HasWords(ReadyOf("steered").value("message", ""), {"admin", "Resume"});
  // Long after the hold it has not gone on.
  std::this_thread::sleep_for(Seconds(12));
  const Json held = Get("steered")["status"];
  EXPECT_EQ(held.value("phase", ""), "Holding") << held;
  EXPECT_EQ(held.value("currentStep", 0), 0) << held;
  EXPECT_TRUE(CheckOf(held, 0, 0).empty()) << "a check began while it was paused";

  DecideOn("steered", "Resume");
  WaitPhase("steered", "Holding", 1, Seconds(60));
  EXPECT_FALSE(Get("steered")["status"].contains("paused"));
  DecideOn("steered", "Promote");
  const Json status = Ends("steered", "Promoted");
  EXPECT_EQ(status["steps"].size(), 2U) << "the last step is skipped: " << status;
  std::vector<std::string> verbs;
  for (const auto& decision : status["decisions"]) {
    verbs.push_back(decision.value("verb", ""));
    EXPECT_EQ(decision.value("actor", ""), "admin") << decision;
    EXPECT_EQ(decision.value("refused", ""), "") << decision;
  }
  EXPECT_EQ(verbs, (std::vector<std::string>{"Pause", "Resume", "Promote"}));
  ExpectStable(next_);
  Unharmed();
}

TEST_F(DecisionsOn, OneThatIsNotAboutThisIsRecordedAsRefused) {
  Create("held", Spec(next_, Steps({10}, "10m")));
  WaitPhase("held", "Holding");
  const auto made =
      Decide("other-image", "Abort", "CanaryPromotion", "held", SampleOf(another_).Digest(), "anna");
  ASSERT_TRUE(made.ok()) << made.text;
  ASSERT_TRUE(
      Decide("other-verb", "Approve", "CanaryPromotion", "held", SampleOf(next_).Digest(), "ben").ok());
  ASSERT_TRUE(Eventually(Seconds(30), "both are taken up", [&](std::string& seen) {
    const Json status = Get("held").value("status", Json::object());
    seen = status.dump();
    return status.value("decisions", Json::array()).size() == 2;
  }));
  Json status = Get("held")["status"];
  EXPECT_EQ(status.value("phase", ""), "Holding") << "a refused Decision moves nothing";
  for (const auto& decision : status["decisions"]) {
    const std::string refused = decision.value("refused", "");
    EXPECT_NE(refused, "") << decision;
    if (decision.value("name", "") != "other-image") continue;
    HasWords(refused, {SampleOf(another_).Digest().substr(0, 19), SampleOf(next_).Digest().substr(0, 19)});
    EXPECT_EQ(decision.value("actor", ""), "anna");
  }
  bool told = false;
  for (const auto& [reason, note] : EventsOf(ns_, Get("held"))) told = told || reason == "DecisionRefused";
  EXPECT_TRUE(told);
  ASSERT_TRUE(Decide("abort", "Abort", "CanaryPromotion", "held", SampleOf(next_).Digest(), "anna").ok());
  status = Ends("held", "Aborted", "AbortedByDecision");
  EXPECT_EQ(Text(status, "/decisions/2/actor"), "anna") << status;
  ExpectStable(stable_);
}

TEST_F(DecisionsOn, WhoHasNotTheVerbIsRefusedAtTheDoor) {
  Create("held", Spec(next_, Steps({10}, "10m")));
  WaitPhase("held", "Holding");
  const auto refused = Decide("mine", "Abort", "CanaryPromotion", "held", SampleOf(next_).Digest(), "carl");
  EXPECT_FALSE(refused.ok());
  HasWords(refused.text, {"carl may not abort CanaryPromotion held", "verb abort"});
  std::this_thread::sleep_for(Seconds(2));
  EXPECT_EQ(Text(Get("held"), "/status/phase"), "Holding");
}

}  // namespace
}  // namespace slipway::testing
