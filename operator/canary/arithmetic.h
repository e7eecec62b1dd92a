// Replica-ratio arithmetic: exact, and honest about what whole pods can't do. Pure; every number of pods up
// to 2^31-1 is counted without overflow.
//
// The rule. With a baseline of R pods and a weight of w percent the canary has
//   Split:  R * w / 100 pods           (the total stays R: stable has the rest)
//   Surge:  R * w / (100 - w) pods     (stable keeps R: so the canary's share of R + c is w percent)
// rounded to the nearest whole pod, ties up, and at least 1; in Surge never more than spec.maxSurge. 10% of 3
// pods does not exist: it becomes one of three in Split, and is called 33%, not 10%.
#pragma once

#include <optional>
#include <string_view>

#include "resources/canary_promotion.h"

namespace slipway::canary {

struct Split {
  int canary = 0;  // pods
  int stable = 0;
  int weight = 0;  // planned: percent of the pods that are then the canary's, rounded half up
  int error = 0;   // planned less asked, in hundredths of a percent, rounded half up; may be below 0
  bool operator==(const Split&) const = default;
};

// How `replicas` pods of stable are shared at `weight` percent. nullopt where Split would leave no pod of
// stable, or where there is none to begin with. `limit` is of Surge only: the most pods of the canary.
std::optional<Split> SplitFor(int replicas, int weight, resources::Capacity capacity, int limit);

// `part` of `whole` in percent, rounded half up; 0 of nothing.
int Percent(std::int64_t part, std::int64_t whole);

// spec.maxSurge ("25%" or "3") in pods above `replicas`: percent rounded up, as a Deployment's; at least 1.
int SurgeLimit(std::string_view value, int replicas);

// A disruption budget's number ("25%" or "3") of `pods`, as the disruption controller rounds it: up.
int RoundedUp(std::string_view value, int pods);

// A Deployment's maxUnavailable ("25%" or "1") in pods, as the Deployment controller rounds it: down.
int MaxUnavailable(std::string_view value, int replicas);

// A move from the pods that there are to the pods that are wanted, with never more than `most` of both
// together, and never fewer than `least` that serve. Each number is of pods wanted (spec.replicas), but
// `canary_there` and `stable_there`: pods that may still be there, also those on their way out.
struct Pods {
  int canary = 0;
  int stable = 0;
  bool operator==(const Pods&) const = default;
};
struct Move {
  Pods now;
  Pods there;
  Pods wanted;
  std::int64_t least = 0;  // the baseline
  std::int64_t most = 0;   // the baseline and spec.maxSurge
};
// What may come up at once: `now` where nothing may.
Pods Grown(const Move& move);
// What may go, once every pod of `now` is available: `now` where nothing may.
Pods Shrunk(const Move& move);

}  // namespace slipway::canary
