// What must hold before a promotion touches anything: an ordered chain of small checks, each with its reason
// and the mend. Pure.
#pragma once

#include <optional>
#include <string>

#include "canary/arithmetic.h"
#include "canary/decide.h"

namespace slipway::canary {

struct Objection {
  bool may_pass = false;  // it may come right by itself: wait; otherwise the spec or the workload must change
  std::string reason;
  std::string message;  // names the field and the mend
};

std::optional<Objection> Preflight(const Seen& seen);

// The container that the spec means; nullptr when there is none, or more than one and none was named.
const resources::TemplateContainer* TargetContainer(const resources::CanaryPromotionSpec& spec,
                                                    const resources::Deployment& stable);

// Whether stable runs spec.image already, by its template or by its pods.
bool AlreadyRuns(const Seen& seen);

}  // namespace slipway::canary
