// The plan while it is being made: what Decide reads and writes, in its own words. Pure; for decide.cc only.
#pragma once

#include <algorithm>

#include "canary/decide.h"
#include "canary/preflight.h"
#include "canary/wording.h"

namespace slipway::canary {

class Draft {
 public:
  Draft(const Seen& seen, TimePoint now) : seen_(seen), now_(now) {
    plan_.status = seen.promotion.status;
    plan_.status.observed_generation = seen.promotion.meta.generation;
  }

 protected:
  resources::CanaryPromotionStatus& Status() { return plan_.status; }
  const resources::CanaryPromotionSpec& Spec() const { return seen_.promotion.spec; }
  const resources::Baseline& Base() const { return *plan_.status.baseline; }
  resources::StepStatus& Step() { return Status().steps.back(); }
  const resources::CanaryStep& StepSpec() const {
    return Spec().steps[static_cast<std::size_t>(plan_.status.current_step)];
  }
  bool HasFinalizer() const {
    return std::ranges::find(seen_.promotion.meta.finalizers, resources::kFinalizer) !=
           seen_.promotion.meta.finalizers.end();
  }
  std::string Claimant() const {
    if (seen_.stable == nullptr) return {};
    const auto claim = seen_.stable->meta.annotations.find(resources::kClaimAnnotation);
    return claim == seen_.stable->meta.annotations.end() ? std::string() : claim->second;
  }
  bool Claimed() const { return Claimant() == seen_.promotion.meta.uid.value; }
  std::string StableImage() const {
    const auto* container = seen_.stable == nullptr ? nullptr : TargetContainer(Spec(), *seen_.stable);
    return container == nullptr ? std::string() : container->image;
  }

  void Do(Effect effect) { plan_.effects.push_back(std::move(effect)); }
  void RecheckAfter(Duration d) {
    d = std::max<Duration>(d, std::chrono::milliseconds(200));
    plan_.recheck_after = plan_.recheck_after ? std::min(*plan_.recheck_after, d) : d;
  }
  void Report(resources::Readiness readiness, std::string reason, std::string message) {
    resources::SetReadiness(Status().conditions, readiness, std::move(reason), Clipped(std::move(message)),
                            seen_.promotion.meta.generation, now_);
  }
  void Progress(std::string message) {
    Report(resources::Readiness::kProgressing, std::string(resources::ToString(Status().phase)),
           std::move(message));
  }
  void Enter(resources::CanaryPhase phase) {
    Status().phase = phase;
    Status().phase_since = now_;
  }

  // Something to tell: the phase or the reason has changed.
  void Notify() {
    const auto* before = resources::Find(seen_.promotion.status.conditions, "Ready");
    const auto* after = resources::Find(Status().conditions, "Ready");
    if (after == nullptr) return;
    const bool same = before != nullptr && before->reason == after->reason &&
                      seen_.promotion.status.phase == Status().phase;
    if (same) return;
    plan_.notices.push_back(
        {after->status == resources::ConditionStatus::kFalse, after->reason, after->message});
  }

  const Seen& seen_;
  TimePoint now_;
  Plan plan_;
};

}  // namespace slipway::canary
