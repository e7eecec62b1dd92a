// What a promotion makes and changes in the cluster, as JSON. Pure: the same inputs give the same bytes, so
// that a repeated create is known as ours.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "canary/decide.h"
#include "canary/names.h"

namespace slipway::canary {

// Our labels on what a promotion makes.
kube::Json Marks(const resources::CanaryPromotion& promotion, std::string_view role);

// The copy of stable that carries the new image, and reads the copies of spec.configMaps. `stable` is the
// live object. Of its metadata nothing is taken; its pod template is, but for the marks of those who manage
// stable (Argo CD, kubectl).
kube::Json RenderCanary(const resources::CanaryPromotion& promotion, const kube::Json& stable,
                        const std::string& container, int replicas);

// Bodies for server-side apply, each with the UID and the version that were observed.
kube::Json RenderReplicas(const kube::ObjectMeta& deployment, int replicas);
// `live` is stable, with managedFields. Whatever we own of its spec is in it, so that nothing is let go (see
// managed_fields.h); and over that what `write` says. Replicas are written only where promotions like this
// one move them: otherwise they are somebody else's, an autoscaler's for example.
kube::Json RenderStable(const resources::CanaryPromotion& promotion, const kube::Json& live,
                        const std::string& container, const WriteStable& write);
kube::Json RenderClaim(const kube::ObjectMeta& deployment, const kube::Uid& promotion);
// A merge patch: the annotation goes whoever put it there. (`kubectl rollout undo` brings that of an old
// ReplicaSet back, as kubectl's own field, which an apply of ours would leave.)
kube::Json RenderUnclaim(const kube::ObjectMeta& deployment);
// Each promotion claims as a manager of its own, so that two of them conflict.
std::string ClaimManager(const kube::Uid& promotion);

}  // namespace slipway::canary
