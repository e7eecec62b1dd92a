// Questions to a real Prometheus that reads the pods each second (hack/cluster prometheus).
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class PromQl : public Canaries {
 protected:
  static constexpr const char* kUrl = "http://prometheus.slipway.test:9090";

  static void SetUpTestSuite() {
    const auto started = Execute({SourcePath("hack/cluster"), "prometheus"});
    ASSERT_TRUE(started.ok()) << started.text;
  }

  // Answers a second of the canary's pods that had such a code.
  static std::string RateOf(const std::string& codes) {
    return R"q(sum(rate(http_requests_total{namespace="$(namespace)",pod=~"$(canary)-.*",code=~")q" + codes +
           R"q("}[5s])))q";
  }
  // The hold is for the Prometheus to have seen the canary for a while.
  static Json Query(const std::string& kind, const Json& query) {
    Json spec = Spec(kind, Steps({20}, "8s"));
    spec["capacity"] = "Surge";
    spec["analysis"]["prometheus"] = Json::array({query});
    return spec;
  }
  static Json Ask(const std::string& query) {
    return {{"name", "answers"}, {"url", kUrl}, {"query", query}, {"count", 3}, {"interval", "1s"}};
  }
};

TEST_F(PromQl, SamplesInsideTheBoundsPassAndOutsideFail) {
  Observe();
  Json query = Ask(RateOf("2.."));
  query["max"] = "0.5";  // 24 a second come
  Create("fails", Query(next_, query));
  const Json failed = WaitEnd("fails");
  EXPECT_EQ(failed.value("completion", ""), "Aborted");
  const Json result = CheckOf(failed, 0, 1);
  EXPECT_EQ(result.value("kind", ""), "Prometheus") << result;
  EXPECT_EQ(result.value("verdict", ""), "Failed") << result;
  EXPECT_EQ(result.value("reason", ""), failed.value("failureReason", "-")) << result;
  HasWords(result.value("message", ""), {"0.5"});
  EXPECT_GT(std::stod("0" + result.value("value", "")), 1) << result;
  ExpectStable(stable_);

  query.erase("max");
  query["min"] = "0.5";
  Create("passes", Query(next_, query));
  const Json passed = Ends("passes", "Promoted");
  EXPECT_EQ(CheckOf(passed, 0, 1).value("verdict", ""), "Passed");
  Unharmed();
}

// There is no answer with 500 at all, and so no series: nobody knows what that means but a person.
TEST_F(PromQl, NoSampleIsInconclusiveAndWaitsForADecision) {
  Observe();
  Json query = Ask(RateOf("5.."));
  query["max"] = "0.1";
  Create("empty", Query(next_, query));
  ASSERT_TRUE(Eventually(Seconds(90), "it pauses", [&](std::string& seen) {
    const Json promotion = Get("empty");
    seen = promotion.value("status", Json::object()).dump();
    return Text(promotion, "/status/paused/by") == "Inconclusive";
  }));
  EXPECT_EQ(CheckOf(Get("empty")["status"], 0, 1).value("verdict", ""), "Inconclusive");
  DecideOn("empty", "Resume");
  Ends("empty", "Promoted");
  Unharmed();
}

TEST_F(PromQl, OneThatDoesNotAnswerIsAnErrorAndNothingPassesForThat) {
  Observe();
  Json query = Ask(RateOf("2.."));
  query["url"] = "http://prometheus.slipway.test:9099";
  query["min"] = "0.5";
  query["errorLimit"] = 1;
  Create("away", Query(next_, query));
  const Json away = Ends("away", "Aborted", "CheckError");
  EXPECT_EQ(CheckOf(away, 0, 1).value("verdict", ""), "Error");
  HasWords(CheckOf(away, 0, 1).value("message", ""), {"prometheus.slipway.test:9099"});

  Json wrong = Ask("sum(");
  wrong["min"] = "0";
  wrong["errorLimit"] = 0;
  Create("wrong", Query(next_, wrong));
  EXPECT_EQ(CheckOf(Ends("wrong", "Aborted", "CheckError"), 0, 1).value("verdict", ""), "Error");
  ExpectStable(stable_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
