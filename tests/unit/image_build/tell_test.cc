// What the forge is told, and when.
#include "image_build/tell.h"

#include <gtest/gtest.h>

#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using Strings = std::vector<std::string>;

World Reporting() {
  World world;
  world.build.spec.report =
      resources::ReportSpec{.api_url = "https://api.example.com", .credentials_secret_ref = {"token"}};
  world.policy->secrets = {{"token", resources::SecretUse::kReport}};
  return world;
}

void Done(World& world, const std::string& leg) {
  world.Finish(JobRole::kReport, {Ended("report", 0, "{}")}, leg);
}

BuildRun Ended(const std::string& reason) {
  BuildRun run;
  run.number = 4;
  run.commit.emplace().sha = kSha;
  run.finished = kNow;
  if (!reason.empty()) run.failure = resources::Failure{"build", reason, "m", "", ""};
  return run;
}

TEST(WantedStatus, TellsTheAuthorsFailuresFromAllOthers) {
  const World world = Reporting();
  for (const char* reason : {"TestFailed", "TestTimeout", "DockerfileFailed", "VulnerabilitiesFound",
                             "DockerfileNotFound", "ContextNotFound", "DockerfileInvalid"}) {
    EXPECT_EQ(WantedStatus(world.build, Ended(reason)), "failure") << reason;
  }
  for (const char* reason : {"Evicted", "RegistryDenied", "BuildTimeout", "JobNameTaken", "Rejected"}) {
    EXPECT_EQ(WantedStatus(world.build, Ended(reason)), "error") << reason;
  }
  EXPECT_EQ(WantedStatus(world.build, Ended("")), "success");
}

TEST(WantedStatus, IsNoneWithoutAReportOrACommitOrOfWhatWasCalledOffUntold) {
  World world = Reporting();
  auto run = Ended("");
  run.commit.reset();
  EXPECT_EQ(WantedStatus(world.build, run), "");
  for (const char* reason : {"Superseded", "Cancelled"}) {
    run = Ended(reason);
    EXPECT_EQ(WantedStatus(world.build, run), "") << reason;
    run.told = "pending";
    EXPECT_EQ(WantedStatus(world.build, run), "error") << "else it would be pending for ever";
  }
  run = Ended("");
  run.finished.reset();
  EXPECT_EQ(WantedStatus(world.build, run), "pending");
  world.build.spec.report.reset();
  EXPECT_EQ(WantedStatus(world.build, run), "");
}

TEST(StatusText, IsShortAndSaysWhatBecameOfIt) {
  auto run = Ended("");
  EXPECT_EQ(StatusText(run), "run 4 passed");
  run.image = kImage;
  EXPECT_EQ(StatusText(run), "run 4 is sha256:" + std::string(64, '1'));
  run = Ended("DockerfileFailed");
  EXPECT_EQ(StatusText(run), "run 4: DockerfileFailed at build");
  run.failure->reason = std::string(300, 'X');
  EXPECT_LE(StatusText(run).size(), 140U);
  run.finished.reset();
  EXPECT_EQ(StatusText(run), "run 4 is under way");
}

TEST(Telling, BeginsWhenTheCommitIsKnownAndKeepsItsOrder) {
  World world = Reporting();
  world.Resolving();
  EXPECT_TRUE(Started(world.Decide(), JobRole::kReport).empty());
  world.Finish(JobRole::kResolve, {image_build::Ended("resolve", 0, FoundReport())});
  EXPECT_EQ(Started(world.Step(), JobRole::kReport), Strings{"pending"});
  EXPECT_EQ(Started(world.Step(), JobRole::kBuild), Strings{""}) << "nothing waits for it";
  world.Finish(JobRole::kBuild, AllWell());
  auto plan = world.Step();
  EXPECT_TRUE(plan.status.runs[0].finished);
  EXPECT_TRUE(plan.starts.empty()) << "the first is still under way";
  Done(world, "pending");
  EXPECT_EQ(Started(world.Step(), JobRole::kReport), Strings{"success"});
  EXPECT_EQ(world.Run().told, "pending");
  Done(world, "success");
  world.Step();
  EXPECT_EQ(world.Run().told, "success");
  EXPECT_TRUE(world.Settle().starts.empty());
}

TEST(Telling, ThatFailsIsGivenUpWithAWordAndBlocksNothing) {
  World world = Reporting();
  world.Begun();
  world.Step();
  world.PodOf(JobRole::kReport, "pending").containers = {
      image_build::Ended("report", 50, R"({"reason":"ForgeDenied","message":"401"})")};
  world.JobOf(JobRole::kReport, "pending").failed = true;
  const auto plan = world.Step();
  EXPECT_EQ(world.Run().told, "pending");
  EXPECT_FALSE(world.Run().failure);
  EXPECT_FALSE(world.Run().finished);
  EXPECT_EQ(world.Recorded(JobRole::kReport, "pending").state, StageState::kFailed);
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_TRUE(plan.notices[0].warning);
  EXPECT_EQ(plan.notices[0].reason, "ForgeDenied");
  EXPECT_TRUE(plan.notices[0].note.contains("the status pending was not told")) << plan.notices[0].note;
  world.Finish(JobRole::kBuild, AllWell());
  EXPECT_EQ(Started(world.Step(), JobRole::kReport), Strings{"success"});
}

TEST(Telling, WhoseTimeIsOverIsNotTheBuildsTimeout) {
  World world = Reporting();
  world.Begun();
  world.Step();
  world.pods.clear();
  world.JobOf(JobRole::kReport, "pending").failed = true;
  world.JobOf(JobRole::kReport, "pending").failed_reason = "DeadlineExceeded";
  const auto plan = world.Step();
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_EQ(plan.notices[0].reason, "ReportTimeout");
}

TEST(Telling, IsOfNoStage) {
  World world = Reporting();
  world.Begun();
  world.Step();
  world.PodOf(JobRole::kReport, "pending").containers = {Stuck("report", "ContainerCreating")};
  world.PodOf(JobRole::kBuild).containers = {Stuck("source", "ContainerCreating")};
  world.Step();
  for (const auto& stage : world.Run().stages)
    EXPECT_FALSE(stage.message.contains("app-report")) << stage.name;
}

TEST(Telling, OfARunComesBeforeTheNextRun) {
  World world = Reporting();
  world.Pushed();
  Done(world, "pending");
  world.Saw(kOtherSha);
  auto plan = world.Step();
  EXPECT_EQ(Started(plan, JobRole::kReport), Strings{"success"});
  EXPECT_EQ(plan.status.runs.size(), 1U);
  EXPECT_TRUE(plan.recheck_after);
  EXPECT_EQ(world.Step().status.runs.size(), 1U) << "two could overtake each other";
  Done(world, "success");
  EXPECT_EQ(world.Step().status.runs.size(), 2U);
}

// Else the commit of the run that ended would be pending for ever.
TEST(Telling, IsOwedWhileTheFirstStatusIsUnderWay) {
  World world = Reporting();
  world.Pushed();
  world.Saw(kOtherSha);
  auto plan = world.Step();
  EXPECT_TRUE(plan.status.runs[0].finished);
  EXPECT_EQ(plan.status.runs.size(), 1U);
  Done(world, "pending");
  EXPECT_EQ(Started(world.Step(), JobRole::kReport), Strings{"success"});
  Done(world, "success");
  EXPECT_EQ(world.Step().status.runs.size(), 2U);
}

TEST(Telling, WhoseNameIsTakenIsGivenUp) {
  World world = Reporting();
  world.Resolving();
  world.Finish(JobRole::kResolve, {image_build::Ended("resolve", 0, FoundReport())});
  const auto planned = world.Decide();
  ASSERT_EQ(planned.starts.size(), 1U);
  ASSERT_EQ(planned.starts[0].role, JobRole::kReport);
  const auto plan = world.NameTaken(planned, "another image");
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_EQ(plan.status.runs[0].told, "pending");
  EXPECT_TRUE(plan.notices[0].warning);
  EXPECT_EQ(plan.notices[0].reason, "JobNameTaken");
}

TEST(Telling, IsNotCutShortByTheTimeToLive) {
  World world = Reporting();
  world.build.spec.history.ttl_after_success = std::chrono::minutes(1);
  world.Pushed();
  Done(world, "pending");
  EXPECT_EQ(Started(world.Step(), JobRole::kReport), Strings{"success"});
  world.now += std::chrono::minutes(5);
  world.Step();
  EXPECT_TRUE(world.jobs.contains(world.Recorded(JobRole::kReport, "success").name));
  Done(world, "success");
  world.Step();
  EXPECT_EQ(world.Run().told, "success");
  EXPECT_TRUE(world.Run().jobs.empty());
  EXPECT_TRUE(world.jobs.empty());
  EXPECT_TRUE(world.Step().starts.empty());
}

}  // namespace
}  // namespace slipway::image_build
