// What a promotion makes and changes in the cluster, as JSON. Pure: the same inputs give the same bytes, so
// that a repeated create is known as ours.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "canary/decide.h"

namespace slipway::canary {

// The label with the promotion's UID on all that it makes, and on the canary's pods.
inline constexpr std::string_view kPromotionLabel = "slipway.dev/promotion";

// The copy of stable that carries the new image. `stable` is the live object. Of its metadata nothing is
// taken; its pod template is, but for the marks of those who manage stable (Argo CD, kubectl).
kube::Json RenderCanary(const resources::CanaryPromotion& promotion, const kube::Json& stable,
                        const std::string& container, int replicas);

struct ProbeTarget {
  const resources::Service& service;
  const resources::Deployment& canary;
  std::vector<std::shared_ptr<const resources::Pod>> pods;  // of the canary
  double canary_share = 0;                                  // of the ready pods behind the Service
  std::string service_account;
  std::string runner_image;
};
kube::Json RenderSmokeJob(const resources::CanaryPromotion& promotion, const CreateSmokeJob& effect,
                          const ProbeTarget& target);

// Bodies for server-side apply, each with the UID and the version that were observed.
kube::Json RenderReplicas(const kube::ObjectMeta& deployment, int replicas);
// A field that only we own is never let go: an apply without it would have the API server reset it. So both
// are always sent together, but for replicas that were never ours (`with_replicas` false).
kube::Json RenderStable(const kube::ObjectMeta& deployment, const std::string& container,
                        const WriteStable& write, bool with_replicas);
kube::Json RenderClaim(const kube::ObjectMeta& deployment, const kube::Uid& promotion);
// A merge patch: the annotation goes whoever put it there. (`kubectl rollout undo` brings that of an old
// ReplicaSet back, as kubectl's own field, which an apply of ours would leave.)
kube::Json RenderUnclaim(const kube::ObjectMeta& deployment);
// Each promotion claims as a manager of its own, so that two of them conflict.
std::string ClaimManager(const kube::Uid& promotion);

// Whether `live`, read with managedFields, has replicas that we applied at some time.
bool OwnsReplicas(const kube::Json& live);

}  // namespace slipway::canary
