// What can be attested: one word for people, one type for cosign, and no two alike.
#include "resources/supply_chain.h"

#include <gtest/gtest.h>

#include <set>

namespace slipway::resources {
namespace {

TEST(PredicateTest, EachHasANameOfItsOwnThatIsReadAgain) {
  std::set<std::string_view> names;
  for (const Predicate predicate : kAllPredicates) {
    EXPECT_TRUE(names.insert(ToString(predicate)).second) << ToString(predicate);
    EXPECT_EQ(ParsePredicate(ToString(predicate)), predicate);
    EXPECT_EQ(Names(predicate)[static_cast<std::size_t>(predicate)], ToString(predicate));
  }
  for (const char* other : {"", "provenance", "SBOM", "Scan ", "Provenance,Scan"}) {
    EXPECT_EQ(ParsePredicate(other), std::nullopt) << other;
  }
}

TEST(PredicateTest, TheTypesAreThoseThatCosignAndTheStatementsHave) {
  struct Row {
    Predicate predicate;
    const char* type;
    const char* uri;
  };
  const Row rows[] = {{Predicate::kProvenance, "slsaprovenance1", "https://slsa.dev/provenance/v1"},
                      {Predicate::kSpdx, "spdxjson", "https://spdx.dev/Document"},
                      {Predicate::kCycloneDx, "cyclonedx", "https://cyclonedx.org/bom"},
                      {Predicate::kScan, "vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"},
                      {Predicate::kTests, "https://slipway.dev/attestations/tests/v1",
                       "https://slipway.dev/attestations/tests/v1"},
                      {Predicate::kApprovals, "https://slipway.dev/attestations/approvals/v1",
                       "https://slipway.dev/attestations/approvals/v1"}};
  for (const Row& row : rows) {
    EXPECT_EQ(TypeOf(row.predicate), row.type);
    EXPECT_EQ(UriOf(row.predicate), row.uri);
  }
  std::set<std::string_view> types;
  for (const Predicate predicate : kAllPredicates) EXPECT_TRUE(types.insert(TypeOf(predicate)).second);
}

// One of staging stands beside one of production: cosign replaces by type.
TEST(PredicateTest, WhatIsSaidOfADeliveryIsSaidOfAnEnvironment) {
  int of_deliveries = 0;
  for (const Predicate predicate : kAllPredicates) of_deliveries += IsOfDelivery(predicate) ? 1 : 0;
  EXPECT_EQ(of_deliveries, 3);
  EXPECT_TRUE(IsOfDelivery(Predicate::kSmokeTests) && IsOfDelivery(Predicate::kApprovals));
  EXPECT_FALSE(IsOfDelivery(Predicate::kTests));
  EXPECT_EQ(TypeIn(Predicate::kCanary, "staging"), "https://slipway.dev/attestations/canary/v1/staging");
  EXPECT_NE(TypeIn(Predicate::kCanary, "production"), TypeIn(Predicate::kCanary, "staging"));
  EXPECT_EQ(NameIn(Predicate::kSmokeTests, "staging"), "SmokeTests in staging");
}

}  // namespace
}  // namespace slipway::resources
