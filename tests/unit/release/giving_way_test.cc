// What is called off for something else, and what is not: what could begin at once, what a person holds, and
// what a person rejects.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/draft.h"
#include "release/under_way.h"
#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::CanaryPhase;
using resources::Compatibility;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using testing::AllOf;
using testing::HasSubstr;

// ---- what could begin at once ----

// Image 'b' migrated and broke what 'a' worked on; now 'a' is wanted again.
void LeftBehind(World& w) {
  w.Was('a', "Promoted", hours(9));
  w.Was('b', "Promoted", hours(5));
  w.HasMigrated('b', 2, Compatibility::kBreaking);
}

struct Beginning {
  const char* name;
  void (*set)(World&);
  bool could, insisted;
};

const Beginning kBeginnings[] = {
    {"nothing is in the way", [](World&) {}, true, true},
    {"nothing is wanted", [](World& w) { w.build.reset(); }, false, false},
    {"suspended", [](World& w) { w.release.spec.suspend = true; }, false, false},
    {"it runs, but is suspended",
     [](World& w) {
       w.release.spec.suspend = true;
       w.Run('a');
     },
     false, false},
    {"no target", [](World& w) { w.deployment.reset(); }, false, false},
    {"no policy", [](World& w) { w.policy.reset(); }, false, false},
    {"an older Release has the target", [](World& w) { w.busy_with = "first"; }, false, false},
    {"not approved", [](World& w) { w.release.spec.gates.approvals = 1; }, false, false},
    {"approved",
     [](World& w) {
       w.release.spec.gates.approvals = 1;
       w.Decided(Verb::kApprove, 'a');
     },
     true, true},
    {"rejected", [](World& w) { w.Decided(Verb::kReject, 'a'); }, false, false},
    {"it runs, and no gate is asked for that",
     [](World& w) {
       w.release.spec.gates.approvals = 1;
       w.policy.reset();
       w.Run('a');
     },
     true, true},
    {"older than a breaking migration, and a person may insist", LeftBehind, false, true},
    {"it runs, and does not work",
     [](World& w) {
       LeftBehind(w);
       w.Run('a');
     },
     false, true},
};

TEST(CouldBegin, IsWhatNothingStandsInTheWayOf) {
  for (const auto& row : kBeginnings) {
    World world;
    row.set(world);
    const Seen seen = world.Sees();
    Draft draft(seen, world.now);
    draft.Want();
    EXPECT_EQ(CouldBegin(draft, false), row.could) << row.name;
    EXPECT_EQ(CouldBegin(draft, true), row.insisted) << row.name;
  }
}

// ---- what it is called off for ----

// Image 'a' is delivered and runs; a canary of 'b' is under way.
CanaryPromotion& Canary(World& w, CanaryPhase phase = CanaryPhase::kHolding) {
  w.Ended("Promoted");
  w.release.status.image = Image('a');
  w.Run('a');
  w.Build('b', "2222", 8);
  return w.UnderWay(phase);
}

void Paused(World& w, const char* by) {
  Canary(w).status.paused = resources::Pause{by, "a look at it", w.now - minutes(1)};
}

const Row kGivingWay[] = {
    {"ForWhatRunsThoughAGateIsClosed",
     [](World& w) {
       Canary(w);
       w.Build('a', "1111", 9);
       w.release.spec.gates.approvals = 1;
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"NotForWhatIsRejected",
     [](World& w) {
       Canary(w);
       w.Build('c', "3333", 9);
       w.Decided(Verb::kReject, 'c');
     },
     kProgressing, kWorks, "Delivering", "", ""},
    {"NotForANewBuildWhileAPersonHasPausedIt",
     [](World& w) {
       Paused(w, "ann");
       w.Build('c', "3333", 9);
     },
     kProgressing, resources::Readiness::kSuspended, "Paused", "waits until it is resumed or aborted", ""},
    {"ForANewBuildWhereACheckHasPausedIt",
     [](World& w) {
       Paused(w, "Inconclusive");
       w.Build('c', "3333", 9);
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"ForTheSpecThoughAPersonHasPausedIt",
     [](World& w) {
       Paused(w, "ann");
       w.Ask('c');
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"ForARollbackThoughAPersonHasPausedIt",
     [](World& w) {
       w.Was('c', "Promoted", hours(60));
       Paused(w, "ann");
       w.Decided(Verb::kRollback, 'c');
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"PausedWithNothingNewSaysSo", [](World& w) { Paused(w, "ann"); }, kProgressing,
     resources::Readiness::kSuspended, "Paused", "is paused: a look at it", ""},
};
INSTANTIATE_TEST_SUITE_P(GivingWay, Decides, testing::ValuesIn(kGivingWay),
                         [](const auto& at) { return at.param.name; });

// It is written down first, and deleted by a later decision: by then it may be at work on stable.
TEST(Superseded, OneThatWentOnToStableIsLeftToEnd) {
  for (const CanaryPhase phase :
       {CanaryPhase::kPromoting, CanaryPhase::kVerifying, CanaryPhase::kFinishing, CanaryPhase::kHolding}) {
    World world;
    auto& promotion = Canary(world);
    promotion.meta.resource_version = {"7"};
    world.Build('c', "3333", 9);
    Plan plan = world.Decide();
    ASSERT_EQ(plan.status.history.at(0).outcome, "Superseded");
    world.release.status = plan.status;
    world.promotions.back().status.phase = phase;
    plan = world.Decide();
    if (phase == CanaryPhase::kHolding) {
      ASSERT_EQ(plan.removals.size(), 1U);
      EXPECT_EQ(plan.removals[0].resource_version.value, "7") << "not if it went on";
      continue;
    }
    EXPECT_TRUE(plan.removals.empty());
    EXPECT_EQ(plan.status.history.at(0).outcome, "");
    EXPECT_EQ(plan.status.history.at(0).message, "");
    EXPECT_EQ(Ready(plan).reason, "Delivering");
  }
}

// ---- what a person rejects ----

TEST(Rejected, InMidDeliveryIsTakenBackAndHeld) {
  World world;
  Canary(world);
  world.Decided(Verb::kReject, 'b', "bob");
  Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "Superseding");
  EXPECT_TRUE(plan.removals.empty()) << "written down first";
  EXPECT_EQ(plan.status.history.at(0).outcome, "Aborted");
  EXPECT_EQ(plan.status.history[0].reason, "Rejected");
  EXPECT_THAT(plan.status.history[0].message, AllOf(HasSubstr("bob rejected it"), HasSubstr("because")));
  ASSERT_EQ(plan.status.history[0].decisions.size(), 1U);
  EXPECT_EQ(plan.status.decisions.at(0).refused, "");

  world.release.status = plan.status;
  plan = world.Decide();
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid, world.promotions.back().meta.uid);
  EXPECT_EQ(plan.status.decisions.size(), 1U);

  world.release.status = plan.status;
  world.promotions.clear();
  plan = world.Decide();
  EXPECT_TRUE(plan.status.history.at(0).finished);
  EXPECT_EQ(plan.status.history[0].key, world.Wants().key) << "it was judged, by a person";
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "Rejected");

  world.release.status = plan.status;
  world.decisions.clear();
  EXPECT_FALSE(world.Decide().start) << "held, though the Decision is gone";
  world.Decided(Verb::kRetry, 'b').meta.uid = {"retry-uid"};
  EXPECT_TRUE(world.Decide().start);
}

TEST(Rejected, WhenStableChangesAlreadyIsTooLate) {
  for (const CanaryPhase phase : {CanaryPhase::kPromoting, CanaryPhase::kVerifying, CanaryPhase::kAborting}) {
    World world;
    Canary(world, phase);
    world.Decided(Verb::kReject, 'b');
    const Plan plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, "Delivering");
    EXPECT_EQ(plan.status.history.at(0).outcome, "");
  }
}

TEST(Rejected, ThatPassedBeforeItCouldBeTakenBackIsDelivered) {
  World world;
  auto& promotion = Canary(world);
  world.Decided(Verb::kReject, 'b');
  world.release.status = world.Decide().status;
  End(promotion, Completion::kPromoted);
  world.Run('b');
  Plan plan = world.Decide();
  EXPECT_EQ(plan.status.history.at(0).outcome, "Promoted");
  EXPECT_EQ(plan.status.history[0].reason, "");
  EXPECT_EQ(plan.status.image, Image('b'));

  End(promotion, Completion::kAborted, "Deleted");
  world.Run('a');
  plan = world.Decide();
  EXPECT_EQ(plan.status.history.at(0).outcome, "Aborted");
  EXPECT_EQ(plan.status.history[0].reason, "Rejected") << "its own way back says no more";
}

TEST(Rejected, OfAnotherDigestChangesNothing) {
  World world;
  Canary(world);
  world.Decided(Verb::kReject, 'a');
  EXPECT_EQ(Ready(world.Decide()).reason, "Delivering");
}

}  // namespace
}  // namespace slipway::release
