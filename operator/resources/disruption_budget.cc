#include "resources/disruption_budget.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "resources/tolerant.h"

namespace slipway::resources {
namespace {

using kube::Json;
using Operator = LabelRequirement::Operator;

std::optional<Operator> OperatorOf(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Operator>, 4> kOperators{
      {{"In", Operator::kIn},
       {"NotIn", Operator::kNotIn},
       {"Exists", Operator::kExists},
       {"DoesNotExist", Operator::kDoesNotExist}}};
  for (const auto& [name, op] : kOperators) {
    if (name == text) return op;
  }
  return std::nullopt;
}

std::optional<LabelSelector> ReadSelector(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  LabelSelector selector{.match_labels = TextsAt(json, "matchLabels")};
  for (const Json& each : ListAt(json, "matchExpressions")) {
    const auto op = OperatorOf(TextAt(each, "operator"));
    if (!op) return std::nullopt;
    LabelRequirement requirement{.key = TextAt(each, "key"), .op = *op};
    for (const Json& value : ListAt(each, "values")) {
      if (value.is_string()) requirement.values.push_back(value.get<std::string>());
    }
    selector.expressions.push_back(std::move(requirement));
  }
  return selector;
}

}  // namespace

bool LabelRequirement::Matches(const Labels& labels) const {
  const auto label = labels.find(key);
  const bool there = label != labels.end();
  const bool among = there && std::ranges::find(values, label->second) != values.end();
  switch (op) {
    case Operator::kIn:
      return among;
    case Operator::kNotIn:
      return !among;
    case Operator::kExists:
      return there;
    case Operator::kDoesNotExist:
      return !there;
  }
  return false;
}

bool LabelSelector::Matches(const Labels& labels) const {
  const bool named = std::ranges::all_of(match_labels, [&](const auto& pair) {
    const auto label = labels.find(pair.first);
    return label != labels.end() && label->second == pair.second;
  });
  return named && std::ranges::all_of(expressions, [&](const auto& each) { return each.Matches(labels); });
}

Result<DisruptionBudget> DisruptionBudget::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  DisruptionBudget out{.meta = *std::move(meta)};
  const Json& spec = At(object, "spec");
  const Json& status = At(object, "status");
  out.selector = ReadSelector(At(spec, "selector"));
  out.min_available = IntOrTextAt(spec, "minAvailable");
  out.max_unavailable = IntOrTextAt(spec, "maxUnavailable");
  if (Int64At(status, "observedGeneration") >= out.meta.generation) {
    out.healthy = IntAt(status, "currentHealthy");
  }
  return out;
}

bool DisruptionBudget::Matches(const Labels& labels) const { return selector && selector->Matches(labels); }

}  // namespace slipway::resources
