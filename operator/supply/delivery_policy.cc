#include "supply/delivery_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "supply/names.h"

namespace slipway::supply {
namespace {

using resources::Predicate;

// A text of JSON is one of CUE.
std::string Quoted(std::string_view text) {
  return kube::Json(text).dump(-1, ' ', true, kube::Json::error_handler_t::replace);
}

}  // namespace

std::vector<Attested> AttestedIn(const std::vector<Predicate>& predicates,
                                 const std::vector<std::string>& environments) {
  std::vector<Attested> attested;
  for (const Predicate predicate : resources::kAllPredicates) {
    const bool asked = std::ranges::find(predicates, predicate) != predicates.end();
    if (!asked || !resources::IsOfDelivery(predicate)) continue;
    for (const std::string& environment : environments) AddAttested(attested, {{predicate, environment}});
  }
  return attested;
}

void AddAttested(std::vector<Attested>& all, const std::vector<Attested>& more) {
  for (const Attested& each : more) {
    if (std::ranges::find(all, each) == all.end()) all.push_back(each);
  }
}

std::vector<std::string> NamesOf(const std::vector<Attested>& attested) {
  std::vector<std::string> names;
  for (const auto& each : attested) names.push_back(resources::NameIn(each.predicate, each.environment));
  return names;
}

std::string ContainerOf(const Attested& attested) {
  return fmt::format("{}-{}", ShortName(attested.predicate), attested.environment);
}

std::optional<Attested> AttestedOf(std::string_view container) {
  for (const Predicate predicate : resources::kAllPredicates) {
    const std::string begin = std::string(ShortName(predicate)) + "-";
    if (!resources::IsOfDelivery(predicate) || !container.starts_with(begin)) continue;
    return Attested{predicate, std::string(container.substr(begin.size()))};
  }
  return std::nullopt;
}

std::string PolicyOf(const Attested& attested) {
  const bool canary = attested.predicate == Predicate::kCanary;
  return fmt::format(
      R"({{"predicateType"!: {}, "predicate"!: {{"delivery"!: {{"environment"!: {}}}, {}!: {}}}}})"
      "\n",
      Quoted(resources::TypeIn(attested.predicate, attested.environment)), Quoted(attested.environment),
      Quoted(canary ? "verdict" : "result"), Quoted(canary ? "Promoted" : "PASSED"));
}

}  // namespace slipway::supply
