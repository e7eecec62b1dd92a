// What changes under a promotion while it runs: its own spec, its canary, stable's pods; and what it then
// does not do.
#include <gtest/gtest.h>

#include <functional>

#include "canary/decide.h"
#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Strategy;
using resources::Verb;
using resources::Verdict;
using std::chrono::minutes;

bool Says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Half of ten pods are the canary's.
World Half(CanaryPhase phase, Capacity capacity = Capacity::kSplit) {
  World world;
  world.promotion.spec.capacity = capacity;
  world.promotion.spec.steps = {{.weight = 50, .hold = minutes(5)}};
  world.Enter(phase);
  return world;
}

// ---- the spec ----

TEST(AChangedSpec, IsNotHowItIsTakenBack) {
  const std::function<void(resources::CanaryPromotionSpec&)> changes[] = {
      [](auto& spec) { spec.capacity = Capacity::kSurge; },
      [](auto& spec) { spec.strategy = Strategy::kRolling; },
      [](auto& spec) { spec.max_surge = "1"; },
  };
  for (const auto& change : changes) {
    World world = Half(CanaryPhase::kHolding);
    change(world.promotion.spec);
    EXPECT_EQ(world.Step().status.failure_reason, "SpecChanged");
    Plan plan = world.Step();
    ASSERT_NE(Find<WriteStable>(plan), nullptr);
    EXPECT_EQ(Find<DeleteCanary>(plan), nullptr) << "five of ten pods serve";
    world.stable->replicas = 10;
    plan = world.Step();
    EXPECT_EQ(Find<DeleteCanary>(plan), nullptr) << "they are not available yet";
  }
}

// What it was made for went through the gates of its Release; another image did not.
World OfARelease(World world, std::int64_t generation) {
  world.promotion.meta.owners = {{"slipway.dev/v1alpha1", "Release", "shop", {"release-uid"}, true}};
  world.promotion.meta.generation = generation;
  if (generation > 1) world.promotion.spec.image = Image('e');
  return world;
}

TEST(AReleasesPromotion, ThatWasChangedBeforeItBeganIsRefused) {
  for (const Strategy strategy : {Strategy::kCanary, Strategy::kRolling}) {
    World world;
    world.promotion.spec.strategy = strategy;
    EXPECT_TRUE(OfARelease(world, 1).Step().status.baseline);
    World changed = OfARelease(world, 2);
    const Plan plan = changed.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kRefused);
    EXPECT_EQ(plan.status.failure_reason, "SpecNotOfRelease");
    EXPECT_TRUE(Says(Ready(plan).message, "Release shop made it")) << Ready(plan).message;
    EXPECT_TRUE(plan.effects.empty());
    // Back to what it was: somebody's word stands in the way of the Release's still.
    changed.promotion.meta.generation = 3;
    changed.promotion.spec.image = world.promotion.spec.image;
    EXPECT_EQ(changed.Step().status.phase, CanaryPhase::kRefused);
  }
}

TEST(AReleasesPromotion, ThatIsChangedUnderWayGoesBackAndNeverBeginsAnew) {
  for (const auto phase : {CanaryPhase::kStarting, CanaryPhase::kHolding, CanaryPhase::kTesting,
                           CanaryPhase::kRestoring, CanaryPhase::kPromoting}) {
    World world = Half(phase);
    ASSERT_EQ(OfARelease(world, 1).Step().status.failure_reason, "") << resources::ToString(phase);
    World changed = OfARelease(std::move(world), 2);
    Plan plan = changed.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kAborting);
    EXPECT_EQ(plan.status.failure_reason, "SpecNotOfRelease") << resources::ToString(phase);
    changed.stable->replicas = changed.stable->available_replicas = changed.stable->ready_replicas = 10;
    changed.stable->updated_replicas = changed.stable->status_replicas = 10;
    changed.canary.reset();
    changed.stable->meta.annotations.clear();
    for (int i = 0; i < 3 && plan.status.completion == resources::Completion::kNone; ++i)
      plan = changed.Step();
    EXPECT_EQ(plan.status.completion, resources::Completion::kAborted) << Ready(plan).message;
    plan = changed.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kAborted) << "it stays over";
    EXPECT_EQ(plan.status.failure_reason, "SpecNotOfRelease");
  }
}

// Nobody would look at it then: its Release has it on record, with another image.
TEST(AReleasesPromotion, ThatIsChangedOnceOverStaysOver) {
  World world;
  world.promotion.status.phase = CanaryPhase::kPromoted;
  world.promotion.status.completion = resources::Completion::kPromoted;
  world.promotion.status.spec_hash = SpecHash(world.promotion.spec);
  World changed = OfARelease(world, 2);
  Plan plan = changed.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kPromoted);
  EXPECT_EQ(plan.status.completion, resources::Completion::kPromoted);
  EXPECT_EQ(Ready(plan).reason, "SpecNotOfRelease");
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_EQ(changed.Step().status, plan.status) << "it is said once";
  // A person's own may be used again.
  changed.promotion.meta.owners.clear();
  EXPECT_NE(changed.Step().status.completion, resources::Completion::kPromoted);
}

// A deletion counts as a change, too.
TEST(AReleasesPromotion, ThatIsDeletedIsNotChanged) {
  World world = Half(CanaryPhase::kHolding);
  world.promotion.meta.owners = {{"slipway.dev/v1alpha1", "Release", "shop", {"release-uid"}, true}};
  world.promotion.meta.deleted = kNow;
  world.promotion.meta.generation = 2;
  EXPECT_EQ(world.Step().status.failure_reason, "Deleted");
}

TEST(AChangedSpec, OfASurgeNeverWritesStablesReplicas) {
  World world = Half(CanaryPhase::kHolding, Capacity::kSurge);
  world.stable->replicas = 4;  // its autoscaler's doing
  world.promotion.spec.capacity = Capacity::kSplit;
  world.Step();
  EXPECT_EQ(Find<WriteStable>(world.Step()), nullptr);
}

// ---- the canary ----

TEST(ACanaryThatIsPaused, IsWatchedInItsTestsToo) {
  const std::function<void(World&)> changes[] = {
      [](World& w) { w.canary->available_replicas = 4; },
      [](World& w) { w.canary.reset(); },
  };
  for (const auto& change : changes) {
    World world = Half(CanaryPhase::kTesting);
    world.Ends(Verdict::kInconclusive, "TooFewPairs");
    ASSERT_TRUE(world.Step().status.paused);
    EXPECT_EQ(world.Step().status.phase, CanaryPhase::kTesting);
    change(world);
    EXPECT_EQ(world.Step().status.failure_reason, "CanaryUnhealthy");
  }
}

TEST(ACanary, OfAnotherTemplateThanItWasMadeWithIsNoEvidence) {
  World world = Half(CanaryPhase::kStarting);
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.canary_template_hash, world.canary->template_hash);
  world.canary->template_hash = "with FEATURE_X=off";
  world.writers.canary = {"kubectl-set", kNow};
  EXPECT_EQ(world.Step().status.failure_reason, "CanaryChanged");
  EXPECT_TRUE(Says(world.promotion.status.failure_message, "kubectl-set"));
}

TEST(ACanary, ThatWasMadeJustBeforeWeDiedIsTakenUpWhateverItsSize) {
  World world = Half(CanaryPhase::kStarting, Capacity::kSurge);
  world.promotion.status.canary_uid.reset();
  world.canary = World::Deployed("web-canary", 7, Image('b'));
  const Plan plan = world.Decide();
  EXPECT_EQ(Find<CreateCanary>(plan), nullptr);
  EXPECT_EQ(plan.status.canary_uid, world.canary->meta.uid);
  ASSERT_NE(Find<ScaleCanary>(plan), nullptr);
  EXPECT_EQ(Find<ScaleCanary>(plan)->replicas, 10);
}

// ---- stable's pods ----

TEST(ACanaryThatIsAsked, KeepsItsPodsThoughStableShrinks) {
  World world = Half(CanaryPhase::kTesting, Capacity::kSurge);
  world.promotion.spec.smoke_tests = {{.name = "one"}, {.name = "two"}};
  world.promotion.status.spec_hash = SpecHash(world.promotion.spec);
  world.promotion.status.steps.back().checks.job_uid = kube::Uid{"job"};
  world.check = CheckOutcome{};
  world.stable->replicas = 4;
  Plan plan = world.Step();
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_EQ(plan.status.steps.back().canary_replicas, 10);
  world.Ends(Verdict::kPassed);
  plan = world.Step();
  EXPECT_EQ(plan.status.steps.back().canary_replicas, 4);
  EXPECT_TRUE(plan.effects.empty()) << "written down first, and the next check is not asked yet";
  plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U);
  ASSERT_NE(Find<ScaleCanary>(plan), nullptr);
  world.canary->replicas = 4;
  EXPECT_TRUE(world.Step().effects.empty()) << "pods that go are still there";
  world.canary = World::Deployed("web-canary", 4, Image('b'));
  plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U);
  EXPECT_NE(Find<CreateCheckJob>(plan), nullptr);
}

TEST(ACanaryThatWaits, ShrinksAfterStableBeforeItIsPromotedToo) {
  World world = Half(CanaryPhase::kRestoring, Capacity::kSurge);
  world.promotion.status.paused = resources::Pause{"alice", "", kNow};
  world.stable->replicas = 4;
  EXPECT_EQ(world.Step().status.steps.back().canary_replicas, 4);
  EXPECT_NE(Find<ScaleCanary>(world.Step()), nullptr);
}

TEST(AStable, ThatIsScaledToNothingEndsASurge) {
  World world = Half(CanaryPhase::kHolding, Capacity::kSurge);
  world.stable->replicas = 0;
  world.writers.replicas = {"keda", kNow};
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.failure_reason, "StableScaled");
  EXPECT_TRUE(Says(plan.status.failure_message, "scaled to 0 by keda"));
}

TEST(ASplitThatIsNotReal, IsNoFindingWherePodsCameMeanwhile) {
  for (const bool changed : {false, true}) {
    World world = Half(CanaryPhase::kTesting, Capacity::kSurge);
    world.Ends(Verdict::kFailed, "SplitNotReal", "50 of 200 answers");
    world.check->result.share = resources::ShareResult{.canary = 50, .answers = 200, .wanted_permille = 500};
    if (changed) world.stable = World::Deployed("web", 30, Image('a'));
    if (changed) world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "promotion-uid");
    const Plan plan = world.Decide();
    EXPECT_EQ(plan.status.failure_reason, changed ? "" : "SplitNotReal");
    const auto& result = plan.status.steps.back().checks.results.at(0);
    EXPECT_EQ(result.verdict, changed ? Verdict::kInconclusive : Verdict::kFailed);
    EXPECT_EQ(result.reason, changed ? "PodsChanged" : "SplitNotReal");
  }
}

TEST(AStableThatIsShort, KeepsTheCanaryToTheLast) {
  World world = Half(CanaryPhase::kFinishing);
  world.stable->available_replicas = 6;
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kFinishing);
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_TRUE(Says(Ready(plan).message, "Deployment web"));
  world.now += minutes(3);
  plan = world.Step();
  EXPECT_EQ(plan.status.failure_reason, "StableNotRolledOut");
  EXPECT_EQ(Find<DeleteCanary>(plan), nullptr);
}

TEST(AStableThatIsShort, IsNamedWhenTheStepIsNotReady) {
  World world = Half(CanaryPhase::kStarting);
  world.stable->available_replicas = 8;
  world.now += minutes(3);
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.failure_reason, "StableNotReady");
  EXPECT_TRUE(Says(plan.status.failure_message, "8 of 10")) << plan.status.failure_message;
}

TEST(AStable, WhoseTemplateChangedBeforeItGotTheImageIsSuperseded) {
  for (const auto strategy : {Strategy::kCanary, Strategy::kRolling}) {
    World world;
    world.promotion.spec.strategy = strategy;
    world.Enter(CanaryPhase::kPromoting);
    world.stable->template_hash = "with FEATURE_X=off";
    const Plan plan = world.Decide();
    EXPECT_EQ(plan.status.failure_reason, "StableChanged");
    EXPECT_FALSE(plan.status.image_set);
  }
}

TEST(AStable, ThatIsPausedIsNamedByTheWayBack) {
  World world = Half(CanaryPhase::kAborting);
  world.stable->paused = true;
  EXPECT_TRUE(Says(Ready(world.Decide()).message, "kubectl -n team rollout resume deployment/web"));
  world.stable->paused = false;
  EXPECT_TRUE(Says(Ready(world.Decide()).message, "Deployment web has 5 of 10"));
}

// ---- what is said, and kept ----

TEST(ACheck, ThatCanNotBeAskedSaysWhy) {
  World world = Half(CanaryPhase::kTesting);
  world.cannot_ask = "there is no Service web";
  Plan plan = world.Step();
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_TRUE(Says(Ready(plan).message, "there is no Service web"));
  world.now += minutes(3);
  plan = world.Step();
  EXPECT_EQ(plan.status.failure_reason, "CheckError");
  EXPECT_TRUE(Says(plan.status.failure_message, "there is no Service web"));
}

TEST(ACheck, ThatTheServerRefusedSaysItsWordsAtTheDeadline) {
  World world = Half(CanaryPhase::kTesting);
  resources::SetReadiness(world.promotion.status.conditions, resources::Readiness::kWaiting, "Forbidden",
                          "the API server refused what this promotion needs: exceeded quota: pods=10", 1,
                          kNow);
  world.now += minutes(3);
  EXPECT_TRUE(Says(world.Step().status.failure_message, "exceeded quota: pods=10"));
}

TEST(APauseBeforeItBegan, WritesTheStatusOnce) {
  World world;
  world.Decided(Verb::kPause);
  world.stable->available_replicas = 9;
  world.Step();
  EXPECT_EQ(Ready(world.Decide()).reason, "StableNotHealthy");
  world.stable->available_replicas = 10;
  EXPECT_EQ(Ready(world.Step()).reason, "Paused") << "nothing else keeps it any more";
  const auto before = world.promotion.status;
  world.now += minutes(1);
  EXPECT_EQ(world.Step().status, before);
}

TEST(AStatus, KeepsTheDetailsOfTheLastStepsOnly) {
  World world;
  auto& spec = world.promotion.spec;
  spec.steps.assign(12, {.weight = 10});
  world.Enter(CanaryPhase::kTesting);
  for (std::size_t i = 0; i + 1 < spec.steps.size(); ++i) {
    world.promotion.status.phase = CanaryPhase::kTesting;
    world.Ends(Verdict::kPassed, "Passed", "all is well");
    ASSERT_EQ(world.Step().status.steps.size(), i + 2);
  }
  int detailed = 0;
  for (const auto& step : world.promotion.status.steps) {
    for (const auto& result : step.checks.results) {
      EXPECT_EQ(result.verdict, Verdict::kPassed);
      detailed += result.message.empty() ? 0 : 1;
    }
  }
  EXPECT_EQ(detailed, 8);
}

}  // namespace
}  // namespace slipway::canary
