// As what, and by whom, the deliveries of a namespace may be attested.
#include <gtest/gtest.h>

#include <functional>

#include "resources/policy.h"

namespace slipway::resources {
namespace {

NamespacePolicy TeamA() {
  NamespacePolicy policy;
  policy.origin = "ConfigMap slipway-system/slipway-policy, namespaces.team-a";
  policy.signers = {"release", "cloud"};
  policy.environments = {"staging"};
  return policy;
}

ReleaseSpec Attesting(const std::string& environment = "") {
  ReleaseSpec spec;
  spec.attest = DeliveryAttest{"release", environment};
  return spec;
}

TEST(DeliveryAttestTest, TheEnvironmentIsTheNamespaceUnlessItIsNamed) {
  EXPECT_EQ(EnvironmentOf(Attesting(), "team-a"), "team-a");
  EXPECT_EQ(EnvironmentOf(Attesting("staging"), "team-a"), "staging");
}

struct Row {
  const char* what;
  std::function<void(ReleaseSpec&, NamespacePolicy&)> arrange;
  const char* field;  // "": it is allowed
  const char* reason;
  const char* says = "";
};

TEST(DeliveryAttestTest, IsHeldAgainstThePolicy) {
  const std::vector<Row> rows{
      {"its own name", [](auto&, auto&) {}, "", ""},
      {"one that is allowed", [](auto& s, auto&) { s.attest->environment = "staging"; }, "", ""},
      {"nothing is asked", [](auto& s, auto&) { s.attest.reset(); }, "", ""},
      {"one that is not", [](auto& s, auto&) { s.attest->environment = "production"; },
       "spec.attest.environment", "EnvironmentNotAllowed", "namespaces.team-a.environments"},
      {"no signer of this namespace", [](auto& s, auto&) { s.attest->signer = "other"; },
       "spec.attest.signer", "SignerNotAllowed", "allows release, cloud"},
      {"the policy demands it, and it is there", [](auto&, auto& p) { p.minimum.delivery_attest = true; }, "",
       ""},
      {"the policy demands it",
       [](auto& s, auto& p) {
         s.attest.reset();
         p.minimum.delivery_attest = true;
       },
       "spec.attest", "GateLoosened", "minimum.delivery.attest"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    ReleaseSpec spec = Attesting();
    NamespacePolicy policy = TeamA();
    row.arrange(spec, policy);
    const auto violation = CheckAttest(spec, &policy, "team-a");
    ASSERT_EQ(violation.has_value(), *row.field != '\0');
    if (!violation) continue;
    EXPECT_EQ(violation->field, row.field);
    EXPECT_EQ(violation->reason, row.reason);
    EXPECT_TRUE(violation->message.contains(row.says)) << violation->message;
  }
  EXPECT_EQ(CheckAttest(Attesting(), nullptr, "team-a")->reason, "PolicyMissing");
}

// It would not fit into what it becomes a part of.
TEST(DeliveryAttestTest, ALongNamespaceNeedsAnotherName) {
  NamespacePolicy policy = TeamA();
  const std::string ns(kLongestEnvironment + 1, 'n');
  EXPECT_EQ(CheckAttest(Attesting(), &policy, ns)->reason, "EnvironmentNotAllowed");
  EXPECT_FALSE(CheckAttest(Attesting("staging"), &policy, ns));
  EXPECT_FALSE(CheckAttest(Attesting(), &policy, std::string(kLongestEnvironment, 'n')));
}

// Else what a canary by hand delivers would be attested by nobody.
TEST(DeliveryAttestTest, WhereItIsDemandedPromotionsAreMadeByReleases) {
  CanaryPromotion promotion;
  promotion.meta.key = {"team-a", "web"};
  promotion.spec.target = {"web", "", "web"};
  promotion.spec.image = "registry.example.com/team/web@sha256:" + std::string(64, 'a');
  promotion.spec.steps.resize(1);
  promotion.spec.smoke_tests.resize(1);
  NamespacePolicy policy = TeamA();
  policy.repositories = {"registry.example.com/team"};
  policy.deployments = {"*"};
  auto violation = Check(promotion, &policy);
  EXPECT_FALSE(violation) << violation->message;
  policy.minimum.delivery_attest = true;
  violation = Check(promotion, &policy);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->reason, "PromotionNotAllowed");
  policy.minimum.delivery_attest = false;
  policy.minimum.delivery_scan.emplace();
  violation = Check(promotion, &policy);
  ASSERT_TRUE(violation) << "nobody would scan it";
  EXPECT_EQ(violation->reason, "PromotionNotAllowed");
}

}  // namespace
}  // namespace slipway::resources
