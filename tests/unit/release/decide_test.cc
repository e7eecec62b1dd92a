// What is decided about any Release: the policy, its history, Events, names, and who has the target.
#include "release/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::Find;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Policy, OfAnotherRepositoryBlocksWithItsFieldAndReason) {
  World world;
  world.policy->repositories = {"registry.example.com/other/"};
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, kBlocked);
  ExpectReadiness(plan.status.conditions, kFailed);
  EXPECT_FALSE(plan.start);
  EXPECT_THAT(Find(plan.status.conditions, "Ready")->message, HasSubstr("registry.example.com/team/web"));
}

TEST(Policy, ThatIsMissingAllowsNothing) {
  World world;
  world.policy.reset();
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, kBlocked);
  EXPECT_FALSE(plan.start);
}

TEST(Policy, OfOtherDeploymentsBlocks) {
  World world;
  world.policy->deployments = {"api"};
  EXPECT_EQ(world.Decide().status.phase, kBlocked);
}

TEST(History, HoldsTheCausalRecordOfADelivery) {
  World world;
  const Plan begun = world.Decide();
  ASSERT_EQ(begun.status.history.size(), 1U);
  const Delivery& first = begun.status.history[0];
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(first.generation, 3);
  EXPECT_EQ(first.image, Image('a'));
  EXPECT_EQ(first.commit, "1111111111111111111111111111111111111111");
  EXPECT_EQ(first.image_build, "web");
  EXPECT_EQ(first.build_run, 7);
  EXPECT_EQ(first.built, kNow - std::chrono::minutes(5));
  EXPECT_EQ(first.previous_image, Image('0'));
  EXPECT_EQ(first.started, kNow);
  EXPECT_FALSE(first.finished);
  EXPECT_EQ(first.promotion, begun.start->name);
}

TEST(History, CopiesWeightsAndSmokeResultsWhileItRunsAndWhenItEnded) {
  World world;
  world.UnderWay();
  for (const bool ended : {false, true}) {
    if (ended) End(world.promotions[0], Completion::kPromoted);
    const Delivery delivery = world.Decide().status.history[0];
    EXPECT_EQ(delivery.weight_wanted, 10);
    EXPECT_EQ(delivery.weight_got, 9);
    ASSERT_EQ(delivery.checks.size(), 1U);
    EXPECT_EQ(delivery.checks[0].requests, 200);
    ASSERT_EQ(delivery.steps.size(), 1U);
    EXPECT_EQ(delivery.steps[0].weight_got, 9);
    EXPECT_EQ(delivery.steps[0].stable_replicas, 9);
    EXPECT_EQ(delivery.steps[0].verdict, "Passed");
    EXPECT_EQ(delivery.previous_image, Image('0'));
    EXPECT_EQ(delivery.finished.has_value(), ended);
  }
}

TEST(History, KeepsTheLastTwelveChecksVerificationIncluded) {
  World world;
  auto& status = world.UnderWay().status;
  status.steps[0].checks.results.resize(25);
  for (int i = 0; i < 25; ++i) status.steps[0].checks.results[static_cast<std::size_t>(i)].requests = i;
  status.verification.results = {{.name = "after", .requests = 99}};
  const auto checks = world.Decide().status.history[0].checks;
  ASSERT_EQ(checks.size(), 12U);
  EXPECT_EQ(checks.front().requests, 14);
  EXPECT_EQ(checks.back().requests, 99);
}

TEST(History, DropsTheOldestBeyondItsLimitAndDeletesTheirPromotionsByUid) {
  World world;
  world.release.spec.history_limit = 2;
  for (int number = 1; number <= 4; ++number) {
    world.promotions.push_back(world.Promotion(number));
    End(world.promotions.back(), Completion::kPromoted);
    world.Ended("Promoted");
  }
  world.Run('a');
  const Plan plan = world.Decide();
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_EQ(plan.status.history[0].number, 4);
  ASSERT_EQ(plan.removals.size(), 2U);
  EXPECT_EQ(plan.removals[0].uid.value, "promotion-1");
  EXPECT_EQ(plan.removals[0].promotion, PromotionName(world.release, 1));
  EXPECT_EQ(plan.removals[1].uid.value, "promotion-2");
}

TEST(History, DropsEntriesWhosePromotionsAreGoneWithoutDeletingAnything) {
  World world;
  world.release.spec.history_limit = 1;
  world.Ended("Promoted");
  world.Ended("Promoted");
  world.promotions.push_back(world.Promotion(1));
  world.promotions.back().meta.uid = {"a-later-one-of-that-name"};
  End(world.promotions.back(), Completion::kPromoted);
  world.Run('a');
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.history.size(), 1U);
  EXPECT_TRUE(plan.removals.empty());
}

TEST(History, OfLimitZeroStillKeepsTheLast) {
  World world;
  world.release.spec.history_limit = 0;
  world.Ended("Promoted");
  world.Run('a');
  EXPECT_EQ(world.Decide().status.history.size(), 1U);
}

TEST(StatusImage, IsWhatWasDeliveredAndStaysThroughAFailure) {
  World world;
  world.release.status.image = Image('0');
  End(world.UnderWay(), Completion::kAborted, "SmokeTestFailed", "no");
  EXPECT_EQ(world.Decide().status.image, Image('0'));
  End(world.promotions[0], Completion::kPromoted);
  EXPECT_EQ(world.Decide().status.image, Image('a'));
  EXPECT_EQ(world.Decide().status.commit, world.Wants().commit);
}

TEST(Deleted, ReleasesDoNothing) {
  World world;
  world.release.meta.deleted = kNow;
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status, world.release.status);
}

TEST(Events, AreOneAChangeOfPhaseOrReason) {
  World world;
  world.UnderWay();
  Plan plan = world.Decide();
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_EQ(plan.notices[0].reason, "Delivering");
  EXPECT_FALSE(plan.notices[0].warning);

  world.release.status = plan.status;
  world.promotions[0].status.phase = CanaryPhase::kTesting;
  EXPECT_TRUE(world.Decide().notices.empty());

  End(world.promotions[0], Completion::kAborted, "SmokeTestFailed", "/healthz answered 500");
  plan = world.Decide();
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_EQ(plan.notices[0].reason, "SmokeTestFailed");
  EXPECT_TRUE(plan.notices[0].warning);
  EXPECT_THAT(plan.notices[0].note, HasSubstr("/healthz"));
}

TEST(Names, OfPromotionsFollowFromTheReleaseAndTheNumberAlone) {
  World world;
  const std::string name = PromotionName(world.release, 1);
  world.release.spec.smoke_tests[0].requests = 7;
  EXPECT_EQ(PromotionName(world.release, 1), name);
  EXPECT_NE(PromotionName(world.release, 2), name);
  world.release.meta.uid = {"made-again"};
  EXPECT_NE(PromotionName(world.release, 1), name);
  world.release.meta.key.name = std::string(253, 'x');
  EXPECT_LE(PromotionName(world.release, 1).size(), 63U);
}

std::shared_ptr<const Release> Rival(const std::string& name, Duration younger,
                                     const std::string& target = "web") {
  World world;
  world.release.meta.key = {"team", name};
  world.release.meta.uid = {name + "-uid"};
  world.release.meta.created += younger;
  world.release.spec.target.deployment = target;
  return std::make_shared<const Release>(world.release);
}

TEST(OneTarget, IsTheOldestReleases) {
  const auto old = Rival("old", seconds(0));
  const auto young = Rival("young", seconds(5));
  const auto third = Rival("third", seconds(9));
  const std::vector<std::shared_ptr<const Release>> all{young, third, old};
  EXPECT_EQ(BusyWith(*old, all), "");
  EXPECT_EQ(BusyWith(*young, all), "old");
  EXPECT_EQ(BusyWith(*third, all), "old");
}

TEST(OneTarget, OfTwoMadeInTheSameSecondIsOneReleases) {
  const auto a = Rival("a", seconds(0));
  const auto b = Rival("b", seconds(0));
  EXPECT_EQ(BusyWith(*a, {a, b}), "");
  EXPECT_EQ(BusyWith(*b, {a, b}), "a");
}

TEST(OneTarget, IsNotSharedAcrossDeploymentsOrNamespaces) {
  const auto web = Rival("web", seconds(5));
  const auto api = Rival("api", seconds(0), "api");
  Release elsewhere = *Rival("elsewhere", seconds(0));
  elsewhere.meta.key.ns = "other";
  EXPECT_EQ(BusyWith(*web, {web, api, std::make_shared<const Release>(elsewhere)}), "");
}

}  // namespace
}  // namespace slipway::release
