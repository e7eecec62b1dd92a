#include "release/under_way.h"

#include <fmt/format.h>

#include "base/text.h"
#include "release/delivery.h"
#include "release/gates.h"
#include "release/ledger.h"
#include "release/migrate.h"
#include "release/scan_gate.h"
#include "release/verification.h"

namespace slipway::release {
namespace {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::Completion;
using resources::Delivery;
using resources::Readiness;
using resources::ReleasePhase;

constexpr std::string_view kRejected = "Rejected";

void Gone(Draft& draft, Delivery& delivery) {
  if (CalledOff(delivery)) {
    delivery.finished = draft.now;
    if (delivery.reason != kRejected)
      delivery.key.clear();  // it was never judged: if wanted, it is tried again
    return;
  }
  draft.Close(
      delivery, "Aborted", "PromotionDeleted",
      fmt::format("CanaryPromotion {} was deleted before it ended, not by this Release", delivery.promotion));
}

void Conclude(Draft& draft, const CanaryPromotion& promotion, Delivery& delivery) {
  const auto& status = promotion.status;
  const bool untouched = status.completion != Completion::kPromoted && !status.image_set;
  if (delivery.reason == kRejected && untouched) {
    delivery.finished = status.finished.value_or(draft.now);
    return;
  }
  draft.Close(delivery, std::string(resources::ToString(status.completion)), status.failure_reason,
              status.failure_message);
  delivery.finished = status.finished.value_or(draft.now);
  if (status.completion == Completion::kPromoted) SetDelivered(draft.status(), delivery, delivery.finished);
  if (StaysThere(promotion)) SetLeft(draft.status(), delivery);
}

// A person looks at it: a newer image that came by itself waits until they are done.
bool HeldByPerson(const Draft& draft, const CanaryPromotion& promotion) {
  const auto& paused = promotion.status.paused;
  return paused && paused->by != "Inconclusive" && draft.release().spec.image_from &&
         !draft.status().rollback;
}

bool MustGiveWay(Draft& draft, const CanaryPromotion& promotion, const Delivery& delivery) {
  if (!draft.wanted || draft.release().spec.suspend || promotion.meta.deleted) return false;
  if (!CanBeSuperseded(promotion.status.phase)) return false;
  const bool again = draft.retry != nullptr;  // of a promotion that was refused
  if (draft.wanted->key == delivery.key && !again) return false;
  return !HeldByPerson(draft, promotion) && CouldBegin(draft, again);
}

// Before stable changes, a person may still reject it.
bool Reject(Draft& draft, const CanaryPromotion& promotion, Delivery& delivery) {
  const auto* rejection = RejectionOf(draft.seen, delivery.image, draft.now);
  if (rejection == nullptr || promotion.meta.deleted || !CanBeSuperseded(promotion.status.phase))
    return false;
  TakeBack(draft, delivery, *rejection);
  SayGivingWay(draft, delivery);
  return true;
}

// Written down first; deleted by the next decision, which is then at least as new as this one.
void Supersede(Draft& draft, Delivery& delivery) {
  delivery.outcome = kSuperseded;
  delivery.message = fmt::format("called off for {}", draft.wanted->image);
  if (draft.retry != nullptr) {
    draft.Follow(*draft.retry);
    Note(delivery, resources::RecordOf(*draft.retry));
  }
  SayGivingWay(draft, delivery);
}

void Remove(Draft& draft, const CanaryPromotion& promotion, const Delivery& delivery) {
  const auto& meta = promotion.meta;
  if (!meta.deleted) draft.plan.removals.push_back({meta.key.name, meta.uid, meta.resource_version});
  SayGivingWay(draft, delivery);
}

void SayRefused(Draft& draft, const CanaryPromotion& promotion, const Delivery& delivery,
                const std::string& told) {
  const auto& status = promotion.status;
  const std::string reason = !status.failure_reason.empty() ? status.failure_reason : "PromotionRefused";
  const std::string& message = status.failure_message.empty() ? told : status.failure_message;
  draft.Report(ReleasePhase::kBlocked, Readiness::kFailed, reason,
               fmt::format("delivery {} of {} was refused: {}", delivery.number, Named(delivery), message));
}

void Progress(Draft& draft, const CanaryPromotion& promotion, const Delivery& delivery) {
  const auto& status = promotion.status;
  const auto* ready = resources::Find(status.conditions, "Ready");
  const std::string told = ready == nullptr ? std::string() : ready->message;
  if (status.phase == CanaryPhase::kRefused) return SayRefused(draft, promotion, delivery, told);
  if (status.paused) {
    const bool waits = draft.wanted && draft.wanted->key != delivery.key && HeldByPerson(draft, promotion);
    return draft.Report(ReleasePhase::kProgressing, Readiness::kSuspended, "Paused",
                        fmt::format("delivery {} of {} is paused{}: {}", delivery.number, Named(delivery),
                                    waits ? fmt::format(", and {} waits until it is resumed or aborted",
                                                        Named(draft.wanted->image, draft.wanted->commit))
                                          : "",
                                    told.empty() ? status.paused->message : told));
  }
  const bool held_up = ready != nullptr && ready->status == resources::ConditionStatus::kFalse;
  if (held_up && status.phase == CanaryPhase::kPending) {
    return draft.Report(ReleasePhase::kProgressing, Readiness::kWaiting, ready->reason,
                        fmt::format("delivery {} of {} waits: {}", delivery.number, Named(delivery), told));
  }
  draft.Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Delivering",
               fmt::format("delivery {} of {}: CanaryPromotion {} is {}", delivery.number, Named(delivery),
                           delivery.promotion, resources::ToString(status.phase)));
}

bool PutsInPlace(CanaryPhase phase) {
  return phase == CanaryPhase::kPromoting || phase == CanaryPhase::kVerifying ||
         phase == CanaryPhase::kFinishing;
}

// It went on before it could be deleted: to delete it now would take back what it puts in place.
bool TooLate(const CanaryPromotion& promotion, const Delivery& delivery) {
  return CalledOff(delivery) && delivery.outcome == kSuperseded && !delivery.key.empty() &&
         !promotion.meta.deleted && PutsInPlace(promotion.status.phase);
}

}  // namespace

void FollowDelivery(Draft& draft) {
  Delivery& delivery = draft.status().history.front();
  if (!delivery.promotion_uid) return Prepare(draft, delivery);
  const auto* promotion = draft.Find(delivery.promotion_uid);
  if (promotion == nullptr) return Gone(draft, delivery);
  // An entry without a key is a stray's: nothing that it did counts.
  const bool counts = !delivery.key.empty();
  if (counts) Copy(*promotion, delivery);
  if (counts && Ended(*promotion)) return Conclude(draft, *promotion, delivery);
  if (TooLate(*promotion, delivery)) {
    delivery.outcome.clear();
    delivery.message.clear();
  }
  if (CalledOff(delivery)) return Remove(draft, *promotion, delivery);
  if (Reject(draft, *promotion, delivery)) return;
  if (MustGiveWay(draft, *promotion, delivery)) return Supersede(draft, delivery);
  Progress(draft, *promotion, delivery);
  draft.RecheckAfter(kOpenRecheck);
}

bool CouldBegin(Draft& draft, bool insisted) {
  if (!draft.wanted || draft.release().spec.suspend) return false;
  // What runs is there already: no gate is asked for it.
  if (draft.RunsWanted() && WorksNow(draft.release(), draft.status(), draft.wanted->image)) return true;
  if (draft.Obstacle(draft.wanted->image)) return false;
  const auto closed = ClosedGate(draft.seen, draft.status(), *draft.wanted, insisted, draft.now);
  if (closed && closed->ask) Look(draft);
  if (closed && closed->scan) ScanWanted(draft);
  return !closed;
}

bool StaysThere(const CanaryPromotion& promotion) {
  const auto& status = promotion.status;
  if (status.completion != Completion::kAborted) return false;
  const auto& found = status.baseline;  // it may have been there before
  const bool was_there = found && (SameDigest(found->image, promotion.spec.image) ||
                                   SameDigest(found->stable_digest, promotion.spec.image));
  return status.image_set || was_there;
}

void TakeBack(Draft& draft, Delivery& delivery, const resources::Decision& rejection) {
  delivery.outcome = "Aborted";
  delivery.reason = kRejected;
  delivery.message =
      Clip(fmt::format("{} rejected it in Decision {}{}{}", rejection.spec.actor, rejection.meta.key.name,
                       rejection.spec.reason.empty() ? "" : ": ", rejection.spec.reason),
           kDeliveryMessage);
  draft.Follow(rejection);
  Note(delivery, resources::RecordOf(rejection));
}

void SayGivingWay(Draft& draft, const Delivery& delivery) {
  draft.Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Superseding",
               fmt::format("delivery {} of {} is called off; CanaryPromotion {} takes its canary back before "
                           "the next one begins",
                           delivery.number, Named(delivery), delivery.promotion));
  draft.RecheckAfter(kSoon);
}

void SetLeft(resources::ReleaseStatus& status, const Delivery& delivery) {
  status.image = delivery.image;
  status.commit = delivery.commit;
  status.verified.reset();
}

void SetDelivered(resources::ReleaseStatus& status, const Delivery& delivery,
                  std::optional<TimePoint> since) {
  const bool stays = SameDigest(status.image, delivery.image) && status.verified;
  if (!stays) status.verified = since;
  status.image = delivery.image;
  status.commit = delivery.commit;
}

}  // namespace slipway::release
