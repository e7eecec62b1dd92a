#include "resources/supply_chain.h"

#include <algorithm>

namespace slipway::resources {
namespace {

constexpr std::array<std::string_view, 8> kNames{"Provenance", "SPDX",       "CycloneDX", "Scan",
                                                 "Tests",      "SmokeTests", "Canary",    "Approvals"};
constexpr std::array<std::string_view, 8> kTypes{"slsaprovenance1",
                                                 "spdxjson",
                                                 "cyclonedx",
                                                 "vuln",
                                                 "https://slipway.dev/attestations/tests/v1",
                                                 "https://slipway.dev/attestations/smoke-tests/v1",
                                                 "https://slipway.dev/attestations/canary/v1",
                                                 "https://slipway.dev/attestations/approvals/v1"};
// cosign's own words stand for these (pkg/cosign/attestation).
constexpr std::array<std::string_view, 4> kUris{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document",
                                                "https://cyclonedx.org/bom",
                                                "https://cosign.sigstore.dev/attestation/vuln/v1"};
static_assert(kNames.size() == kAllPredicates.size() && kTypes.size() == kAllPredicates.size());

std::size_t Index(Predicate predicate) { return static_cast<std::size_t>(predicate); }

}  // namespace

std::string_view ToString(Predicate predicate) { return kNames.at(Index(predicate)); }

std::optional<Predicate> ParsePredicate(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Predicate>(found - kNames.begin());
}

std::span<const std::string_view> Names(Predicate) { return kNames; }

std::string_view TypeOf(Predicate predicate) { return kTypes.at(Index(predicate)); }

std::string_view UriOf(Predicate predicate) {
  return Index(predicate) < kUris.size() ? kUris.at(Index(predicate)) : TypeOf(predicate);
}

bool IsOfDelivery(Predicate predicate) { return Index(predicate) >= Index(Predicate::kSmokeTests); }

std::string TypeIn(Predicate predicate, std::string_view environment) {
  return std::string(TypeOf(predicate)) + "/" + std::string(environment);
}

std::string NameIn(Predicate predicate, std::string_view environment) {
  return std::string(ToString(predicate)) + " in " + std::string(environment);
}

}  // namespace slipway::resources
