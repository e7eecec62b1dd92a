// What people ask of runs: to end one, to make one again, to wait, to forget old ones.
#include <algorithm>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kCancel = "slipway.dev/cancel";
constexpr const char* kRebuild = "slipway.dev/rebuild";

class Control : public Runs {
 protected:
  static std::vector<int> Numbers(const Json& build) {
    std::vector<int> numbers;
    for (const auto& run : build["status"]["runs"]) numbers.push_back(run["number"]);
    return numbers;
  }
  bool Phase(const std::string& phase) {
    return Eventually(Seconds(15), "phase " + phase, [&](std::string& seen) {
      seen = Text(Get(), "/status/phase");
      return seen == phase;
    });
  }
};

TEST_F(Control, ARunIsCancelledMadeAgainHeldUpAndForgotten) {
  Json spec = Spec();
  spec["tests"] = Failing(3);
  spec["history"] = {{"failed", 2}, {"cancelled", 1}};
  Create(spec);

  // Only the run that is named: a word of another one is nothing.
  const auto first = WaitTesting(1);
  Annotate(kCancel, "2");
  Annotate(kCancel, "1");
  const auto cancelled = WaitFinished(1, Seconds(10));
  EXPECT_EQ(FailureOf(cancelled), "Cancelled") << cancelled;
  EXPECT_TRUE(JobsGone(Running(first)));
  EXPECT_TRUE(Phase("Cancelled"));

  Annotate(kRebuild, "once");
  const auto second = WaitTesting(2);
  EXPECT_EQ(second.value("reason", ""), "Rebuild") << second;
  EXPECT_EQ(Text(second, "/commit/sha"), Text(cancelled, "/commit/sha"));
  // A run under way ends as it would; the next one waits.
  Patch({{"spec", {{"suspend", true}}}});
  EXPECT_EQ(FailureOf(WaitFinished(2, Seconds(60))), "TestFailed");
  EXPECT_TRUE(Phase("Suspended"));
  Annotate(kRebuild, "twice");
  std::this_thread::sleep_for(Seconds(3));
  EXPECT_EQ(Numbers(Get()), (std::vector{2, 1})) << "a run began in spite of spec.suspend";
  Patch({{"spec", {{"suspend", false}}}});
  WaitFinished(3, Seconds(60));

  Annotate(kRebuild, "thrice");
  WaitFinished(4, Seconds(60));
  // Two that failed, and the one that was cancelled, which is of another outcome.
  EXPECT_EQ(Numbers(Get()), (std::vector{4, 3, 1}));
  EXPECT_TRUE(JobsGone(second["jobs"]));
}

TEST_F(Control, AfterItsTimeAFailedRunKeepsItsRecordAndNotItsJobs) {
  Json spec = Spec();
  spec["tests"] = Failing(1);
  spec["history"]["ttlAfterFailure"] = "5s";
  Create(spec);
  const auto ended = WaitFinished(1, Seconds(60));
  ASSERT_FALSE(ended.value("jobs", Json::array()).empty());
  ASSERT_FALSE(Jobs().empty()) << "they went before their time";
  EXPECT_TRUE(JobsGone(ended["jobs"]));
  const auto run = Run(Get(), 1);
  EXPECT_EQ(FailureOf(run), "TestFailed") << run;
  EXPECT_TRUE(run.value("jobs", Json::array()).empty()) << run;
  EXPECT_TRUE(Run(Get(), 2).empty()) << "built again for nothing";
}

}  // namespace
}  // namespace slipway::testing
