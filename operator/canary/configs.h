// Which ConfigMaps stable's pod template names, of those that spec.configMaps versions. Pure.
#pragma once

#include <map>
#include <string>

#include "canary/decide.h"

namespace slipway::canary {

// By spec.configMaps[].name: what is named in its place.
using Configs = std::map<std::string, std::string>;

// What is to be named where `ref` is: nullptr where it is of none of them. A name that is written out goes
// before one whose copy it could be.
const std::string* WantedFor(const Configs& configs, const std::string& ref);

// As the promotion wants it: the copies, of what the template names at all.
Configs WantedConfigs(const resources::CanaryPromotionSpec& spec, const resources::Deployment& stable);
// As the template has it. Of one that is named twice, a name other than the wanted one.
Configs NamedConfigs(const resources::CanaryPromotionSpec& spec, const resources::Deployment& stable);
// Whether the template names each of `configs`, and no other version of it.
bool Names(const resources::Deployment& stable, const Configs& configs);

}  // namespace slipway::canary
