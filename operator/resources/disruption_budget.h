// policy/v1 PodDisruptionBudget: how many of the pods that it selects an eviction has to leave. What we keep
// of it is read by the preflight of a promotion. Odd values in it make it one that selects or demands
// nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "resources/common.h"

namespace slipway::resources {

using Labels = std::map<std::string, std::string>;

struct LabelRequirement {
  enum class Operator : std::uint8_t { kIn, kNotIn, kExists, kDoesNotExist };
  std::string key;
  Operator op = Operator::kExists;
  std::vector<std::string> values;  // of kIn and kNotIn
  // kNotIn is true of labels without the key too.
  bool Matches(const Labels& labels) const;
};

// metav1.LabelSelector: all of it must be true. One of nothing matches everything.
struct LabelSelector {
  Labels match_labels;
  std::vector<LabelRequirement> expressions;
  bool Matches(const Labels& labels) const;
};

struct DisruptionBudget {
  kube::ObjectMeta meta;
  std::optional<LabelSelector> selector;  // nullopt, also of one with an unknown operator: no pods
  std::string min_available;              // "5" or "90%" of the pods; one of the two is empty
  std::string max_unavailable;
  int healthy = 0;  // pods that it counted ready; 0 until it has seen its own spec
  static Result<DisruptionBudget> Decode(const kube::Json& object);

  bool Matches(const Labels& labels) const;
};

}  // namespace slipway::resources
