// What must hold in every schedule of the simulation, at each moment and at its end.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "canary/arithmetic.h"
#include "unit/canary/simulation.h"

namespace slipway::canary {

using resources::CanaryPhase;
using resources::CanaryPromotionStatus;
using resources::Capacity;
using resources::Completion;

void Simulation::Violate(const std::string& what) {
  if (!violation_.empty()) return;
  const auto& stable = stable_->object();
  violation_ = fmt::format(
      "scenario \"{}\", seed {}, event {}, phase {}: {} (baseline {}, stable {} wanted {} ready, canary {} "
      "wanted {} ready, {})",
      scenario_.name, seed_, tick_, resources::ToString(Status().phase), what, replicas_, stable.replicas,
      stable_->ready(), canary_ ? canary_->object().replicas : 0, canary_ ? canary_->ready() : 0,
      Status().failure_reason);
}

void Simulation::CheckPromise() {
  const bool rolling = Status().baseline && Status().steps.empty();
  if (rolling) promised_ = std::max(0, std::min(promised_, replicas_ - max_unavailable_));
  // What hangs and is to stay so, its own rolling update keeps away for good.
  const bool hangs = !scenario_.stable_rolls && scenario_.on_failure == resources::OnFailure::kStay;
  if (hangs && !canary_ && Status().image_set) promised_ = std::min(promised_, replicas_ - max_unavailable_);
  const int ready = stable_->ready() + (canary_ ? canary_->ready() : 0);
  if (ready >= promised_) owed_ = 0;
  const int lost = stable_->lost() + (canary_ ? canary_->lost() : 0) + owed_;
  Expect(ready + lost >= promised_, "fewer pods serve than promised");
  Expect(stable_->ready() + stable_->lost() >= StepLeaves(),
         "fewer of stable's pods serve than the step leaves");
}

Capacity Simulation::ItsCapacity() const {
  return Status().baseline ? Status().baseline->capacity : Spec().capacity;
}

// What the step, and the one before it, leave to stable; outside of steps its baseline, less what its own
// rolling update may take away.
int Simulation::StepLeaves() const {
  const auto& steps = Status().steps;
  int least = replicas_;
  const bool split = ItsCapacity() == Capacity::kSplit && !steps.empty() && !Ended(Status().phase);
  if (split && Status().phase < CanaryPhase::kPromoting) {
    least = steps.back().stable_replicas;
    if (steps.size() > 1) least = std::min(least, steps[steps.size() - 2].stable_replicas);
  }
  if (split && Status().phase > CanaryPhase::kPromoting) {
    for (const auto& step : steps) least = std::min(least, step.stable_replicas);
  }
  const bool rolls = !split || Status().phase > CanaryPhase::kRestoring || foreign_image_;
  const int away = rolls ? max_unavailable_ : 0;
  return std::min({least, replicas_ - away, promised_ - away, foreign_image_ ? least - away : least});
}

void Simulation::CheckRoom() {
  if (ItsCapacity() != Capacity::kSplit || scenario_.scaled || !canary_) return;
  const std::int64_t most = std::int64_t{replicas_} + SurgeLimit(scenario_.max_surge, replicas_);
  Expect(stable_->object().replicas + canary_->object().replicas <= most, "more pods than spec.maxSurge");
}

void Simulation::CheckPlan(const Stored& view, const Plan& plan) {
  const auto& before = view.promotion.status;
  const auto& after = plan.status;
  if (before.paused && after.paused) CheckPaused(before, plan);
  std::set<std::string> taken;
  for (const auto& record : after.decisions)
    Expect(taken.insert(record.uid.value).second, "a Decision was taken up twice");
  if (before.spec_hash != after.spec_hash || !before.baseline || !after.baseline) return;
  Expect(after.steps.size() >= before.steps.size(), "a step was lost");
  Expect(after.steps.size() <= before.steps.size() + 1, "a step was skipped");
  if (before.phase == CanaryPhase::kAborting)
    Expect(after.phase == CanaryPhase::kAborting || after.phase == CanaryPhase::kAborted, "it came back");
  if (before.image_set) Expect(after.phase >= CanaryPhase::kPromoting, "it went back behind Promoting");
  const bool asks = !before.steps.empty() && before.steps.back().checks.job_uid;
  if (after.canary_uid && !asks) CheckWeight(after);
}

void Simulation::CheckPaused(const CanaryPromotionStatus& before, const Plan& plan) {
  Expect(plan.status.steps.size() == before.steps.size(), "a step began while paused");
  Expect(plan.status.phase == before.phase || plan.status.phase == CanaryPhase::kHolding,
         "a phase began while paused");
  for (const auto& effect : plan.effects) {
    Expect(!std::holds_alternative<CreateCheckJob>(effect), "a check began while paused");
    const auto* write = std::get_if<WriteStable>(&effect);
    Expect(write == nullptr || write->image == stable_->image(), "stable was promoted while paused");
  }
}

// Of what is wanted: pods come and go later. Those that a check is asking are not taken away meanwhile.
void Simulation::CheckWeight(const CanaryPromotionStatus& status) {
  const bool stepping = status.phase == CanaryPhase::kStarting || status.phase == CanaryPhase::kHolding ||
                        status.phase == CanaryPhase::kTesting;
  if (!stepping) return;
  const auto& step = status.steps.back();
  const bool surge = ItsCapacity() == Capacity::kSurge;
  const int replicas = surge ? std::max(1, stable_->object().replicas) : replicas_;
  const int limit = SurgeLimit(scenario_.max_surge, status.baseline->replicas);
  if (scenario_.scaled && !surge) return;
  const auto split = SplitFor(replicas, step.weight_wanted, ItsCapacity(), limit);
  Expect(split && step.canary_replicas <= split->canary, "more canary than the step asks");
}

void Simulation::CheckEnd() {
  Expect(gone_ || Over(), "it does not end");
  Expect(!canary_, "the canary was left behind");
  Expect(!ClaimIsOurs(), "the claim was left behind");
  Expect(stored_.promotion.meta.finalizers.empty(), "the finalizer was left behind");
  CheckStable();
  CheckJobs();
  const Completion completion = Status().completion;
  if (scenario_.ends && !gone_) Expect(completion == *scenario_.ends, "it ended otherwise");
  if (completion != Completion::kPromoted || scenario_.decided || foreign_image_) return;
  for (const auto& step : Status().steps) {
    Expect(step.verdict == "Passed", "a step was not passed");
    const auto checks = ChecksOf(Spec(), step.index);
    Expect(Superseded() || step.checks.results.size() == checks.size(), "a check was not asked");
  }
}

// One Job for each check, however often it was about to be made; another where the pods to ask are others.
void Simulation::CheckJobs() {
  if (Superseded() || scenario_.scaled) return;
  std::size_t asked = ChecksOf(Spec(), kVerification).size();
  for (const auto& step : Status().steps) asked += ChecksOf(Spec(), step.index).size();
  Expect(jobs_.size() <= asked, "a check has more than one Job");
}

void Simulation::CheckStable() {
  const auto& stable = stable_->object();
  const auto& status = Status();
  if (!scenario_.scaled) Expect(stable.replicas == replicas_, "stable has not its baseline");
  // With a changed spec the first attempt may have been promoted before the second was taken back.
  const bool first = Superseded() && status.completion != Completion::kPromoted;
  if (foreign_image_ || first) return;
  const bool stays = scenario_.on_failure == resources::OnFailure::kStay && status.image_set;
  const bool promoted = status.completion == Completion::kPromoted || stays;
  const bool is_new = scenario_.spec_changes ? stable.containers[0].image != Image('a')
                                             : stable.containers[0].image == Spec().image;
  const bool is_old = stable.containers[0].image == Image('a');
  Expect(promoted ? is_new : is_old, "stable has the wrong image");
  if (!scenario_.configs) return;
  const std::string& config = stable.config_refs.front();
  Expect(config == (promoted ? "settings-slipway-01234567" : "settings"), "stable names the wrong ConfigMap");
}

}  // namespace slipway::canary
