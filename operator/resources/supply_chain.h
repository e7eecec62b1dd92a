// What can be attested about an image, and demanded before it is delivered: one word for people, one type for
// cosign. An attestation is a DSSE envelope beside the image in its registry; at most one of a type counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slipway::resources {

enum class Predicate : std::uint8_t {
  kProvenance,  // SLSA v1: from which commit, by whom, with which parameters it was built
  kSpdx,        // what is in it, as SPDX 2.3
  kCycloneDx,   // what is in it, as CycloneDX
  kScan,        // which vulnerabilities were found, in which database
  kTests,       // which of the repository's tests passed before it was built
  kSmokeTests,  // of a delivery: what was asked of it in an environment
  kCanary,      // of a delivery: its steps and what was measured
  kApprovals,   // of a delivery: who let it in
};
inline constexpr std::array kAllPredicates{
    Predicate::kProvenance, Predicate::kSpdx,       Predicate::kCycloneDx, Predicate::kScan,
    Predicate::kTests,      Predicate::kSmokeTests, Predicate::kCanary,    Predicate::kApprovals};

// As specs and the policy name it: "Provenance", "SPDX", "CycloneDX", "Scan", "Tests", …
std::string_view ToString(Predicate predicate);
std::optional<Predicate> ParsePredicate(std::string_view name);
std::span<const std::string_view> Names(Predicate);

// What cosign knows it by (--type): "slsaprovenance1", "spdxjson", "cyclonedx", "vuln", or a URL of ours.
std::string_view TypeOf(Predicate predicate);
// What the in-toto statement then says (predicateType).
std::string_view UriOf(Predicate predicate);

// ---- of a delivery ----

// SmokeTests, Canary and Approvals: each is said of an environment, and of each environment apart. cosign
// replaces by type what it attests anew, so the environment is in the type.
bool IsOfDelivery(Predicate predicate);
// "https://slipway.dev/attestations/canary/v1/staging": its --type, and what the statement says.
std::string TypeIn(Predicate predicate, std::string_view environment);
// "Canary in staging"
std::string NameIn(Predicate predicate, std::string_view environment);

// Of an environment's name, a DNS label: it is a part of containers' names and of annotations'.
inline constexpr std::size_t kLongestEnvironment = 40;

}  // namespace slipway::resources
