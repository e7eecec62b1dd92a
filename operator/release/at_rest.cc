#include "release/at_rest.h"

#include <fmt/format.h>

#include "base/text.h"
#include "release/acts.h"
#include "release/delivery.h"
#include "release/gates.h"
#include "release/ledger.h"
#include "release/migrate.h"
#include "release/scan_gate.h"
#include "release/under_way.h"
#include "release/verification.h"

namespace slipway::release {
namespace {

using resources::CanaryPromotion;
using resources::Delivery;
using resources::Readiness;
using resources::ReleasePhase;

constexpr std::size_t kMostSecrets = 32;

std::string_view TargetName(const Draft& draft) { return draft.release().spec.target.deployment; }

// What is wanted was judged last as not good, and left on the target all the same: an older image could not
// run, or is not wanted back. A delivery that was called off judged nothing.
bool LeftThere(const Draft& draft) {
  const auto& wanted = *draft.wanted;
  for (const Delivery& last : draft.status().history) {
    const bool same = last.image == wanted.image && last.config_maps == wanted.config_maps;
    if (!same || Open(last) || last.outcome == kSuperseded) continue;
    if (!Failed(last) || last.promotion.empty() || !last.promotion_uid) return false;
    const auto* promotion = draft.Find(last.promotion_uid);
    return promotion == nullptr ? wanted.on_failure == resources::OnFailure::kStay : StaysThere(*promotion);
  }
  return false;
}

std::string RolledBackBy(const Draft& draft) {
  const auto& rollback = draft.status().rollback;
  if (!rollback) return {};
  const auto& decision = rollback->decision;
  const auto& asked = draft.asked;
  return fmt::format(
      ". {} rolled back to it in Decision {}{}{}; {} is held back until something else is asked for",
      decision.actor, decision.name, decision.reason.empty() ? "" : ": ", Clip(decision.reason, 200),
      asked ? "what the spec asks for, " + Named(asked->image, asked->commit) + ","
            : "what the spec asked for");
}

// `also`: what else there is to say.
void RestDelivered(Draft& draft, const Delivery& last, const std::string& also = {}) {
  const bool found = last.outcome == "AlreadyRunning";
  // It was away in the meantime, and has to soak anew.
  if (!found && !draft.status().verified) draft.status().verified = draft.now;
  const std::string message = fmt::format(
      "Deployment {} runs {}{}{}{}", TargetName(draft), Named(last),
      found ? "; it was there without a delivery, so nothing verified it" : "", RolledBackBy(draft), also);
  // It is satisfied: should the target drift later on, that is no new delivery.
  if (draft.wanted) draft.status().history.front().key = draft.wanted->key;
  if (draft.status().rollback) {
    return draft.Report(ReleasePhase::kRolledBack, Readiness::kReady, "RolledBack", message);
  }
  draft.Report(ReleasePhase::kDelivered, Readiness::kReady, found ? "AlreadyRunning" : "Delivered", message);
}

void RestHeld(Draft& draft, const Delivery& last) {
  const bool left = draft.RunsWanted() && LeftThere(draft);
  const bool back = Failed(last) && !left;
  const std::string reason = !last.reason.empty() ? last.reason : (back ? "RolledBack" : "Superseded");
  const std::string runs = ImageOf(draft.release(), *draft.seen.deployment);
  const bool works = WorksNow(draft.release(), draft.status(), runs);
  draft.Report(
      back ? ReleasePhase::kRolledBack : ReleasePhase::kBlocked, Readiness::kFailed, reason,
      fmt::format("delivery {} of {} ended {}: {}. It is held until the image or the spec changes; to "
                  "try the same again, make a Decision with verb Retry and subject {}, or set "
                  "annotation {} to a new value{}",
                  last.number, Named(last), last.outcome, last.message, DigestOf(last.image),
                  kRetryAnnotation,
                  works ? ""
                        : ". A breaking migration has run, and what the Deployment runs is older: deliver an "
                          "image that works on what it has made"));
}

void RestDrifted(Draft& draft, const Delivery& last) {
  draft.status().verified.reset();
  const std::string image = ImageOf(draft.release(), *draft.seen.deployment);
  const std::string what = SameImage(image, last.image) ? "other ConfigMaps" : Clip(image, 300);
  draft.Report(
      ReleasePhase::kBlocked, Readiness::kFailed, "TargetDrifted",
      fmt::format("Deployment {} runs {}, which is not what delivery {} of this Release left there: "
                  "{}{}. To keep it, write it in the spec; to deliver again, make a Decision with verb "
                  "Retry and subject {}, or set annotation {} to a new value",
                  TargetName(draft), what, last.number, Named(last), RolledBackBy(draft),
                  DigestOf(last.image), kRetryAnnotation));
}

// The approvals that opened the gate, and the acts that it follows from.
void NoteDecisions(Draft& draft, Delivery& delivery) {
  const auto& rollback = draft.status().rollback;
  if (rollback) Note(delivery, rollback->decision);
  if (!rollback && draft.release().spec.gates.approvals > 0) {
    for (const auto& approval : ApprovalsOf(draft.seen, delivery.image, draft.now)) {
      Note(delivery, resources::RecordOf(*approval));
      draft.Record(resources::RecordOf(*approval));
    }
  }
  if (draft.retry == nullptr) return;
  delivery.cause = resources::DeliveryCause::kRetry;
  Note(delivery, resources::RecordOf(*draft.retry));
  draft.Follow(*draft.retry);
}

void NoteVerified(const Draft& draft, Delivery& delivery) {
  const auto demands = DemandsOf(draft.seen);
  if (demands && *demands) delivery.verified_by = Verified(draft.status(), delivery.image, **demands);
}

void NoteTarget(const Draft& draft, Delivery& delivery) {
  if (draft.seen.deployment == nullptr) return;
  delivery.previous_image = ImageOf(draft.release(), *draft.seen.deployment);
  delivery.secrets = draft.seen.deployment->secret_refs;
  if (delivery.secrets.size() > kMostSecrets) delivery.secrets.resize(kMostSecrets);
}

Delivery& Push(Draft& draft) {
  const Wanted& wanted = *draft.wanted;
  Delivery next;
  next.number = draft.NextNumber();
  next.generation = draft.release().meta.generation;
  next.cause = wanted.cause;
  next.image = wanted.image;
  next.commit = wanted.commit;
  next.image_build = wanted.image_build;
  next.build_run = wanted.build_run;
  next.built = wanted.built;
  next.from_release = wanted.from_release;
  next.soaked_since = wanted.soaked_since;
  next.deployment = draft.release().spec.target.deployment;
  next.container = draft.release().spec.target.container;
  next.strategy = wanted.strategy;
  next.fast = wanted.fast;
  next.config_maps = wanted.config_maps;
  next.key = wanted.key;
  next.started = draft.now;
  NoteTarget(draft, next);
  auto& history = draft.status().history;
  return *history.insert(history.begin(), std::move(next));
}

// Somebody else brought it there: a first apply, a GitOps sync, or a hand.
void RestRunning(Draft& draft) {
  const auto& deployment = *draft.seen.deployment;
  if (!deployment.RolledOut()) {
    const bool stuck = deployment.progress_deadline_exceeded;
    return draft.Report(
        ReleasePhase::kProgressing, stuck ? Readiness::kWaiting : Readiness::kProgressing,
        stuck ? "TargetUnhealthy" : "TargetRollingOut",
        fmt::format("Deployment {} has the wanted image and is not rolled out yet{}: `kubectl rollout "
                    "status deployment/{}` says more",
                    deployment.meta.key.name, stuck ? "; it exceeded its progress deadline" : "",
                    deployment.meta.key.name));
  }
  Delivery& found = Push(draft);
  found.outcome = "AlreadyRunning";
  found.finished = draft.now;
  SetDelivered(draft.status(), found, std::nullopt);
  RestDelivered(draft, found);
}

void PassGates(Draft& draft) {
  const bool insisted = draft.retry != nullptr;
  const auto closed = ClosedGate(draft.seen, draft.status(), *draft.wanted, insisted, draft.now);
  if (!closed) return Begin(draft);
  draft.Report(closed->hold);
  if (closed->ask) Look(draft);
  if (closed->scan) ScanWanted(draft);
  if (closed->until) draft.RecheckAt(*closed->until);
  const auto* rejection = RejectionOf(draft.seen, draft.wanted->image, draft.now);
  if (rejection != nullptr) draft.Record(resources::RecordOf(*rejection));
}

void Settle(Draft& draft) {
  const auto& wanted = *draft.wanted;
  const Delivery* last = draft.Last();
  const bool insisted = draft.retry != nullptr;
  const bool same = last != nullptr && last->image == wanted.image && last->config_maps == wanted.config_maps;
  const bool running = draft.RunsWanted();
  if (same && Delivered(*last) && running) return RestDelivered(draft, *last);
  const bool left = LeftThere(draft);
  if (!insisted && HeldBack(draft) && (!running || left)) return RestHeld(draft, *last);
  if (running && !left) return RestRunning(draft);
  // Whatever else of the spec has changed since: only another image takes it away, or a person who insists,
  // or who goes back to what was there last (a rollback has a key of its own).
  const bool back = draft.status().rollback && last != nullptr && PlainKey(last->key) != PlainKey(wanted.key);
  if (!insisted && !back && Drifted(draft) && MarkOf(last->key) == MarkOf(wanted.key)) {
    return RestDrifted(draft, *last);
  }
  PassGates(draft);
}

// Where images come from says nothing just now: what is delivered is as good as it was.
bool SourceIsAway(const Hold& hold) {
  return hold.reason == "ReleaseNotFound" || hold.reason == "NotVerified" ||
         hold.reason == "ImageBuildNotFound" || hold.reason == "WaitingForBuild";
}

void RestWithout(Draft& draft, const Hold& hold) {
  const Delivery* last = draft.Last();
  const auto* deployment = draft.seen.deployment;
  const bool keeps = SourceIsAway(hold) && last != nullptr && Delivered(*last) &&
                     !CheckTarget(draft.release(), deployment) &&
                     Runs(draft.release(), *deployment, WantedOf(*last));
  if (!keeps) return draft.Report(hold);
  RestDelivered(draft, *last, ". Nothing new is delivered: " + hold.message);
}

}  // namespace

void AtRest(Draft& draft) {
  if (draft.release().spec.suspend) {
    return draft.Report(ReleasePhase::kSuspended, Readiness::kSuspended, "Suspended",
                        "spec.suspend is true: nothing is delivered until it is false");
  }
  if (!draft.wanted) return RestWithout(draft, draft.wanted.error());
  if (const auto obstacle = draft.Obstacle(draft.wanted->image)) return draft.Report(*obstacle);
  Settle(draft);
}

void Begin(Draft& draft) {
  // The last delivery may have ended in this very decision, and the next one's name be taken.
  if (const auto* stray = draft.Stray(); stray != nullptr && !draft.LostStart()) return TakeIn(draft, *stray);
  auto migration = NextMigration(draft, draft.NextNumber());
  const auto* migrated = Migrated(draft.status(), draft.wanted->image);
  Delivery& next = Push(draft);
  NoteDecisions(draft, next);
  NoteVerified(draft, next);
  next.promotion = PromotionName(draft.release(), next.number);
  draft.plan.copies = next.config_maps;
  if (migration) {
    // Its Job is made when this is written: a Job that nobody knows of would run beside others.
    next.migration = std::move(*migration);
    SayMigrating(draft, next);
    return draft.RecheckAfter(kSoon);
  }
  if (migrated != nullptr) next.migration = *migrated;
  draft.plan.start = Start{next.promotion, *draft.wanted};
  draft.Report(
      ReleasePhase::kProgressing, Readiness::kProgressing, "Delivering",
      fmt::format("delivery {} of {} begins: CanaryPromotion {}", next.number, Named(next), next.promotion));
  draft.RecheckAfter(kOpenRecheck);
}

void TakeIn(Draft& draft, const CanaryPromotion& stray) {
  Delivery entry;
  entry.number = draft.NextNumber();
  entry.generation = draft.release().meta.generation;
  entry.image = stray.spec.image;
  entry.commit = stray.spec.version;
  entry.deployment = stray.spec.target.deployment;
  entry.container = stray.spec.target.container;
  entry.promotion = stray.meta.key.name;
  entry.promotion_uid = stray.meta.uid;
  entry.outcome = kSuperseded;
  entry.message = "made from an earlier state of this Release and never written down: it does not count";
  entry.started = stray.meta.created;
  auto& history = draft.status().history;
  history.insert(history.begin(), entry);
  SayGivingWay(draft, entry);
}

}  // namespace slipway::release
