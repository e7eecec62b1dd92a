// How runs end, and what is left of them.
#include <gtest/gtest.h>

#include "image_build/decide.h"
#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

TEST(Failure, KeepsTheLatestImageAndThePodsLogs) {
  World world;
  world.build.status.latest = resources::LatestBuild{"old", "old-image", {}, kNow};
  world.Building({Ended("source"), Ended("build", 1)});
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "DockerfileFailed");
  EXPECT_EQ(plan.status.latest->image, "old-image");
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(FindStage(const_cast<BuildRun&>(plan.status.runs[0]), "build")->state, StageState::kFailed);
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_TRUE(plan.notices[0].warning);
}

TEST(Failure, OfAScanWhoseReportIsBadCallsThePushOff) {
  World world;
  world.Building({Ended("source"), Ended("build"), Ended("scan", 0, "oops"), Running("push")});
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "ScanError");
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "image-uid");
}

TEST(Failure, AJobThatIsGoneIsNotMadeAgain) {
  World world;
  world.Building();
  world.image_job.reset();
  world.image_pod.reset();
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "JobVanished");
  EXPECT_FALSE(plan.start);
  EXPECT_TRUE(plan.status.runs[0].finished);
}

TEST(Failure, DeadlineOfTheJobIsTheTimeoutAndNotAKilledContainer) {
  World world;
  world.Building({Ended("source"), Ended("build", 137)});
  world.image_pod->meta.deleted = kNow;
  EXPECT_EQ(Reason(world.Decide()), "Building") << "while the pod is taken away nothing is known";
  world.image_job->failed = true;
  world.image_job->failed_reason = "DeadlineExceeded";
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_TRUE(Message(plan).starts_with("spec.build.timeout: ")) << Message(plan);
}

TEST(Failure, ARunThatIsOverItsTimeIsEnded) {
  World world;
  world.Building();
  world.now = kNow + std::chrono::minutes(31);
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_EQ(plan.removals.size(), 1U);
}

TEST(Failure, AJobWithoutAPodFailsAfterItsPatience) {
  World world;
  world.Building();
  world.image_pod.reset();
  world.image_job->active = 0;
  world.trouble = "exceeded quota: small";
  EXPECT_EQ(Reason(world.Decide()), "Building");
  world.now = kNow + kPodPatience;
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "PodNotCreated");
  EXPECT_TRUE(Message(plan).contains("exceeded quota: small"));
  EXPECT_EQ(plan.removals.size(), 1U) << "a pod that came later would push what has failed";
}

TEST(Failure, AJobWhosePodIsOnlyNotSeenYetGoesOn) {
  World world;
  world.Building();
  world.image_pod.reset();
  world.now = kNow + kPodPatience;
  EXPECT_EQ(Reason(world.Decide()), "Building");
}

TEST(Failure, AnEndedJobWithoutAPodIsWaitedForAndThenFails) {
  for (const bool complete : {true, false}) {
    World world;
    world.Building();
    world.image_pod.reset();
    (complete ? world.image_job->complete : world.image_job->failed) = true;
    world.image_job->finished = kNow;
    EXPECT_EQ(Reason(world.Decide()), "Building");
    world.now = kNow + kPodPatience;
    EXPECT_EQ(Reason(world.Decide()), "PodVanished");
  }
}

TEST(Failure, AForgedJobOnTheNameEndsTheRun) {
  World world;
  world.Store(world.Decide());
  const auto planned = world.Decide();
  const auto plan = world.NameTaken(planned, "spec.template.spec.containers was added");
  EXPECT_EQ(Reason(plan), "JobNameTaken");
  EXPECT_FALSE(plan.start);
  EXPECT_FALSE(plan.status.runs[0].resolve_job);
  EXPECT_TRUE(plan.status.runs[0].finished);
  EXPECT_TRUE(Message(plan).contains("delete job " + planned.start->name)) << Message(plan);
}

TEST(Superseded, RunIsClosedItsJobsGoAndTheNextBegins) {
  World world;
  world.Building();
  world.build.spec.source.revision = "next";
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 2U);
  EXPECT_EQ(plan.status.runs[1].failure->reason, "Superseded");
  EXPECT_TRUE(plan.status.runs[1].finished);
  EXPECT_EQ(plan.status.runs[0].number, 2);
  EXPECT_EQ(plan.status.runs[0].generation, 4);
  ASSERT_EQ(plan.removals.size(), 2U);
  EXPECT_EQ(plan.removals[0].uid.value, "resolve-uid");
  EXPECT_EQ(plan.removals[1].uid.value, "image-uid");
  EXPECT_FALSE(plan.start);
}

TEST(Superseded, NotWhenItSucceededJustNow) {
  World world;
  world.Pushed();
  world.build.spec.source.revision = "next";
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 2U);
  EXPECT_EQ(plan.status.runs[1].image, kImage);
  EXPECT_TRUE(plan.removals.empty());
}

TEST(Superseded, BeforeItsJobWasMadeStartsNothing) {
  World world;
  world.Store(world.Decide());
  world.build.spec.source.revision = "next";
  const auto plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status.runs.size(), 2U);
}

TEST(History, KeepsTheNewestOfEachSortAndRemovesTheOthersJobs) {
  World world;
  world.build.spec.history = {2, 1};
  for (int i = 1; i <= 6; ++i) world.Over(i % 2 == 0, i);  // even ones succeeded
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 3U);
  EXPECT_EQ(plan.status.runs[0].number, 6);
  EXPECT_EQ(plan.status.runs[1].number, 5);
  EXPECT_EQ(plan.status.runs[2].number, 4);
  ASSERT_EQ(plan.removals.size(), 3U);
  EXPECT_EQ(plan.removals[0].uid.value, "job-3");
  EXPECT_EQ(plan.removals[2].uid.value, "job-1");
}

TEST(History, OfNothingStillKeepsTheNewest) {
  World world;
  world.build.spec.history = {0, 0};
  for (int i = 1; i <= 3; ++i) world.Over(true, i);
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 1U);
  EXPECT_EQ(plan.status.runs[0].number, 3);
}

TEST(Strays, AreRemovedUnlessTheyAreWhatWouldBeStarted) {
  World world;
  world.Store(world.Decide());
  world.owned = {{ResolveJobName(world.build.meta, 1), {"adopted"}}, {"app-build-00000000", {"stray"}}};
  const auto plan = world.Decide();
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "stray");
}

TEST(Strays, RecordedJobsAreNone) {
  World world;
  world.Building();
  world.owned = {{world.image_job->meta.key.name, world.image_job->meta.uid},
                 {world.resolve_job->meta.key.name, world.resolve_job->meta.uid}};
  EXPECT_TRUE(world.Decide().removals.empty());
}

TEST(TimeLeftOfARun, IsWhatResolvingLeft) {
  World world;
  world.Building();
  auto& run = world.Run();
  run.started = kNow;
  run.stages[0].finished = kNow + std::chrono::minutes(2);
  EXPECT_EQ(TimeLeft(world.build, run), std::chrono::minutes(28));
  run.stages[0].finished = kNow + std::chrono::hours(2);
  EXPECT_EQ(TimeLeft(world.build, run), std::chrono::seconds(10));
}

TEST(Decision, MadeTwiceOfTheSameIsTheSame) {
  World world;
  world.Pushed();
  world.Store(world.Decide());
  const auto plan = world.Decide();
  EXPECT_EQ(plan.status, world.build.status);
  EXPECT_TRUE(plan.notices.empty());
  EXPECT_TRUE(plan.removals.empty());
}

}  // namespace
}  // namespace slipway::image_build
