#include "canary/decide.h"

#include <fmt/format.h>

#include <utility>

#include "canary/arithmetic.h"
#include "canary/draft.h"
#include "canary/interruption.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/wording.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;
using resources::Deployment;
using resources::Readiness;
using resources::StepStatus;

constexpr Duration kPodsRecheck = std::chrono::seconds(10);
constexpr Duration kNextDecision = std::chrono::milliseconds(200);

// kubectl's `rollout status`: the spec was seen, its pods are there and available, and no other is left.
bool Settled(const Deployment& deployment, int replicas) {
  return deployment.observed_generation >= deployment.meta.generation &&
         deployment.available_replicas >= replicas && deployment.updated_replicas >= replicas &&
         deployment.status_replicas <= deployment.replicas;
}

class Decision : private Draft {
 public:
  using Draft::Draft;

  Plan Make() && {
    if (seen_.promotion.meta.deleted) {
      Leave();
    } else if (Ended(Status().phase)) {
      Rest();
    } else if (!Status().baseline) {
      Begin();
    } else {
      Continue();
    }
    Notify();
    return std::move(plan_);
  }

 private:
  // ---- before and after ----

  void Rest() {
    if (SpecHash(Spec()) != Status().spec_hash) {
      const auto conditions = Status().conditions;
      Status() = {};
      Status().conditions = conditions;
      Status().observed_generation = seen_.promotion.meta.generation;
      return Begin();
    }
    if (HasFinalizer()) Do(RemoveFinalizer{});
  }

  void Begin() {
    if (auto objection = Preflight(seen_)) {
      Status().phase = objection->may_pass ? CanaryPhase::kPending : CanaryPhase::kRefused;
      Status().failure_reason = objection->reason;
      Status().failure_message = objection->message;
      Report(objection->may_pass ? Readiness::kWaiting : Readiness::kFailed, objection->reason,
             objection->message);
      return RecheckAfter(kPodsRecheck);
    }
    Status().failure_reason.clear();
    Status().failure_message.clear();
    Status().spec_hash = SpecHash(Spec());
    Status().started = now_;
    Status().stable_image = StableImage();
    if (AlreadyRuns(seen_)) {
      return End(CanaryPhase::kPromoted, Completion::kPromoted,
                 fmt::format("Deployment {} runs {} already", seen_.stable->meta.key.name, Spec().image));
    }
    if (!HasFinalizer()) Do(AddFinalizer{});
    Status().baseline = resources::Baseline{.deployment_uid = seen_.stable->meta.uid,
                                            .replicas = seen_.stable->replicas,
                                            .image = StableImage(),
                                            .stable_digest = seen_.stable_digest,
                                            .template_hash = seen_.stable->template_hash};
    StartStep(0);
  }

  void StartStep(int index) {
    Status().current_step = index;
    const auto split = *SplitFor(Base().replicas, StepSpec().weight, Spec().capacity);
    StepStatus step;
    step.index = index;
    step.weight_wanted = StepSpec().weight;
    step.canary_replicas = split.canary;
    step.stable_replicas = split.stable;
    step.started = now_;
    Status().weight_wanted = step.weight_wanted;
    Status().weight_got = 0;
    Status().steps.push_back(std::move(step));
    Enter(CanaryPhase::kStarting);
    Progress(Describe(Step(), "is being brought up"));
    RecheckAfter(kPodsRecheck);
  }

  void Leave() {
    if (!HasFinalizer()) return;
    if (Status().baseline && !Ended(Status().phase)) {
      const bool ending =
          Status().phase == CanaryPhase::kAborting || Status().phase == CanaryPhase::kFinishing;
      if (!ending) TurnBack("Deleted", "the CanaryPromotion was deleted before its end");
      return Continue();
    }
    if (Claimed()) Do(Unclaim{});
    Do(RemoveFinalizer{});
  }

  void End(CanaryPhase phase, Completion completion, std::string message) {
    Enter(phase);
    Status().completion = completion;
    Status().finished = now_;
    switch (completion) {
      case Completion::kPromoted:
        return Report(Readiness::kReady, "Promoted", std::move(message));
      case Completion::kSuperseded:
        return Report(Readiness::kFailed, "Superseded", std::move(message));
      default:
        return Report(Readiness::kFailed, Status().failure_reason, std::move(message));
    }
  }

  // ---- under way ----

  void Continue() {
    if (seen_.stable == nullptr || seen_.stable->meta.deleted ||
        seen_.stable->meta.uid != Base().deployment_uid) {
      return TargetGone();
    }
    CountPods();
    if (auto cause = Interruption(seen_)) TurnBack(std::move(cause->reason), std::move(cause->message));
    switch (Status().phase) {
      case CanaryPhase::kStarting:
        return Start();
      case CanaryPhase::kHolding:
        return Hold();
      case CanaryPhase::kTesting:
        return Test();
      case CanaryPhase::kRestoring:
        return Restore();
      case CanaryPhase::kPromoting:
        return Promote();
      case CanaryPhase::kFinishing:
        return Finish();
      default:
        return GoBack();
    }
  }

  // The canary goes with its owner; there is nothing left to restore.
  void TargetGone() {
    if (seen_.canary != nullptr) Do(DeleteCanary{});
    if (Status().failure_reason.empty()) {
      Status().failure_reason = "TargetGone";
      Status().failure_message = fmt::format("Deployment {} was deleted, or replaced by another of its name",
                                             Spec().target.deployment);
    }
    Status().aborted_at = Status().aborted_at.value_or(now_);
    End(CanaryPhase::kAborted, Completion::kAborted, Status().failure_message);
  }

  void CountPods() {
    if (Status().steps.empty()) return;
    StepStatus& step = Step();
    if (step.finished) return;
    step.canary_ready = seen_.canary == nullptr ? 0 : seen_.canary->ready_replicas;
    step.stable_ready = seen_.stable->ready_replicas;
    step.weight_got = Percent(step.canary_ready, step.canary_ready + step.stable_ready);
    Status().weight_got = step.weight_got;
  }

  // Until then it is waited for pods; then the promotion is aborted for `reason`. True: there is time.
  bool InTime(std::string reason, std::string what) {
    const Duration left = *Status().phase_since + Spec().progress_deadline - now_;
    if (left.count() > 0) {
      RecheckAfter(std::min(left, kPodsRecheck));
      return true;
    }
    Abort(std::move(reason), fmt::format("{} within spec.progressDeadline ({}){}", what,
                                         FormatDuration(Spec().progress_deadline), WhyNotReady(seen_)));
    return false;
  }

  void Start() {
    if (!HaveCanary()) return;
    if (!Converge(Step().canary_replicas, Step().stable_replicas)) {
      if (InTime("CanaryNotReady", Describe(Step(), "was not ready"))) {
        Progress(Describe(Step(), "is being brought up") + WhyNotReady(seen_));
      }
      return;
    }
    Step().ready_at = now_;
    Enter(CanaryPhase::kHolding);
    Hold();
  }

  // True: the target is ours and the canary is there.
  bool HaveCanary() {
    if (!Claimed()) {
      if (!seen_.busy_with.empty()) {
        GiveWay();
      } else if (InTime("TargetBusy", "the target could not be claimed")) {
        Do(Claim{!Claimant().empty()});
      }
      return false;
    }
    if (!Status().canary_uid) {
      if (!InTime("CanaryNotReady", "the canary Deployment could not be made")) return false;
      Status().canary_deployment = CanaryName(seen_.promotion);
      Do(CreateCanary{Step().canary_replicas});
      return false;
    }
    if (seen_.canary != nullptr && !seen_.canary->meta.deleted) return true;
    Abort("CanaryVanished",
          fmt::format("the canary Deployment {} was deleted by somebody else", Status().canary_deployment));
    return false;
  }

  // Two began at once and the other one has the claim: nothing was changed yet.
  void GiveWay() {
    Status().baseline.reset();
    Status().steps.clear();
    Status().started.reset();
    Begin();
  }

  // More pods first, and fewer only once those are available: in sum there are never less than the baseline.
  bool Converge(int canary, int stable) {
    const bool split = Spec().capacity == Capacity::kSplit;
    if (seen_.canary->replicas < canary) return Scale(canary);
    if (split && seen_.stable->replicas < stable) return Write(stable, Base().image);
    if (!Settled(*seen_.canary, canary)) return false;
    if (split && !Settled(*seen_.stable, stable)) return false;
    if (seen_.canary->replicas > canary) return Scale(canary);
    if (split && seen_.stable->replicas > stable) return Write(stable, Base().image);
    return true;
  }
  bool Scale(int replicas) {
    Do(ScaleCanary{replicas});
    return false;
  }
  bool Write(int replicas, const std::string& image) {
    Do(WriteStable{replicas, image});
    return false;
  }

  // False: a pod of the canary is not available any more, or the canary is gone.
  bool CanaryWhole() {
    const int available = seen_.canary == nullptr ? 0 : seen_.canary->available_replicas;
    if (available >= Step().canary_replicas) return true;
    Abort("CanaryUnhealthy", fmt::format("only {} of {} pods of the canary are still available{}", available,
                                         Step().canary_replicas, WhyNotReady(seen_)));
    return false;
  }

  void Hold() {
    if (!CanaryWhole()) return;
    const TimePoint until = Step().ready_at.value_or(now_) + StepSpec().hold;
    if (now_ < until) {
      Progress(fmt::format("{} until {}", Describe(Step(), "is held"), FormatTime(until)));
      return RecheckAfter(until - now_);
    }
    Enter(CanaryPhase::kTesting);
    Test();
  }

  void Test() {
    StepStatus& step = Step();
    if (seen_.smoke && step.smoke_job_uid && step.smoke.size() < Spec().smoke_tests.size()) {
      if (!TakeResult(*seen_.smoke)) return;
    }
    if (step.smoke.size() >= Spec().smoke_tests.size()) return PassStep();
    const auto& test = Spec().smoke_tests[step.smoke.size()];
    if (step.smoke_job_uid) return AwaitResult(test);
    if (!CanaryWhole()) return;
    if (!InTime("SmokeTestError", fmt::format("the Job of smoke test {} could not be made", test.name)))
      return;
    step.smoke_job_name = SmokeJobName(seen_.promotion, step.index, test.name);
    Do(CreateSmokeJob{step.index, test});
    Progress(fmt::format("smoke test {} of step {} starts", test.name, step.index + 1));
  }

  // A Job that is not there any more has no result.
  void AwaitResult(const resources::SmokeTest& test) {
    if (!CanaryWhole()) return;
    if (!seen_.smoke) {
      return Abort("SmokeTestError",
                   fmt::format("Job {} of smoke test {} was deleted before its result was read",
                               Step().smoke_job_name.value_or(""), test.name));
    }
    const Duration most = test.timeout + Spec().progress_deadline;
    if (now_ >= *Status().phase_since + most) {
      return Abort("SmokeTestError",
                   fmt::format("Job {} of smoke test {} gave no result within {}",
                               Step().smoke_job_name.value_or(""), test.name, FormatDuration(most)));
    }
    Progress(fmt::format("smoke test {} of step {} runs", test.name, Step().index + 1));
    RecheckAfter(kPodsRecheck);
  }

  // False: there is none yet, or the step ended with it.
  bool TakeResult(const SmokeOutcome& outcome) {
    using State = SmokeOutcome::State;
    StepStatus& step = Step();
    const auto& test = Spec().smoke_tests[step.smoke.size()];
    if (outcome.state == State::kRunning) {
      AwaitResult(test);
      return false;
    }
    resources::SmokeResult result = outcome.result;
    result.name = test.name;
    result.passed = outcome.state == State::kPassed;
    result.finished = result.finished.value_or(now_);
    step.smoke.push_back(result);
    if (!result.passed) {
      step.verdict = "Failed";
      step.finished = now_;
      Abort(outcome.reason,
            fmt::format("smoke test {} at {}%: {}", test.name, step.weight_got, result.message));
      return false;
    }
    if (step.smoke.size() < Spec().smoke_tests.size()) {
      step.smoke_job_name.reset();
      step.smoke_job_uid.reset();
      Enter(CanaryPhase::kTesting);
    }
    return true;
  }

  void PassStep() {
    Step().verdict = "Passed";
    Step().finished = now_;
    const int next = Status().current_step + 1;
    if (static_cast<std::size_t>(next) < Spec().steps.size()) {
      StartStep(next);
    } else {
      Enter(CanaryPhase::kRestoring);
      Progress(fmt::format("every step passed: Deployment {} goes back to {} replicas before it changes",
                           seen_.stable->meta.key.name, Base().replicas));
    }
    // Written down first, for the same reason as in GoBack.
    RecheckAfter(kNextDecision);
  }

  void Restore() {
    if (!CanaryWhole()) return;
    if (RestoreReplicas(Base().image)) {
      Enter(CanaryPhase::kPromoting);
      Status().stable_image = Spec().image;
      // Written down before stable is changed: the next decision changes it.
      Progress(fmt::format("Deployment {} is to roll to {}", seen_.stable->meta.key.name, Spec().image));
      return RecheckAfter(kNextDecision);
    }
    if (!InTime("StableNotReady", fmt::format("Deployment {} did not get back to {} available replicas",
                                              seen_.stable->meta.key.name, Base().replicas))) {
      return;
    }
    Progress(fmt::format("every step passed: Deployment {} goes back to {} replicas before it changes",
                         seen_.stable->meta.key.name, Base().replicas));
  }

  // Never fewer than the baseline; more are somebody's wish.
  bool RestoreReplicas(const std::string& image) {
    if (Spec().capacity == Capacity::kSurge) return true;
    if (seen_.stable->replicas < Base().replicas) return Write(Base().replicas, image);
    return Settled(*seen_.stable, Base().replicas);
  }

  void Promote() {
    if (!Status().image_set && !CanaryWhole()) return;
    if (StableImage() != Status().stable_image) Do(WriteStable{WantedReplicas(), Status().stable_image});
    Status().image_set = true;
    if (plan_.effects.empty() && seen_.stable->RolledOut()) {
      Enter(CanaryPhase::kFinishing);
      return Finish();
    }
    if (!InTime("StableNotRolledOut", fmt::format("Deployment {} did not roll out {}",
                                                  seen_.stable->meta.key.name, Status().stable_image))) {
      return;
    }
    Progress(fmt::format("Deployment {}: {} of {} replicas run the new image; the canary still serves",
                         seen_.stable->meta.key.name, seen_.stable->updated_replicas,
                         seen_.stable->replicas));
  }

  int WantedReplicas() {
    const bool split = Spec().capacity == Capacity::kSplit;
    return split ? std::max(seen_.stable->replicas, Base().replicas) : seen_.stable->replicas;
  }

  void Finish() {
    if (!CleanUp()) return Progress("stable is done: the canary is taken away");
    End(CanaryPhase::kPromoted, Completion::kPromoted,
        fmt::format("Deployment {} runs {} on {} replicas", seen_.stable->meta.key.name,
                    Status().stable_image, seen_.stable->replicas));
  }

  // True: neither the canary nor the claim is there any more.
  bool CleanUp() {
    if (seen_.canary != nullptr && !seen_.canary->meta.deleted) Do(DeleteCanary{});
    if (Claimed()) Do(Unclaim{});
    RecheckAfter(std::chrono::seconds(1));
    return seen_.canary == nullptr && !Claimed();
  }

  // ---- the way back ----

  // Whatever was about to be done is not done.
  void TurnBack(std::string reason, std::string message) {
    plan_.effects.clear();
    Status().failure_reason = std::move(reason);
    Status().failure_message = Clipped(std::move(message));
    Status().aborted_at = now_;
    Enter(CanaryPhase::kAborting);
  }
  void Abort(std::string reason, std::string message) {
    TurnBack(std::move(reason), std::move(message));
    GoBack();
  }

  // Stable first: its replicas, and its old image where we had set the new one. Then the canary goes; at once
  // if nothing of it serves.
  void GoBack() {
    Progress(fmt::format("going back: {}", Status().failure_message));
    // Written down before anything is done: else, after a crash, what we did would look like somebody else's
    // doing.
    if (seen_.promotion.status.phase != CanaryPhase::kAborting) return RecheckAfter(kNextDecision);
    if (seen_.canary != nullptr) Status().canary_uid = seen_.canary->meta.uid;
    const bool restored = RestoreStable();
    const bool canary_serves = seen_.canary != nullptr && seen_.canary->available_replicas > 0;
    if (!restored && canary_serves) return RecheckAfter(kPodsRecheck);
    if (!restored && seen_.canary != nullptr && !seen_.canary->meta.deleted) Do(DeleteCanary{});
    if (!restored) return RecheckAfter(kPodsRecheck);
    if (!CleanUp()) return;
    const bool superseded = Superseding(Status().failure_reason);
    End(CanaryPhase::kAborted, superseded ? Completion::kSuperseded : Completion::kAborted,
        fmt::format("{}; Deployment {} serves {} on {} replicas", Status().failure_message,
                    seen_.stable->meta.key.name, StableImage(), seen_.stable->replicas));
  }

  // Whose image is it that stable has? Ours goes; what somebody else has set meanwhile stays.
  bool RestoreStable() {
    const bool promoted = Status().stable_image != Base().image;
    const bool ours = promoted && StableImage() == Status().stable_image;
    const std::string image = ours ? Base().image : StableImage();
    const int replicas = WantedReplicas();
    if (image != StableImage() || seen_.stable->replicas != replicas) return Write(replicas, image);
    if (promoted) return seen_.stable->RolledOut();
    return seen_.stable->observed_generation >= seen_.stable->meta.generation &&
           seen_.stable->available_replicas >= replicas;
  }
};

}  // namespace

Plan Decide(const Seen& seen, TimePoint now) { return Decision(seen, now).Make(); }

bool Ended(CanaryPhase phase) { return phase == CanaryPhase::kPromoted || phase == CanaryPhase::kAborted; }

}  // namespace slipway::canary
