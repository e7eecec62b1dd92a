#include "canary/interruption.h"

#include <fmt/format.h>

#include <utility>

#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/wording.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;

// stable_image is set with our write: from then on another image is somebody's wish.
std::optional<Cause> ForeignImage(const Seen& seen) {
  const auto* container = TargetContainer(seen.promotion.spec, *seen.stable);
  const std::string image = container == nullptr ? std::string() : container->image;
  const std::string& ours = seen.promotion.spec.image;
  if (seen.promotion.status.stable_image != ours || image == ours) return std::nullopt;
  return Cause{std::string(kStableChanged),
               fmt::format("the image of Deployment {} was set to {} by somebody else during its rollout",
                           seen.stable->meta.key.name, image)};
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
  if (seen.violation) return Cause{seen.violation->reason, seen.violation->message};
  if (status.phase == CanaryPhase::kPromoting) return ForeignImage(seen);
  if (seen.stable->template_hash == status.baseline->template_hash) return std::nullopt;
  return Cause{std::string(kStableChanged),
               fmt::format("the pod template of Deployment {} was changed by somebody else while the canary "
                           "ran: what was tested is no longer what it is compared with",
                           seen.stable->meta.key.name)};
}

}  // namespace slipway::canary
