// A PodDisruptionBudget that tells stable's pods from the canary's is seen before anything is touched.
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Budgets : public Canaries {
 protected:
  // One of all pods but canaries.
  void Demand(int min_available) {
    const Json canary = {{"key", "slipway.dev/track"}, {"operator", "DoesNotExist"}};
    const Json budget = {
        {"apiVersion", "policy/v1"},
        {"kind", "PodDisruptionBudget"},
        {"metadata", {{"name", "web-stable"}}},
        {"spec",
         {{"minAvailable", min_available},
          {"selector", {{"matchLabels", {{"app", "web"}}}, {"matchExpressions", Json::array({canary})}}}}}};
    Apply(ns_, budget.dump());
  }
};

TEST_F(Budgets, OneThatAStepWouldUseUpIsWaitedFor) {
  Demand(10);
  Observe();
  Create("budgeted", Spec(next_, Steps({10}, "0s")));
  Json ready;
  ASSERT_TRUE(Eventually(Seconds(30), "it waits", [&](std::string& seen) {
    ready = ReadyOf("budgeted");
    seen = ready.dump();
    return ready.value("reason", "") == "DisruptionBudgetUsedUp";
  }));
  EXPECT_EQ(ready.value("status", ""), "False");
  HasWords(ready.value("message", ""),
           {"web-stable", "spec.steps[0]", "leaves 9", "demands 10", "slipway.dev/track=canary"});
  EXPECT_EQ(Text(Get("budgeted"), "/status/phase"), "Pending");
  EXPECT_EQ(GetJson(ns_, "deployments")["items"].size(), 1U) << "something was touched";

  const auto gone = Kubectl({"-n", ns_, "delete", "poddisruptionbudget", "web-stable"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  Ends("budgeted", "Promoted");
  ExpectStable(next_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
