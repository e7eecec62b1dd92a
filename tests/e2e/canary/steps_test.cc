// A promotion through its steps, and out of each of them, under traffic: what was wanted, planned and got is
// in the status, and nobody outside notices.
#include <fmt/format.h>

#include <array>

#include "base/time.h"
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class InSteps : public Canaries {};

// The answers of one version in percent of those that came in the seconds between the two times.
double ShareIn(const Traffic& traffic, const std::string& version, TimePoint from, TimePoint to) {
  int all = 0;
  int of = 0;
  for (const auto& second : traffic.each) {
    const auto time = ParseTime(second.time);
    if (!time || *time < from || *time > to) continue;
    for (const auto& [name, answers] : second.versions) {
      all += answers;
      of += name == version ? answers : 0;
    }
  }
  EXPECT_GE(all, 400) << "too few answers to tell a share";
  return all == 0 ? 0 : 100.0 * of / all;
}

void ExpectStep(const Json& step, int wanted, int canary, int got) {
  EXPECT_EQ(step.value("weightWanted", 0), wanted) << step;
  EXPECT_EQ(step.value("canaryReplicas", 0), canary) << step;
  EXPECT_EQ(step.value("stableReplicas", 0), 10 - canary) << step;
  EXPECT_EQ(step.value("weightPlanned", 0), got) << step;
  EXPECT_EQ(step.value("weightGot", 0), got) << step;
  EXPECT_EQ(step.value("canaryReady", 0), canary) << step;
  EXPECT_EQ(step.value("stableReady", 0), 10 - canary) << step;
  EXPECT_EQ(step.value("verdict", ""), "Passed") << step;
}

// What the probe found of the share, by its own 99% interval, which misses once in a hundred. Of two, one is
// inside but once in ten thousand times.
void ExpectShare(const Json& status) {
  int inside = 0;
  for (const std::size_t test : {0UZ, 1UZ}) {
    const Json result = CheckOf(status, 0, test);
    const Json share = result.value("share", Json::object());
    EXPECT_EQ(share.value("wantedPermille", 0), 100) << result;
    EXPECT_GE(share.value("answers", 0), 500) << result;
    const int low = share.value("lowPermille", 0);
    const int high = share.value("highPermille", 0);
    EXPECT_EQ(share.value("inside", false), low <= 100 && 100 <= high) << result;
    EXPECT_LT(high - low, 80) << "an interval that says nothing: " << result;
    inside += share.value("inside", false) ? 1 : 0;
    Show(fmt::format("a canary of 10% got {} of {} answers; the 99% interval is {:.1f}% to {:.1f}%, {}",
                     share.value("canary", 0), share.value("answers", 0), low / 10.0, high / 10.0,
                     share.value("inside", false) ? "10% is inside" : "10% is outside"));
  }
  EXPECT_GE(inside, 1);
}

TEST_F(InSteps, ThreeStepsArePlannedGotMeasuredAndPromoted) {
  Json steps = Steps({10, 25, 50}, "2s");
  steps[0]["hold"] = "10s";
  Json spec = Spec(next_, steps);
  Json share = spec["smokeTests"][0];
  share["requests"] = 600;
  Json again = share;
  share["name"] = "share";
  again["name"] = "share-again";
  spec["smokeTests"] = Json::array({share, again, spec["smokeTests"][0]});
  steps[0]["smokeTests"] = {"share", "share-again"};
  steps[1]["smokeTests"] = {"answers"};
  steps[2]["smokeTests"] = {"answers"};
  spec["steps"] = steps;
  Observe();
  Create("three", spec);

  const Json status = Ends("three", "Promoted", "", Seconds(180));
  ASSERT_EQ(status.value("steps", Json::array()).size(), 3U) << status;
  ExpectStep(status["steps"][0], 10, 1, 10);
  ExpectStep(status["steps"][1], 25, 3, 30);
  ExpectStep(status["steps"][2], 50, 5, 50);
  EXPECT_EQ(status["steps"][0]["checks"]["results"].size(), 2U);
  EXPECT_EQ(status["steps"][1]["checks"]["results"].size(), 1U);
  ExpectShare(status);
  EXPECT_EQ(ReadyOf("three").value("status", ""), "True");
  ExpectStable(next_);

  const Traffic traffic = Unharmed();
  // The same from outside: five standard deviations of what 800 answers give.
  const auto ready = ParseTime(Text(status, "/steps/0/readyAt"));
  ASSERT_TRUE(ready);
  const double percent = ShareIn(traffic, SampleOf(next_).version, *ready + Seconds(3), *ready + Seconds(10));
  EXPECT_NEAR(percent, 10, 5.4);
  Show(fmt::format("seen from outside while the step of 10% held: {:.1f}% of the answers", percent));
  EXPECT_EQ(traffic.versions.size(), 2U) << Json(traffic.versions);
}

// Up to that step nothing is held and hardly anything asked; that step is held.
Json HeldIn(int step, Json spec) {
  static constexpr std::array kWeights{10, 30, 50};
  spec["steps"] = Json::array();
  for (int at = 0; at <= step; ++at) {
    spec["steps"].push_back(
        {{"weight", kWeights.at(static_cast<std::size_t>(at))}, {"hold", at == step ? "10m" : "0s"}});
  }
  spec["smokeTests"][0]["requests"] = 20;
  return spec;
}

TEST_F(InSteps, AnAbortInEachStepRestoresStable) {
  Observe();
  for (const int step : {0, 1, 2}) {
    const std::string name = "abort-" + std::to_string(step + 1);
    Create(name, HeldIn(step, Spec(next_, Json::array())));
    WaitPhase(name, "Holding", step, Seconds(90));
    DecideOn(name, "Abort");
    const Json status = Ends(name, "Aborted", "AbortedByDecision", Seconds(60));
    EXPECT_EQ(status["steps"].size(), static_cast<std::size_t>(step) + 1) << status;
    EXPECT_EQ(Text(status, "/decisions/0/verb"), "Abort") << status;
    EXPECT_EQ(Text(status, "/decisions/0/refused"), "") << status;
    ExpectStable(stable_);
  }
  Unharmed();
}

// Each time it begins anew, with the other image, when stable is whole again; and is superseded once more,
// in the next step.
TEST_F(InSteps, AnotherImageInEachStepSupersedesIt) {
  Observe();
  Create("superseded", HeldIn(0, Spec(next_, Json::array())));
  for (const int step : {0, 1, 2}) {
    const Sample& other = SampleOf(step == 1 ? next_ : another_);
    WaitPhase("superseded", "Holding", step, Seconds(90));
    EXPECT_NE(Text(Get("superseded"), "/spec/image"), other.image);
    Patch("superseded",
          {{"spec", HeldIn(step == 2 ? 0 : step + 1, Spec(step == 1 ? next_ : another_, Json::array()))}});
    ASSERT_TRUE(Eventually(Seconds(90), "another canary comes",
                           [&](std::string& seen) {
                             const std::string canary = Text(Get("superseded"), "/status/canaryDeployment");
                             if (canary.empty()) return false;
                             const Json found = GetJson(ns_, "deployment", canary);
                             seen = found.dump();
                             return Text(found, "/spec/template/spec/containers/0/image") == other.image;
                           }))
        << "in step " << step + 1;
  }
  int told = 0;
  for (const auto& [reason, note] : EventsOf(ns_, Get("superseded"))) told += reason == "Superseded" ? 1 : 0;
  EXPECT_GE(told, 1) << "equal Events are one with a count";
  DecideOn("superseded", "Abort");
  Ends("superseded", "Aborted", "AbortedByDecision", Seconds(60));
  ExpectStable(stable_);
  Unharmed();
}

TEST_F(InSteps, TheBatchesOfASmallSurgeKeepToIt) {
  Json spec = Spec(next_, Steps({50}, "1s"));
  spec["maxSurge"] = "2";
  Observe();
  Create("batches", spec);
  const Json status = Ends("batches", "Promoted");
  ExpectStep(status["steps"][0], 50, 5, 50);
  EXPECT_GE(StopCapacity().least, 10);
  // Afterwards stable is whole before it changes, and the canary serves beside it; up to there:
  WatchCapacity();
  const std::string back = stable_;
  ExpectStable(next_);
  Json again = Spec(back, Steps({50}, "10m"));
  again["maxSurge"] = "2";
  Create("batches-held", again);
  WaitPhase("batches-held", "Holding", 0, Seconds(90));
  EXPECT_LE(StopCapacity().most_wanted, 12);
  WatchCapacity();
  DecideOn("batches-held", "Abort");
  Ends("batches-held", "Aborted", "AbortedByDecision");
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
