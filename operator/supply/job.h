// A Job of the supply chain's namespace and the containers that it is made of: one command of cosign, Trivy
// or our runner a container, without a shell, under Pod Security `restricted`. What they read comes as
// annotations of the pod, which nobody but the operator writes. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "supply/names.h"
#include "supply/setting.h"

namespace slipway::supply {

// A file /input/NAME in the containers that mount it.
struct Input {
  std::string file;
  std::string text;
};
std::string InputPath(std::string_view file);

struct JobShape {
  std::string name;
  std::string_view role;
  std::vector<Input> inputs;
  std::vector<kube::Json> before;      // init containers: one after the other
  std::vector<kube::Json> containers;  // side by side
  std::vector<kube::Json> volumes;     // more than the inputs, /tmp and the registry's credentials
  std::string service_account = "default";
  Duration deadline = std::chrono::minutes(5);
};
kube::Json RenderJob(const Owner& owner, JobShape shape, const Setting& setting);

// Both write to /tmp alone, have the registry's credentials and authorities if the policy names some, and end
// with their last words in the pod's status.
kube::Json CosignContainer(std::string_view name, const Setting& setting, kube::Json args);
kube::Json TrivyContainer(std::string_view name, const Setting& setting, kube::Json args);
// slipway-runner: it has no credentials, and reports what it found.
kube::Json RunnerContainer(std::string_view name, const Setting& setting, kube::Json args);
// Lets the container see the inputs.
void GiveInputs(kube::Json& container);

// What cosign must be told of a registry that speaks plain HTTP: one flag for each of its two clients.
void AddRegistryFlags(const Setting& setting, std::string_view image, kube::Json& args);

}  // namespace slipway::supply
