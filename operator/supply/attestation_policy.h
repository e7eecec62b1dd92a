// What an attestation must say, as the text that cosign holds it against (CUE). Every field has the mark `!`:
// without it, CUE would take one that is absent as it is asked for. What is there beside them may be. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/time.h"
#include "resources/findings.h"
#include "resources/supply_chain.h"

namespace slipway::supply {

// How strict the gate must have been that a scan tells of: what the minimum of the policy has for builds of
// the namespace into which the image is delivered, wherever it was built.
struct ScanTerms {
  std::optional<resources::Severity> fail_on;  // this and worse closed it
  bool count_unfixed = false;
  Duration longest_exception = Duration(0);  // borne no longer than this, from `now` on; 0: any
  bool operator==(const ScanTerms&) const = default;
};

// Whom it must name as the builder, and from which git URL; empty: any.
std::string ProvenancePolicy(const std::string& builder, const std::string& source);
// That nothing closed its gate, and by which terms. The bound of exceptions is a day, so that what is asked
// on one day is the same text.
std::string ScanPolicy(const ScanTerms& terms, TimePoint now);
// That all of them passed.
std::string TestsPolicy();
// That it has these members, an object's, with these values: what tells a statement from others of its type.
std::string MarkPolicy(std::string_view uri, const kube::Json& mark);

}  // namespace slipway::supply
