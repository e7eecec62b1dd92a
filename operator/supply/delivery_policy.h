// What is demanded of the attestations of a delivery: SmokeTests, Canary and Approvals count of the
// environments that are named, and only where they say what good ones say. cosign holds each against a policy
// in CUE, whose every field must be there: one that is absent would be taken as it is asked for. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/supply_chain.h"

namespace slipway::supply {

// A predicate of a delivery (resources::IsOfDelivery), and whose.
struct Attested {
  resources::Predicate predicate = resources::Predicate::kCanary;
  std::string environment;
  bool operator==(const Attested&) const = default;
};

// Each of `predicates` that is of a delivery, of each environment, once; in the order of the predicates.
std::vector<Attested> AttestedIn(const std::vector<resources::Predicate>& predicates,
                                 const std::vector<std::string>& environments);
// Adds what is not there yet.
void AddAttested(std::vector<Attested>& all, const std::vector<Attested>& more);
// "Canary in staging", as messages and statuses have it.
std::vector<std::string> NamesOf(const std::vector<Attested>& attested);

// "canary-staging": the container that looks at it, and the file of its policy without ".cue".
std::string ContainerOf(const Attested& attested);
// What such a container looks at; nullopt: it is none.
std::optional<Attested> AttestedOf(std::string_view container);

// In CUE: that it is of that environment and PASSED, or for a Canary Promoted.
std::string PolicyOf(const Attested& attested);

}  // namespace slipway::supply
