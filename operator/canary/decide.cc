#include "canary/decide.h"

#include <fmt/format.h>

#include <utility>

#include "canary/interruption.h"
#include "canary/names.h"
#include "canary/steering.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;
using resources::Readiness;
using resources::StepStatus;

class Decision : private Steering {
 public:
  using Steering::Steering;

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
    SayPaused();
    Notify();
    return std::move(plan_);
  }

 private:
  // ---- before and after ----

  // What was decided stays on record: it is not taken up again.
  void Rest() {
    const bool other = SpecHash(Spec()) != Status().spec_hash;
    auto objection = other ? NotAsMade(seen_.promotion) : std::nullopt;
    if (objection && Status().failure_reason != objection->reason)
      Report(Readiness::kFailed, std::move(objection->reason), std::move(objection->message));
    if (other && !objection) {
      resources::CanaryPromotionStatus anew;
      anew.conditions = std::move(Status().conditions);
      anew.decisions = std::move(Status().decisions);
      anew.decisions_before = Status().decisions_before;
      anew.observed_generation = seen_.promotion.meta.generation;
      Status() = std::move(anew);
      return Begin();
    }
    TakeDecisions();
    if (HasFinalizer()) Do(RemoveFinalizer{});
  }

  void Begin() {
    TakeDecisions();
    if (Ended(Status().phase)) return;
    if (auto objection = Preflight(seen_)) return Object(std::move(*objection));
    Status().failure_reason.clear();
    Status().failure_message.clear();
    if (Status().paused) {
      if (Status().phase != CanaryPhase::kPending) Enter(CanaryPhase::kPending);
      return;
    }
    Status().spec_hash = SpecHash(Spec());
    Status().started = now_;
    Status().stable_image = StableImage();
    const bool runs = AlreadyRuns(seen_);
    if (runs && Stable().RolledOut() && Spec().verification.empty()) {
      return End(CanaryPhase::kPromoted, Completion::kPromoted,
                 fmt::format("Deployment {} runs {} already", StableName(), Spec().image));
    }
    if (!HasFinalizer()) Do(AddFinalizer{});
    Status().baseline = resources::Baseline{.deployment_uid = Stable().meta.uid,
                                            .replicas = Stable().replicas,
                                            .image = StableImage(),
                                            .stable_digest = seen_.stable_digest,
                                            .template_hash = Stable().template_hash,
                                            .config_maps = NamedConfigs(Spec(), Stable()),
                                            .served = Stable().ready_replicas > 0,
                                            .strategy = resources::Strategy::kCanary,
                                            .capacity = Spec().capacity};
    if (runs || GoesRolling(seen_)) return StartRolling(runs);
    SayOverlap();
    StartStep(0);
  }

  void Object(Objection objection) {
    Status().phase = objection.may_pass ? CanaryPhase::kPending : CanaryPhase::kRefused;
    Status().failure_reason = objection.reason;
    Status().failure_message = objection.message;
    Report(objection.may_pass ? Readiness::kWaiting : Readiness::kFailed, std::move(objection.reason),
           std::move(objection.message));
    RecheckAfter(kPodsRecheck);
  }

  void SayOverlap() {
    if (!seen_.autoscaler) return;
    Tell(false, "AutoscalerCountsCanary",
         fmt::format("HorizontalPodAutoscaler {} counts the canary's pods among those of Deployment {}, for "
                     "they have all of its labels: spec.acceptAutoscalerOverlap says that this is borne",
                     seen_.autoscaler->meta.key.name, StableName()));
  }

  // No canary: stable changes at once, by its own rolling update.
  // Nor is there one where stable has the image already (`runs`): it may have failed before, so what is asked
  // of stable is asked; what names the image stays as it is written.
  void StartRolling(bool runs) {
    Status().baseline->strategy = resources::Strategy::kRolling;
    if (!runs && Spec().strategy == resources::Strategy::kCanary) {
      Tell(false, "FirstDelivery",
           fmt::format("no pod of Deployment {} serves: there is nothing to compare a canary with, so {} is "
                       "rolled out at once, without steps",
                       StableName(), Spec().image));
    }
    if (!runs) Status().stable_image = Spec().image;
    Enter(CanaryPhase::kPromoting);
    Progress(runs ? fmt::format("Deployment {} has {} already: whether it is sound is asked", StableName(),
                                Spec().image)
                  : fmt::format("Deployment {} is to roll to {}", StableName(), Spec().image));
    RecheckAfter(kNextDecision);
  }

  void StartStep(int index) {
    Status().current_step = index;
    const bool surge = Base().capacity == Capacity::kSurge;
    const int replicas = surge ? std::max(1, Stable().replicas) : Base().replicas;
    const auto split = *SplitFor(replicas, StepSpec().weight, Base().capacity, Limit());
    StepStatus step;
    step.index = index;
    step.weight_wanted = StepSpec().weight;
    step.canary_replicas = split.canary;
    step.stable_replicas = split.stable;
    step.weight_planned = split.weight;
    step.started = now_;
    Status().weight_wanted = step.weight_wanted;
    Status().weight_got = 0;
    Status().steps.push_back(std::move(step));
    ForgetDetails();
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

  // ---- under way ----

  void Continue() {
    if (seen_.stable == nullptr || seen_.stable->meta.deleted || Stable().meta.uid != Base().deployment_uid)
      return TargetGone();
    CountPods();
    if (auto cause = Interruption(seen_)) TurnBack(std::move(cause->reason), std::move(cause->message));
    const CanaryPhase before = Status().phase;
    TakeDecisions();
    // Written down before anything follows from it.
    if (Status().phase != before && Status().phase == CanaryPhase::kRestoring) return;
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
      case CanaryPhase::kVerifying:
        return Verify();
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
    step.stable_ready = Stable().ready_replicas;
    step.weight_got = Percent(step.canary_ready, std::int64_t{step.canary_ready} + step.stable_ready);
    Status().weight_got = step.weight_got;
  }

  void Start() {
    if (!Begun() || FollowStable() || !HaveCanary()) return;
    if (!Converge(Step().canary_replicas, Step().stable_replicas)) return AwaitStep();
    Step().ready_at = now_;
    Enter(CanaryPhase::kHolding);
    Hold();
  }

  // In Split it is waited for stable's pods too.
  void AwaitStep() {
    const bool stable =
        Splits() && Settled(*seen_.canary, seen_.canary->replicas) && !Settled(Stable(), Stable().replicas);
    const std::string what = !stable
                                 ? "was not ready"
                                 : fmt::format("was not ready: Deployment {} has {} of {} replicas available",
                                               StableName(), Stable().available_replicas, Stable().replicas);
    if (!InTime(stable ? "StableNotReady" : "CanaryNotReady", Describe(Step(), what))) return;
    Progress(Describe(Step(), "is being brought up") + WhyNotReady(seen_));
  }

  // True: the target is ours. Two began at once and the other one has the claim: nothing was changed yet.
  bool Begun() {
    if (Claimed()) return true;
    if (seen_.busy_with.empty()) return HaveClaim();
    if (Status().canary_uid || Status().image_set) {
      Abort("TargetBusy", fmt::format("the claim on Deployment {} was taken by CanaryPromotion {}",
                                      StableName(), seen_.busy_with));
      return false;
    }
    Status().baseline.reset();
    Status().steps.clear();
    Status().started.reset();
    Status().phase = CanaryPhase::kPending;
    Begin();
    return false;
  }

  bool HaveCanary() {
    const bool there = seen_.canary != nullptr && !seen_.canary->meta.deleted;
    // Made just before we died.
    if (!Status().canary_uid && there) {
      Status().canary_deployment = seen_.canary->meta.key.name;
      Status().canary_uid = seen_.canary->meta.uid;
    }
    if (!Status().canary_uid) {
      if (!InTime("CanaryNotReady", "the canary Deployment could not be made")) return false;
      Status().canary_deployment = CanaryName(seen_.promotion);
      Do(CreateCanary{FirstBatch()});
      return false;
    }
    if (there && Status().canary_template_hash.empty())
      Status().canary_template_hash = seen_.canary->template_hash;
    if (there) return true;
    Abort("CanaryVanished",
          fmt::format("the canary Deployment {} was deleted by somebody else", Status().canary_deployment));
    return false;
  }
  int FirstBatch() const {
    return Splits() ? std::min(Step().canary_replicas, Limit()) : Step().canary_replicas;
  }

  void Hold() {
    if (!CanaryWhole(Step().canary_replicas) || Shrinks()) return;
    const TimePoint until = Step().ready_at.value_or(now_) + StepSpec().hold;
    if (now_ < until) {
      Progress(fmt::format("{} until {}", Describe(Step(), "is held"), FormatTime(until)));
      return RecheckAfter(until - now_);
    }
    if (Status().paused) return;
    Enter(CanaryPhase::kTesting);
    Test();
  }

  // A check asks the canary's pods at their addresses: while its Job runs none of them goes, whatever becomes
  // of stable meanwhile. The weight follows between checks, before the next one is asked.
  void Test() {
    if (!CanaryWhole(Step().canary_replicas)) return;
    if (!Step().checks.job_uid && Shrinks()) return;
    if (RunChecks(Status().current_step)) PassStep();
  }

  void PassStep() {
    Step().verdict = "Passed";
    Step().finished = now_;
    const int next = Status().current_step + 1;
    if (static_cast<std::size_t>(next) < Spec().steps.size()) {
      StartStep(next);
    } else {
      Enter(CanaryPhase::kRestoring);
      SayRestoring();
    }
    // Written down first, for the same reason as in GoBack.
    RecheckAfter(kNextDecision);
  }
  void SayRestoring() {
    if (!Splits())
      return Progress(fmt::format("every step passed: Deployment {} changes next", StableName()));
    Progress(fmt::format("every step passed: Deployment {} goes back to {} replicas before it changes",
                         StableName(), Base().replicas));
  }

  void Restore() {
    if (!CanaryWhole(KeptCanary()) || Shrinks()) return;
    const bool back = !Splits() || Converge(KeptCanary(), Base().replicas);
    if (back && Status().paused) return;
    if (back) {
      Enter(CanaryPhase::kPromoting);
      Status().stable_image = Spec().image;
      // Written down before stable is changed: the next decision changes it.
      Progress(fmt::format("Deployment {} is to roll to {}", StableName(), Spec().image));
      return RecheckAfter(kNextDecision);
    }
    if (!InTime("StableNotReady", fmt::format("Deployment {} did not get back to {} available replicas",
                                              StableName(), Base().replicas))) {
      return;
    }
    SayRestoring();
  }

  void Promote() {
    if (!Begun()) return;
    if (!Delivered()) return Deliver();
    Status().image_set = true;
    if (Stable().RolledOut()) {
      if (Status().paused) return;
      const bool asked = !Spec().verification.empty() && Stable().replicas > 0;
      Enter(asked ? CanaryPhase::kVerifying : CanaryPhase::kFinishing);
      Progress(fmt::format("Deployment {} runs {} on every replica", StableName(), Status().stable_image));
      return RecheckAfter(kNextDecision);
    }
    AwaitRollout();
  }

  void Deliver() {
    if (Status().paused || !CanaryWhole(KeptCanary()) || !AwaitRollout()) return;
    Write(WantedReplicas(), Status().stable_image, WantedConfigs(Spec(), Stable()));
    Status().image_set = true;
  }

  bool AwaitRollout() {
    if (!InTime("StableNotRolledOut",
                fmt::format("Deployment {} did not roll out {}", StableName(), Status().stable_image))) {
      return false;
    }
    Progress(fmt::format("Deployment {}: {} of {} replicas run the new image{}", StableName(),
                         Stable().updated_replicas, Stable().replicas,
                         Rolling() ? "" : "; the canary still serves"));
    return true;
  }

  void Verify() {
    if (!RunChecks(kVerification)) return;
    Enter(CanaryPhase::kFinishing);
    Progress("stable was verified: the canary is taken away");
    RecheckAfter(kNextDecision);
  }

  // Verification may have taken hours: the canary goes only when stable can do without it now.
  void Finish() {
    const bool serving = seen_.canary != nullptr && !seen_.canary->meta.deleted;
    if (serving && Base().served && !Stable().RolledOut()) {
      AwaitRollout();
      return;
    }
    if (!CleanUp()) return Progress("stable is done: the canary is taken away");
    End(CanaryPhase::kPromoted, Completion::kPromoted,
        fmt::format("Deployment {} runs {} on {} replicas", StableName(), Status().stable_image,
                    Stable().replicas));
  }
};

}  // namespace

Plan Decide(const Seen& seen, TimePoint now) { return Decision(seen, now).Make(); }

bool Ended(CanaryPhase phase) { return phase == CanaryPhase::kPromoted || phase == CanaryPhase::kAborted; }

}  // namespace slipway::canary
