// Which object and subject a Decision is about, and until when.
#include "resources/decision.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "support/hostile.h"

namespace slipway::resources {
namespace {

constexpr TimePoint kExpires{std::chrono::seconds(1'700'000'000)};
constexpr auto kSecond = std::chrono::seconds(1);

Decision GoodOne() { return *Decision::Decode(testing::GoodDecision()); }

kube::ObjectMeta Target() {
  kube::ObjectMeta meta;
  meta.key = {"demo", "good"};
  meta.uid = kube::Uid{"u-1"};
  return meta;
}

TEST(DecisionTest, IsReadAsItWasWritten) {
  const Decision decision = GoodOne();
  EXPECT_EQ(decision.spec.verb, Verb::kApprove);
  EXPECT_EQ(decision.spec.target, (DecisionTarget{"ImageBuild", "good", kube::Uid{"u-1"}}));
  EXPECT_EQ(decision.spec.subject, std::string(40, 'c'));
  EXPECT_EQ(decision.spec.actor, "jane@example.com");
  EXPECT_EQ(decision.spec.reason, "read it");
  EXPECT_TRUE(decision.spec.expires);
}

TEST(DecisionTest, WithoutASpecItIsRefused) {
  auto object = testing::GoodDecision();
  object.erase("spec");
  EXPECT_FALSE(Decision::Decode(object));
  object["spec"] = {{"verb", "Destroy"}};
  EXPECT_FALSE(Decision::Decode(object));
}

TEST(DecisionTest, EachVerbHasAName) {
  const std::vector<std::pair<Verb, std::string_view>> rows{
      {Verb::kApprove, "Approve"}, {Verb::kReject, "Reject"}, {Verb::kPromote, "Promote"},
      {Verb::kAbort, "Abort"},     {Verb::kRetry, "Retry"},   {Verb::kRollback, "Rollback"},
      {Verb::kPause, "Pause"},     {Verb::kResume, "Resume"}};
  for (const auto& [verb, name] : rows) {
    EXPECT_EQ(ToString(verb), name);
    auto object = testing::GoodDecision();
    object["spec"]["verb"] = name;
    EXPECT_EQ(Decision::Decode(object)->spec.verb, verb);
  }
}

struct Row {
  const char* what;
  std::function<void(Decision&)> change;
  bool applies;
};

TEST(DecisionTest, AppliesToOneObjectAndOneSubjectOnly) {
  const std::vector<Row> rows{
      {"as it is", [](Decision&) {}, true},
      {"another verb, which is not asked here", [](Decision& d) { d.spec.verb = Verb::kReject; }, true},
      {"another namespace", [](Decision& d) { d.meta.key.ns = "other"; }, false},
      {"no namespace", [](Decision& d) { d.meta.key.ns = ""; }, false},
      {"another kind", [](Decision& d) { d.spec.target.kind = "Release"; }, false},
      {"the kind in lower case", [](Decision& d) { d.spec.target.kind = "imagebuild"; }, false},
      {"another name", [](Decision& d) { d.spec.target.name = "goods"; }, false},
      {"no name", [](Decision& d) { d.spec.target.name = ""; }, false},
      {"an earlier object of the name", [](Decision& d) { d.spec.target.uid = kube::Uid{"u-0"}; }, false},
      {"no UID", [](Decision& d) { d.spec.target.uid = kube::Uid{""}; }, false},
      {"another commit", [](Decision& d) { d.spec.subject = std::string(40, 'd'); }, false},
      {"a short commit", [](Decision& d) { d.spec.subject = std::string(12, 'c'); }, false},
      {"no subject", [](Decision& d) { d.spec.subject = ""; }, false},
      {"for ever", [](Decision& d) { d.spec.expires.reset(); }, true},
      {"about to expire", [](Decision& d) { d.spec.expires = kExpires + kSecond; }, true},
      {"just expired", [](Decision& d) { d.spec.expires = kExpires; }, false},
      {"long expired", [](Decision& d) { d.spec.expires = kExpires - std::chrono::hours(1); }, false}};
  for (const Row& row : rows) {
    Decision decision = GoodOne();
    row.change(decision);
    EXPECT_EQ(Applies(decision, kube::kImageBuilds, Target(), std::string(40, 'c'), kExpires), row.applies)
        << row.what;
  }
}

TEST(DecisionTest, AppliesToTheOtherKindsByTheirDigest) {
  Decision decision = GoodOne();
  decision.spec.target.kind = "Release";
  decision.spec.subject = "sha256:" + std::string(64, 'a');
  EXPECT_TRUE(Applies(decision, kube::kReleases, Target(), decision.spec.subject, kExpires));
  EXPECT_FALSE(Applies(decision, kube::kCanaryPromotions, Target(), decision.spec.subject, kExpires));
  EXPECT_FALSE(Applies(decision, kube::kImageBuilds, Target(), decision.spec.subject, kExpires));
}

}  // namespace
}  // namespace slipway::resources
