// The tests of a run: which legs there are, and what their ends mean.
#include <gtest/gtest.h>

#include "image_build/decide.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using Strings = std::vector<std::string>;

resources::TestSpec TestNamed(const std::string& name, bool fail_fast = true) {
  resources::TestSpec test;
  test.name = name;
  test.image = "registry.example.com/golang@sha256:" + std::string(64, '5');
  test.command = {"go", "test"};
  test.fail_fast = fail_fast;
  return test;
}

Strings NamesOf(const std::vector<resources::TestSpec>& tests) {
  Strings names;
  for (const auto& leg : LegsOf(tests)) names.push_back(leg.name);
  return names;
}

TEST(LegsOf, AreTheCombinationsOfEachMatrixInOrder) {
  auto matrix = TestNamed("unit");
  matrix.matrix = {{"GO", {"1", "2"}}, {"OS", {"a", "b"}}};
  auto one = TestNamed("one");
  one.matrix = {{"X", {"only"}}};
  const std::vector<resources::TestSpec> tests{TestNamed("lint"), matrix, one};
  EXPECT_EQ(NamesOf(tests), (Strings{"lint", "unit GO=1 OS=a", "unit GO=1 OS=b", "unit GO=2 OS=a",
                                     "unit GO=2 OS=b", "one X=only"}));
  const auto legs = LegsOf(tests);
  EXPECT_EQ(legs[0].test, tests.data());
  EXPECT_TRUE(legs[0].values.empty());
  EXPECT_EQ(legs[3].test, &tests[1]);
  EXPECT_EQ(legs[3].values, (std::vector<resources::NameValue>{{"GO", "2"}, {"OS", "a"}}));
  EXPECT_TRUE(LegsOf({}).empty());
}

// Two legs, and the run has begun.
World OfTwoLegs(bool fail_fast) {
  World world;
  world.build.spec.tests = {TestNamed("lint", fail_fast), TestNamed("unit", fail_fast)};
  world.Begun();
  return world;
}

const std::vector<ContainerState> kPassed{Ended("source"), Ended("test")};
const std::vector<ContainerState> kBroke{Ended("source"), Ended("test", 2)};

void Break(World& world, const std::string& leg) {
  world.PodOf(JobRole::kTest, leg).containers = kBroke;
  world.JobOf(JobRole::kTest, leg).failed = true;
  world.JobOf(JobRole::kTest, leg).failed_reason = "BackoffLimitExceeded";
}

TEST(Tests, AreStartedAllAtOnceBeforeTheBuild) {
  World world = OfTwoLegs(true);
  const auto plan = world.Step();
  EXPECT_EQ(Started(plan, JobRole::kTest), (Strings{"lint", "unit"}));
  EXPECT_EQ(plan.starts.size(), 2U);
  EXPECT_NE(plan.starts[0].name, plan.starts[1].name);
  EXPECT_EQ(plan.status.phase, BuildPhase::kTesting);
  EXPECT_EQ(world.Recorded(JobRole::kTest, "lint").state, StageState::kRunning);
  EXPECT_TRUE(world.Step().starts.empty());
}

TEST(Tests, ThatAllPassLetTheBuildBegin) {
  World world = OfTwoLegs(true);
  world.Step();
  world.Finish(JobRole::kTest, kPassed, "unit");
  auto plan = world.Step();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(FindStage(world.Run(), "test")->message, "1 of 2 legs passed");
  EXPECT_EQ(world.Recorded(JobRole::kTest, "unit").state, StageState::kSucceeded);
  world.Finish(JobRole::kTest, kPassed, "lint");
  plan = world.Step();
  EXPECT_EQ(Started(plan, JobRole::kBuild), Strings{""});
  EXPECT_EQ(FindStage(world.Run(), "test")->state, StageState::kSucceeded);
  EXPECT_TRUE(FindStage(world.Run(), "test")->finished);
}

TEST(Tests, OneThatFailsFastEndsTheRunAndCallsTheOthersOff) {
  World world = OfTwoLegs(true);
  world.Step();
  Break(world, "unit");
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "TestFailed");
  EXPECT_TRUE(Message(plan).starts_with("spec.tests: unit at commit aaaaaaaaaaaa ended with exit code 2"))
      << Message(plan);
  EXPECT_TRUE(world.Run().finished);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "job-Test/lint");
  EXPECT_EQ(world.Recorded(JobRole::kTest, "unit").state, StageState::kFailed);
  EXPECT_EQ(world.Recorded(JobRole::kTest, "lint").state, StageState::kSkipped);
  EXPECT_EQ(FindStage(world.Run(), "test")->state, StageState::kFailed);
  EXPECT_TRUE(plan.starts.empty());
}

TEST(Tests, ThatDoNotFailFastAreAllWaitedForAndTheFirstFailureIsTheRuns) {
  World world = OfTwoLegs(false);
  world.Step();
  Break(world, "unit");
  auto plan = world.Step();
  EXPECT_FALSE(world.Run().finished);
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(plan.status.phase, BuildPhase::kTesting);
  EXPECT_EQ(FindStage(world.Run(), "test")->message, "0 of 2 legs passed, 1 failed");
  Break(world, "lint");
  plan = world.Step();
  EXPECT_TRUE(world.Run().finished);
  EXPECT_TRUE(Message(plan).starts_with("spec.tests: unit at")) << Message(plan);
  EXPECT_EQ(world.Recorded(JobRole::kTest, "lint").state, StageState::kFailed);
}

TEST(Tests, OneThatFailedIsNotForgottenWhenTheOtherPasses) {
  World world = OfTwoLegs(false);
  world.Step();
  Break(world, "lint");
  world.Step();
  world.Finish(JobRole::kTest, kPassed, "unit");
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "TestFailed");
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(world.Recorded(JobRole::kTest, "unit").state, StageState::kSucceeded);
}

TEST(Tests, WhoseOwnTimeIsOverSaysSo) {
  World world = OfTwoLegs(true);
  world.Step();
  auto& job = world.JobOf(JobRole::kTest, "unit");
  job.failed = true;
  job.failed_reason = "DeadlineExceeded";
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "TestTimeout");
  EXPECT_TRUE(Message(plan).contains("unit")) << Message(plan);
}

TEST(Tests, AreAllRemovedWhenTheRunsTimeIsOver) {
  World world = OfTwoLegs(false);
  world.Step();
  world.now = kNow + std::chrono::minutes(31);
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_EQ(plan.removals.size(), 2U);
}

}  // namespace
}  // namespace slipway::image_build
