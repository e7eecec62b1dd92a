#include "canary/steering.h"

#include <fmt/format.h>

#include <utility>

#include "canary/decisions.h"
#include "canary/names.h"

namespace slipway::canary {

using resources::CanaryPhase;
using resources::Completion;
using resources::Readiness;
using resources::Verb;

void Steering::TakeDecisions() {
  for (const auto& decision : seen_.decisions) {
    const bool whole = !Status().steps.empty() && WholeNow(Step().canary_replicas);
    const auto judged = canary::Judge(*decision, seen_, Status(), whole, now_);
    if (judged.fate != Fate::kFollowed && judged.fate != Fate::kRefused) continue;
    MakeRoom(Status());
    Record(*decision, judged.why);
    if (judged.fate == Fate::kFollowed) Follow(decision->spec);
  }
}

void Steering::Record(const resources::Decision& decision, const std::string& refused) {
  auto record = resources::RecordOf(decision);
  record.refused = refused;
  const std::string said =
      fmt::format("{} of {} ({})", resources::ToString(record.verb), record.actor, record.name);
  Status().decisions.push_back(std::move(record));
  if (refused.empty()) return Tell(false, "DecisionFollowed", said + " is followed");
  Tell(true, "DecisionRefused", fmt::format("{} is not followed: {}", said, refused));
}

void Steering::Follow(const resources::DecisionSpec& decision) {
  const std::string why = decision.reason.empty() ? std::string() : ": " + decision.reason;
  switch (decision.verb) {
    case Verb::kPause:
      Status().paused = resources::Pause{decision.actor, Clipped(decision.reason), now_};
      return;
    case Verb::kResume:
      return Resume();
    case Verb::kPromote:
      Resume();
      return SkipSteps(fmt::format("{} promotes{}", decision.actor, why));
    default:
      return StopFor(fmt::format("{} aborted it{}", decision.actor, why));
  }
}

// The time for which it was paused is no time that was waited for pods.
void Steering::Resume() {
  Status().paused.reset();
  if (Status().phase_since) Status().phase_since = now_;
}

void Steering::SkipSteps(const std::string& said) {
  Step().finished = now_;
  Step().checks.job_name.reset();
  Step().checks.job_uid.reset();
  Enter(CanaryPhase::kRestoring);
  Progress(
      fmt::format("{}: the rest of the steps is skipped, Deployment {} goes back to {} replicas before it "
                  "changes",
                  said, StableName(), Base().replicas));
  RecheckAfter(kNextDecision);
}

void Steering::StopFor(std::string message) {
  constexpr std::string_view kReason = "AbortedByDecision";
  if (Status().baseline) return TurnBack(std::string(kReason), std::move(message));
  Status().failure_reason = kReason;
  Status().failure_message = Clipped(message);
  Status().spec_hash = SpecHash(Spec());
  Status().started = Status().started.value_or(now_);
  Status().aborted_at = now_;
  End(CanaryPhase::kAborted, Completion::kAborted, message + "; nothing was changed");
}

void Steering::SayPaused() {
  if (!Status().paused || !Status().failure_reason.empty()) return;
  const auto& pause = *Status().paused;
  const bool unsure = pause.by == "Inconclusive";
  const std::string who = unsure ? "paused, for a check can't tell" : "paused by " + pause.by;
  const std::string why = pause.message.empty() ? std::string() : ": " + pause.message;
  Report(Readiness::kSuspended, "Paused",
         fmt::format("{} since {}; a Decision Resume{} goes on, Abort goes back{}", who,
                     FormatTime(pause.since), unsure ? " (the check is then borne)" : "", why));
}

}  // namespace slipway::canary
