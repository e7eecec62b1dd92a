#include "release/draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "release/delivery.h"
#include "release/ledger.h"
#include "release/rollback.h"
#include "release/scan_gate.h"
#include "release/verification.h"

namespace slipway::release {

using resources::CanaryPromotion;
using resources::Delivery;
using resources::DeliveryCause;
using resources::Readiness;
using resources::ReleasePhase;

Draft::Draft(const Seen& what, TimePoint time)
    : seen(what),
      now(time),
      asked(Resolve(what.release, {what.build, what.source, what.config_maps})),
      wanted(asked) {
  plan.status = what.release.status;
  plan.status.observed_generation = what.release.meta.generation;
}

const Delivery* Draft::Last() const { return status().history.empty() ? nullptr : &status().history.front(); }
const Delivery* Draft::OpenDelivery() const { return Last() != nullptr && Open(*Last()) ? Last() : nullptr; }

const CanaryPromotion* Draft::Find(const std::optional<kube::Uid>& uid) const {
  if (!uid) return nullptr;
  for (const auto& promotion : seen.promotions) {
    if (promotion->meta.uid == *uid) return promotion.get();
  }
  return nullptr;
}

bool Draft::Recorded(const CanaryPromotion& promotion) const {
  return std::ranges::any_of(status().history,
                             [&](const Delivery& d) { return d.promotion_uid == promotion.meta.uid; });
}

bool Draft::LostStart() const {
  if (!wanted || NeedsMigration()) return false;
  const auto spec = PromotionSpec(release(), *wanted);
  return std::ranges::any_of(seen.promotions, [&](const auto& promotion) {
    return promotion->meta.key.name == NextName() && !promotion->meta.deleted && promotion->spec == spec;
  });
}

const CanaryPromotion* Draft::Stray() const {
  for (const auto& promotion : seen.promotions) {
    if (Recorded(*promotion)) continue;
    if (!Ended(*promotion) || promotion->meta.key.name == NextName()) return promotion.get();
  }
  return nullptr;
}

bool Draft::NeedsMigration() const {
  return wanted && release().spec.migration && !status().rollback &&
         Migrated(status(), wanted->image) == nullptr;
}

bool Draft::RunsWanted() const {
  const auto* deployment = seen.deployment;
  if (!wanted || deployment == nullptr) return false;
  if (Runs(release(), *deployment, *wanted)) return true;
  const Delivery* last = Last();
  const auto* promotion = last == nullptr ? nullptr : Find(last->promotion_uid);
  if (promotion == nullptr || last->outcome != "Promoted" || !SameDigest(last->image, wanted->image))
    return false;
  const std::string image = ImageOf(release(), *deployment);
  return DigestOf(image).empty() && !image.empty() && image == promotion->status.stable_image &&
         ReadsCopies(*deployment, wanted->config_maps);
}

void Draft::Want() {
  auto& rollback = status().rollback;
  if (rollback && asked && PlainKey(asked->key) != rollback->instead_of) {
    plan.notices.push_back({false, "RollbackEnded",
                            fmt::format("another delivery than the one that {} rolled back is asked for: {}",
                                        rollback->decision.actor, Named(asked->image, asked->commit))});
    rollback.reset();
  }
  wanted = rollback ? RollbackOf(release(), status()) : asked;
  if (!wanted || rollback) return;
  wanted->cause = CauseOf(*wanted);
  wanted->on_failure = OnFailureOf(release(), status());
}

// What changed since the last delivery, as far as can be told.
DeliveryCause Draft::CauseOf(const Wanted& what) const {
  const Delivery* last = Last();
  if (last == nullptr || !SameDigest(last->image, what.image)) return what.cause;
  if (last->config_maps != what.config_maps) return DeliveryCause::kConfig;
  const bool same_spec = last->generation == release().meta.generation;
  return same_spec && !last->key.empty() && last->key != what.key ? DeliveryCause::kRetry
                                                                  : DeliveryCause::kSpec;
}

std::optional<Hold> Draft::Obstacle(const std::string& image) const {
  const auto violation = resources::Check(release().spec, image, seen.policy, release().meta.key.ns);
  if (violation)
    return Hold{Readiness::kFailed, ReleasePhase::kBlocked, violation->reason, violation->message};
  if (auto loosening = Loosening(seen)) return loosening;
  // What was delivered before goes back whatever is asked of a scan today.
  if (auto loosening = ScanLoosening(seen, now); loosening && !status().rollback) return loosening;
  if (!seen.busy_with.empty()) {
    return Hold{
        Readiness::kWaiting, ReleasePhase::kBlocked, "TargetBusy",
        fmt::format("Release {} is older and has the same spec.target.deployment \"{}\": only one "
                    "Release may deliver to a Deployment; change the target, or delete one of the two",
                    seen.busy_with, release().spec.target.deployment)};
  }
  return CheckTarget(release(), seen.deployment);
}

void Draft::Report(ReleasePhase phase, Readiness readiness, std::string reason, std::string message) {
  status().phase = phase;
  resources::SetReadiness(status().conditions, readiness, std::move(reason), Clip(std::move(message), 1000),
                          release().meta.generation, now);
}

void Draft::RecheckAfter(Duration d) {
  plan.recheck_after = plan.recheck_after ? std::min(*plan.recheck_after, d) : d;
}
void Draft::RecheckAt(TimePoint t) { RecheckAfter(std::max<Duration>(t - now, std::chrono::seconds(1))); }

void Draft::Record(const resources::DecisionRecord& record) {
  auto& records = status().decisions;
  Note(records, record);
  auto& before = status().decisions_before;
  while (records.size() > kMostDecisions) {
    before = std::max(before.value_or(TimePoint::min()), records.front().time);
    records.erase(records.begin());
  }
}

void Draft::Follow(const resources::Decision& decision) {
  Record(resources::RecordOf(decision));
  plan.notices.push_back({false, "DecisionFollowed",
                          fmt::format("Decision {} of {} to {} is followed", decision.meta.key.name,
                                      decision.spec.actor, resources::ToString(decision.spec.verb))});
}

void Draft::Refuse(const resources::Decision& decision, std::string why) {
  auto record = resources::RecordOf(decision);
  record.refused = Clip(std::move(why), 500);
  plan.notices.push_back(
      {true, "DecisionRefused",
       fmt::format("Decision {} of {} to {} is not followed: {}", decision.meta.key.name, decision.spec.actor,
                   resources::ToString(decision.spec.verb), record.refused)});
  Record(record);
}

void Draft::Close(Delivery& delivery, std::string outcome, std::string reason, std::string message) {
  delivery.outcome = std::move(outcome);
  delivery.reason = std::move(reason);
  delivery.message = Clip(std::move(message), kDeliveryMessage);
  delivery.finished = now;
}

}  // namespace slipway::release
