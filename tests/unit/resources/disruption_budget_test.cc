// What a PodDisruptionBudget selects, as the API server reads its selector, and what is kept of its numbers.
#include "resources/disruption_budget.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::resources {
namespace {

using kube::Json;

DisruptionBudget Decoded(const char* rest) {
  Json object{{"metadata", {{"name", "web"}, {"namespace", "demo"}, {"uid", "u-1"}, {"generation", 2}}}};
  object.merge_patch(Json::parse(rest));
  auto decoded = DisruptionBudget::Decode(object);
  EXPECT_TRUE(decoded) << rest;
  return decoded.value_or(DisruptionBudget{});
}

struct Selection {
  const char* selector;
  bool stable;
  bool canary;
};

const Labels kStable{{"app", "web"}, {"tier", "front"}};
const Labels kCanary{{"app", "web"}, {"tier", "front"}, {"track", "canary"}};

const Selection kSelections[] = {
    {R"({})", true, true},
    {R"({"matchLabels": {}, "matchExpressions": []})", true, true},
    {R"({"matchLabels": {"app": "web"}})", true, true},
    {R"({"matchLabels": {"app": "web", "tier": "back"}})", false, false},
    {R"({"matchLabels": {"app": "web", "track": "canary"}})", false, true},
    {R"({"matchLabels": {"absent": ""}})", false, false},
    {R"({"matchExpressions": [{"key": "track", "operator": "Exists"}]})", false, true},
    {R"({"matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]})", true, false},
    {R"({"matchExpressions": [{"key": "track", "operator": "In", "values": ["beta", "canary"]}]})", false,
     true},
    {R"({"matchExpressions": [{"key": "track", "operator": "In", "values": ["beta"]}]})", false, false},
    {R"({"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["beta", "canary"]}]})", true,
     false},
    {R"({"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["beta"]}]})", true, true},
    {R"({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"},
        {"key": "track", "operator": "DoesNotExist"}]})",
     true, false},
    {R"({"matchLabels": {"app": "other"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]})",
     false, false},
    // None, or not one: nothing is selected.
    {R"(null)", false, false},
    {R"([])", false, false},
    {R"("app=web")", false, false},
    {R"({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["1"]}]})", false, false},
    {R"({"matchExpressions": [{"key": "tier"}]})", false, false},
    {R"({"matchExpressions": [7]})", false, false},
    {R"({"matchExpressions": [{"key": "tier", "operator": "In", "values": [1, null]}]})", false, false},
};

TEST(DisruptionBudgetTest, SelectsAsTheApiServerReadsItsSelector) {
  for (const auto& c : kSelections) {
    const auto budget = Decoded((std::string(R"({"spec": {"selector": )") + c.selector + "}}").c_str());
    EXPECT_EQ(budget.Matches(kStable), c.stable) << c.selector;
    EXPECT_EQ(budget.Matches(kCanary), c.canary) << c.selector;
  }
  EXPECT_FALSE(Decoded(R"({"spec": {}})").Matches(kStable));
}

TEST(DisruptionBudgetTest, ItsNumbersAreKeptAsTheyAreWritten) {
  const auto least = Decoded(R"({"spec": {"minAvailable": 9}})");
  EXPECT_EQ(least.meta.key.name, "web");
  EXPECT_EQ(least.min_available, "9");
  EXPECT_EQ(least.max_unavailable, "");
  const auto most = Decoded(R"({"spec": {"maxUnavailable": "10%"}})");
  EXPECT_EQ(most.min_available, "");
  EXPECT_EQ(most.max_unavailable, "10%");
  const auto odd = Decoded(R"({"spec": {"minAvailable": [], "maxUnavailable": 1.5}, "status": 3})");
  EXPECT_EQ(odd.min_available + odd.max_unavailable, "");
}

TEST(DisruptionBudgetTest, WhatItCountedIsOfTheSpecThatIsThere) {
  EXPECT_EQ(Decoded(R"({"status": {"observedGeneration": 2, "currentHealthy": 12}})").healthy, 12);
  EXPECT_EQ(Decoded(R"({"status": {"observedGeneration": 1, "currentHealthy": 12}})").healthy, 0);
  EXPECT_EQ(Decoded(R"({"spec": {}})").healthy, 0);
}

TEST(DisruptionBudgetTest, OneWithoutAnIdentityIsNone) {
  EXPECT_FALSE(DisruptionBudget::Decode(Json::array()));
}

}  // namespace
}  // namespace slipway::resources
