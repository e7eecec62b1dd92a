#include "supply/names.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "resources/common.h"

namespace slipway::supply {
namespace {

constexpr std::array<std::string_view, 8> kShortNames{"provenance", "spdx",        "cyclonedx", "scan",
                                                      "tests",      "smoke-tests", "canary",    "approvals"};
static_assert(kShortNames.size() == resources::kAllPredicates.size());

std::string Value(const std::map<std::string, std::string, std::less<>>& map, std::string_view key) {
  const auto at = map.find(key);
  return at == map.end() ? "" : at->second;
}

}  // namespace

std::string JobName(const Owner& owner, std::string_view role, std::string_view identity) {
  return ChildName(owner.key.name, role, owner.uid.value + "/" + std::string(identity));
}

kube::Json Labels(const Owner& owner, std::string_view role) {
  return {{resources::kOwnerKindLabel, owner.kind},
          {resources::kOwnerNameLabel, LabelValue(owner.key.name)},
          {kOwnerNamespaceLabel, owner.key.ns},
          {kOwnerUidLabel, owner.uid.value},
          {resources::kRoleLabel, role}};
}

std::optional<Owner> OwnerOf(const kube::ObjectMeta& job) {
  Owner owner{Value(job.labels, resources::kOwnerKindLabel),
              {Value(job.labels, kOwnerNamespaceLabel), Value(job.annotations, kOwnerNameAnnotation)},
              {Value(job.labels, kOwnerUidLabel)}};
  if (owner.kind.empty() || owner.key.ns.empty() || owner.key.name.empty() || owner.uid.empty()) {
    return std::nullopt;
  }
  return owner;
}

std::string_view ShortName(resources::Predicate predicate) {
  return kShortNames.at(static_cast<std::size_t>(predicate));
}

}  // namespace slipway::supply
