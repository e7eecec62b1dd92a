// A delivery whose migration does not simply succeed: it is cut short, ended by a person, or overtaken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Compatibility;
using resources::Verb;
using State = MigrationOutcome::State;
using testing::HasSubstr;

// Its entry is written, and its Job is not made yet.
World Written(Compatibility compatibility = Compatibility::kBackward) {
  World world;
  world.Migrates(compatibility);
  EXPECT_EQ(Ready(Next(world)).reason, "Migrating");
  EXPECT_EQ(world.release.status.history.at(0).migration->runs, 0);
  return world;
}

World Migrating(Compatibility compatibility = Compatibility::kBackward) {
  World world = Written(compatibility);
  EXPECT_TRUE(Next(world).migration);
  return world;
}

// Its migration is in the ledger, and its promotion does not exist yet.
World Migrated(Compatibility compatibility = Compatibility::kBackward) {
  World world = Migrating(compatibility);
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  Next(world);
  world.migration.reset();
  EXPECT_EQ(world.release.status.migrations.size(), 1U);
  return world;
}

const Delivery& Newest(const Plan& plan) { return plan.status.history.at(0); }

TEST(CutShort, RunsThreeTimesAndIsToldEachTime) {
  World world = Migrating();
  for (int run = 2; run <= 3; ++run) {
    world.migration = MigrationOutcome{State::kGone, "its node was drained"};
    const Plan plan = Next(world);
    ASSERT_TRUE(plan.migration) << run;
    EXPECT_EQ(Newest(plan).migration->runs, run);
    EXPECT_EQ(Newest(plan).migration->message, "its node was drained");
    ASSERT_EQ(plan.notices.size(), 1U);
    EXPECT_EQ(plan.notices[0].reason, "MigrationCutShort");
    EXPECT_TRUE(plan.notices[0].warning);
    EXPECT_THAT(plan.notices[0].note, HasSubstr("its node was drained"));
  }
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(Newest(plan).outcome, "Aborted");
  EXPECT_EQ(Newest(plan).reason, "MigrationFailed");
  EXPECT_THAT(Newest(plan).message, HasSubstr("cut short 3 times, the last time: its node was drained"));
  EXPECT_EQ(plan.status.migrations.at(0).outcome, "Failed");
}

TEST(CutShort, IsNotRunAgainWhenAPersonEndedIt) {
  World world = Migrating();
  world.Decided(Verb::kAbort, 'a');
  world.migration = MigrationOutcome{State::kGone, ""};
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(Newest(plan).reason, "AbortedByDecision");
  EXPECT_TRUE(plan.status.migrations.empty());
}

TEST(CutShort, WaitsWhileThePolicyForbidsIt) {
  World world = Migrating();
  world.policy.reset();
  world.migration = MigrationOutcome{State::kGone, ""};
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(Ready(plan).reason, "PolicyMissing");
  EXPECT_FALSE(Newest(plan).finished);
  world.policy = World().policy;
  world.migration.reset();
  EXPECT_TRUE(Next(world).migration);
}

TEST(MigrationRecord, SaysWhatWasDeclaredWhenItsJobWasMade) {
  World world = Written();
  world.Migrates(Compatibility::kBreaking);
  EXPECT_EQ(Newest(Next(world)).migration->compatibility, Compatibility::kBreaking);
  world.release.spec.migration->compatibility = Compatibility::kBackward;
  world.migration = MigrationOutcome{State::kSucceeded, ""};
  EXPECT_EQ(Next(world).status.migrations.at(0).compatibility, Compatibility::kBreaking) << "that has run";
}

TEST(MigrationRecord, SaysWhatItsPodWaitsFor) {
  World world = Migrating();
  world.migration = MigrationOutcome{State::kRunning, ""};
  EXPECT_THAT(Ready(world.Decide()).message, HasSubstr("`kubectl logs job/"));
  world.migration->message = "pod web-1 can't start: ImagePullBackOff";
  EXPECT_THAT(Ready(world.Decide()).message, HasSubstr("; pod web-1 can't start: ImagePullBackOff"));
}

TEST(BeforeItsJob, AnAbortEndsIt) {
  World world = Written();
  world.Decided(Verb::kAbort, 'a');
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(Newest(plan).outcome, "Aborted");
  EXPECT_EQ(Newest(plan).reason, "AbortedByDecision");
}

TEST(BeforeItsJob, ARejectEndsIt) {
  World world = Written();
  world.Decided(Verb::kReject, 'a');
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  EXPECT_EQ(Newest(plan).reason, "Rejected");
  EXPECT_TRUE(Newest(plan).finished);
}

// It was never judged: it is delivered in the form that the spec has now.
TEST(BeforeItsJob, AMigrationThatIsTakenAwayGivesItUp) {
  World world = Written();
  world.release.spec.migration.reset();
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.migration);
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_EQ(plan.status.history[1].outcome, "Superseded");
  EXPECT_EQ(plan.status.history[1].key, "");
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->wanted.image, Image('a'));
}

// On what the migration has made, perhaps nothing else works.
TEST(AfterItsJob, AnImageThatWaitsAtAGateDoesNotCallItOff) {
  World world = Migrated(Compatibility::kBreaking);
  world.Build('b', "2222", 8);
  world.release.spec.gates.approvals = 1;
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->wanted.image, Image('a'));
  EXPECT_EQ(plan.start->wanted.version, "1111111111111111111111111111111111111111");
  EXPECT_EQ(plan.start->wanted.on_failure, resources::OnFailure::kStay);
  EXPECT_EQ(plan.status.history.size(), 1U);
}

TEST(AfterItsJob, WhatCouldBeginAtOnceCallsItOff) {
  World world = Migrated();
  world.Build('b', "2222", 8);
  const Plan plan = Next(world);
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_EQ(plan.status.history[1].outcome, "Superseded");
  EXPECT_EQ(Newest(plan).image, Image('b'));
}

TEST(AfterItsJob, WhatCanNotBeToldCallsNothingOff) {
  World world = Migrated();
  world.build.reset();
  const Plan plan = Next(world);
  EXPECT_EQ(Ready(plan).reason, "ImageBuildNotFound");
  EXPECT_FALSE(Newest(plan).finished);
  EXPECT_FALSE(plan.start);
}

TEST(AfterItsJob, ARejectEndsIt) {
  World world = Migrated();
  world.Decided(Verb::kReject, 'a');
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Newest(plan).reason, "Rejected");
}

TEST(AfterItsJob, APromotionThatWasMadeAndNotRecordedIsTakenUp) {
  World world = Migrated();
  const std::string& name = world.release.status.history[0].promotion;
  world.promotions.push_back(world.Promotion(1));
  ASSERT_EQ(world.promotions[0].meta.key.name, name);
  Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->name, name);

  world.release.spec.smoke_tests[0].requests = 7;
  world.release.spec.gates.approvals = 1;  // else what is wanted now would call it off
  plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Newest(plan).outcome, "Superseded");
  EXPECT_THAT(Newest(plan).message, HasSubstr("made from an earlier spec"));
}

TEST(AfterItsJob, NothingBeginsBesideAPromotionThatHasTheTarget) {
  World world = Migrated();
  world.promotions.push_back(world.Promotion(9));
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status.history.back().outcome, "Superseded");
  EXPECT_THAT(plan.status.history.back().message, HasSubstr("has the target"));
}

}  // namespace
}  // namespace slipway::release
