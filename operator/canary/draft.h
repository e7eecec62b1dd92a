// The plan while it is being made: what Decide reads and writes, in its own words. Pure; for decide.cc and
// the classes that it is built from only.
#pragma once

#include <algorithm>

#include "canary/configs.h"
#include "canary/decide.h"
#include "canary/preflight.h"
#include "canary/wording.h"

namespace slipway::canary {

inline constexpr Duration kPodsRecheck = std::chrono::seconds(10);
inline constexpr Duration kNextDecision = std::chrono::milliseconds(200);

class Draft {
 public:
  Draft(const Seen& seen, TimePoint now) : seen_(seen), now_(now) {
    plan_.status = seen.promotion.status;
    plan_.status.observed_generation = seen.promotion.meta.generation;
  }

 protected:
  resources::CanaryPromotionStatus& Status() { return plan_.status; }
  const resources::CanaryPromotionStatus& Status() const { return plan_.status; }
  const resources::CanaryPromotionSpec& Spec() const { return seen_.promotion.spec; }
  const resources::Baseline& Base() const { return *plan_.status.baseline; }
  const resources::Deployment& Stable() const { return *seen_.stable; }
  const std::string& StableName() const { return Stable().meta.key.name; }
  resources::StepStatus& Step() { return Status().steps.back(); }
  const resources::StepStatus& Step() const { return Status().steps.back(); }
  const resources::CanaryStep& StepSpec() const {
    return Spec().steps[static_cast<std::size_t>(plan_.status.current_step)];
  }
  // Whether it goes without a canary: the status says so, whatever becomes of the spec.
  bool Rolling() const { return Status().steps.empty(); }
  // Stable's replicas are ours to write: by what the promotion began with, for a spec that changes in mid
  // step changes nothing about what has to be taken back.
  bool Splits() const { return !Rolling() && Base().capacity == resources::Capacity::kSplit; }
  int Limit() const { return SurgeLimit(Spec().max_surge, Base().replicas); }

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
  // Stable's template is as Promoting wants it.
  bool Delivered() const {
    return StableImage() == Status().stable_image && Names(Stable(), WantedConfigs(Spec(), Stable()));
  }

  void Do(Effect effect) { plan_.effects.push_back(std::move(effect)); }
  void RecheckAfter(Duration d) {
    d = std::max<Duration>(d, kNextDecision);
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
  void Tell(bool warning, std::string reason, std::string note) {
    plan_.notices.push_back({warning, std::move(reason), Clipped(std::move(note))});
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
    Tell(after->status == resources::ConditionStatus::kFalse, after->reason, after->message);
  }

  const Seen& seen_;
  TimePoint now_;
  Plan plan_;
};

}  // namespace slipway::canary
