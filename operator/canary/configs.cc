#include "canary/configs.h"

#include <algorithm>

#include "resources/config_copy.h"

namespace slipway::canary {

using resources::CanaryPromotionSpec;
using resources::Deployment;
using resources::IsVersionOf;

const std::string* WantedFor(const Configs& configs, const std::string& ref) {
  if (const auto exact = configs.find(ref); exact != configs.end()) return &exact->second;
  for (const auto& [name, wanted] : configs) {
    if (IsVersionOf(ref, name)) return &wanted;
  }
  return nullptr;
}

namespace {

// Which of spec.configMaps the template's `ref` is: nullptr for none.
const resources::ConfigVersion* VersionOf(const CanaryPromotionSpec& spec, const std::string& ref) {
  Configs names;
  for (const auto& version : spec.config_maps) names.emplace(version.name, version.name);
  const auto* name = WantedFor(names, ref);
  if (name == nullptr) return nullptr;
  return &*std::ranges::find(spec.config_maps, *name, &resources::ConfigVersion::name);
}

}  // namespace

Configs WantedConfigs(const CanaryPromotionSpec& spec, const Deployment& stable) {
  Configs wanted;
  for (const auto& ref : stable.config_refs) {
    if (const auto* version = VersionOf(spec, ref)) wanted[version->name] = version->copy;
  }
  return wanted;
}

Configs NamedConfigs(const CanaryPromotionSpec& spec, const Deployment& stable) {
  Configs named;
  for (const auto& ref : stable.config_refs) {
    const auto* version = VersionOf(spec, ref);
    if (version == nullptr) continue;
    if (ref != version->copy || !named.contains(version->name)) named[version->name] = ref;
  }
  return named;
}

bool Names(const Deployment& stable, const Configs& configs) {
  return std::ranges::all_of(stable.config_refs, [&](const std::string& ref) {
    const auto* wanted = WantedFor(configs, ref);
    return wanted == nullptr || *wanted == ref;
  });
}

}  // namespace slipway::canary
