#include "canary/decide.h"

#include <gtest/gtest.h>

#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;
using resources::Verdict;
using std::chrono::seconds;

TEST(Decide, TheBaselineAndTheFinalizerComeBeforeAnyChange) {
  World world;
  world.stable_digest = Image('a');
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.status.baseline);
  EXPECT_EQ(plan.status.baseline->replicas, 10);
  EXPECT_EQ(plan.status.baseline->image, Image('a'));
  EXPECT_EQ(plan.status.baseline->stable_digest, Image('a'));
  ASSERT_EQ(plan.effects.size(), 1U);
  EXPECT_NE(Find<AddFinalizer>(plan), nullptr);
}

TEST(Decide, TheTargetIsClaimedBeforeTheCanaryIsMade) {
  World world;
  world.Step();
  const Plan plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U);
  ASSERT_NE(Find<Claim>(plan), nullptr);
  EXPECT_FALSE(Find<Claim>(plan)->force);

  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "promotion-uid");
  const Plan next = world.Step();
  ASSERT_EQ(next.effects.size(), 1U);
  ASSERT_NE(Find<CreateCanary>(next), nullptr);
  EXPECT_EQ(Find<CreateCanary>(next)->replicas, 1);
}

TEST(Decide, AClaimThatOutlivedItsPromotionIsTakenOver) {
  World world;
  world.Step();
  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "long-gone");
  const Plan plan = world.Decide();
  ASSERT_NE(Find<Claim>(plan), nullptr);
  EXPECT_TRUE(Find<Claim>(plan)->force);
}

TEST(Decide, OfTwoThatBeganAtOnceTheOneWithoutTheClaimGivesWay) {
  World world;
  world.Step();
  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "other-uid");
  world.busy_with = "web-1";
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kPending);
  EXPECT_EQ(Ready(plan).reason, "TargetBusy");
  EXPECT_FALSE(plan.status.baseline);
  EXPECT_TRUE(plan.effects.empty());
}

TEST(Decide, StableShrinksOnlyOnceTheCanaryIsAvailable) {
  World world;
  world.Enter(CanaryPhase::kStarting);
  world.canary->available_replicas = 0;
  EXPECT_TRUE(world.Decide().effects.empty());
  world.canary->available_replicas = 1;
  const Plan plan = world.Decide();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 9);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('a'));
}

TEST(Decide, AStatusOfAnOlderSpecIsNotBelieved) {
  World world;
  world.Enter(CanaryPhase::kStarting);
  world.canary->meta.generation = 2;  // scaled, and not yet looked at
  EXPECT_TRUE(world.Decide().effects.empty());
}

TEST(Decide, SurgeNeverWritesStableWhileTheCanaryRuns) {
  World world;
  world.promotion.spec.capacity = Capacity::kSurge;
  world.Enter(CanaryPhase::kStarting);
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kHolding);
  EXPECT_TRUE(plan.effects.empty());
}

TEST(Decide, ASmallerWeightGivesStableItsPodsBackFirst) {
  World world;
  world.promotion.spec.steps = {{.weight = 50}, {.weight = 10}};
  world.Enter(CanaryPhase::kTesting);
  world.promotion.status.steps.back().checks.results = {{.name = "default", .verdict = Verdict::kPassed}};
  world.canary = World::Deployed("web-canary", 5, Image('b'));
  world.stable->replicas = 5;
  EXPECT_EQ(world.Step().status.current_step, 1);
  Plan plan = world.Step();
  EXPECT_EQ(Find<ScaleCanary>(plan), nullptr);
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 9);

  auto annotations = world.stable->meta.annotations;
  world.stable = World::Deployed("web", 9, Image('a'));
  world.stable->meta.annotations = annotations;
  plan = world.Step();
  ASSERT_NE(Find<ScaleCanary>(plan), nullptr);
  EXPECT_EQ(Find<ScaleCanary>(plan)->replicas, 1);
}

TEST(Decide, TheHoldIsWaitedOutToItsEnd) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.now = kNow + seconds(2);
  const Plan early = world.Decide();
  EXPECT_EQ(early.status.phase, CanaryPhase::kHolding);
  EXPECT_EQ(early.recheck_after, seconds(3));
  world.now = kNow + seconds(5);
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kTesting);
  EXPECT_NE(Find<CreateCheckJob>(plan), nullptr);
}

TEST(Decide, SmokeTestsRunOneAfterTheOther) {
  World world;
  world.promotion.spec.smoke_tests = {{.name = "one"}, {.name = "two"}};
  world.Enter(CanaryPhase::kTesting);
  Plan plan = world.Step();
  ASSERT_NE(Find<CreateCheckJob>(plan), nullptr);
  EXPECT_EQ(Find<CreateCheckJob>(plan)->check.name, "one");
  world.promotion.status.steps.back().checks.job_uid = kube::Uid{"job-1"};
  world.check = CheckOutcome{};
  EXPECT_TRUE(world.Step().effects.empty());
  world.Ends(Verdict::kPassed);
  plan = world.Step();
  ASSERT_NE(Find<CreateCheckJob>(plan), nullptr);
  EXPECT_EQ(Find<CreateCheckJob>(plan)->check.name, "two");
  EXPECT_EQ(plan.status.steps.back().checks.results.size(), 1U);
  EXPECT_FALSE(plan.status.steps.back().checks.job_uid);
}

TEST(Decide, AfterTheLastStepStableIsRestoredBeforeItChanges) {
  World world;
  world.Enter(CanaryPhase::kTesting);
  world.promotion.status.steps.back().checks.job_uid = kube::Uid{"job-1"};
  world.Ends(Verdict::kPassed);
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kRestoring);
  EXPECT_EQ(plan.status.steps.back().verdict, "Passed");
  plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 10);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('a'));

  world.stable->replicas = 10;  // not available yet
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kRestoring);
  EXPECT_TRUE(plan.effects.empty());
}

TEST(Decide, PromotingSetsTheImageAndKeepsTheCanaryUntilTheRolloutIsDone) {
  World world;
  world.Enter(CanaryPhase::kPromoting);
  Plan plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('b'));
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 10);

  world.stable->containers[0].image = Image('b');
  world.stable->template_hash = "hash-of-b";
  world.stable->updated_replicas = 4;
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kPromoting);
  EXPECT_TRUE(plan.effects.empty());

  world.stable->updated_replicas = 10;
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kFinishing);
  EXPECT_TRUE(plan.effects.empty()) << "written down first";
  plan = world.Step();
  EXPECT_NE(Find<DeleteCanary>(plan), nullptr);
  EXPECT_NE(Find<Unclaim>(plan), nullptr);
}

TEST(Decide, ItIsPromotedWhenCanaryAndClaimAreGoneAndThenLetsTheObjectGo) {
  World world;
  world.Enter(CanaryPhase::kFinishing);
  EXPECT_EQ(world.Step().status.phase, CanaryPhase::kFinishing);
  world.canary.reset();
  world.stable->meta.annotations.clear();
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.completion, Completion::kPromoted);
  EXPECT_EQ(Ready(plan).status, resources::ConditionStatus::kTrue);
  plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U);
  EXPECT_NE(Find<RemoveFinalizer>(plan), nullptr);
  world.promotion.meta.finalizers.clear();
  plan = world.Step();
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_FALSE(plan.recheck_after) << "what has ended is not looked at again";
}

}  // namespace
}  // namespace slipway::canary
