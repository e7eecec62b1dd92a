// What a Decision rests on: the admission policy slipway-decisions and its binding, which hold that its actor
// is whoever made it, and may. Where either is missing, or is not what deploy/base/admission says, nothing is
// known of a Decision, and none is honoured.
//
// That must hold of the moment at which a Decision was made, also after a restart of the operator. So both
// must be as they were created (metadata.generation 1), at least kTakesHold before it. What else there is to
// go by does not do: creationTimestamp stays when a policy is opened for five minutes and closed again, and
// so do the times in metadata.managedFields, where what was added is taken away again (its manager's entry
// goes with it). The generation counts every change of spec, and only those: not of labels, not of the
// status, which the API server writes. So one that was altered is deleted and made again. That a newer
// version brings another policy must not come to that: its policy has another name (the unit test of this
// file holds the name to the spec), and is made beside or instead of the older. Decisions from before it are
// told that they count no more, and are to be made again.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "resources/decision.h"

namespace slipway::resources {

inline constexpr std::string_view kDecisionPolicy = "slipway-decisions";

// By when the API servers go by a policy that was made: they look for new ones each second.
inline constexpr Duration kTakesHold = std::chrono::seconds(5);

// ValidatingAdmissionPolicy, or its binding.
struct AdmissionObject {
  kube::ObjectMeta meta;
  kube::Json spec;
  static Result<AdmissionObject> Decode(const kube::Json& object);
};

// nullptr: it is not there. Empty: the two are as they should be.
std::string WhyNoneCounts(const AdmissionObject* policy, const AdmissionObject* binding);

// The same, of one Decision: it must have been made when the two held.
std::string WhyItDoesNotCount(const Decision& decision, const AdmissionObject* policy,
                              const AdmissionObject* binding);

}  // namespace slipway::resources
