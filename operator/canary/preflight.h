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

// Whether there is to be no canary: that is asked for, or stable has never served, or can't any more (a first
// delivery). Of a promotion that has not begun, and whose target is there.
bool GoesRolling(const Seen& seen);

// The container that the spec means; nullptr when there is none, or more than one and none was named.
const resources::TemplateContainer* TargetContainer(const resources::CanaryPromotionSpec& spec,
                                                    const resources::Deployment& stable);

// Its name; what the spec says where stable has no such container.
std::string ContainerName(const resources::CanaryPromotion& promotion, const resources::Deployment& stable);

// Whether stable, as it is now, can still be rolled over without less capacity than its baseline: how that
// goes is not part of its pod template, and may have been changed since Preflight.
std::optional<Objection> StillSound(const Seen& seen);

// The port at which the pods answer the Service's first port; nullopt when it is named and no container has
// it.
// A Release made it and somebody changed its spec since: it is not what the Release's gates passed. Where it
// had not begun it is refused, under way it goes back, and over it stays over.
std::optional<Objection> NotAsMade(const resources::CanaryPromotion& promotion);

std::optional<int> TargetPort(const resources::Service& service, const resources::Deployment& deployment);

// Whether stable runs spec.image already, by its template or by its pods, and reads the ConfigMaps that it is
// to read.
bool AlreadyRuns(const Seen& seen);

}  // namespace slipway::canary
