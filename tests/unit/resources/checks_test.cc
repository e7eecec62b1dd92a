// What may be asked of an image, and how an image may be delivered, where it is well asked. (What is not is
// in tests/support/hostile_checks.cc.)
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "resources/config_copy.h"
#include "resources/policy.h"
#include "support/hostile.h"

namespace slipway::resources {
namespace {

using kube::Json;

template <class T>
std::string Refusal(const Json& spec) {
  Json object = testing::Good(std::is_same_v<T, Release> ? "Release" : "CanaryPromotion");
  object["spec"].merge_patch(spec);
  const auto decoded = T::Decode(object);
  if (!decoded) return decoded.error().message;
  const auto violation = Validate(decoded->spec);
  return violation ? violation->message : std::string();
}

Json FullTest() {
  return Json::parse(R"([{"name": "api", "http": [{"method": "POST", "path": "/items?x=1", "status": 201,
    "headers": [{"name": "Content-Type", "value": "application/json"}], "body": "{\"a\":\n1}",
    "expectHeaders": [{"name": "Location", "value": "/items/1"}], "bodyContains": "größer", "jsonPointer": "/items/0/a~1b",
    "jsonEquals": "{\"a\":1}", "latencyLimit": "250ms", "retries": 3}]}])");
}

TEST(ChecksTest, WellAskedTestsPassForBothKinds) {
  Json program =
      Json::parse(R"([{"name": "load", "timeout": "30m", "pod": {"command": ["k6"], "args": ["run", "a\nb"],
                                  "env": [{"name": "A", "value": "$(B) b"}]}}])");
  program[0]["pod"]["image"] = testing::kGoodImage;
  for (const Json& tests : {FullTest(), program}) {
    const Json spec = {{"smokeTests", tests}, {"verification", tests}};
    EXPECT_EQ(Refusal<Release>(spec), "");
    EXPECT_EQ(Refusal<CanaryPromotion>(spec), "");
  }
}

TEST(ChecksTest, WellAskedAnalysesPassForBothKinds) {
  const Json analysis =
      Json::parse(R"({"compare": {"path": "/a?b=c", "maxPairs": 50, "rate": 500, "confidence": 80},
    "prometheus": [{"name": "errors", "url": "https://prometheus.obs:9090/tenant", "query": "sum(rate(x{ns=\"$(namespace)\"}[1m])) > 0",
                    "min": "-0.5", "count": 1000, "interval": "1h", "errorLimit": 0},
                   {"name": "slow", "url": "http://p", "query": "up\nor vector(0) ", "max": "200"}], "onInconclusive": "Abort"
})");
  EXPECT_EQ(Refusal<CanaryPromotion>({{"analysis", analysis}, {"maxSurge", "25%"}}), "");
  EXPECT_EQ(Refusal<Release>({{"strategy", {{"canary", {{"analysis", analysis}, {"maxSurge", "3"}}}}}}), "");
}

TEST(ChecksTest, TheHttpChecksThatAreWrittenAreReadAgain) {
  Json object = testing::Good("CanaryPromotion");
  object["spec"]["smokeTests"] = FullTest();
  const auto promotion = CanaryPromotion::Decode(object);
  ASSERT_TRUE(promotion) << promotion.error().message;
  const auto& check = promotion->spec.smoke_tests.at(0).http.at(0);
  EXPECT_EQ(check.method, HttpMethod::kPost);
  EXPECT_EQ(check.status, 201);
  EXPECT_EQ(check.latency_limit, std::chrono::milliseconds(250));
  EXPECT_EQ(EncodeSpec(promotion->spec)["smokeTests"][0]["http"], FullTest()[0]["http"]);
}

TEST(ReleaseTest, MigrationsGatesAndSourcesPassWhereTheyGoTogether) {
  const Json migration =
      Json::parse(R"({"command": ["/migrate"], "args": ["up"], "envFromSecrets": ["db"], "timeout": "1h"})");
  EXPECT_EQ(Refusal<Release>({{"migration", migration}}), "");
  Json breaking = migration;
  breaking["compatibility"] = "Breaking";
  EXPECT_NE(Refusal<Release>({{"migration", breaking}}), "");
  const Json rolling = {{"canary", nullptr}, {"rolling", {{"progressDeadline", "5m"}}}};
  EXPECT_EQ(Refusal<Release>({{"migration", breaking}, {"strategy", rolling}}), "");
  EXPECT_EQ(Refusal<Release>(Json::parse(R"({"image": null, "version": null,
    "imageFrom": {"release": {"name": "web", "namespace": "staging"}}, "gates": {"soak": "24h", "approvals": 2},
    "rollback": {"onFailure": false, "fastWindow": "0s"}, "configMaps": ["settings"],
    "promotesTo": [{"name": "web", "namespace": "production"}]})")),
            "");
  EXPECT_NE(
      Refusal<Release>(Json::parse(
          R"({"image": null, "version": null, "imageFrom": {"imageBuild": "web", "release": {"name": "web"}}})")),
      "");
}

TEST(ConfigCopyTest, ACopyIsKnownByItsName) {
  EXPECT_EQ(ConfigCopyName("settings", "0123abcd"), "settings-slipway-0123abcd");
  for (const char* version : {"settings", "settings-slipway-0123abcd"})
    EXPECT_TRUE(IsVersionOf(version, "settings")) << version;
  for (const char* other :
       {"", "setting", "settings-slipway-", "settings-slipway-0123abc", "settings-slipway-0123abcde",
        "settings-slipway-0123ABCD", "settings-slipway-0123abcg", "settings-v20240101",
        "other-slipway-0123abcd", "settings-slipway-0123abcd-slipway-0123abcd"}) {
    EXPECT_FALSE(IsVersionOf(other, "settings")) << other;
  }
  EXPECT_EQ(Refusal<CanaryPromotion>(Json::parse(
                R"({"configMaps": [{"name": "settings", "copy": "settings-slipway-0123abcd"}]})")),
            "");
}

}  // namespace
}  // namespace slipway::resources
