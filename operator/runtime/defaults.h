// What Kubernetes itself adds to a Job or a Deployment that we created, value by value. Everything else that
// is found on a live object and was not in the rendered one is somebody else's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace slipway::runtime {

// Where in which object a member was found. `pattern` has no indices: "spec.template.spec.containers[]".
struct Place {
  const nlohmann::json& rendered_root;
  const nlohmann::json& live_root;
  std::string_view pattern;        // of the object that holds the member
  const nlohmann::json& rendered;  // that object as we rendered it
};

// True when the API server or a controller of Kubernetes adds the member `key` there with this value.
bool AddedByKubernetes(const Place& place, std::string_view key, const nlohmann::json& value);

// True when the API server does not store this value: it is the same as an absent one (Go's omitempty on a
// plain, not a pointer, field).
bool DroppedByKubernetes(std::string_view key, const nlohmann::json& value);

}  // namespace slipway::runtime
