// Which of a pod's containers see a Secret, whatever way it is given to them: mounted from a volume of its
// own or from one part of a projected volume, as one variable or as all of them. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace slipway::testing {

using Json = nlohmann::json;

// Of every kind: init and ephemeral ones too.
std::vector<Json> ContainersOf(const Json& pod);

// Those of them that see a Secret of these names, in the pod's own namespace as it must be.
std::vector<Json> ThatSee(const Json& pod, const std::set<std::string>& secrets);

// Whether the pod names such a Secret at all, be it mounted or not, also to pull its image.
bool Names(const Json& pod, const std::set<std::string>& secrets);

}  // namespace slipway::testing
