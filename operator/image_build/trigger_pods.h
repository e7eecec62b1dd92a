// The poller and the webhook receiver of a namespace: a Deployment each, and a Service before the receiver.
// They are there while an ImageBuild of the namespace asks for them, mount just the Secrets that those name
// and the policy allows, and are not the operator: what speaks to git hosts and listens to forges holds no
// right but to annotate ImageBuilds (ServiceAccount slipway-trigger). Pure.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "image_build/manifests.h"

namespace slipway::image_build {

inline constexpr std::string_view kPoller = "slipway-poller";
inline constexpr std::string_view kReceiver = "slipway-receiver";
inline constexpr int kReceiverPort = 8080;

using Builds = std::vector<std::shared_ptr<const resources::ImageBuild>>;

// Of the ImageBuilds of one namespace; those that the policy refuses ask for nothing.
struct TriggerNeeds {
  std::vector<std::string> git_secrets;                        // of what is polled
  std::vector<std::string> registry_secrets;                   // of base images that are polled
  std::vector<std::string> ca_bundles;                         // ConfigMaps
  std::vector<std::pair<std::string, std::string>> hook_keys;  // ImageBuild and Secret
  std::vector<std::string> polled;  // marks of those that may be: the poller asks for no other
  bool poll = false;
  bool receive = false;
  bool operator==(const TriggerNeeds&) const = default;
};
TriggerNeeds NeedsOf(const Builds& builds, const resources::NamespacePolicy* policy);

// For server-side apply.
kube::Json RenderPoller(const std::string& ns, const TriggerNeeds& needs, const Setting& setting);
kube::Json RenderReceiver(const std::string& ns, const TriggerNeeds& needs, const Setting& setting);
kube::Json RenderReceiverService(const std::string& ns);

}  // namespace slipway::image_build
