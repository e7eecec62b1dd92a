#include "canary/course.h"

#include <fmt/format.h>

#include <utility>

namespace slipway::canary {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;
using resources::Deployment;
using resources::Readiness;

bool Settled(const Deployment& deployment, int replicas) {
  return deployment.observed_generation >= deployment.meta.generation &&
         deployment.available_replicas >= replicas && deployment.updated_replicas >= replicas &&
         deployment.status_replicas <= deployment.replicas;
}

bool Course::InTime() const { return now_ < Status().phase_since.value_or(now_) + Spec().progress_deadline; }

bool Course::InTime(std::string reason, std::string what) {
  const Duration left = *Status().phase_since + Spec().progress_deadline - now_;
  if (left.count() > 0) {
    RecheckAfter(std::min(left, kPodsRecheck));
    return true;
  }
  Abort(std::move(reason),
        fmt::format("{} within spec.progressDeadline ({}){}", what, FormatDuration(Spec().progress_deadline),
                    WhyNotReady(seen_) + WhyRefused(seen_.promotion.status)));
  return false;
}

bool Course::HaveClaim() {
  if (Claimed()) return true;
  if (InTime("TargetBusy", "the target could not be claimed")) Do(Claim{!Claimant().empty()});
  return false;
}

void Course::ForgetDetails() {
  constexpr std::size_t kDetailed = 8;
  auto& steps = Status().steps;
  if (steps.size() <= kDetailed + 1) return;
  for (auto& result : steps[steps.size() - kDetailed - 2].checks.results) {
    result.message.clear();
    result.versions.clear();
    result.share.reset();
    result.comparison.reset();
  }
}

// ---- pods ----

bool Course::Converge(int canary, int stable) {
  const Deployment& ours = *seen_.canary;
  if (!Splits()) {
    if (ours.replicas < canary) return Scale(canary);
    if (!Settled(ours, canary)) return false;
    return ours.replicas == canary || Scale(canary);
  }
  const Move move{.now = {ours.replicas, Stable().replicas},
                  .there = {ours.status_replicas, Stable().status_replicas},
                  .wanted = {canary, stable},
                  .least = Base().replicas,
                  .most = std::int64_t{Base().replicas} + Limit()};
  Pods next = Grown(move);
  if (next == move.now) {
    if (!Settled(ours, ours.replicas) || !Settled(Stable(), Stable().replicas)) return false;
    next = Shrunk(move);
  }
  if (next.canary != move.now.canary) Do(ScaleCanary{next.canary});
  if (next.stable != move.now.stable) Write(next.stable, Base().image, NamedConfigs(Spec(), Stable()));
  return move.now == move.wanted;
}

bool Course::Scale(int replicas) {
  Do(ScaleCanary{replicas});
  return false;
}

bool Course::FollowStable() {
  if (Rolling() || Base().capacity != Capacity::kSurge) return false;
  const int stable = std::max(1, Stable().replicas);
  const auto split = *SplitFor(stable, Step().weight_wanted, Capacity::kSurge, Limit());
  if (split.canary >= Step().canary_replicas) return false;
  Step().canary_replicas = split.canary;
  Step().weight_planned = split.weight;
  Progress(
      fmt::format("Deployment {} was scaled to {}: the canary shrinks to {}, so that its share stays "
                  "what step {} asks",
                  StableName(), Stable().replicas, split.canary, Step().index + 1));
  RecheckAfter(kNextDecision);
  return true;
}

bool Course::Shrinks() {
  if (FollowStable()) return true;
  const bool surge = !Rolling() && Base().capacity == Capacity::kSurge;
  if (!surge || seen_.canary == nullptr || seen_.canary->replicas < Step().canary_replicas) return false;
  if (Converge(Step().canary_replicas, 0)) return false;
  RecheckAfter(std::chrono::seconds(1));
  return true;
}

int Course::KeptCanary() const {
  if (Rolling()) return 0;
  return Splits() ? std::min(Step().canary_replicas, Limit()) : Step().canary_replicas;
}

bool Course::WholeNow(int wanted) const {
  return wanted == 0 || (seen_.canary != nullptr && seen_.canary->available_replicas >= wanted);
}

bool Course::CanaryWhole(int wanted) {
  if (WholeNow(wanted)) return true;
  Abort("CanaryUnhealthy", fmt::format("only {} of {} pods of the canary are still available{}",
                                       seen_.canary == nullptr ? 0 : seen_.canary->available_replicas, wanted,
                                       WhyNotReady(seen_)));
  return false;
}

// Somebody may have taken the claim off meanwhile: it is had again first.
void Course::Write(int replicas, std::string image, Configs configs) {
  if (!Claimed()) {
    if (seen_.busy_with.empty()) Do(Claim{!Claimant().empty()});
    return RecheckAfter(kNextDecision);
  }
  Do(WriteStable{replicas, std::move(image), std::move(configs)});
}

int Course::WantedReplicas() const {
  return Splits() ? std::max(Stable().replicas, Base().replicas) : Stable().replicas;
}

bool Course::CleanUp() {
  if (seen_.canary != nullptr && !seen_.canary->meta.deleted) Do(DeleteCanary{});
  if (Claimed()) Do(Unclaim{});
  RecheckAfter(std::chrono::seconds(1));
  return seen_.canary == nullptr && !Claimed();
}

void Course::End(CanaryPhase phase, Completion completion, std::string message) {
  Enter(phase);
  Status().completion = completion;
  Status().finished = now_;
  Status().paused.reset();
  switch (completion) {
    case Completion::kPromoted:
      return Report(Readiness::kReady, "Promoted", std::move(message));
    case Completion::kSuperseded:
      return Report(Readiness::kFailed, "Superseded", std::move(message));
    default:
      return Report(Readiness::kFailed, Status().failure_reason, std::move(message));
  }
}

// ---- the way back ----

// That stable was changed may not be written down yet: nobody but us has claimed it.
void Course::TurnBack(std::string reason, std::string message) {
  plan_.effects.clear();
  const bool there = seen_.stable != nullptr && seen_.stable->meta.uid == Base().deployment_uid;
  if (seen_.promotion.status.phase == CanaryPhase::kPromoting) {
    Status().image_set =
        seen_.promotion.status.image_set || (there && Claimed() && StableImage() == Status().stable_image &&
                                             Stable().template_hash != Base().template_hash);
  }
  Status().failure_reason = std::move(reason);
  Status().failure_message = Clipped(std::move(message));
  Status().aborted_at = now_;
  Status().paused.reset();
  Enter(CanaryPhase::kAborting);
}

void Course::Abort(std::string reason, std::string message) {
  TurnBack(std::move(reason), std::move(message));
  GoBack();
}

// Stable first: its replicas, and its old image where we had set the new one. Then the canary goes; at once
// if nothing of it serves, for what it holds may be what stable's pods need.
void Course::GoBack() {
  Progress(fmt::format("going back: {}{}", Status().failure_message, Waiting()));
  // Written down before anything is done: else, after a crash, what we did would look like somebody else's
  // doing.
  if (seen_.promotion.status.phase != CanaryPhase::kAborting) return RecheckAfter(kNextDecision);
  if (seen_.canary != nullptr) Status().canary_uid = seen_.canary->meta.uid;
  if (Untouched() || RestoreStable()) {
    if (CleanUp()) EndAborted();
    return;
  }
  RecheckAfter(kPodsRecheck);
  if (seen_.canary == nullptr || seen_.canary->meta.deleted) return;
  if (seen_.canary->available_replicas == 0 && !StandsIn()) return Do(DeleteCanary{});
  ShrinkCanary();
}

// While stable rolls back it may take maxUnavailable of its pods away at any moment: a canary that has lost
// its pods to a node may have them back by then. It is not waited for longer than for any other pods.
bool Course::StandsIn() const {
  const bool rolls = Status().image_set && MaxUnavailable(Stable().max_unavailable, Stable().replicas) > 0;
  return rolls && InTime();
}

std::string Course::Waiting() const {
  const Deployment& stable = Stable();
  if (stable.paused) {
    return fmt::format("; Deployment {} is paused: `kubectl -n {} rollout resume deployment/{}`",
                       StableName(), stable.meta.key.ns, StableName());
  }
  const int least = std::min(stable.available_replicas, stable.updated_replicas);
  return fmt::format("; Deployment {} has {} of {} replicas available and of one template", StableName(),
                     least, WantedReplicas());
}

// With little room above the baseline stable comes back in batches, and the canary goes in batches.
void Course::ShrinkCanary() {
  const bool waits = plan_.effects.empty() && Splits() && Stable().replicas < Base().replicas;
  if (!waits || !Settled(Stable(), Stable().replicas)) return;
  const int kept = std::max(0, Base().replicas - Stable().replicas);
  if (seen_.canary->replicas > kept) Do(ScaleCanary{kept});
}

// Somebody took it off on the way back, and the canary is gone with pods that stable has yet to get. Where
// another promotion has the claim since, stable is that one's to scale.
bool Course::ClaimWasLost() const {
  const bool nobodys = Claimant().empty() && seen_.busy_with.empty() && seen_.canary == nullptr;
  return nobodys && Splits() && Status().canary_uid && Stable().replicas < Base().replicas;
}

// Nothing is changed before the claim, nor after it was let go: what stable then has is somebody's wish.
bool Course::Untouched() const {
  if (Claimed() || seen_.canary != nullptr || ClaimWasLost()) return false;
  const bool ours = Status().image_set && !StaysPut() && StableImage() == Status().stable_image;
  return !ours || (StableImage() == Base().image && Names(Stable(), Base().config_maps));
}

bool Course::Changed() const {
  const bool same =
      Base().image == Status().stable_image && WantedConfigs(Spec(), Stable()) == Base().config_maps;
  return Status().image_set && !same;
}

bool Course::StaysPut() const {
  return Status().image_set && Spec().on_failure == resources::OnFailure::kStay;
}

// Whose image is it that stable has? Ours goes; what somebody else has set meanwhile stays.
bool Course::RestoreStable() {
  const bool ours = Status().image_set && StableImage() == Status().stable_image;
  const bool back = ours && !StaysPut();
  const std::string image = back ? Base().image : StableImage();
  const Configs configs = back ? Base().config_maps : NamedConfigs(Spec(), Stable());
  int replicas = WantedReplicas();
  if (Splits() && seen_.canary != nullptr) {
    const std::int64_t canary = std::max(seen_.canary->replicas, seen_.canary->status_replicas);
    const std::int64_t room = std::int64_t{Base().replicas} + Limit() - canary;
    replicas = static_cast<int>(std::clamp<std::int64_t>(room, Stable().replicas, replicas));
  }
  const bool written =
      image == StableImage() && Stable().replicas == replicas && (!back || Names(Stable(), configs));
  if (!written) Write(replicas, image, configs);
  return written && replicas >= WantedReplicas() && Restored();
}

// Where nothing served before there is nothing to wait for; nor where a rollout that failed is left as it is
// and there is no canary to take away.
bool Course::Restored() const {
  const bool nothing_to_lose = !Base().served || (StaysPut() && seen_.canary == nullptr);
  if (nothing_to_lose) return true;
  if (Status().image_set && !StaysPut()) return Stable().RolledOut();
  if (Stable().observed_generation < Stable().meta.generation) return false;
  // One that hangs keeps maxUnavailable of its pods away for good, and is to stay so: the canary does not
  // stand in for them for longer than pods are waited for elsewhere.
  return Stable().available_replicas >= Stable().replicas || (StaysPut() && !InTime());
}

void Course::EndAborted() {
  const bool superseded = Superseding(Status().failure_reason);
  const bool back = Changed() && !StaysPut();
  const Completion completion = superseded ? Completion::kSuperseded
                                : back     ? Completion::kRolledBack
                                           : Completion::kAborted;
  std::string message = fmt::format("{}; Deployment {} has {} on {} replicas", Status().failure_message,
                                    StableName(), StableImage(), Stable().replicas);
  if (StaysPut()) message += ", and keeps it: spec.onFailure is Stay";
  End(CanaryPhase::kAborted, completion, std::move(message));
}

}  // namespace slipway::canary
