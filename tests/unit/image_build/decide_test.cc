#include "image_build/decide.h"

#include <gtest/gtest.h>

#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

TEST(NewRun, IsWrittenDownBeforeAnyJobIsMade) {
  World world;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 1U);
  const auto& run = plan.status.runs[0];
  EXPECT_EQ(run.number, 1);
  EXPECT_EQ(run.generation, 3);
  EXPECT_EQ(run.reason, "NewSpec");
  EXPECT_EQ(run.stages.size(), 6U);
  EXPECT_EQ(run.queued, kNow);
  EXPECT_FALSE(run.started);
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_TRUE(plan.recheck_after);
  EXPECT_EQ(plan.status.phase, BuildPhase::kResolving);
  EXPECT_EQ(plan.status.observed_generation, 3);
}

TEST(NewRun, ResolvesARevisionThatMovesBeforeItsTurnComes) {
  World world;
  world.admitted = false;
  world.Step();
  const auto plan = world.Decide();
  ASSERT_EQ(plan.starts.size(), 1U);
  EXPECT_EQ(plan.starts[0].role, JobRole::kResolve);
  EXPECT_EQ(plan.starts[0].name, JobName(world.build.meta, 1, JobRole::kResolve));
}

TEST(NewRun, BuildsAFullShaWithoutResolvingIt) {
  World world;
  world.build.spec.source.revision = std::string(40, 'A');
  world.Step();
  EXPECT_EQ(world.Run().commit->sha, kSha);
  EXPECT_EQ(world.Run().stages[0].state, StageState::kSkipped);
  EXPECT_EQ(world.build.status.phase, BuildPhase::kQueued);
  auto plan = world.Step();
  EXPECT_EQ(plan.status.runs[0].started, kNow) << "on record before a Job of it is made";
  EXPECT_TRUE(plan.starts.empty());
  plan = world.Decide();
  EXPECT_EQ(Started(plan, JobRole::kBuild), std::vector<std::string>{""});
  EXPECT_EQ(plan.status.phase, BuildPhase::kCloning);
}

TEST(NewRun, IsNotMadeOfASpecThatWasBuilt) {
  for (const bool success : {true, false}) {
    World world;
    world.Over(success);
    world.build.meta.generation = 9;  // of suspend or history, which change no image
    world.build.spec.history.failed = 7;
    world.build.spec.require_approval = true;
    world.build.spec.build.retries = 0;
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.runs.size(), 1U) << success;
    EXPECT_TRUE(plan.starts.empty()) << success;
    EXPECT_FALSE(plan.recheck_after) << success;
    EXPECT_EQ(Reason(plan), success ? "Succeeded" : "DockerfileFailed");
    EXPECT_EQ(plan.status.phase, success ? BuildPhase::kSucceeded : BuildPhase::kFailed);
  }
}

TEST(NewRun, IsMadeWhenAnythingOfTheSpecChangesThatAnImageDependsOn) {
  using Change = void (*)(resources::ImageBuildSpec&);
  const Change changes[] = {
      [](auto& s) { s.source.revision = "next"; },
      [](auto& s) { s.source.context_dir = "app"; },
      [](auto& s) { s.source.submodules = true; },
      [](auto& s) { s.source.depth = 0; },
      [](auto& s) { s.ca_bundle_ref = resources::NameRef{"authorities"}; },
      [](auto& s) { s.tests.push_back({.name = "unit", .image = kImage, .command = {"true"}}); },
      [](auto& s) { s.build.dockerfile = "Other"; },
      [](auto& s) { s.build.target = "final"; },
      [](auto& s) { s.build.args = {{"A", "b"}}; },
      [](auto& s) { s.build.platforms = {"linux/arm64"}; },
      [](auto& s) { s.build.timeout = std::chrono::minutes(7); },
      [](auto& s) { s.build.resources.limits["memory"] = "1Gi"; },
      [](auto& s) {
        s.build.cache = resources::CacheSpec{"registry.example.com/team/cache", std::chrono::hours(1), {}};
      },
      [](auto& s) { s.scan.fail_on = resources::Severity::kCritical; },
      [](auto& s) { s.scan.ignore_unfixed = false; },
      [](auto& s) { s.output.push = false; },
      [](auto& s) { s.output.tags = {"v1"}; },
      [](auto& s) { s.output.labels["a"] = "b"; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    World world;
    world.Over(true);
    changes[i](world.build.spec);
    world.build.meta.generation = 4;
    const auto plan = world.Decide();
    ASSERT_EQ(plan.status.runs.size(), 2U) << i << Message(plan);
    EXPECT_EQ(plan.status.runs[0].number, 2) << i;
    EXPECT_EQ(plan.status.runs[0].reason, "NewSpec") << i;
  }
}

TEST(NewRun, IsMadeForANewValueOfTheRebuildAnnotationAndOnlyOnce) {
  World world;
  world.Over(false);
  world.Annotate(resources::kRebuildAnnotation, "1");
  world.Step();
  ASSERT_EQ(world.build.status.runs.size(), 2U);
  EXPECT_EQ(world.Run().reason, "Rebuild");
  world.Run().finished = kNow;
  EXPECT_EQ(world.Decide().status.runs.size(), 2U);
}

TEST(NewRun, OfARunWithoutAKeyGoesByGeneration) {
  World world;
  world.Over(true).key.clear();
  EXPECT_EQ(world.Decide().status.runs.size(), 1U);
  world.build.meta.generation = 4;
  EXPECT_EQ(world.Decide().status.runs.size(), 2U);
}

TEST(NewRun, OfAnObjectThatIsGoingIsNotMade) {
  World world;
  world.build.meta.deleted = kNow;
  EXPECT_TRUE(world.Decide().status.runs.empty());
}

TEST(Key, TellsApartWhatOnlyLooksTheSameWhenJoined) {
  World world;
  auto& args = world.build.spec.build.args;
  args = {{"A", "1B"}};
  const auto one = KeyOf(world.build);
  args = {{"A1", "B"}};
  EXPECT_NE(KeyOf(world.build), one);
}

TEST(Policy, RefusesWithoutARun) {
  World world;
  world.policy->repositories = {"registry.example.com/other/"};
  auto plan = world.Decide();
  EXPECT_TRUE(plan.status.runs.empty());
  EXPECT_EQ(plan.status.phase, BuildPhase::kFailed);
  EXPECT_EQ(Reason(plan), "RegistryNotAllowed");
  EXPECT_TRUE(Message(plan).starts_with("spec.output.repository: registry.example.com")) << Message(plan);
  world.policy.reset();
  EXPECT_EQ(Reason(world.Decide()), "PolicyMissing");
}

TEST(Policy, MendedLetsItBegin) {
  World world;
  world.policy->repositories.clear();
  world.Step();
  world.policy->repositories = {"registry.example.com/team/"};
  EXPECT_EQ(world.Decide().status.runs.size(), 1U);
}

TEST(Policy, ThatChangesInARunHoldsItsNextJobBack) {
  World world;
  world.Step();
  world.policy.reset();
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(Reason(plan), "PolicyMissing");
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_TRUE(plan.recheck_after);
}

TEST(Policy, ThatIsGoneWhenARunIsResolvedKeepsItFromBeginning) {
  World world;
  world.Resolving();
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport())});
  world.policy.reset();
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "PolicyMissing");
  EXPECT_FALSE(world.Run().started);
  EXPECT_FALSE(world.Run().finished);
}

TEST(Resolved, StartsTheBuildOfTheCommit) {
  World world;
  world.Resolving();
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport())});
  world.Step();
  EXPECT_EQ(world.Run().commit->sha, kSha);
  EXPECT_EQ(world.Run().ref, "refs/heads/main");
  EXPECT_EQ(world.Run().stages[0].state, StageState::kSucceeded);
  EXPECT_EQ(world.Recorded(JobRole::kResolve).state, StageState::kSucceeded);
  EXPECT_TRUE(world.Run().started);
  const auto plan = world.Decide();
  ASSERT_EQ(plan.starts.size(), 1U);
  EXPECT_EQ(plan.starts[0].name, JobName(world.build.meta, 1, JobRole::kBuild));
}

TEST(Resolved, DoesNotCountBeforeTheJobIsComplete) {
  World world;
  world.Resolving({Ended("resolve", 0, FoundReport())});
  const auto plan = world.Decide();
  EXPECT_EQ(plan.status.phase, BuildPhase::kResolving);
  EXPECT_FALSE(plan.status.runs[0].commit);
  EXPECT_TRUE(plan.starts.empty());
}

TEST(Resolved, ByAJobWithAnotherUidDoesNotCount) {
  World world;
  world.Resolving();
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport(kOtherSha))});
  world.JobOf(JobRole::kResolve).meta.uid = {"forged"};
  const auto plan = world.Decide();
  EXPECT_FALSE(plan.status.runs[0].commit);
  EXPECT_EQ(Reason(plan), "JobVanished");
}

TEST(Resolved, ToNothingFails) {
  for (const char* report : {"", "{}", R"({"sha":"main"})", "{\"sha\":"}) {
    World world;
    world.Resolving();
    world.Finish(JobRole::kResolve, {Ended("resolve", 0, report)});
    EXPECT_EQ(Reason(world.Decide()), "ResolveReportInvalid") << report;
  }
}

TEST(Turn, IsWaitedForWithTheCommitKnown) {
  World world;
  world.admitted = false;
  world.Resolving();
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport())});
  world.Step();
  const auto plan = world.Step();
  EXPECT_EQ(plan.status.phase, BuildPhase::kQueued);
  EXPECT_EQ(Reason(plan), "Queued");
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_TRUE(plan.recheck_after);
  world.now += std::chrono::hours(5);
  EXPECT_FALSE(world.Step().status.runs[0].finished) << "the timeout counts from when its turn has come";
  world.admitted = true;
  world.Step();
  EXPECT_EQ(world.Run().started, world.now);
  EXPECT_EQ(Started(world.Decide(), JobRole::kBuild).size(), 1U);
}

TEST(Progress, PhaseFollowsTheContainers) {
  const struct {
    std::vector<ContainerState> containers;
    BuildPhase phase;
  } cases[] = {
      {{Running("source"), Stuck("build", "PodInitializing")}, BuildPhase::kCloning},
      {{Ended("source"), Running("prepare")}, BuildPhase::kPreparing},
      {{Ended("source"), Ended("prepare"), Running("build")}, BuildPhase::kBuilding},
      {{Ended("source"), Ended("prepare"), Ended("build"), Running("scan")}, BuildPhase::kScanning},
      {{Ended("source"), Ended("prepare"), Ended("build"), Ended("scan"), Running("sarif")},
       BuildPhase::kScanning},
      {{Ended("source"), Ended("prepare"), Ended("build"), Ended("scan"), Ended("sarif"),
        Stuck("gate", "PodInitializing"), Stuck("push", "PodInitializing")},
       BuildPhase::kScanning},
      {{Ended("source"), Ended("prepare"), Ended("build"), Ended("scan"), Ended("sarif"),
        Ended("gate", 0, kClean), Running("push")},
       BuildPhase::kPushing},
  };
  for (const auto& c : cases) {
    World world;
    world.Building(c.containers);
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.phase, c.phase);
    EXPECT_EQ(Reason(plan), "Building");
    EXPECT_EQ(plan.recheck_after, kRecheck);
    EXPECT_TRUE(plan.starts.empty());
  }
}

TEST(Progress, SaysThatAPodWaitsForANode) {
  World world;
  auto& pod = world.Building({});
  pod.phase = "Pending";
  pod.scheduled = false;
  pod.unschedulable = "0/1 nodes are available";
  const auto plan = world.Decide();
  EXPECT_TRUE(Message(plan).contains("waiting for a node: 0/1 nodes are available")) << Message(plan);
  EXPECT_FALSE(plan.status.runs[0].finished);
}

TEST(Progress, OfSeveralRunningPlatformsIsThatOfTheOneFurthestBehind) {
  World world;
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  world.Begun();
  world.Step();
  world.PodOf(JobRole::kBuild, "linux/amd64").containers = {Ended("source"), Ended("prepare"), Ended("build"),
                                                            Running("scan")};
  world.PodOf(JobRole::kBuild, "linux/arm64").containers = {Ended("source"), Running("prepare")};
  EXPECT_EQ(world.Step().status.phase, BuildPhase::kPreparing);
  EXPECT_EQ(FindStage(world.Run(), "source")->state, StageState::kSucceeded);
  EXPECT_EQ(FindStage(world.Run(), "prepare")->state, StageState::kRunning);
  world.PodOf(JobRole::kBuild, "linux/arm64").containers = {Ended("source"), Ended("prepare"),
                                                            Running("build")};
  EXPECT_EQ(world.Step().status.phase, BuildPhase::kBuilding);
  world.Finish(JobRole::kBuild, AllWell(), "linux/amd64");
  EXPECT_EQ(world.Step().status.phase, BuildPhase::kBuilding);
  EXPECT_EQ(FindStage(world.Run(), "build")->state, StageState::kRunning);
  world.Finish(JobRole::kBuild, AllWell(), "linux/arm64");
  EXPECT_EQ(world.Step().status.phase, BuildPhase::kIndexing);
}

TEST(Commit, ThatTheCloneTellsIsTakenOnlyOfTheOneThatWasAskedFor) {
  for (const auto& sha : {kSha, kOtherSha}) {
    World world;
    world.Building(
        {Ended("source", 0, R"({"sha":")" + sha + R"(","author":"Eve","subject":"x"})"), Running("prepare")});
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.runs[0].commit->sha, kSha);
    EXPECT_EQ(plan.status.runs[0].commit->author, sha == kSha ? "Eve" : "");
  }
}

}  // namespace
}  // namespace slipway::image_build
