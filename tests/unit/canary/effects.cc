// What the simulated API server makes of each effect, as the shell carries it out: false where it is refused
// (a conflict), which ends the attempt.
#include <string>

#include "canary/names.h"
#include "unit/canary/simulation.h"

namespace slipway::canary {

using resources::Capacity;
using resources::Verdict;

bool Simulation::Carry(const Effect& effect, resources::CanaryPromotionStatus& status, Versions& seen) {
  return std::visit([&](const auto& each) { return Do(each, status, seen); }, effect);
}

bool Simulation::ClaimIsOurs() const {
  const auto& claims = stable_->object().meta.annotations;
  return !claims.empty() && claims.begin()->second == stored_.promotion.meta.uid.value;
}

bool Simulation::Do(const AddFinalizer&, resources::CanaryPromotionStatus&, Versions& seen) {
  if (stored_.promotion.meta.deleted || seen.promotion != stored_.version) return false;
  stored_.promotion.meta.finalizers = {std::string(resources::kFinalizer)};
  seen.promotion = ++stored_.version;
  return true;
}
bool Simulation::Do(const RemoveFinalizer&, resources::CanaryPromotionStatus&, Versions& seen) {
  if (seen.promotion != stored_.version) return false;
  stored_.promotion.meta.finalizers.clear();
  seen.promotion = ++stored_.version;
  gone_ = stored_.promotion.meta.deleted.has_value();
  return true;
}
bool Simulation::Do(const Claim& claim, resources::CanaryPromotionStatus&, Versions& seen) {
  if (seen.stable != stable_->version()) return false;
  const bool taken = !stable_->object().meta.annotations.empty() && !ClaimIsOurs();
  if (taken && !claim.force) return false;
  Expect(busy_with_.empty(), "the claim of another promotion was taken");
  stable_->Claim(stored_.promotion.meta.uid.value);
  return true;
}
bool Simulation::Do(const Unclaim&, resources::CanaryPromotionStatus&, Versions& seen) {
  if (seen.stable != stable_->version()) return false;
  Expect(ClaimIsOurs(), "another's claim was let go");
  stable_->Claim("");
  return true;
}
bool Simulation::Do(const CreateCanary& effect, resources::CanaryPromotionStatus& status, Versions&) {
  Expect(ClaimIsOurs(), "a canary was made without the claim");
  if (!canary_) {
    canary_.emplace("web-canary", 0, Spec().image, 0, true);
    canary_->Scale(effect.replicas);
  }
  status.canary_uid = canary_->object().meta.uid;
  return true;
}
bool Simulation::Do(const ScaleCanary& effect, resources::CanaryPromotionStatus&, Versions& seen) {
  if (!canary_ || seen.canary != canary_->version()) return false;
  canary_->Scale(effect.replicas);
  return true;
}
bool Simulation::Do(const WriteStable& effect, resources::CanaryPromotionStatus&, Versions& seen) {
  if (seen.stable != stable_->version()) return false;
  Expect(ClaimIsOurs(), "stable was written without the claim");
  const auto& object = stable_->object();
  // As RenderStable: only what Split by a canary takes and gives back is written.
  const auto& baseline = Status().baseline;
  const bool moves = baseline && baseline->strategy == resources::Strategy::kCanary &&
                     baseline->capacity == Capacity::kSplit;
  Expect(moves || effect.replicas == object.replicas, "stable's replicas were to be written in Surge");
  auto configs = object.config_refs;
  for (auto& config : configs) {
    if (effect.config_maps.contains("settings")) config = effect.config_maps.at("settings");
  }
  stable_->Set(moves ? effect.replicas : object.replicas, effect.image, std::move(configs));
  return true;
}
// What nature took of it does not come back. One that was seen to have crashed whole is given up, though a
// pod of it may have come back since: that one is nature's too.
bool Simulation::Do(const DeleteCanary&, resources::CanaryPromotionStatus&, Versions& seen) {
  if (canary_) {
    const bool crashed = seen.canary_down && (scenario_.canary_crashes || scenario_.node_lost);
    owed_ += canary_->lost() + (crashed ? canary_->ready() : 0);
  }
  canary_.reset();
  return true;
}
bool Simulation::Do(const CreateCheckJob& effect, resources::CanaryPromotionStatus& status, Versions&) {
  const std::string name = CheckJobName(stored_.promotion, effect.step, effect.check);
  auto& run = effect.step == kVerification ? status.verification : status.steps.back().checks;
  Expect(!run.job_uid, "a check was asked while another one ran");
  for (const auto& result : run.results)
    Expect(result.name != effect.check.name || result.kind != effect.check.kind, "a check was asked twice");
  const auto checks = ChecksOf(Spec(), effect.step);
  const bool bad = effect.step == bad_check_ && checks.back().name == effect.check.name;
  jobs_.emplace(name, Job{false, bad ? scenario_.bad : Verdict::kPassed});
  run.job_uid = kube::Uid{name};
  return true;
}

}  // namespace slipway::canary
