// Which Decisions are told that they can't be followed, which wait, and which are nobody's to refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::DecisionRecord;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// Image 'b' took the place of 'a'.
World Replaced() {
  World world;
  world.Was('a', "Promoted", hours(50));
  world.Build('b', "2222", 8);
  world.Ended("Promoted", minutes(20));
  world.release.status.image = Image('b');
  world.Run('b');
  return world;
}

// ---- Approve, Reject: facts ----

struct Fact {
  const char* name;
  void (*set)(World&);
  bool refused;
};

// Image 'e' was approved, 30 s ago; image 'a' is wanted.
const Fact kFacts[] = {
    {"nobody knows it", [](World&) {}, true},
    {"it is what is wanted", [](World& w) { w.Build('e', "5555", 9); }, false},
    {"an earlier run built it",
     [](World& w) {
       w.Build('e', "5555", 8);
       w.Build('a', "1111", 9);
     },
     false},
    {"it is delivered", [](World& w) { w.release.status.image = Image('e'); }, false},
    {"it was delivered", [](World& w) { w.Was('e', "Aborted", hours(1)); }, false},
    {"the earlier environment has it",
     [](World& w) {
       w.Ask('a');
       w.source.emplace().status.image = Image('e');
     },
     false},
    {"the earlier environment had it",
     [](World& w) {
       w.Follow('a', hours(1));
       w.source->status.history[0].image = Image('e');
     },
     false},
    {"nothing is wanted", [](World& w) { w.build.reset(); }, false},
    {"it expired", [](World& w) { w.decisions[0].spec.expires = w.now; }, false},
    {"a delivery began since, and may have pruned it",
     [](World& w) { w.Ended("Aborted").started = w.now - seconds(5); }, false},
    {"a delivery began before", [](World& w) { w.Ended("Aborted").started = w.now - minutes(5); }, true},
};

TEST(Facts, AboutWhatNobodyKnowsAreRefused) {
  for (const Verb verb : {Verb::kApprove, Verb::kReject}) {
    for (const auto& row : kFacts) {
      World world;
      world.Decided(verb, 'e', "ann", seconds(30));
      row.set(world);
      const auto decisions = world.Decide().status.decisions;
      const std::string why = decisions.empty() ? "" : decisions[0].refused;
      if (row.refused) {
        EXPECT_THAT(why, AllOf(HasSubstr("about " + Digest('e')), HasSubstr("wanted is " + Digest('a'))))
            << row.name;
      } else {
        EXPECT_EQ(why, "") << row.name;
      }
    }
  }
}

// What a person saw may be ahead of what the caches have.
TEST(Facts, AreGivenHalfAMinute) {
  World world;
  world.Decided(Verb::kApprove, 'e', "ann", seconds(20));
  world.Ended("Promoted");
  world.Run('a');
  Plan plan = world.Decide();
  EXPECT_THAT(plan.status.decisions, IsEmpty());
  EXPECT_EQ(plan.recheck_after, seconds(10));
  world.now += seconds(10);
  plan = world.Decide();
  ASSERT_EQ(plan.status.decisions.size(), 1U);
  world.release.status = plan.status;
  EXPECT_EQ(world.Decide().status, plan.status) << "once";
}

TEST(Facts, ThatWereRefusedCountNoMore) {
  World world;
  world.release.spec.gates.approvals = 1;
  world.Decided(Verb::kApprove, 'e', "ann", seconds(40));
  world.Decided(Verb::kReject, 'e', "bob", seconds(40));
  world.release.status = world.Decide().status;
  ASSERT_EQ(world.release.status.decisions.size(), 2U);
  world.Build('e', "5555", 9);
  EXPECT_THAT(Ready(world.Decide()).message, HasSubstr("0 of 1 approvals"));
  world.Decided(Verb::kApprove, 'e', "ann");
  EXPECT_TRUE(world.Decide().start);
}

TEST(Facts, AboutWhatTheSpecAsksForCountDuringARollbackToo) {
  World world = Replaced();
  world.Decided(Verb::kRollback, 'a', "ann", minutes(2));
  Next(world);
  world.release.status.history.resize(1);
  world.build->status.runs.clear();
  world.release.status.image = Image('a');
  world.Decided(Verb::kApprove, 'b', "bob", seconds(40));
  world.release.status.history[0].started = world.now - minutes(2);
  EXPECT_EQ(world.Decide().status.decisions.size(), 1U) << "the rollback's alone";
}

// ---- what waits until it is known what it is about ----

TEST(Retry, WaitsForTheEndOfADelivery) {
  World world;
  world.UnderWay();
  world.Decided(Verb::kRetry, 'a');
  Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "Delivering");
  EXPECT_THAT(plan.status.decisions, IsEmpty());
  End(world.promotions[0], Completion::kAborted, "SmokeTestFailed");
  world.promotions[0].status.finished = world.now + seconds(3);
  world.now += seconds(5);
  world.release.status = world.Decide().status;
  plan = world.Decide();
  EXPECT_FALSE(plan.start);
  ASSERT_EQ(plan.status.decisions.size(), 1U);
  EXPECT_THAT(plan.status.decisions[0].refused, HasSubstr("made before delivery 1 ended"));
}

TEST(Steering, WaitsForAPromotionThatIsInNoRecord) {
  World world;
  world.Lost();
  world.Decided(Verb::kAbort, 'a');
  Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_THAT(plan.status.decisions, IsEmpty()) << "it is that promotion's";
  world.release.spec.smoke_tests[0].requests = 5;
  EXPECT_THAT(world.Decide().status.decisions, IsEmpty()) << "and of one from an earlier spec";
}

// ---- against what a rollback is decided ----

TEST(Rollback, WhileItsSourceIsAwayIsAgainstWhatWasAskedForLast) {
  World world = Replaced();
  const std::string asked = world.Wants().key;
  const auto build = world.build;
  world.build.reset();
  world.Decided(Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  ASSERT_TRUE(plan.status.rollback);
  EXPECT_EQ(plan.status.rollback->instead_of, asked);
  world.release.status = plan.status;
  world.build = build;
  EXPECT_TRUE(world.Decide().status.rollback) << "the source is back with the same";
  world.Build('c', "3333", 9);
  EXPECT_FALSE(world.Decide().status.rollback);
}

TEST(Rollback, InPlaceOfAnotherIsAgainstWhatThatOneWasWhileTheSourceIsAway) {
  World world = Replaced();
  world.Was('c', "Promoted", hours(60));
  world.release.status.image = Image('b');
  world.release.status.rollback.emplace();
  world.release.status.rollback->image = Image('c');
  world.release.status.rollback->instead_of = "0a1b2c3d";
  world.build.reset();
  world.Decided(Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.status.rollback);
  EXPECT_EQ(plan.status.rollback->image, Image('a'));
  EXPECT_EQ(plan.status.rollback->instead_of, "0a1b2c3d");
}

TEST(Rollback, ToWhatIsDeliveredIsFollowedWhereSomethingElseRuns) {
  World world = Replaced();
  world.Run('z');
  world.Decided(Verb::kRollback, 'b');
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.decisions.at(0).refused, "");
  EXPECT_TRUE(plan.status.rollback);
}

// It counts from when the image's place was taken, and not from when the last one came.
TEST(Rollback, IsFastOnlyWhereTheImageItselfRanLately) {
  World world = Replaced();
  world.release.status.history[0].finished = world.now - hours(2);
  world.Build('c', "3333", 9);
  world.Ended("Promoted", minutes(5));
  world.release.status.image = Image('c');
  world.Run('c');
  world.Decided(Verb::kRollback, 'a');
  EXPECT_FALSE(world.Decide().status.history.at(0).fast);
  world.decisions.clear();
  world.Decided(Verb::kRollback, 'b');
  EXPECT_TRUE(world.Decide().status.history.at(0).fast);
}

// The record of a migration goes with each delivery of its digest: it is not under way for that.
TEST(Rollback, IsNotRefusedForABreakingMigrationThatRanLongAgo) {
  World world = Replaced();
  world.HasMigrated('b', 2, resources::Compatibility::kBreaking);
  world.Build('c', "3333", 9);
  world.Ended("Promoted", minutes(10));
  world.release.status.image = Image('c');
  world.Run('c');
  world.Build('b', "2222", 10);
  world.UnderWay();
  world.release.status.history[0].migration = world.release.status.migrations[0];
  world.Decided(Verb::kRollback, 'b');
  EXPECT_EQ(world.Decide().status.decisions.at(0).refused, "");
  world.release.status.history[0].migration->outcome.clear();
  EXPECT_THAT(world.Decide().status.decisions.at(0).refused, HasSubstr("MigrationBreaking"));
}

}  // namespace
}  // namespace slipway::release
