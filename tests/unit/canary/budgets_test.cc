// Whether nodes can be drained while a canary is there: ten pods of stable, and the budgets of its namespace.
#include "canary/budgets.h"

#include <gtest/gtest.h>

#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::Capacity;
using resources::LabelRequirement;
using resources::LabelSelector;
using Operator = LabelRequirement::Operator;

LabelSelector Tracked(Operator op, std::vector<std::string> values = {}) {
  return {.expressions = {{std::string(resources::kTrackLabel), op, std::move(values)}}};
}
const LabelSelector kBoth{.match_labels = {{"app", "web"}}};
const LabelSelector kStableAlone = Tracked(Operator::kDoesNotExist);
const LabelSelector kCanaryAlone = Tracked(Operator::kExists);

resources::DisruptionBudget Budget(std::string name, LabelSelector selector, std::string min_available,
                                   std::string max_unavailable = {}) {
  resources::DisruptionBudget budget{.selector = std::move(selector),
                                     .min_available = std::move(min_available),
                                     .max_unavailable = std::move(max_unavailable)};
  budget.meta.key = {"team", std::move(name)};
  return budget;
}

std::string ReasonOf(const World& world) {
  const Plan plan = world.Decide();
  return plan.status.baseline ? "" : Ready(plan).reason;
}

struct Demand {
  const char* name;
  LabelSelector selector;
  const char* min_available;
  const char* max_unavailable;
  std::vector<int> weights;
  bool used_up;
  Capacity capacity = Capacity::kSplit;
  int healthy = 0;  // as the budget has counted
};

const Demand kDemands[] = {
    {"more than any step leaves", kStableAlone, "10", "", {10}, true},
    {"more than there ever are", kStableAlone, "12", "", {10}, true},
    {"exactly what the step leaves", kStableAlone, "9", "", {10}, true},
    {"less than the step leaves", kStableAlone, "8", "", {10}, false},
    {"less than the first step leaves", kStableAlone, "8", "", {10, 50}, true},
    {"less than each step leaves", kStableAlone, "4", "", {10, 50}, false},
    {"a step in the middle leaves least", kStableAlone, "5", "", {10, 50, 20}, true},
    {"nothing", kStableAlone, "", "", {50}, false},
    {"a part that rounding makes all", kStableAlone, "90%", "", {10}, true},
    {"a part", kStableAlone, "80%", "", {10}, false},
    {"a part that rounding makes all of the last step's", kStableAlone, "80%", "", {10, 60}, true},
    {"all, so that there never is an eviction", kStableAlone, "100%", "", {10}, false},
    {"all but one", kStableAlone, "", "1", {90}, false},
    {"all but a part, which is one at least", kStableAlone, "", "1%", {50}, false},
    {"all but none, so that there never is an eviction", kStableAlone, "", "0", {50}, false},
    {"of both together", kBoth, "10", "", {50}, false},
    {"of everything", {}, "90%", "", {50}, false},
    {"of the canary's alone", kCanaryAlone, "10", "", {50}, false},
    {"by a value of the label", Tracked(Operator::kNotIn, {"canary"}), "9", "", {10}, true},
    {"of another track", Tracked(Operator::kNotIn, {"beta"}), "9", "", {10}, false},
    {"stable stays as it is", kStableAlone, "10", "", {50}, false, Capacity::kSurge},
    {"others make up for it", kStableAlone, "10", "", {50}, false, Capacity::kSplit, 16},
    {"others do not quite", kStableAlone, "10", "", {50}, true, Capacity::kSplit, 15},
    {"some of stable's were not ready", kStableAlone, "8", "", {10}, false, Capacity::kSplit, 7},
};

TEST(Budgets, AreNotUsedUpByWhatAStepTakesFromStable) {
  for (const auto& c : kDemands) {
    World world;
    world.promotion.spec.capacity = c.capacity;
    world.promotion.spec.steps.clear();
    for (const int weight : c.weights) world.promotion.spec.steps.push_back({.weight = weight});
    world.budgets = {Budget("web", c.selector, c.min_available, c.max_unavailable)};
    world.budgets[0].healthy = c.healthy;
    EXPECT_EQ(ReasonOf(world), c.used_up ? "DisruptionBudgetUsedUp" : "") << c.name;
  }
}

struct Several {
  const char* name;
  std::vector<LabelSelector> selectors;
  bool overlap;
};

const Several kSeverals[] = {
    {"one of both", {kBoth}, false},
    {"one of each", {kStableAlone, kCanaryAlone}, false},
    {"one of both and one of the canary's", {kBoth, kCanaryAlone}, true},
    {"two of the canary's", {kCanaryAlone, Tracked(Operator::kIn, {"canary"})}, true},
    {"two of the canary's and one of stable's",
     {kStableAlone, kCanaryAlone, Tracked(Operator::kIn, {"canary"})},
     true},
    {"two of both: stable's can't be evicted either", {kBoth, {}}, false},
    {"two of both, and the canary's", {kBoth, {}, kCanaryAlone}, false},
    {"two of stable's", {kStableAlone, Tracked(Operator::kNotIn, {"canary"})}, false},
    {"others'", {{.match_labels = {{"app", "other"}}}, {.match_labels = {{"app", "else"}}}}, false},
};

TEST(Budgets, OneAloneSelectsACanarysPod) {
  for (const auto& c : kSeverals) {
    for (const auto capacity : {Capacity::kSplit, Capacity::kSurge}) {
      World world;
      world.promotion.spec.capacity = capacity;
      for (const auto& selector : c.selectors) world.budgets.push_back(Budget("one", selector, "1"));
      EXPECT_EQ(ReasonOf(world), c.overlap ? "DisruptionBudgetsOverlap" : "") << c.name;
    }
  }
}

TEST(Budgets, OneThatSelectsNothingCountsForNothing) {
  World world;
  world.budgets = {Budget("none", {}, "100"), Budget("none-either", {}, "100")};
  for (auto& budget : world.budgets) budget.selector.reset();
  EXPECT_EQ(ReasonOf(world), "");
}

TEST(Budgets, ByThePromotionsOwnLabelACanaryIsToldApartToo) {
  World world;
  const std::string label(kPromotionLabel);
  world.budgets = {Budget("web", {.expressions = {{label, Operator::kDoesNotExist, {}}}}, "10")};
  EXPECT_EQ(ReasonOf(world), "DisruptionBudgetUsedUp");
  world.budgets = {Budget("web", {.expressions = {{label, Operator::kNotIn, {"promotion-uid"}}}}, "10")};
  EXPECT_EQ(ReasonOf(world), "DisruptionBudgetUsedUp");
  world.budgets = {Budget("web", {.expressions = {{label, Operator::kNotIn, {"another"}}}}, "10")};
  EXPECT_EQ(ReasonOf(world), "");
}

TEST(Budgets, ThatAreUsedUpAreNamedWithTheirNumbersAndTheMend) {
  World world;
  world.promotion.spec.steps = {{.weight = 10}, {.weight = 50}, {.weight = 20}};
  world.budgets = {Budget("fine", {.match_labels = {{"app", "other"}}}, "100"),
                   Budget("web-pdb", kStableAlone, "90%")};
  EXPECT_EQ(
      Ready(world.Decide()).message,
      "PodDisruptionBudget web-pdb selects the pods of Deployment web but not the canary's: of its 10 pods "
      "spec.steps[1].weight 50% leaves 5, and it demands 5 (minAvailable 90%), so no node with one of "
      "them could be drained while that step lasts; let it select slipway.dev/track=canary too, lower "
      "minAvailable, or use spec.capacity Surge");
  world.budgets = {Budget("web-pdb", kStableAlone, "20")};
  world.budgets[0].healthy = 24;
  const std::string message = Ready(world.Decide()).message;
  EXPECT_NE(message.find("of its 24 pods spec.steps[1].weight 50% leaves 19, and it demands 20"),
            std::string::npos)
      << message;
}

TEST(Budgets, ThatOverlapAreNamedTwoOfThemAndTheOthersCounted) {
  World world;
  world.budgets = {Budget("web-b", kBoth, "1"), Budget("canaries-a", kCanaryAlone, "1")};
  EXPECT_EQ(Ready(world.Decide()).message,
            "PodDisruptionBudgets canaries-a and web-b would all select the canary's pods, and a pod of more "
            "than one can't be evicted: no node with a canary of Deployment web could be drained; let one of "
            "them alone select pods with slipway.dev/track=canary");
  for (const char* name : {"web-c", "web-d"}) world.budgets.push_back(Budget(name, kCanaryAlone, "1"));
  const std::string message = Ready(world.Decide()).message;
  EXPECT_NE(message.find("canaries-a and web-b and 2 more"), std::string::npos) << message;
}

// They are others' objects, and may be changed: it waits, and goes on by itself.
TEST(Budgets, AreWaitedFor) {
  World world;
  world.budgets = {Budget("web", kStableAlone, "10")};
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, resources::CanaryPhase::kPending);
  EXPECT_EQ(plan.status.failure_reason, "DisruptionBudgetUsedUp");
  EXPECT_EQ(Ready(plan).status, resources::ConditionStatus::kFalse);
  EXPECT_EQ(resources::Find(plan.status.conditions, "Stalled"), nullptr);
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_TRUE(plan.recheck_after);
  world.budgets[0].selector = kBoth;
  EXPECT_EQ(world.Step().status.phase, resources::CanaryPhase::kStarting);
}

// What can't pass is said first; what has no canary, or has begun, is none of theirs.
TEST(Budgets, HaveNoSayInWhatHasNoCanaryOrHasBegun) {
  World world;
  world.budgets = {Budget("web", kStableAlone, "10")};
  World refused = world;
  refused.stable->max_unavailable = "50%";
  EXPECT_EQ(ReasonOf(refused), "MaxUnavailableBreaksPromise");
  World rolling = world;
  rolling.promotion.spec.strategy = resources::Strategy::kRolling;
  EXPECT_EQ(rolling.Decide().status.phase, resources::CanaryPhase::kPromoting);
  World begun;
  begun.Enter(resources::CanaryPhase::kHolding);
  begun.budgets = world.budgets;
  EXPECT_EQ(begun.Decide().status.phase, resources::CanaryPhase::kHolding);
}

}  // namespace
}  // namespace slipway::canary
