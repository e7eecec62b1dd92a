// What people decide about a Release: Rollback, Retry, and what is refused because nothing is under way.
#include "release/acts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/decide.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::DeliveryCause;
using resources::ReleasePhase;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

// Image 'b' took the place of 'a' (with its ConfigMaps), so long ago, and is what the spec asks for.
World Replaced(Duration ago) {
  World world;
  world.Was('a', "Promoted", hours(50)).config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Build('b', "2222", 8);
  world.Ended("Promoted", ago);
  world.release.status.image = Image('b');
  world.release.status.verified = world.now - ago;
  world.Run('b');
  return world;
}

void ExpectRefused(const World& world, const std::string& why) {
  const Plan plan = world.Decide();
  ASSERT_EQ(plan.status.decisions.size(), 1U);
  EXPECT_THAT(plan.status.decisions[0].refused, HasSubstr(why));
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status.rollback, world.release.status.rollback);
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_TRUE(plan.notices[0].warning);
  EXPECT_EQ(plan.notices[0].reason, "DecisionRefused");
  World next = world;
  next.release.status = plan.status;
  const Plan again = next.Decide();
  EXPECT_EQ(again.status, plan.status) << "taken up twice";
  EXPECT_TRUE(again.notices.empty());
}

TEST(RollbackDecision, BringsAKeptImageBackWithItsConfigMapsAndWithoutStepsWhenItWasJustGood) {
  World world = Replaced(minutes(20));
  world.Decided(Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  ASSERT_TRUE(plan.status.rollback);
  EXPECT_EQ(plan.status.rollback->image, Image('a'));
  EXPECT_EQ(plan.status.rollback->instead_of, world.Wants().key);
  const Delivery& delivery = plan.status.history.at(0);
  EXPECT_EQ(delivery.cause, DeliveryCause::kRollback);
  EXPECT_TRUE(delivery.fast);
  EXPECT_EQ(delivery.commit, "commit-a");
  ASSERT_EQ(delivery.decisions.size(), 1U);
  EXPECT_EQ(delivery.decisions[0].verb, Verb::kRollback);
  const auto spec = PromotionSpec(world.release, plan.start->wanted);
  EXPECT_EQ(spec.image, Image('a'));
  EXPECT_EQ(spec.strategy, resources::Strategy::kRolling);
  ASSERT_EQ(spec.config_maps.size(), 1U);
  EXPECT_EQ(spec.config_maps[0].copy, "web-config-slipway-11111111");
  EXPECT_FALSE(spec.verification.empty());
}

TEST(RollbackDecision, ToWhatIsLongGoneGoesThroughItsSteps) {
  for (const auto& [ago, window, fast] : std::vector<std::tuple<Duration, Duration, bool>>{
           {minutes(59), hours(1), true}, {minutes(61), hours(1), false}, {minutes(1), Duration(0), false}}) {
    World world = Replaced(ago);
    world.release.spec.rollback.fast_window = window;
    world.Decided(Verb::kRollback, 'a');
    const Plan plan = world.Decide();
    ASSERT_TRUE(plan.start);
    EXPECT_EQ(plan.status.history.at(0).fast, fast);
    const auto strategy = fast ? resources::Strategy::kRolling : resources::Strategy::kCanary;
    EXPECT_EQ(PromotionSpec(world.release, plan.start->wanted).strategy, strategy);
  }
}

TEST(RollbackDecision, IsInForceUntilSomethingElseIsAskedFor) {
  World world = Replaced(minutes(20));
  world.Decided(Verb::kRollback, 'a');
  Plan plan = world.Decide();
  const Wanted back = plan.start->wanted;
  Record(plan);
  world.release.status = plan.status;
  world.promotions.push_back(world.Promotion(3));
  world.promotions.back().spec = PromotionSpec(world.release, back);
  world.promotions.back().meta.uid = *plan.status.history[0].promotion_uid;
  End(world.promotions.back(), Completion::kPromoted);
  world.Run('a');
  world.deployment->config_refs = {"web-config-slipway-11111111"};
  world.now += hours(30);  // what was fast stays the same delivery
  plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status.phase, ReleasePhase::kRolledBack);
  EXPECT_EQ(Ready(plan).reason, "RolledBack");
  EXPECT_THAT(Ready(plan).message, HasSubstr("ann rolled back"));
  world.release.status = plan.status;
  EXPECT_EQ(world.Decide().status, plan.status);

  world.Run('z');
  EXPECT_EQ(Ready(world.Decide()).reason, "TargetDrifted");
  world.Run('a');
  world.Build('c', "3333", 9);
  plan = world.Decide();
  EXPECT_FALSE(plan.status.rollback);
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->wanted.image, Image('c'));
}

TEST(RollbackDecision, PassesSoakAndApprovalsButNotReject) {
  World world = Replaced(minutes(20));
  world.release.spec.gates.approvals = 3;
  world.Decided(Verb::kRollback, 'a');
  EXPECT_TRUE(world.Decide().start);
  world.decisions.clear();
  world.Decided(Verb::kRollback, 'a');
  world.Decided(Verb::kReject, 'a', "bob");
  ExpectRefused(world, "bob rejected it");
}

TEST(RollbackDecision, IsRefusedToWhatIsNotKeptOrDeliveredAlready) {
  World world = Replaced(minutes(20));
  world.Decided(Verb::kRollback, 'e');
  ExpectRefused(world, "is not in status.history");
  world.decisions.clear();
  world.Decided(Verb::kRollback, 'b');
  ExpectRefused(world, "what is delivered already");
  world.decisions.clear();
  world.Decided(Verb::kRollback, 'a').spec.expires = world.now;
  ExpectRefused(world, "it expired at");
  world.decisions.clear();
  world.Decided(Verb::kRollback, 'a');
  world.release.spec.suspend = true;
  ExpectRefused(world, "spec.suspend");
}

TEST(RollbackDecision, CallsOffACanaryThatIsUnderWay) {
  World world = Replaced(minutes(20));
  world.Build('c', "3333", 9);
  world.UnderWay();
  world.Decided(Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "Superseding");
  EXPECT_EQ(plan.status.history.at(0).outcome, "Superseded");
}

TEST(RollbackDecision, NeverGoesAcrossABreakingMigration) {
  World world = Replaced(minutes(20));
  world.HasMigrated('b', 2, resources::Compatibility::kBreaking);
  world.Decided(Verb::kRollback, 'a');
  ExpectRefused(world, "MigrationBreaking");
  world.release.status.migrations[0].compatibility = resources::Compatibility::kBackward;
  EXPECT_TRUE(world.Decide().start);
}

TEST(RollbackDecision, IsRefusedWhileABreakingMigrationRuns) {
  World world = Replaced(minutes(20));
  world.Build('c', "3333", 9);
  world.Migrates(resources::Compatibility::kBreaking);
  Plan plan = world.Decide();
  ASSERT_TRUE(plan.status.history.at(0).migration);
  world.release.status = plan.status;
  world.Decided(Verb::kRollback, 'a');
  plan = world.Decide();
  EXPECT_FALSE(plan.status.rollback);
  EXPECT_THAT(plan.status.decisions.at(0).refused, HasSubstr("MigrationBreaking"));
}

TEST(BreakingMigration, AlsoHoldsAnOlderImageThatTheSpecNamesUntilAPersonInsists) {
  World world = Replaced(minutes(20));
  world.HasMigrated('b', 2, resources::Compatibility::kBreaking);
  world.Ask('a');
  Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "MigrationBreaking");
  EXPECT_THAT(Ready(plan).message, HasSubstr("verb Retry"));
  world.Decided(Verb::kRetry, 'a');
  plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.status.history.at(0).cause, DeliveryCause::kRetry);
}

TEST(RetryDecision, TriesAHeldDigestAgainOnce) {
  World world;
  auto& failed = world.Ended("RolledBack");
  failed.reason = "VerificationFailed";
  EXPECT_EQ(Ready(world.Decide()).reason, "VerificationFailed");
  EXPECT_EQ(world.Decide().status.phase, ReleasePhase::kRolledBack);
  world.Decided(Verb::kRetry, 'a', "ann", minutes(30));
  Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.status.history.at(0).cause, DeliveryCause::kRetry);
  EXPECT_EQ(plan.status.history.at(0).decisions.at(0).verb, Verb::kRetry);
  EXPECT_EQ(plan.status.decisions.at(0).refused, "");

  Record(plan);
  world.release.status = plan.status;
  plan = world.Decide();  // its promotion is gone: it is held again
  EXPECT_EQ(Ready(plan).reason, "PromotionDeleted");
  world.release.status = plan.status;
  EXPECT_FALSE(world.Decide().start);
}

TEST(RetryDecision, AfterACrashIsTheSameDelivery) {
  World world;
  world.Ended("Aborted");
  world.Decided(Verb::kRetry, 'a');
  const Plan first = world.Decide();
  ASSERT_TRUE(first.start);
  world.promotions.push_back(world.Promotion(2));
  world.promotions.back().spec = PromotionSpec(world.release, first.start->wanted);
  const Plan second = world.Decide();
  EXPECT_EQ(second.status, first.status);
  ASSERT_TRUE(second.start);
}

TEST(RetryDecision, AboutAnythingElseIsRefused) {
  World world;
  world.Ended("Aborted", hours(1));
  world.Decided(Verb::kRetry, 'b');
  ExpectRefused(world, "it is about " + Digest('b'));
  world.decisions.clear();
  world.Decided(Verb::kRetry, 'a', "ann", hours(2));
  ExpectRefused(world, "before delivery 1 ended");
  world.decisions.clear();
  world.Decided(Verb::kRetry, 'a').spec.expires = world.now;
  ExpectRefused(world, "expired");
  world.decisions.clear();
  world.release.status.history[0].outcome = "Promoted";
  world.Run('a');
  world.Decided(Verb::kRetry, 'a');
  ExpectRefused(world, "it is not held");
}

TEST(RetryDecision, DeliversAgainWhereTheTargetDrifted) {
  World world;
  world.Ended("Promoted");
  EXPECT_EQ(Ready(world.Decide()).reason, "TargetDrifted");
  world.Decided(Verb::kRetry, 'a');
  EXPECT_TRUE(world.Decide().start);
}

TEST(RetryDecision, WaitsForTheGatesAndIsNotUsedUpByThem) {
  World world;
  world.Ended("Aborted");
  world.release.spec.gates.approvals = 1;
  world.Decided(Verb::kRetry, 'a');
  Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "AwaitingApproval");
  EXPECT_TRUE(plan.status.decisions.empty());
  world.Decided(Verb::kApprove, 'a', "bob");
  plan = world.Decide();
  EXPECT_TRUE(plan.start);
  EXPECT_EQ(plan.status.decisions.size(), 2U);
}

TEST(RetryDecision, OfAPromotionThatWasRefusedMakesItAnew) {
  World world;
  world.UnderWay(CanaryPhase::kRefused);
  world.Decided(Verb::kRetry, 'a');
  const Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "Superseding");
  EXPECT_EQ(plan.status.decisions.size(), 1U);
}

TEST(Steering, IsRefusedWhileNothingIsUnderWay) {
  for (const Verb verb : {Verb::kPromote, Verb::kAbort, Verb::kPause, Verb::kResume}) {
    World world;
    world.Ended("Promoted");
    world.Run('a');
    world.Decided(verb, 'a');
    ExpectRefused(world, "nothing is under way");
  }
}

TEST(Steering, IsThePromotionsWhileItIsUnderWay) {
  World world;
  world.UnderWay();
  world.Decided(Verb::kAbort, 'a');
  EXPECT_TRUE(world.Decide().status.decisions.empty());
  auto record = resources::RecordOf(world.decisions[0]);
  record.refused = "the promotion's own words";
  world.promotions[0].status.decisions = {record};
  world.release.status = world.Decide().status;
  EXPECT_EQ(world.release.status.history.at(0).decisions.at(0), record);
  EXPECT_EQ(world.Decide().status.decisions.at(0), record) << "outlives the entry";
}

TEST(Steering, FromBeforeThePromotionIsRefused) {
  World world;
  world.UnderWay();
  world.Decided(Verb::kAbort, 'a', "ann", seconds(2));
  EXPECT_THAT(world.Decide().status.decisions.at(0).refused, HasSubstr("it was made before"));
}

TEST(Decisions, AboutAnotherObjectAreNotOurs) {
  World world;
  world.Ended("Promoted");
  world.Run('a');
  world.Decided(Verb::kAbort, 'a').spec.target.kind = "CanaryPromotion";
  world.Decided(Verb::kAbort, 'a').spec.target.uid = {"another"};
  world.Decided(Verb::kAbort, 'a').meta.key.ns = "elsewhere";
  EXPECT_TRUE(world.Decide().status.decisions.empty());
}

TEST(Decisions, AreKeptUpToFiftyAndNeverTakenUpAgainWhenTheyAreDropped) {
  World world;
  world.Ended("Promoted");
  world.Run('a');
  for (int i = 0; i < 60; ++i) world.Decided(Verb::kAbort, 'a', "ann", seconds(1000 - i));
  const Plan plan = world.Decide();
  ASSERT_EQ(plan.status.decisions.size(), 50U);
  EXPECT_EQ(plan.status.decisions.front().name, "decision-11");
  EXPECT_EQ(plan.status.decisions.back().name, "decision-60");
  world.release.status = plan.status;
  EXPECT_EQ(world.Decide().status, plan.status);
  EXPECT_TRUE(world.Decide().notices.empty());
}

}  // namespace
}  // namespace slipway::release
