// A migration before its delivery's promotion; the ledger; what becomes of stable on failure; the promotion's
// spec.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/decide.h"
#include "release/ledger.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Compatibility;
using resources::OnFailure;
using resources::Verb;
using State = MigrationOutcome::State;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

World Migrating(Compatibility compatibility = Compatibility::kBackward) {
  World world;
  world.Migrates(compatibility);
  Next(world);
  Next(world);
  return world;
}

TEST(Migration, IsWrittenDownThenMadeThenWaitedFor) {
  World world;
  world.Migrates();
  Plan plan = Next(world);
  EXPECT_FALSE(plan.start);
  EXPECT_FALSE(plan.migration) << "before its entry is written";
  const auto& record = plan.status.history.at(0).migration;
  ASSERT_TRUE(record);
  EXPECT_EQ(record->job, MigrationName(world.release, Image('a'), 1));

  plan = Next(world);
  ASSERT_TRUE(plan.migration);
  EXPECT_EQ(plan.migration->image, Image('a'));
  EXPECT_EQ(plan.migration->name, MigrationName(world.release, Image('a'), 1));

  world.migration = MigrationOutcome{State::kRunning, ""};
  plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "Migrating");
}

TEST(Migration, ThatSucceededIsInTheLedgerBeforeThePromotionBegins) {
  World world = Migrating();
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  Plan plan = Next(world);
  EXPECT_FALSE(plan.start);
  ASSERT_EQ(plan.status.migrations.size(), 1U);
  EXPECT_EQ(plan.status.migrations[0].outcome, "Succeeded");
  EXPECT_EQ(plan.status.history.at(0).migration, plan.status.migrations[0]);
  world.migration.reset();
  plan = Next(world);
  ASSERT_TRUE(plan.start);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(plan.status.history.size(), 1U);
}

TEST(Migration, OfADigestThatIsInTheLedgerIsNotRunAgain) {
  World world;
  world.Migrates();
  world.HasMigrated('a', 1);
  const Plan plan = world.Decide();
  EXPECT_TRUE(plan.start);
  EXPECT_EQ(plan.status.history.at(0).migration->outcome, "Succeeded");
}

TEST(Migration, ThatFailedEndsTheDeliveryAndIsHeldUntilAPersonRetries) {
  World world = Migrating();
  world.migration = MigrationOutcome{State::kFailed, "exit code 3"};
  Plan plan = Next(world);
  EXPECT_EQ(plan.status.history.at(0).outcome, "Aborted");
  EXPECT_EQ(plan.status.history.at(0).reason, "MigrationFailed");
  EXPECT_EQ(Ready(plan).reason, "MigrationFailed");
  EXPECT_THAT(Ready(plan).message, HasSubstr("exit code 3"));
  EXPECT_EQ(plan.status.migrations.at(0).outcome, "Failed");
  world.migration.reset();
  EXPECT_EQ(Next(world).status.history.size(), 1U);
  world.Decided(Verb::kRetry, 'a');
  plan = Next(world);
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_NE(plan.status.history[0].migration->job, plan.status.history[1].migration->job);
}

TEST(Migration, WhoseJobIsGoneIsRunAgainUnderItsName) {
  World world = Migrating();
  const std::string name = world.release.status.history.at(0).migration->job;
  world.migration = MigrationOutcome{State::kGone, ""};
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.migration);
  EXPECT_EQ(plan.migration->name, name);
  EXPECT_FALSE(plan.status.history.at(0).migration->job_uid);
}

TEST(Migration, UnderWayEndsBeforeSomethingElseBegins) {
  World world = Migrating();
  world.Build('b', "2222", 8);
  world.migration = MigrationOutcome{State::kRunning, ""};
  EXPECT_EQ(Ready(Next(world)).reason, "Migrating");
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  Next(world);
  world.migration.reset();
  const Plan plan = Next(world);
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_EQ(plan.status.history[1].outcome, "Superseded");
  EXPECT_EQ(plan.status.history[0].image, Image('b'));
  EXPECT_EQ(plan.status.migrations.size(), 1U);
}

TEST(Migration, IsEndedByAbortWhenItsJobHas) {
  World world = Migrating();
  world.migration = MigrationOutcome{State::kRunning, ""};
  world.Decided(Verb::kPause, 'a');
  world.Decided(Verb::kAbort, 'b');
  world.Decided(Verb::kAbort, 'a');
  Plan plan = Next(world);
  ASSERT_EQ(plan.status.decisions.size(), 3U);
  EXPECT_THAT(plan.status.decisions[0].refused, HasSubstr("its migration runs"));
  EXPECT_THAT(plan.status.decisions[1].refused, HasSubstr("this delivers " + Digest('a')));
  EXPECT_EQ(plan.status.decisions[2].refused, "");
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  Next(world);
  world.migration.reset();
  plan = Next(world);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "AbortedByDecision");
}

TEST(Migration, WithACanaryIsRefusedWhenItIsBreaking) {
  World world;
  world.Migrates(Compatibility::kBreaking);
  world.release.spec.rolling.reset();
  EXPECT_EQ(Ready(world.Decide()).reason, "InvalidSpec");
}

TEST(OnFailureIs, StayAfterABreakingMigrationUntilItsImageIsDelivered) {
  World world = Migrating(Compatibility::kBreaking);
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  Next(world);
  world.migration.reset();
  Plan plan = Next(world);
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(PromotionSpec(world.release, plan.start->wanted).on_failure, OnFailure::kStay);

  world.promotions.push_back(world.Promotion(1));
  world.promotions[0].meta.uid = *world.release.status.history[0].promotion_uid;
  End(world.promotions[0], Completion::kPromoted);
  world.Run('a');
  Next(world);
  world.release.spec.migration.reset();
  world.Build('b', "2222", 8);
  plan = Next(world);
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(PromotionSpec(world.release, plan.start->wanted).on_failure, OnFailure::kRestore);
}

TEST(OnFailureIs, WhatTheSpecSays) {
  World world;
  EXPECT_EQ(PromotionSpec(world.release, world.Decide().start->wanted).on_failure, OnFailure::kRestore);
  world.release.spec.rollback.on_failure = false;
  EXPECT_EQ(PromotionSpec(world.release, world.Decide().start->wanted).on_failure, OnFailure::kStay);
}

// The image is there and did not pass: that is not a delivery, whoever looks at the Deployment alone.
TEST(LeftThere, IsHeldAlthoughItRuns) {
  World world;
  world.release.spec.rollback.on_failure = false;
  world.release.status.image = Image('0');
  world.release.status.verified = world.now - hours(5);
  End(world.UnderWay(), Completion::kAborted, "VerificationFailed", "500; it stays");
  world.promotions[0].status.image_set = true;
  world.Run('a');
  const Plan plan = Next(world);
  EXPECT_EQ(plan.status.phase, resources::ReleasePhase::kBlocked);
  EXPECT_EQ(Ready(plan).reason, "VerificationFailed");
  EXPECT_FALSE(plan.status.verified);
  world.now += hours(1);
  EXPECT_EQ(Ready(world.Decide()).reason, "VerificationFailed");
  world.release.spec.smoke_tests[0].requests = 7;
  EXPECT_TRUE(world.Decide().start) << "judged anew";
}

TEST(Verified, IsSinceItsPromotionAndNotOfWhatWasFound) {
  World world;
  auto& promotion = world.UnderWay();
  End(promotion, Completion::kPromoted);
  world.Run('a');
  Plan plan = Next(world);
  EXPECT_EQ(plan.status.verified, kNow - seconds(2));
  world.Build('b', "2222", 8);
  world.Run('b');
  plan = Next(world);
  EXPECT_EQ(Ready(plan).reason, "AlreadyRunning");
  EXPECT_FALSE(plan.status.verified);
}

TEST(Verified, BeginsAnewAfterADrift) {
  World world;
  world.Ended("Promoted");
  world.release.status.image = Image('a');
  world.release.status.verified = world.now - hours(5);
  EXPECT_EQ(Ready(Next(world)).reason, "TargetDrifted");
  EXPECT_FALSE(world.release.status.verified);
  world.Run('a');
  EXPECT_EQ(Next(world).status.verified, world.now);
}

TEST(Ledger, KeepsSixtyAndTheNewestBreakingOne) {
  resources::ReleaseStatus status;
  for (int i = 0; i < 80; ++i) {
    resources::MigrationRecord record;
    record.image = Image(static_cast<char>('a' + i % 6));
    record.job = std::to_string(i);
    record.outcome = "Succeeded";
    if (i == 3 || i == 5) record.compatibility = Compatibility::kBreaking;
    Enter(status, record);
    ASSERT_LE(status.migrations.size(), 60U);
    if (i >= 5) EXPECT_EQ(NewestBreaking(status)->job, "5");
  }
  EXPECT_EQ(status.migrations.front().job, "79");
  EXPECT_EQ(status.migrations.size(), 60U);
}

TEST(RollingSpec, AsksEverythingOfStableUnderNamesOfItsOwn) {
  World world;
  world.release.spec.rolling = resources::RollingStrategy{std::chrono::minutes(7)};
  world.release.spec.verification = {{.name = "default", .requests = 3}, {.name = "other"}};
  const auto spec = PromotionSpec(world.release, world.Decide().start->wanted);
  EXPECT_EQ(spec.strategy, resources::Strategy::kRolling);
  EXPECT_EQ(spec.progress_deadline, std::chrono::minutes(7));
  ASSERT_EQ(spec.verification.size(), 3U);
  EXPECT_EQ(spec.verification[0].name, "default");
  EXPECT_EQ(spec.verification[1].name, "default-2");
  EXPECT_EQ(spec.verification[1].requests, 3);
  EXPECT_EQ(spec.verification[2].name, "other");
}

TEST(CanarySpec, CarriesTheWholeStrategy) {
  World world;
  auto& canary = world.release.spec.canary;
  canary.capacity = resources::Capacity::kSurge;
  canary.max_surge = "30%";
  canary.accept_autoscaler_overlap = true;
  canary.analysis.compare.emplace();
  world.release.spec.verification = {{.name = "after"}};
  const auto spec = PromotionSpec(world.release, world.Wants());
  EXPECT_EQ(spec.max_surge, "30%");
  EXPECT_TRUE(spec.accept_autoscaler_overlap);
  EXPECT_EQ(spec.analysis, canary.analysis);
  EXPECT_EQ(spec.verification, world.release.spec.verification);
}

}  // namespace
}  // namespace slipway::release
