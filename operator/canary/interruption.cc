#include "canary/interruption.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "canary/arithmetic.h"
#include "canary/configs.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/wording.h"
#include "resources/digest.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;

const resources::CanaryPromotionStatus& Status(const Seen& seen) { return seen.promotion.status; }

std::string ImageOf(const Seen& seen, const resources::Deployment& deployment) {
  const auto* container = TargetContainer(seen.promotion.spec, deployment);
  return container == nullptr ? std::string() : container->image;
}

int LimitOf(const Seen& seen) {
  return SurgeLimit(seen.promotion.spec.max_surge, Status(seen).baseline->replicas);
}

bool Held(CanaryPhase phase) { return phase == CanaryPhase::kHolding || phase == CanaryPhase::kTesting; }

std::optional<Cause> ForeignTemplate(const Seen& seen) {
  if (seen.stable->template_hash == Status(seen).baseline->template_hash) return std::nullopt;
  const std::string& name = seen.stable->meta.key.name;
  return Cause{std::string(kStableChanged),
               fmt::format("the pod template of Deployment {} was changed by {} while this "
                           "promotion ran: what was tested is not what would be delivered{}",
                           name, Whom(seen.writers.pods), ArgoMend(seen.writers.pods, name))};
}

// Before our write stable may still have its old image; after it, any other than ours is somebody's wish.
std::optional<Cause> ForeignImage(const Seen& seen) {
  const auto& status = Status(seen);
  const std::string& name = seen.stable->meta.key.name;
  const std::string image = ImageOf(seen, *seen.stable);
  const bool known = image == status.stable_image || (!status.image_set && image == status.baseline->image);
  if (!known) {
    return Cause{std::string(kStableChanged),
                 fmt::format("the image of Deployment {} was set to {} by {} during its rollout{}", name,
                             image, Whom(seen.writers.image), ArgoMend(seen.writers.image, name))};
  }
  const bool configured = Names(*seen.stable, WantedConfigs(seen.promotion.spec, *seen.stable));
  if (!status.image_set) {
    // Either it is as it was, or our write was made and is not recorded yet.
    const bool ours = image == status.stable_image && configured;
    return ours ? std::nullopt : ForeignTemplate(seen);
  }
  if (configured) return std::nullopt;
  return Cause{std::string(kStableChanged),
               fmt::format("the ConfigMaps that Deployment {} names were changed by {} during its rollout{}",
                           name, Whom(seen.writers.pods), ArgoMend(seen.writers.pods, name))};
}

// Whether stable may have so many pods by our own doing, on the way from `from` to `to`: in one move where
// spec.maxSurge has room for it, else in batches that never leave fewer than the baseline.
bool OnTheWay(const Seen& seen, int from, int to) {
  const int replicas = seen.stable->replicas;
  if (replicas == from || replicas == to) return true;
  const bool between = std::min(from, to) < replicas && replicas < std::max(from, to);
  if (!between || std::abs(from - to) <= LimitOf(seen)) return false;
  const auto baseline = Status(seen).baseline->replicas;
  return seen.canary == nullptr || std::int64_t{seen.canary->replicas} + replicas >= baseline;
}

bool OwnReplicas(const Seen& seen) {
  const auto& status = Status(seen);
  const auto& steps = status.steps;
  const int baseline = status.baseline->replicas;
  const int now = steps.back().stable_replicas;
  switch (status.phase) {
    case CanaryPhase::kStarting:
      return OnTheWay(seen, steps.size() > 1 ? steps[steps.size() - 2].stable_replicas : baseline, now);
    case CanaryPhase::kHolding:
    case CanaryPhase::kTesting:
      return seen.stable->replicas == now;
    case CanaryPhase::kRestoring:
      return OnTheWay(seen, now, baseline);
    default:
      return true;
  }
}

std::optional<Cause> ForeignReplicas(const Seen& seen) {
  const std::string& name = seen.stable->meta.key.name;
  if (Status(seen).baseline->capacity == Capacity::kSurge) {
    if (seen.stable->replicas > 0) return std::nullopt;
    return Cause{
        "StableScaled",
        fmt::format("Deployment {} was scaled to 0 by {} while the canary ran: the canary alone would "
                    "serve; let its autoscaler keep one pod at least",
                    name, Whom(seen.writers.replicas))};
  }
  if (OwnReplicas(seen)) return std::nullopt;
  return Cause{
      "StableScaled",
      fmt::format("Deployment {} was scaled to {} by {} while the canary ran; is it an autoscaler, use "
                  "spec.capacity Surge{}",
                  name, seen.stable->replicas, Whom(seen.writers.replicas),
                  ArgoMend(seen.writers.replicas, name))};
}

// How stable would roll over was changed, so that it would take capacity away.
std::optional<Cause> ForeignStrategy(const Seen& seen) {
  const auto objection = StillSound(seen);
  if (!objection) return std::nullopt;
  return Cause{std::string(kStableChanged), objection->message};
}

// In Surge it shrinks after stable: from what the step began with to what it wants now.
bool Scaled(const Seen& seen) {
  const auto& step = Status(seen).steps.back();
  const int replicas = seen.canary->replicas;
  if (Status(seen).baseline->capacity == Capacity::kSplit) return replicas != step.canary_replicas;
  const auto first = SplitFor(step.stable_replicas, step.weight_wanted, Capacity::kSurge, LimitOf(seen));
  return replicas < step.canary_replicas || (first && replicas > first->canary);
}

// Evidence about another template than stable is to get, or at another weight, is none.
std::optional<Cause> ForeignCanary(const Seen& seen) {
  if (seen.canary == nullptr) return std::nullopt;
  const bool scaled = Held(Status(seen).phase) && Scaled(seen);
  const auto& made = Status(seen).canary_template_hash;
  const bool same = ImageOf(seen, *seen.canary) == seen.promotion.spec.image &&
                    (made.empty() || made == seen.canary->template_hash);
  if (!scaled && same) return std::nullopt;
  const std::string& name = seen.canary->meta.key.name;
  return Cause{"CanaryChanged",
               fmt::format("Deployment {} was changed by {}: it is this promotion's own{}", name,
                           Whom(seen.writers.canary), ArgoMend(seen.writers.canary, name))};
}

// What runs is not what was asked for, whatever its /version answers. Looked at when the canary is whole:
// pods of an earlier attempt are gone by then.
std::optional<Cause> OtherImage(const Seen& seen) {
  const auto phase = Status(seen).phase;
  if (!Held(phase) && phase != CanaryPhase::kRestoring) return std::nullopt;
  const std::string_view wanted = resources::DigestOf(seen.promotion.spec.image);
  const std::string name = ContainerName(seen.promotion, *seen.stable);
  for (const auto& pod : seen.canary_pods) {
    if (pod->meta.deleted || !pod->ready) continue;
    for (const auto& container : pod->containers) {
      const auto runs = resources::DigestOf(container.image_id);
      if (container.name != name || runs.empty() || runs == wanted) continue;
      return Cause{"CanaryImageMismatch", fmt::format("pod {} of the canary runs {}, and spec.image is {}",
                                                      pod->meta.key.name, runs, wanted)};
    }
  }
  return std::nullopt;
}

// Whether the status says where the promotion is.
bool Known(const Seen& seen) {
  const auto& status = Status(seen);
  if (!status.phase_since) return false;
  if (status.steps.empty())
    return status.phase == CanaryPhase::kPromoting || status.phase == CanaryPhase::kVerifying;
  return status.current_step >= 0 && std::cmp_less(status.current_step, seen.promotion.spec.steps.size());
}

}  // namespace

std::optional<Cause> Interruption(const Seen& seen) {
  const auto& spec = seen.promotion.spec;
  const auto& status = Status(seen);
  if (status.phase == CanaryPhase::kAborting || status.phase == CanaryPhase::kFinishing) return std::nullopt;
  if (auto other = NotAsMade(seen.promotion))
    return Cause{std::move(other->reason), std::move(other->message)};
  if (SpecHash(spec) != status.spec_hash)
    return Cause{std::string(kSpecChanged), "spec was changed while this promotion ran: it starts anew"};
  if (!Known(seen)) return Cause{"StatusDamaged", "the status does not say which step is under way"};
  // What began under a policy goes on while there is none to be read: a slip in it stops no rollout half-way.
  const bool refused = seen.violation && seen.violation->reason != "PolicyMissing";
  if (refused) return Cause{seen.violation->reason, seen.violation->message};
  if (!status.image_set) {
    if (auto cause = ForeignStrategy(seen)) return cause;
  }
  if (status.phase == CanaryPhase::kPromoting || status.phase == CanaryPhase::kVerifying)
    return ForeignImage(seen);
  if (auto cause = ForeignTemplate(seen)) return cause;
  if (auto cause = ForeignReplicas(seen)) return cause;
  if (auto cause = OtherImage(seen)) return cause;
  return ForeignCanary(seen);
}

}  // namespace slipway::canary
