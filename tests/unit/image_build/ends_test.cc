// How runs end, and what is left of them.
#include <gtest/gtest.h>

#include "image_build/decide.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

TEST(Failure, KeepsTheLatestImageAndThePodsLogs) {
  World world;
  world.build.status.latest = resources::LatestBuild{"old", "old-image", {}, kNow};
  world.Building({Ended("source"), Ended("prepare"), Ended("build", 1)});
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "DockerfileFailed");
  EXPECT_EQ(plan.status.latest->image, "old-image");
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(FindStage(plan.status.runs[0], "build")->state, StageState::kFailed);
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_TRUE(plan.notices.back().warning);
}

TEST(Failure, OfAScanWhoseReportIsBadCallsThePushOff) {
  World world;
  world.Building({Ended("source"), Ended("prepare"), Ended("build"), Ended("scan"), Ended("sarif"),
                  Ended("gate", 0, "oops"), Running("push")});
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "ScanError");
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "job-Build");
}

TEST(Failure, AJobThatIsGoneIsNotMadeAgainInItsRun) {
  World world;
  world.Building();
  world.jobs.clear();
  const auto plan = world.Decide();
  EXPECT_EQ(plan.status.runs[0].failure->reason, "JobVanished");
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_TRUE(plan.status.runs[0].finished);
}

TEST(Failure, DeadlineOfTheJobIsTheTimeoutAndNotAKilledContainer) {
  World world;
  world.Building({Ended("source"), Ended("prepare"), Ended("build", 137)});
  world.PodOf(JobRole::kBuild).meta.deleted = kNow;
  EXPECT_EQ(Reason(world.Decide()), "Building") << "while the pod is taken away nothing is known";
  world.JobOf(JobRole::kBuild).failed = true;
  world.JobOf(JobRole::kBuild).failed_reason = "DeadlineExceeded";
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_TRUE(Message(plan).starts_with("spec.build.timeout: ")) << Message(plan);
}

TEST(Failure, APodThatTheClusterTookAwayIsEvictedEvenIfItIsGone) {
  World world;
  world.Building();
  world.JobOf(JobRole::kBuild).failed = true;
  world.JobOf(JobRole::kBuild).failed_reason = "PodFailurePolicy";
  world.JobOf(JobRole::kBuild).failed_message = "Pod team/x has condition DisruptionTarget";
  world.pods.clear();
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "Evicted");
  EXPECT_TRUE(Message(plan).contains("DisruptionTarget")) << Message(plan);
}

TEST(Failure, ARunThatIsOverItsTimeIsEnded) {
  World world;
  world.Building();
  world.now = kNow + std::chrono::minutes(31);
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_EQ(plan.removals.size(), 1U);
}

TEST(Failure, NoJobIsStartedAfterTheTimeOfTheRun) {
  World world;
  world.Begun();
  world.now = kNow + std::chrono::minutes(31);
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(Reason(plan), "BuildTimeout");
}

TEST(Failure, AJobWithoutAPodFailsAfterItsPatience) {
  for (const bool quota : {true, false}) {
    World world;
    world.Building();
    world.pods.clear();
    world.JobOf(JobRole::kBuild).active = 0;
    world.trouble = quota ? "exceeded quota: small" : "admission said no";
    EXPECT_EQ(Reason(world.Decide()), "Building");
    world.now = kNow + kPodPatience;
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.runs[0].failure->reason, quota ? "QuotaExceeded" : "PodNotCreated");
    EXPECT_TRUE(plan.status.runs[0].failure->message.contains(world.trouble));
    EXPECT_EQ(plan.removals.size(), 1U) << "a pod that came later would push what has failed";
  }
}

TEST(Failure, AJobWhosePodIsOnlyNotSeenYetGoesOn) {
  World world;
  world.Building();
  world.pods.clear();
  world.now = kNow + kPodPatience;
  EXPECT_EQ(Reason(world.Decide()), "Building");
}

// What the run has recorded of it is not enough: the last stage's report is read of a pod that has ended.
TEST(Failure, AnEndedJobIsJudgedByAPodThatHasEndedToo) {
  for (const bool complete : {true, false}) {
    World world;
    world.Building(complete ? std::vector{Ended("source"), Running("prepare")}
                            : std::vector{Ended("source")});
    auto& job = world.JobOf(JobRole::kBuild);
    (complete ? job.complete : job.failed) = true;
    job.finished = kNow;
    const auto plan = world.Decide();
    EXPECT_EQ(Reason(plan), "Building") << "its pod is seen as it was before";
    EXPECT_EQ(plan.recheck_after, std::chrono::seconds(5));
    world.now = kNow + kPodPatience;
    EXPECT_EQ(world.Decide().status.runs[0].failure->reason, "PodVanished");
    world.now = kNow;
    world.pods.clear();
    EXPECT_EQ(world.Decide().status.runs[0].failure->reason, "PodVanished") << "the API server has none";
  }
}

TEST(Failure, AForgedJobOnTheNameEndsTheRun) {
  World world;
  world.Step();
  const auto planned = world.Decide();
  const auto plan = world.NameTaken(planned, "spec.template.spec.containers was added");
  EXPECT_EQ(Reason(plan), "JobNameTaken");
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_TRUE(plan.status.runs[0].jobs.empty());
  EXPECT_TRUE(plan.status.runs[0].finished);
  EXPECT_TRUE(Message(plan).contains("delete job " + planned.starts[0].name)) << Message(plan);
}

TEST(Failure, AForgedJobAmongSeveralTakesTheOthersWithIt) {
  World world;
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  world.Begun();
  auto planned = world.Decide();
  ASSERT_EQ(planned.starts.size(), 2U);
  planned.status.runs[0].jobs.push_back(
      {.name = planned.starts[0].name, .uid = {"made"}, .leg = "linux/amd64"});
  planned.starts.erase(planned.starts.begin());
  const auto plan = world.NameTaken(planned, "another image");
  EXPECT_EQ(Reason(plan), "JobNameTaken");
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "made");
}

TEST(Strays, AreRemovedUnlessTheyAreWhatWouldBeStarted) {
  World world;
  world.Step();
  world.owned = {{JobName(world.build.meta, 1, JobRole::kResolve), {"adopted"}},
                 {"app-build-00000000", {"stray"}}};
  const auto plan = world.Decide();
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "stray");
}

TEST(Strays, RecordedJobsAreNone) {
  World world;
  world.Building();
  for (const auto& [name, job] : world.jobs) world.owned.push_back({name, job.meta.uid});
  ASSERT_EQ(world.owned.size(), 2U);
  EXPECT_TRUE(world.Decide().removals.empty());
}

TEST(Strays, AnotherUidUnderARecordedNameIsOne) {
  World world;
  world.Building();
  world.owned = {{world.JobOf(JobRole::kResolve).meta.key.name, {"another"}}};
  ASSERT_EQ(world.Decide().removals.size(), 1U);
  EXPECT_EQ(world.Decide().removals[0].uid.value, "another");
}

TEST(TimeLeftOfARun, IsWhatTheTestsLeft) {
  World world;
  world.build.spec.tests.push_back({.name = "unit", .image = kImage, .command = {"true"}});
  world.Begun();
  auto& run = world.Run();
  run.started = kNow;
  EXPECT_EQ(TimeLeft(world.build, run), std::chrono::minutes(30));
  FindStage(run, "test")->finished = kNow + std::chrono::minutes(2);
  EXPECT_EQ(TimeLeft(world.build, run), std::chrono::minutes(28));
  FindStage(run, "test")->finished = kNow + std::chrono::hours(2);
  EXPECT_EQ(TimeLeft(world.build, run), std::chrono::seconds(10));
}

}  // namespace
}  // namespace slipway::image_build
