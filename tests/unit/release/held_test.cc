// What stays of a plan whose effects could not be made.
#include "release/held.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Hold kCopyTaken{Readiness::kWaiting, ReleasePhase::kBlocked, "ConfigCopyTaken",
                      "somebody has its name"};
const Hold kCopyGone{Readiness::kWaiting, ReleasePhase::kBlocked, std::string(kConfigCopyGone),
                     "the copy was deleted"};

std::vector<std::string> NamesOf(const std::vector<resources::DecisionRecord>& records) {
  std::vector<std::string> names;
  for (const auto& record : records) names.push_back(record.name);
  return names;
}

std::vector<std::string> ReasonsOf(const std::vector<Notice>& notices) {
  std::vector<std::string> reasons;
  for (const auto& notice : notices) reasons.push_back(notice.reason);
  return reasons;
}

// The plan that can't be carried out, and what is written in its place.
struct Outcome {
  Plan intended;
  Plan held;
};

Outcome Hinder(const World& world, const Hold& hold) {
  Outcome outcome;
  outcome.intended = world.Decide();
  outcome.held = HeldBy(world.release, &outcome.intended, hold, world.now);
  return outcome;
}

// Image 'b' is delivered, and was 'a' before; somebody rolls back to it.
World RollingBack() {
  World world;
  world.Was('a', "Promoted", hours(50)).config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Build('b', "2222", 8);
  world.Ended("Promoted", minutes(20));
  world.release.status.image = Image('b');
  world.Run('b');
  world.Decided(Verb::kRollback, 'a');
  return world;
}

TEST(HeldBy, BeginsNothingAndSaysWhyOnce) {
  World world;
  const auto [intended, held] = Hinder(world, kCopyTaken);
  ASSERT_TRUE(intended.start);
  EXPECT_FALSE(held.start);
  EXPECT_THAT(held.copies, IsEmpty());
  EXPECT_THAT(held.status.history, IsEmpty()) << "nothing of it is there";
  EXPECT_EQ(held.status.phase, ReleasePhase::kBlocked);
  EXPECT_EQ(Ready(held).reason, "ConfigCopyTaken");
  EXPECT_EQ(held.status.observed_generation, world.release.meta.generation);
  EXPECT_EQ(held.recheck_after, std::chrono::seconds(60)) << "nothing else looks at it again";
  EXPECT_THAT(ReasonsOf(held.notices), ElementsAre("ConfigCopyTaken"));
  world.release.status = held.status;
  const Plan again = Hinder(world, kCopyTaken).held;
  EXPECT_EQ(again.status, held.status);
  EXPECT_THAT(again.notices, IsEmpty());
}

TEST(HeldBy, WithoutAPlanChangesTheConditionAlone) {
  World world = RollingBack();
  const Plan held = HeldBy(world.release, nullptr, kCopyTaken, world.now);
  auto expected = world.release.status;
  expected.observed_generation = world.release.meta.generation;
  expected.phase = ReleasePhase::kBlocked;
  expected.conditions = held.status.conditions;
  EXPECT_EQ(held.status, expected);
}

// Else a later pass would decide it again, from another state.
TEST(HeldBy, KeepsWhatWasDecidedAboutDecisions) {
  World world = RollingBack();
  world.Decided(Verb::kPause, 'b');
  const auto [intended, held] = Hinder(world, kCopyTaken);
  ASSERT_TRUE(intended.status.rollback);
  EXPECT_EQ(held.status.rollback, intended.status.rollback);
  EXPECT_EQ(held.status.decisions, intended.status.decisions);
  EXPECT_THAT(NamesOf(held.status.decisions), ElementsAre("decision-1", "decision-2"));
  EXPECT_EQ(held.status.history, world.release.status.history);
  EXPECT_THAT(ReasonsOf(held.notices), ElementsAre("DecisionRefused", "ConfigCopyTaken"));
}

TEST(HeldBy, KeepsUpToWhenDecisionsWereTakenUp) {
  World world;
  world.Ended("Promoted");
  world.Run('a');
  for (int i = 0; i < 60; ++i) world.Decided(Verb::kAbort, 'a', "ann", minutes(1000 - i));
  const Plan held = Hinder(world, kCopyTaken).held;
  EXPECT_EQ(held.status.decisions_before, world.decisions[9].meta.created);
}

TEST(HeldBy, DoesNotUseARetryUp) {
  World world;
  world.Ended("Aborted");
  world.Decided(Verb::kRetry, 'b');
  world.Decided(Verb::kRetry, 'a');
  const auto [intended, held] = Hinder(world, kCopyTaken);
  ASSERT_TRUE(intended.start);
  EXPECT_THAT(NamesOf(intended.status.decisions), ElementsAre("decision-1", "decision-2"));
  EXPECT_THAT(NamesOf(held.status.decisions), ElementsAre("decision-1")) << "that one was refused";
  world.release.status = held.status;
  EXPECT_TRUE(world.Decide().start) << "when what stood in the way has gone";
}

TEST(HeldBy, ForgetsNoRetryThatWasFollowedBefore) {
  World world;
  world.Ended("Aborted");
  world.Decided(Verb::kRetry, 'a', "ann", minutes(5));
  world.release.status.decisions = {resources::RecordOf(world.decisions[0])};
  world.Decided(Verb::kRetry, 'a');
  EXPECT_THAT(NamesOf(Hinder(world, kCopyTaken).held.status.decisions), ElementsAre("decision-1"));
}

TEST(HeldBy, ACopyThatIsGoneRefusesTheRollbackAndLetsTheNextImageOut) {
  World world = RollingBack();
  Plan held = Hinder(world, kCopyGone).held;
  EXPECT_FALSE(held.status.rollback);
  ASSERT_EQ(held.status.decisions.size(), 1U);
  EXPECT_EQ(held.status.decisions[0].refused, "the copy was deleted");
  EXPECT_THAT(ReasonsOf(held.notices), ElementsAre("DecisionRefused", "ConfigCopyGone"));
  EXPECT_THAT(held.notices[0].note, HasSubstr("decision-1 of ann"));
  world.release.status = held.status;
  EXPECT_EQ(Ready(world.Decide()).reason, "Delivered") << "taken up once";
  world.Build('c', "3333", 9);
  const Plan next = world.Decide();
  ASSERT_TRUE(next.start);
  EXPECT_EQ(next.start->wanted.image, Image('c'));
}

TEST(HeldBy, ACopyThatIsGoneEndsARollbackThatWasInForceBefore) {
  World world = RollingBack();
  world.release.status = Hinder(world, kCopyTaken).held.status;
  ASSERT_TRUE(world.release.status.rollback);
  const Plan held = Hinder(world, kCopyGone).held;
  EXPECT_FALSE(held.status.rollback);
  ASSERT_EQ(held.status.decisions.size(), 1U) << "the same record, and not another one";
  EXPECT_EQ(held.status.decisions[0].refused, "the copy was deleted");
}

TEST(HeldBy, ACopyThatIsGoneWithoutARollbackRefusesNothing) {
  World world;
  world.Ended("Aborted");
  world.Decided(Verb::kRetry, 'a');
  EXPECT_THAT(Hinder(world, kCopyGone).held.status.decisions, IsEmpty());
}

// The end of the migration that it asks for is not written with it.
TEST(HeldBy, AnAbortIsNotConsumed) {
  World world;
  world.Migrates();
  world.release.status = world.Decide().status;
  world.Decided(Verb::kAbort, 'a');
  world.Build('b', "2222", 8);
  const Plan intended = world.Decide();
  ASSERT_EQ(intended.status.history.size(), 2U);
  const Hold taken{resources::Readiness::kWaiting, resources::ReleasePhase::kBlocked, "ConfigCopyTaken", "x"};
  world.release.status = HeldBy(world.release, &intended, taken, world.now).status;
  EXPECT_FALSE(world.Decide().migration) << "the aborted one runs";
}

}  // namespace
}  // namespace slipway::release
