#include "image_build/decide.h"

#include <gtest/gtest.h>

#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using resources::Readiness;

TEST(NewRun, IsWrittenDownBeforeAnyJobIsMade) {
  World world;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 1U);
  const auto& run = plan.status.runs[0];
  EXPECT_EQ(run.number, 1);
  EXPECT_EQ(run.generation, 3);
  EXPECT_EQ(run.reason, "NewSpec");
  EXPECT_EQ(run.stages.size(), 5U);
  EXPECT_FALSE(plan.start);
  EXPECT_TRUE(plan.recheck_after);
  EXPECT_EQ(plan.status.phase, BuildPhase::kResolving);
  EXPECT_EQ(plan.status.observed_generation, 3);
}

TEST(NewRun, ResolvesARevisionThatMoves) {
  World world;
  world.Store(world.Decide());
  const auto plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->role, Role::kResolve);
  EXPECT_EQ(plan.start->name, ResolveJobName(world.build.meta, 1));
}

TEST(NewRun, BuildsAFullShaWithoutResolvingIt) {
  World world;
  world.build.spec.source.revision = std::string(40, 'A');
  world.Store(world.Decide());
  EXPECT_EQ(world.Run().commit->sha, kSha);
  EXPECT_EQ(world.Run().stages[0].state, StageState::kSkipped);
  const auto plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->role, Role::kBuild);
  EXPECT_EQ(plan.status.phase, BuildPhase::kCloning);
}

TEST(NewRun, IsNotMadeOfASpecThatWasBuilt) {
  for (const bool success : {true, false}) {
    World world;
    world.Over(success);
    world.build.meta.generation = 9;  // of suspend or history, which change no image
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.runs.size(), 1U) << success;
    EXPECT_FALSE(plan.start) << success;
    EXPECT_FALSE(plan.recheck_after) << success;
    EXPECT_EQ(Reason(plan), success ? "Succeeded" : "DockerfileFailed");
    EXPECT_EQ(plan.status.phase, success ? BuildPhase::kSucceeded : BuildPhase::kFailed);
  }
}

TEST(NewRun, IsMadeWhenAnythingOfTheSpecChangesThatAnImageDependsOn) {
  using Change = void (*)(resources::ImageBuildSpec&);
  const Change changes[] = {[](auto& s) { s.source.revision = "next"; },
                            [](auto& s) { s.source.context_dir = "app"; },
                            [](auto& s) { s.build.dockerfile = "Other"; },
                            [](auto& s) { s.build.target = "final"; },
                            [](auto& s) { s.build.args = {{"A", "b"}}; },
                            [](auto& s) { s.build.timeout = std::chrono::minutes(7); },
                            [](auto& s) { s.build.resources.limits["memory"] = "1Gi"; },
                            [](auto& s) {
                              s.build.cache = resources::CacheSpec{
                                  "registry.example.com/team/cache", std::chrono::hours(1), {}};
                            },
                            [](auto& s) { s.scan.fail_on = resources::Severity::kCritical; },
                            [](auto& s) { s.scan.ignore_unfixed = false; },
                            [](auto& s) { s.output.tags = {"v1"}; },
                            [](auto& s) { s.output.labels["a"] = "b"; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    World world;
    world.Over(true);
    changes[i](world.build.spec);
    world.build.meta.generation = 4;
    const auto plan = world.Decide();
    ASSERT_EQ(plan.status.runs.size(), 2U) << i;
    EXPECT_EQ(plan.status.runs[0].number, 2) << i;
    EXPECT_EQ(plan.status.runs[0].reason, "NewSpec") << i;
  }
}

TEST(NewRun, IsMadeForANewValueOfTheRebuildAnnotationAndOnlyOnce) {
  World world;
  world.Over(false);
  world.build.meta.annotations[std::string(kRebuildAnnotation)] = "1";
  world.Store(world.Decide());
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

TEST(Key, TellsApartWhatOnlyLooksTheSameWhenJoined) {
  World world;
  auto& args = world.build.spec.build.args;
  args = {{"A", "1B"}};
  const auto one = KeyOf(world.build);
  args = {{"A1", "B"}};
  EXPECT_NE(KeyOf(world.build), one);
}

TEST(Suspended, BeginsNothing) {
  World world;
  world.build.spec.suspend = true;
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.status.runs.empty());
  EXPECT_EQ(plan.status.phase, BuildPhase::kSuspended);
  EXPECT_EQ(Reason(plan), "Suspended");
}

TEST(Suspended, LetsARunUnderWayGoOnEvenIfTheSpecChanged) {
  World world;
  world.Building();
  world.build.spec.suspend = true;
  world.build.spec.build.target = "other";
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(Reason(plan), "Building");
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
  world.Store(world.Decide());
  world.policy->repositories = {"registry.example.com/team/"};
  EXPECT_EQ(world.Decide().status.runs.size(), 1U);
}

TEST(Policy, ThatChangesInARunHoldsItsNextJobBack) {
  World world;
  world.Store(world.Decide());
  world.policy.reset();
  const auto plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Reason(plan), "PolicyMissing");
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_TRUE(plan.recheck_after);
}

TEST(Policy, TwoRegistryCredentialsForTheBuildAreRefused) {
  World world;
  auto& spec = world.build.spec.build;
  spec.base_credentials_secret_ref = resources::NameRef{"base"};
  spec.cache = resources::CacheSpec{"registry.example.com/team/cache", std::chrono::hours(1),
                                    resources::NameRef{"cache"}};
  world.policy->secrets = {{"base", resources::SecretUse::kBase}, {"cache", resources::SecretUse::kCache}};
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "TwoCredentials");
  EXPECT_TRUE(Message(plan).starts_with("spec.build.cache.credentialsSecretRef: ")) << Message(plan);
}

TEST(Resolved, StartsTheBuildOfTheCommit) {
  World world;
  world.Resolving({Ended("resolve", 0, R"({"sha":")" + kSha + "\"}")});
  world.resolve_job->complete = true;
  const auto plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->role, Role::kBuild);
  EXPECT_EQ(plan.start->name, BuildJobName(world.build.meta, 1));
  EXPECT_EQ(plan.status.runs[0].commit->sha, kSha);
  EXPECT_EQ(plan.status.runs[0].stages[0].state, StageState::kSucceeded);
}

TEST(Resolved, DoesNotCountBeforeTheJobIsComplete) {
  World world;
  world.Resolving({Ended("resolve", 0, R"({"sha":")" + kSha + "\"}")});
  EXPECT_FALSE(world.Decide().start);
}

TEST(Resolved, ToNothingFails) {
  for (const char* report : {"", "{}", R"({"sha":"main"})", "{\"sha\":"}) {
    World world;
    world.Resolving({Ended("resolve", 0, report)});
    world.resolve_job->complete = true;
    EXPECT_EQ(Reason(world.Decide()), "ResolveReportInvalid") << report;
  }
}

TEST(Progress, PhaseFollowsTheContainers) {
  const struct {
    std::vector<ContainerState> containers;
    BuildPhase phase;
  } cases[] = {
      {{Running("source"), Stuck("build", "PodInitializing")}, BuildPhase::kCloning},
      {{Ended("source"), Running("build")}, BuildPhase::kBuilding},
      {{Ended("source"), Ended("build"), Running("scan")}, BuildPhase::kScanning},
  };
  for (const auto& c : cases) {
    World world;
    world.Building(c.containers);
    const auto plan = world.Decide();
    EXPECT_EQ(plan.status.phase, c.phase);
    EXPECT_EQ(Reason(plan), "Building");
    EXPECT_EQ(plan.recheck_after, kRecheck);
    EXPECT_FALSE(plan.start);
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

TEST(Success, IsTheDigestThatThePushReported) {
  World world;
  world.Pushed();
  const auto plan = world.Decide();
  const auto& run = plan.status.runs[0];
  EXPECT_EQ(run.image, kImage);
  EXPECT_EQ(run.tags, std::vector<std::string>{kSha});
  EXPECT_EQ(run.commit->author, "Ada");
  EXPECT_TRUE(run.finished);
  EXPECT_FALSE(run.failure);
  for (const auto& stage : run.stages) EXPECT_EQ(stage.state, StageState::kSucceeded) << stage.name;
  ASSERT_TRUE(plan.status.latest);
  EXPECT_EQ(plan.status.latest->image, kImage);
  EXPECT_EQ(plan.status.latest->commit, kSha);
  EXPECT_EQ(Reason(plan), "Succeeded");
  EXPECT_EQ(Message(plan), "commit aaaaaaaaaaaa is " + kImage);
  EXPECT_FALSE(plan.recheck_after);
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_FALSE(plan.notices[0].warning);
}

TEST(Success, IsNoneWithoutAWholeReportOfThePush) {
  for (const std::string& report :
       {std::string(), std::string("registry.example.com/team/app:tag"), kImage.substr(0, 90),
        "registry.example.com/team/other@sha256:" + std::string(64, '1'), kImage + "\n" + kImage + "\n"}) {
    World world;
    world.Pushed();
    world.image_pod->containers.back().message = report;
    const auto plan = world.Decide();
    EXPECT_EQ(Reason(plan), "PushReportInvalid") << report;
    EXPECT_FALSE(plan.status.latest) << report;
  }
}

TEST(Success, IsNoneWithoutAReportOfTheScan) {
  for (const std::string& report : {std::string(), std::string("{\"counts\":{\"CRIT"),
                                    std::string("{\"counts\":{}}"), std::string("[]")}) {
    World world;
    world.Pushed();
    world.image_pod->containers[2].message = report;
    const auto plan = world.Decide();
    EXPECT_EQ(Reason(plan), "ScanError") << report;
    EXPECT_FALSE(plan.status.latest) << report;
  }
}

TEST(Success, IsNoneWhenTheScanIsNotInThePod) {
  World world;
  world.Pushed();
  world.image_pod->containers.erase(world.image_pod->containers.begin() + 2);
  EXPECT_EQ(Reason(world.Decide()), "ScanError");
}

TEST(Success, DoesNotBelieveTheBuildContainer) {
  World world;
  world.Pushed();
  world.image_pod->containers[1].message = kRepository + "@sha256:" + std::string(64, '2');
  EXPECT_EQ(world.Decide().status.latest->image, kImage);
}

}  // namespace
}  // namespace slipway::image_build
