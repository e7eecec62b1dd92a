// What every Kubernetes object has, as plain values: identity, ownership, and nothing of managedFields.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace slipway::kube {

using Json = nlohmann::json;

// A string that can't be mistaken for another kind of string.
template <class Tag>
struct StrongString {
  std::string value;
  auto operator<=>(const StrongString&) const = default;
  bool empty() const { return value.empty(); }
};
using Uid = StrongString<struct UidTag>;
// Opaque: compared for equality only (API concepts, "resource versions").
using ResourceVersion = StrongString<struct ResourceVersionTag>;

struct ObjectKey {
  std::string ns;  // empty for cluster-scoped objects
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};
// "namespace/name", for logs and messages.
std::string ToString(const ObjectKey& key);

// A kind of object that the API server serves. Constants below; never built from user input.
struct ApiResource {
  std::string_view group;  // empty: the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool operator==(const ApiResource&) const = default;
};
std::string ApiVersion(const ApiResource& resource);  // "batch/v1", or "v1" for the core group

inline constexpr ApiResource kNamespaces{"", "v1", "namespaces", "Namespace"};
inline constexpr ApiResource kPods{"", "v1", "pods", "Pod"};
inline constexpr ApiResource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr ApiResource kServices{"", "v1", "services", "Service"};
inline constexpr ApiResource kJobs{"batch", "v1", "jobs", "Job"};
inline constexpr ApiResource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr ApiResource kHorizontalPodAutoscalers{"autoscaling", "v2", "horizontalpodautoscalers",
                                                       "HorizontalPodAutoscaler"};
inline constexpr ApiResource kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets",
                                                   "PodDisruptionBudget"};
inline constexpr ApiResource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"};
inline constexpr ApiResource kValidatingAdmissionPolicies{
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"};
inline constexpr ApiResource kValidatingAdmissionPolicyBindings{"admissionregistration.k8s.io", "v1",
                                                                "validatingadmissionpolicybindings",
                                                                "ValidatingAdmissionPolicyBinding"};
inline constexpr ApiResource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr ApiResource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr ApiResource kImageBuilds{"slipway.dev", "v1alpha1", "imagebuilds", "ImageBuild"};
inline constexpr ApiResource kReleases{"slipway.dev", "v1alpha1", "releases", "Release"};
inline constexpr ApiResource kCanaryPromotions{"slipway.dev", "v1alpha1", "canarypromotions",
                                               "CanaryPromotion"};
inline constexpr ApiResource kDecisions{"slipway.dev", "v1alpha1", "decisions", "Decision"};

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  Uid uid;
  bool controller = false;
  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  ObjectKey key;
  Uid uid;
  ResourceVersion resource_version;
  std::int64_t generation = 0;
  TimePoint created{};
  std::optional<TimePoint> deleted;  // deletionTimestamp: set means "going", finalizers hold it
  std::vector<OwnerReference> owners;
  std::vector<std::string> finalizers;
  std::map<std::string, std::string, std::less<>> labels;
  std::map<std::string, std::string, std::less<>> annotations;

  // The owner with controller=true, if any.
  const OwnerReference* Controller() const;
};

// Reads `metadata`. kInvalid names the field that is missing or of the wrong type.
Result<ObjectMeta> DecodeMeta(const Json& object);

// A reference from our object to a child: controller=true, blockOwnerDeletion absent (it would need the right
// to update the owner's finalizers).
Json ToJson(const OwnerReference& owner);

}  // namespace slipway::kube

template <>
struct std::hash<slipway::kube::ObjectKey> {
  std::size_t operator()(const slipway::kube::ObjectKey& key) const noexcept {
    return std::hash<std::string>{}(key.ns) * 31 + std::hash<std::string>{}(key.name);
  }
};
