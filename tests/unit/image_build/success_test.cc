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

std::vector<ContainerState> PlatformsWork(const std::string& base, const std::string& gate) {
  auto containers = AllWell(kRepository + "@sha256:" + std::string(64, '3'));
  containers[1].message = R"({"bases":[{"image":"all:1","digest":"sha256:0"},)" + base + "]}";
  containers[5].message = gate;
  return containers;
}

std::string GateWith(const std::string& high, const std::string& suppressed, const std::string& used,
                     const std::string& database) {
  return R"({"counts":{"CRITICAL":0,"HIGH":)" + high +
         R"(,"LOW":0,"MEDIUM":0,"UNKNOWN":0},"closing":0,"worst":[],"expired":[],"suppressed":)" +
         suppressed + R"(,"used":[{"id":")" + used + R"(","expires":"2026-12-01T00:00:00Z"}],"database":")" +
         database + "\"}";
}

// What is signed is said of the index: what was borne of one of its images was borne of it.
TEST(Success, OfSeveralPlatformsIsToldOfAllOfThem) {
  World world;
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  world.Begun();
  world.Step();
  const auto amd = PlatformsWork(R"({"image":"one:1","digest":"sha256:1"})",
                                 GateWith("2", "0", "CVE-1", "2026-11-20T00:00:00Z"));
  const auto arm = PlatformsWork(R"({"image":"two:1","digest":"sha256:2"})",
                                 GateWith("1", "3", "CVE-2", "2026-11-19T00:00:00Z"));
  world.Finish(JobRole::kBuild, amd, "linux/amd64");
  world.PodOf(JobRole::kBuild, "linux/arm64").containers = arm;
  world.Step();
  world.Step();
  world.Finish(JobRole::kBuild, arm, "linux/arm64");
  const auto run = world.Step().status.runs[0];
  EXPECT_EQ(run.bases, (std::vector<resources::BaseImage>{
                           {"all:1", "sha256:0"}, {"one:1", "sha256:1"}, {"two:1", "sha256:2"}}));
  ASSERT_TRUE(run.findings);
  EXPECT_EQ(run.findings->high, 2) << "of the worse of them";
  EXPECT_EQ(run.findings->suppressed, 3);
  const auto day = ParseTime("2026-12-01T00:00:00Z");
  EXPECT_EQ(run.findings->accepted, (std::vector<resources::BorneFinding>{{"CVE-1", *day}, {"CVE-2", *day}}));
  EXPECT_EQ(run.findings->database, *ParseTime("2026-11-19T00:00:00Z")) << "of the older";
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
    world.PodOf(JobRole::kBuild).containers[5].message = report;
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
    containers.erase(containers.begin() + 5, push ? containers.begin() + 6 : containers.end());
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
