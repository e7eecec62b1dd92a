#include "canary/decisions.h"

#include <fmt/format.h>

#include <algorithm>

#include "canary/wording.h"
#include "resources/digest.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::CanaryPromotionStatus;
using resources::Decision;
using resources::Verb;

Judgement Refused(std::string why) { return {Fate::kRefused, std::move(why)}; }

bool OurVerb(Verb verb) {
  return verb == Verb::kPromote || verb == Verb::kAbort || verb == Verb::kPause || verb == Verb::kResume;
}

// The Release that made it: its controller.
bool IsAboutOwner(const resources::DecisionTarget& target, const kube::ObjectMeta& promotion) {
  const auto* owner = promotion.Controller();
  return owner != nullptr && owner->kind == kube::kReleases.kind && target.kind == owner->kind &&
         target.uid == owner->uid;
}

bool Concerns(const Decision& decision, const Seen& seen, const CanaryPromotionStatus& status) {
  const auto& meta = seen.promotion.meta;
  const auto& target = decision.spec.target;
  const auto same = [&](const auto& record) { return record.uid == decision.meta.uid; };
  if (status.decisions_before && decision.meta.created <= *status.decisions_before) return false;
  if (decision.meta.key.ns != meta.key.ns || std::ranges::any_of(status.decisions, same)) return false;
  if (target.kind == kube::kCanaryPromotions.kind) return target.uid == meta.uid;
  // What a Release is told otherwise is its controller's; and what it was told before is about an earlier
  // delivery.
  return IsAboutOwner(target, meta) && OurVerb(decision.spec.verb) && decision.meta.created >= meta.created;
}

std::string Subject(const Seen& seen) {
  return std::string(resources::DigestOf(seen.promotion.spec.image));  // that it is pinned, preflight says
}

// One that is over does nothing any more, and says so, so that nothing of it is left for what comes next.
// What a Release is told then is about its next promotion; and another image may be one that spec is about to
// name.
Judgement OnceOver(const Decision& decision, const Seen& seen, const CanaryPromotionStatus& status) {
  if (decision.spec.target.kind != kube::kCanaryPromotions.kind) return {};
  if (decision.spec.subject != Subject(seen)) return {Fate::kLater, {}};
  const std::string when = status.finished ? " at " + FormatTime(*status.finished) : "";
  return Refused(fmt::format("it is over: {}{}", resources::ToString(status.phase), when));
}

std::optional<std::string> Stale(const Decision& decision, const Seen& seen, TimePoint now) {
  const auto& spec = decision.spec;
  const std::string digest = Subject(seen);
  if (spec.subject != digest)
    return fmt::format("it is about {}, and this delivers {}", spec.subject, digest);
  if (spec.expires && now >= *spec.expires) return "it expired at " + FormatTime(*spec.expires);
  if (decision.meta.created < seen.promotion.meta.created)
    return fmt::format("it was made before this promotion, which is of {}",
                       FormatTime(seen.promotion.meta.created));
  if (!OurVerb(spec.verb))
    return fmt::format("{} is nothing that a CanaryPromotion can do: Promote, Abort, Pause, Resume",
                       resources::ToString(spec.verb));
  return std::nullopt;
}

Judgement OnPromote(const CanaryPromotionStatus& status, bool whole) {
  switch (status.phase) {
    case CanaryPhase::kPending:
    case CanaryPhase::kRefused:
    case CanaryPhase::kStarting:
      return {Fate::kLater, {}};
    case CanaryPhase::kHolding:
    case CanaryPhase::kTesting:
      return {whole ? Fate::kFollowed : Fate::kLater, {}};
    default:
      return Refused("it is being promoted already");
  }
}

}  // namespace

Judgement Judge(const Decision& decision, const Seen& seen, const CanaryPromotionStatus& status, bool whole,
                TimePoint now) {
  if (!Concerns(decision, seen, status)) return {};
  if (Ended(status.phase)) return OnceOver(decision, seen, status);
  if (auto why = Stale(decision, seen, now)) return Refused(std::move(*why));
  if (status.phase == CanaryPhase::kAborting) {
    // It may be about what comes after.
    if (status.failure_reason == kSpecChanged) return {Fate::kLater, {}};
    return Refused("it is going back already");
  }
  if (status.phase == CanaryPhase::kFinishing) return Refused("stable runs the new image already");
  switch (decision.spec.verb) {
    case Verb::kPromote:
      return OnPromote(status, whole);
    case Verb::kPause:
      if (status.paused) return Refused("it is paused already");
      break;
    case Verb::kResume:
      if (!status.paused) return Refused("it is not paused");
      break;
    default:
      break;
  }
  return {Fate::kFollowed, {}};
}

void MakeRoom(CanaryPromotionStatus& status) {
  auto& records = status.decisions;
  if (records.size() < kMostDecisions) return;
  const TimePoint oldest = std::ranges::min(records, {}, &resources::DecisionRecord::time).time;
  std::erase_if(records, [&](const auto& record) { return record.time == oldest; });
  status.decisions_before = std::max(status.decisions_before.value_or(oldest), oldest);
}

}  // namespace slipway::canary
