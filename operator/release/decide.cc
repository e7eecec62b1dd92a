#include "release/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/names.h"
#include "release/acts.h"
#include "release/at_rest.h"
#include "release/attest.h"
#include "release/delivery.h"
#include "release/rescan.h"
#include "release/scan_gate.h"
#include "release/under_way.h"
#include "release/verification.h"

namespace slipway::release {
namespace {

using resources::CanaryPromotion;

// A ConfigMap tells nobody that it changed.
constexpr Duration kConfigRecheck = std::chrono::seconds(60);

void Act(Draft& draft) {
  if (draft.OpenDelivery() != nullptr) {
    FollowDelivery(draft);
    if (draft.OpenDelivery() != nullptr) return;
    draft.Want();  // how it is delivered follows from what was delivered before
    return AtRest(draft);
  }
  if (draft.LostStart()) return Begin(draft);
  if (const auto* stray = draft.Stray(); stray != nullptr) return TakeIn(draft, *stray);
  AtRest(draft);
}

void Keep(const std::vector<resources::ConfigVersion>& versions, std::set<std::string>& names) {
  for (const auto& version : versions) names.insert(version.copy);
}

// Copies that neither a delivery that is kept, nor what is wanted, nor any pod names, nor what a promotion
// may still go back to.
void DropCopies(Draft& draft, const std::set<std::string>& dropped) {
  const auto* deployment = draft.seen.deployment;
  if (deployment == nullptr || dropped.empty()) return;
  std::set<std::string> kept(deployment->config_refs.begin(), deployment->config_refs.end());
  for (const auto& delivery : draft.status().history) Keep(delivery.config_maps, kept);
  for (const auto& promotion : draft.seen.promotions) {
    if (!Ended(*promotion)) Keep(promotion->spec.config_maps, kept);
    if (Ended(*promotion) || !promotion->status.baseline) continue;
    for (const auto& [name, copy] : promotion->status.baseline->config_maps) kept.insert(copy);
  }
  if (draft.wanted) Keep(draft.wanted->config_maps, kept);
  for (const auto& seen : draft.seen.config_maps) kept.insert(seen.copy);
  for (const auto& copy : dropped) {
    if (!kept.contains(copy)) draft.plan.old_copies.push_back(copy);
  }
}

// While a delivery is open, the one before it is kept too: what it came from is known until it ended.
void Prune(Draft& draft) {
  auto& history = draft.status().history;
  const auto limit = static_cast<std::size_t>(std::max(draft.release().spec.history_limit, 1));
  const std::size_t most = limit + (draft.OpenDelivery() != nullptr ? 1 : 0);
  std::set<std::string> copies;
  while (history.size() > most && !Open(history.back())) {
    const CanaryPromotion* old = draft.Find(history.back().promotion_uid);
    if (old != nullptr && !old->meta.deleted) {
      draft.plan.removals.push_back({old->meta.key.name, old->meta.uid, {}});
    }
    Keep(history.back().config_maps, copies);
    history.pop_back();
  }
  DropDetails(history);
  DropCopies(draft, copies);
}

void Notify(Draft& draft) {
  const auto& old = draft.release().status;
  const auto* before = resources::Find(old.conditions, "Ready");
  const auto* after = resources::Find(draft.status().conditions, "Ready");
  if (after == nullptr) return;
  const bool changed =
      before == nullptr || before->reason != after->reason || old.phase != draft.status().phase;
  if (!changed) return;
  const bool gate = after->reason == "Soaking" || after->reason == "AwaitingApproval" ||
                    after->reason == "VerificationRunning" || after->reason == "ScanRunning" ||
                    after->reason == "LookQueued" || after->reason == "AttestationPending";
  const bool warning = after->status == resources::ConditionStatus::kFalse && !gate;
  draft.plan.notices.push_back({warning, after->reason, after->message});
}

}  // namespace

Plan Decide(const Seen& seen, TimePoint now) {
  // Its promotions go with it: they are owned, and restore stable before they go.
  if (seen.release.meta.deleted) {
    Plan nothing;
    nothing.status = seen.release.status;
    return nothing;
  }
  Draft draft(seen, now);
  TakeUp(draft);
  TakeLook(draft);
  TakeScans(draft);
  Act(draft);
  Rescan(draft);
  Attest(draft);
  Prune(draft);
  Notify(draft);
  if (!seen.release.spec.config_maps.empty()) draft.RecheckAfter(kConfigRecheck);
  return std::move(draft.plan);
}

bool CacheServes(const resources::Release& release, const resources::Deployment* cached,
                 const std::vector<std::shared_ptr<const CanaryPromotion>>& promotions) {
  if (cached == nullptr || release.status.history.empty()) return false;
  const auto& last = release.status.history.front();
  if (Open(last)) {
    return std::ranges::any_of(promotions, [&last](const auto& each) {
      return last.promotion_uid == each->meta.uid && !Ended(*each);
    });
  }
  return Delivered(last) && !CheckTarget(release, cached) && Runs(release, *cached, WantedOf(last));
}

std::string PromotionName(const resources::Release& release, int number) {
  return ChildName(release.meta.key.name, "cp", fmt::format("{}/{}", release.meta.uid.value, number));
}

std::string BusyWith(const resources::Release& release,
                     const std::vector<std::shared_ptr<const resources::Release>>& all) {
  const auto age = [](const resources::Release& r) { return std::pair(r.meta.created, r.meta.uid.value); };
  const resources::Release* oldest = &release;
  for (const auto& other : all) {
    const bool rival = other->meta.key.ns == release.meta.key.ns && other->meta.uid != release.meta.uid &&
                       other->spec.target.deployment == release.spec.target.deployment;
    if (rival && age(*other) < age(*oldest)) oldest = other.get();
  }
  return oldest == &release ? std::string() : oldest->meta.key.name;
}

}  // namespace slipway::release
