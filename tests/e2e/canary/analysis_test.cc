// Canary and stable side by side, without a metrics server: what is worse is caught, what is as good passes,
// and what cannot be told waits for a person.
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Analysis : public Canaries {
 protected:
  static Json Comparing(const std::string& kind, const Json& compare) {
    Json spec = Spec(kind, Steps({20}, "0s"));
    spec["capacity"] = "Surge";
    spec["analysis"]["compare"] = compare;
    return spec;
  }
  // A few pods of each side on two busy cores: a wide margin keeps noise out, and leaves a fifth of errors,
  // or a delay of 400 ms, far outside.
  static Json Wide() {
    return {{"path", "/"},      {"rate", 60},      {"maxPairs", 3000}, {"errorMargin", 10},
            {"slowMargin", 40}, {"slowerBy", 100}, {"confidence", 95}, {"timeout", "90s"}};
  }
};

TEST_F(Analysis, ASlowCanaryIsCaught) {
  Observe();
  Create("late", Comparing("late", Wide()));
  const Json status = Ends("late", "Aborted", "Slower", Seconds(180));
  const Json result = CheckOf(status, 0, 1);
  EXPECT_EQ(result.value("kind", ""), "Compare") << result;
  EXPECT_EQ(result.value("verdict", ""), "Failed");
  const Json found = result.value("comparison", Json::object());
  EXPECT_GT(found.value("canarySlow", 0), found.value("stableSlow", 0)) << result;
  EXPECT_GE(found.value("canaryP95Ms", 0), 400) << result;
  EXPECT_LT(found.value("pairs", 0), 1500) << "a clear case takes few pairs: " << result;
  EXPECT_GE(found.value("confidence", 0), 95);
  ExpectStable(stable_);
  Unharmed();
}

// A fifth of its pages fail, and /healthz is fine: no smoke test of it sees that. The traffic of this case
// asks another path.
TEST_F(Analysis, AFlakyCanaryIsCaught) {
  Observe("/version");
  Create("flaky", Comparing("flaky", Wide()));
  const Json status = Ends("flaky", "Aborted", "MoreErrors", Seconds(180));
  EXPECT_EQ(CheckOf(status, 0, 0).value("verdict", ""), "Passed") << "the smoke test does not see it";
  const Json found = CheckOf(status, 0, 1).value("comparison", Json::object());
  EXPECT_GT(found.value("canaryErrors", 0), 5) << found;
  EXPECT_EQ(found.value("stableErrors", 0), 0) << found;
  ExpectStable(stable_);
  Unharmed();
}

TEST_F(Analysis, OneThatIsAsGoodPasses) {
  Observe();
  Create("equal", Comparing(next_, Wide()));
  const Json status = Ends("equal", "Promoted", "", Seconds(180));
  const Json result = CheckOf(status, 0, 1);
  EXPECT_EQ(result.value("verdict", ""), "Passed") << result;
  EXPECT_EQ(result["comparison"].value("canaryErrors", -1), 0) << result;
  ExpectStable(next_);
  Unharmed();
}

TEST_F(Analysis, WhatCannotBeToldWaitsForAPerson) {
  Json few = Wide();
  few["maxPairs"] = 50;  // proves nothing at a margin of one in a hundred
  few["errorMargin"] = 1;
  Observe();
  Create("unsure", Comparing(next_, few));
  ASSERT_TRUE(Eventually(Seconds(90), "it pauses", [&](std::string& seen) {
    const Json promotion = Get("unsure");
    seen = promotion.value("status", Json::object()).dump();
    return Text(promotion, "/status/paused/by") == "Inconclusive";
  }));
  const Json paused = ReadyOf("unsure");
  EXPECT_EQ(paused.value("status", ""), "Unknown") << paused;
  EXPECT_EQ(paused.value("reason", ""), "Paused") << paused;
  HasWords(paused.value("message", ""), {"Resume", "Abort"});
  EXPECT_EQ(CheckOf(Get("unsure")["status"], 0, 1).value("verdict", ""), "Inconclusive");
  DecideOn("unsure", "Resume");
  const Json status = Ends("unsure", "Promoted");
  EXPECT_EQ(Text(status, "/decisions/0/verb"), "Resume");

  Json spec = Comparing(stable_, few);
  spec["analysis"]["onInconclusive"] = "Abort";
  Create("strict", spec);
  Ends("strict", "Aborted", "Inconclusive");
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
