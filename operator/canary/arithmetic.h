// Replica-ratio arithmetic: exact, and honest about what whole pods can't do.
//
// The rule: canary = max(1, replicas * weight / 100 rounded half up). 10% of 3 pods does not exist; it
// becomes one pod of three in Split, and is called 33%, not 10%.
#pragma once

#include <optional>

#include "resources/canary_promotion.h"

namespace slipway::canary {

struct Split {
  int canary = 0;  // pods
  int stable = 0;
  int weight = 0;  // percent of the pods that are then the canary's, rounded half up
  bool operator==(const Split&) const = default;
};

// How `replicas` pods of stable are shared at `weight` percent. Split keeps the total: stable gives what the
// canary gets. Surge keeps stable: the canary is added to it. nullopt where Split would leave no pod of
// stable (or where there is none to begin with).
std::optional<Split> SplitFor(int replicas, int weight, resources::Capacity capacity);

// `part` of `whole` in percent, rounded half up; 0 of nothing.
int Percent(int part, int whole);

// A Deployment's maxUnavailable ("25%" or "1") in pods, as the Deployment controller rounds it: down.
int MaxUnavailable(const std::string& value, int replicas);

}  // namespace slipway::canary
