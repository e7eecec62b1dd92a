// How long a canary stays beside a stable that goes back, and whose stable is once nobody has claimed it:
// each a rule that the simulation found broken.
#include <gtest/gtest.h>

#include "canary/decide.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::OnFailure;
using std::chrono::minutes;

// Stable runs the new image already, and goes back; one pod of ten is away for its rolling update.
World GoingBack() {
  World world;
  world.Enter(CanaryPhase::kFinishing);
  world.promotion.status.phase = CanaryPhase::kAborting;
  world.promotion.status.failure_reason = "AbortedByDecision";
  world.stable->available_replicas = world.stable->ready_replicas = 9;
  world.stable->max_unavailable = "1";
  return world;
}

struct StandInCase {
  const char* name;
  const char* max_unavailable;
  int available;
  bool image_set;
  std::chrono::minutes after;
  bool deleted;
};

TEST(StandingIn, ACanaryWithoutPodsIsKeptWhileStableMayTakePodsAway) {
  const StandInCase cases[] = {
      {"its pods may come back", "1", 0, true, minutes(1), false},
      {"in percent", "10%", 0, true, minutes(1), false},
      {"not for ever", "1", 0, true, minutes(2), true},
      {"stable takes none away", "0", 0, true, minutes(1), true},
      {"less than one pod", "9%", 0, true, minutes(1), true},
      {"stable does not roll", "1", 0, false, minutes(1), true},
      {"it serves", "0", 1, true, minutes(30), false},
  };
  for (const auto& c : cases) {
    World world = GoingBack();
    world.stable->max_unavailable = c.max_unavailable;
    world.canary->available_replicas = c.available;
    world.promotion.status.image_set = c.image_set;
    world.now = kNow + c.after;
    EXPECT_EQ(Find<DeleteCanary>(world.Decide()) != nullptr, c.deleted) << c.name;
  }
}

TEST(StandingIn, BesideARolloutThatHangsAndIsToStayTheCanaryGoesAfterTheDeadline) {
  World world = GoingBack();
  world.promotion.spec.on_failure = OnFailure::kStay;
  world.now = kNow + minutes(1);
  EXPECT_EQ(Find<DeleteCanary>(world.Decide()), nullptr) << "its pods stand in for what stable lacks";
  world.now = kNow + minutes(2);
  const Plan plan = world.Decide();
  EXPECT_NE(Find<DeleteCanary>(plan), nullptr);
  EXPECT_NE(Find<Unclaim>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan), nullptr);
}

TEST(StandingIn, WhereTheOldImageIsToComeBackTheCanaryStaysUntilItHas) {
  World world = GoingBack();
  world.now = kNow + minutes(30);
  const Plan plan = world.Decide();
  EXPECT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<DeleteCanary>(plan), nullptr);
}

// The canary is gone, stable has yet to get its pods, and the claim is not there.
World Unclaimed() {
  World world;
  world.Enter(CanaryPhase::kAborting);
  world.promotion.status.failure_reason = "CanaryUnhealthy";
  world.canary.reset();
  world.stable->meta.annotations.clear();
  return world;
}

TEST(LostClaim, IsTakenAgainBeforeStableIsGivenItsPodsBack) {
  World world = Unclaimed();
  Plan plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U);
  ASSERT_NE(Find<Claim>(plan), nullptr);
  EXPECT_FALSE(Find<Claim>(plan)->force);
  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, world.promotion.meta.uid.value);
  plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 10);
}

TEST(LostClaim, IsTakenAgainBeforeAnythingElseIsWritten) {
  for (const bool busy : {false, true}) {
    World world;
    world.Enter(CanaryPhase::kRestoring);
    auto& stable = *world.stable;
    stable.replicas = stable.status_replicas = stable.available_replicas = 9;
    ASSERT_NE(Find<WriteStable>(world.Decide()), nullptr);
    stable.meta.annotations.clear();
    if (busy) world.busy_with = "web-3";
    const Plan plan = world.Decide();
    EXPECT_EQ(Find<Claim>(plan) == nullptr, busy);
    EXPECT_EQ(Find<WriteStable>(plan), nullptr);
  }
}

TEST(LostClaim, AnotherPromotionsStableIsLeftAlone) {
  for (const bool claimed : {true, false}) {
    World world = Unclaimed();
    if (claimed) world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "another");
    if (!claimed) world.busy_with = "web-3";
    const Plan plan = world.Decide();
    EXPECT_TRUE(plan.effects.empty());
    EXPECT_EQ(plan.status.phase, CanaryPhase::kAborted);
  }
}

}  // namespace
}  // namespace slipway::canary
