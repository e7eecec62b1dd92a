// What a canary would do to the PodDisruptionBudgets of its namespace: whether nodes can still be drained
// while it is there. Pure.
//
// The canary's pods have all the labels of stable's and two more, so a budget that selects stable's mostly
// selects them too, and counts both. The rules of those that tell the two apart are Kubernetes' own
// (https://kubernetes.io/docs/tasks/run-application/configure-pdb/; 1.34, pkg/controller/disruption and
// pkg/registry/core/pod/storage/eviction.go):
//   - An eviction is allowed while more of the pods that a budget selects are ready than it demands. It
//     demands minAvailable, or what maxUnavailable leaves; percent, of the replicas of those pods'
//     controllers, and rounded up. So as Split makes stable smaller, what maxUnavailable allows stays more
//     than nothing. A minAvailable in pods is demanded as before; one in percent shrinks with stable, but by
//     its rounding may become all of it: 90% of 10 are 9, and of 9 are 9.
//   - A pod that more than one budget selects is never evicted: the API server answers 500.
#pragma once

#include <optional>

#include "canary/decide.h"
#include "canary/preflight.h"

namespace slipway::canary {

// Stable is there, and every step can be split. Each of the two may pass, for budgets can be changed.
std::optional<Objection> BudgetsAllow(const Seen& seen);

}  // namespace slipway::canary
