// When a run counts as a success, and what is believed of it.
#include <gtest/gtest.h>

#include "image_build/decide.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

TEST(Success, IsTheDigestThatThePushReported) {
  World world;
  world.Pushed();
  const auto plan = world.Decide();
  const auto& run = plan.status.runs[0];
  EXPECT_EQ(run.image, kImage);
  EXPECT_EQ(run.tags, std::vector<std::string>{kSha});
  EXPECT_EQ(run.commit->author, "Ada");
  EXPECT_EQ(run.bases, (std::vector<resources::BaseImage>{{"base:1", "sha256:0"}}));
  EXPECT_EQ(run.cache->hits, 3);
  EXPECT_TRUE(run.finished);
  EXPECT_FALSE(run.failure);
  for (const auto& stage : run.stages) EXPECT_EQ(stage.state, StageState::kSucceeded) << stage.name;
  ASSERT_TRUE(plan.status.latest);
  EXPECT_EQ(plan.status.latest->image, kImage);
  EXPECT_EQ(plan.status.latest->commit, kSha);
  EXPECT_EQ(plan.status.latest->built, kNow - std::chrono::seconds(1));
  EXPECT_EQ(Reason(plan), "Succeeded");
  EXPECT_EQ(Message(plan), "commit aaaaaaaaaaaa is " + kImage);
  EXPECT_FALSE(plan.recheck_after);
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_EQ(plan.notices.back().reason, "Succeeded");
  for (const auto& notice : plan.notices) EXPECT_FALSE(notice.warning) << notice.reason;
}

TEST(Success, IsNoneWithoutAWholeReportOfThePush) {
  for (const std::string& report :
       {std::string(), kImage, PushedReport("registry.example.com/team/app:tag"),
        PushedReport(kImage.substr(0, 90)), PushedReport(kImage).substr(0, 50),
        PushedReport("registry.example.com/team/other@sha256:" + std::string(64, '1'))}) {
    World world;
    world.Pushed();
    world.PodOf(JobRole::kBuild).containers.back().message = report;
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
    world.PodOf(JobRole::kBuild).containers[3].message = report;
    const auto plan = world.Decide();
    EXPECT_EQ(Reason(plan), "ScanError") << report;
    EXPECT_FALSE(plan.status.latest) << report;
  }
}

TEST(Success, IsNoneWhenTheScanIsNotInThePod) {
  for (const bool push : {true, false}) {
    World world;
    world.build.spec.output.push = push;
    world.Pushed();
    auto& containers = world.PodOf(JobRole::kBuild).containers;
    containers.erase(containers.begin() + 3, push ? containers.begin() + 4 : containers.end());
    EXPECT_EQ(Reason(world.Decide()), "ScanError") << push;
  }
}

TEST(Success, DoesNotBelieveTheBuildContainer) {
  World world;
  world.Pushed();
  world.PodOf(JobRole::kBuild).containers[2].message =
      PushedReport(kRepository + "@sha256:" + std::string(64, '2'));
  EXPECT_EQ(world.Decide().status.latest->image, kImage);
}

TEST(Success, WithoutAPushHasNoImageAndLeavesTheLatest) {
  World world;
  world.build.spec.output.push = false;
  world.build.status.latest = resources::LatestBuild{"old", "old-image", {}, kNow};
  world.Building();
  auto containers = AllWell();
  containers.pop_back();
  world.Finish(JobRole::kBuild, containers);
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.status.runs[0].finished);
  EXPECT_EQ(plan.status.runs[0].image, "");
  EXPECT_TRUE(plan.status.runs[0].tags.empty());
  EXPECT_EQ(FindStage(plan.status.runs[0], "push"), nullptr);
  EXPECT_EQ(plan.status.latest->image, "old-image");
  EXPECT_EQ(Message(plan), "commit aaaaaaaaaaaa passed every gate; it is not pushed");
}

TEST(Success, MadeTwiceOfTheSameIsTheSame) {
  World world;
  world.Pushed();
  world.Step();
  const auto plan = world.Decide();
  EXPECT_EQ(plan.status, world.build.status);
  EXPECT_TRUE(plan.notices.empty());
  EXPECT_TRUE(plan.removals.empty());
}

TEST(Tagged, BeforeAnHourOfBuilding) {
  World world;
  world.build.spec.output.tags = {"v{{semver}}"};
  world.Begun();
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "TagNotRendered");
  EXPECT_TRUE(Message(plan).starts_with("spec.output.tags: v{{semver}}: ")) << Message(plan);
  EXPECT_TRUE(plan.starts.empty());
}

TEST(Tagged, ByTheCommitsTimeWhichComesWithTheClone) {
  World world;
  world.build.spec.output.tags = {"{{timestamp}}"};
  world.Pushed();
  EXPECT_EQ(world.Decide().status.runs[0].tags, std::vector<std::string>{"20190102T030405Z"});
}

// ---- several platforms ----

const std::string kAmd = kRepository + "@sha256:" + std::string(64, '3');
const std::string kArm = kRepository + "@sha256:" + std::string(64, '4');

World OfTwoPlatforms() {
  World world;
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  world.Begun();
  return world;
}

TEST(Platforms, HaveAJobEachAndTheIndexComesAfterAll) {
  World world = OfTwoPlatforms();
  EXPECT_EQ(Started(world.Step(), JobRole::kBuild), (std::vector<std::string>{"linux/amd64", "linux/arm64"}));
  world.Finish(JobRole::kBuild, AllWell(kArm), "linux/arm64");
  auto plan = world.Step();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_FALSE(plan.status.runs[0].finished);
  world.Finish(JobRole::kBuild, AllWell(kAmd), "linux/amd64");
  plan = world.Step();
  EXPECT_EQ(Started(plan, JobRole::kIndex), std::vector<std::string>{""});
  EXPECT_EQ(plan.starts.size(), 1U);
  EXPECT_EQ(world.Recorded(JobRole::kBuild, "linux/amd64").image, kAmd);
  EXPECT_EQ(world.Recorded(JobRole::kBuild, "linux/arm64").image, kArm);
  EXPECT_EQ(world.Run().image, "") << "one platform's is not the run's";
  world.Finish(JobRole::kIndex, {Ended("index", 0, PushedReport())});
  plan = world.Step();
  EXPECT_EQ(plan.status.runs[0].image, kImage);
  EXPECT_EQ(plan.status.latest->image, kImage);
  for (const auto& stage : plan.status.runs[0].stages) {
    EXPECT_EQ(stage.state, StageState::kSucceeded) << stage.name;
  }
}

TEST(Platforms, OneThatFailsCallsTheOthersOff) {
  World world = OfTwoPlatforms();
  world.Step();
  world.PodOf(JobRole::kBuild, "linux/arm64").containers = {Ended("source"), Ended("prepare"),
                                                            Ended("build", 1)};
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "DockerfileFailed");
  EXPECT_TRUE(plan.status.runs[0].finished);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "job-Build/linux/amd64");
  EXPECT_EQ(world.Recorded(JobRole::kBuild, "linux/amd64").state, StageState::kSkipped);
  EXPECT_EQ(world.Recorded(JobRole::kBuild, "linux/arm64").state, StageState::kFailed);
}

TEST(Platforms, WhoseIndexIsNoImageOfTheRepositoryFail) {
  World world = OfTwoPlatforms();
  world.Step();
  world.Finish(JobRole::kBuild, AllWell(kAmd), "linux/amd64");
  world.Finish(JobRole::kBuild, AllWell(kArm), "linux/arm64");
  world.Step();
  world.Finish(JobRole::kIndex, {Ended("index", 0, "{}")});
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "PushReportInvalid");
  EXPECT_EQ(plan.status.runs[0].failure->stage, "index");
  EXPECT_FALSE(plan.status.latest);
}

TEST(Platforms, WithoutAPushHaveNoIndex) {
  World world;
  world.build.spec.output.push = false;
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  world.Begun();
  world.Step();
  auto containers = AllWell();
  containers.pop_back();
  world.Finish(JobRole::kBuild, containers, "linux/amd64");
  world.Finish(JobRole::kBuild, containers, "linux/arm64");
  const auto plan = world.Step();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(Reason(plan), "Succeeded");
}

}  // namespace
}  // namespace slipway::image_build
