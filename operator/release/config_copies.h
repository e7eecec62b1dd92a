// The immutable copies of a Release's ConfigMaps: what they are called, what is in them, and which ConfigMap
// counts as one. Pure.
//
// The name says what is in a copy, and of which Release it is: two Releases that name the same ConfigMap have
// a copy each, so that neither takes away what the other's pods read. A copy belongs to the Release, and to
// the Deployment that reads it: it outlives a Release that is deleted, because running pods still name it,
// and a Release that is made anew under the same name finds it again.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "resources/canary_promotion.h"
#include "resources/release.h"

namespace slipway::release {

struct ConfigContent {
  kube::Json data = kube::Json::object();
  kube::Json binary_data = kube::Json::object();
  bool operator==(const ConfigContent&) const = default;
};

// Of a ConfigMap as the API server has it.
ConfigContent ContentOf(const kube::Json& config_map);

// What the copy of ConfigMap `name` with this content is called.
std::string CopyName(const resources::Release& release, const std::string& name,
                     const ConfigContent& content);

// Complete, to be created. `target` is the Deployment's.
kube::Json RenderConfigCopy(const resources::Release& release, const kube::ObjectMeta& target,
                            const std::string& copy, const ConfigContent& content);

// Whether it is marked as a copy that some Release made: never a source.
bool IsConfigCopy(const kube::ObjectMeta& config_map);

// Whether it is this Release's to delete.
bool IsCopyOf(const resources::Release& release, const kube::ObjectMeta& config_map);

// Why what has the copy's name does not count as it; nullopt: it does. `content` is what must be in it;
// nullptr where only the name still says that. `target` may be nullptr. Holds no value of `live`.
std::optional<std::string> WhyNotCopy(const resources::Release& release, const kube::ObjectMeta* target,
                                      const resources::ConfigVersion& version, const ConfigContent* content,
                                      const kube::Json& live);

}  // namespace slipway::release
