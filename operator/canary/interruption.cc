#include "canary/interruption.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/wording.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;

std::string ImageOf(const Seen& seen, const resources::Deployment& deployment) {
  const auto* container = TargetContainer(seen.promotion.spec, deployment);
  return container == nullptr ? std::string() : container->image;
}

// Before our write stable may still have its old image; after it, any other than ours is somebody's wish.
std::optional<Cause> ForeignImage(const Seen& seen) {
  const auto& status = seen.promotion.status;
  const std::string image = ImageOf(seen, *seen.stable);
  if (image == status.stable_image || (!status.image_set && image == status.baseline->image))
    return std::nullopt;
  return Cause{std::string(kStableChanged),
               fmt::format("the image of Deployment {} was set to {} by somebody else during its rollout",
                           seen.stable->meta.key.name, image)};
}

std::optional<Cause> ForeignTemplate(const Seen& seen) {
  if (seen.stable->template_hash == seen.promotion.status.baseline->template_hash) return std::nullopt;
  return Cause{std::string(kStableChanged),
               fmt::format("the pod template of Deployment {} was changed by somebody else while the canary "
                           "ran: what was tested is no longer what it is compared with",
                           seen.stable->meta.key.name)};
}

// The numbers of stable's pods that are of our own making in this phase; empty where any may be.
std::vector<int> OwnReplicas(const resources::CanaryPromotionStatus& status) {
  const auto& steps = status.steps;
  const int now = steps.back().stable_replicas;
  switch (status.phase) {
    case CanaryPhase::kStarting:
      return {steps.size() > 1 ? steps[steps.size() - 2].stable_replicas : status.baseline->replicas, now};
    case CanaryPhase::kHolding:
    case CanaryPhase::kTesting:
      return {now};
    case CanaryPhase::kRestoring:
      return {now, status.baseline->replicas};
    default:
      return {};
  }
}

std::optional<Cause> ForeignReplicas(const Seen& seen) {
  if (seen.promotion.spec.capacity != resources::Capacity::kSplit) return std::nullopt;
  const auto own = OwnReplicas(seen.promotion.status);
  if (own.empty() || std::ranges::find(own, seen.stable->replicas) != own.end()) return std::nullopt;
  return Cause{"StableScaled",
               fmt::format("Deployment {} was scaled to {} by somebody else while the canary ran; is "
                           "it an autoscaler, use spec.capacity Surge",
                           seen.stable->meta.key.name, seen.stable->replicas)};
}

// How stable would roll over was changed, so that it would take capacity away.
std::optional<Cause> ForeignStrategy(const Seen& seen) {
  const auto objection = StillSound(seen);
  if (!objection) return std::nullopt;
  return Cause{std::string(kStableChanged), objection->message};
}

// Evidence about another image, or at another weight, is none.
std::optional<Cause> ForeignCanary(const Seen& seen) {
  if (seen.canary == nullptr) return std::nullopt;
  const auto& status = seen.promotion.status;
  const bool held = status.phase == CanaryPhase::kHolding || status.phase == CanaryPhase::kTesting;
  const bool scaled = held && seen.canary->replicas != status.steps.back().canary_replicas;
  if (!scaled && ImageOf(seen, *seen.canary) == seen.promotion.spec.image) return std::nullopt;
  return Cause{"CanaryChanged",
               fmt::format("Deployment {} was changed by somebody else: it is this promotion's own",
                           seen.canary->meta.key.name)};
}

}  // namespace

std::optional<Cause> Interruption(const Seen& seen) {
  const auto& spec = seen.promotion.spec;
  const auto& status = seen.promotion.status;
  if (status.phase == CanaryPhase::kAborting || status.phase == CanaryPhase::kFinishing) return std::nullopt;
  if (SpecHash(spec) != status.spec_hash) {
    return Cause{std::string(kSpecChanged), "spec was changed while this promotion ran: it starts anew"};
  }
  const bool known =
      status.phase_since && !status.steps.empty() && std::cmp_less(status.current_step, spec.steps.size());
  if (!known) return Cause{"StatusDamaged", "the status does not say which step is under way"};
  // What began under a policy goes on while there is none to be read: a slip in it stops no rollout half-way.
  const bool refused = seen.violation && seen.violation->reason != "PolicyMissing";
  if (refused) return Cause{seen.violation->reason, seen.violation->message};
  if (!status.image_set) {
    if (auto cause = ForeignStrategy(seen)) return cause;
  }
  if (status.phase == CanaryPhase::kPromoting) return ForeignImage(seen);
  if (auto cause = ForeignTemplate(seen)) return cause;
  if (auto cause = ForeignReplicas(seen)) return cause;
  return ForeignCanary(seen);
}

}  // namespace slipway::canary
