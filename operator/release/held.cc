#include "release/held.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "release/delivery.h"

namespace slipway::release {
namespace {

using resources::DecisionRecord;
using resources::ReleaseStatus;

// ConfigMaps are not watched, and what stands in the way may go.
constexpr Duration kHeldRecheck = std::chrono::seconds(60);

bool Known(const std::vector<DecisionRecord>& records, const kube::Uid& uid) {
  return std::ranges::find(records, uid, &DecisionRecord::uid) != records.end();
}

// A Retry is followed by the delivery that it begins, an Abort by the end of the one under way: neither is
// written here, so both are taken up anew.
void TakeDecisions(const ReleaseStatus& intended, const ReleaseStatus& before, ReleaseStatus& status) {
  status.decisions = intended.decisions;
  std::erase_if(status.decisions, [&before](const DecisionRecord& record) {
    const bool acts = record.verb == resources::Verb::kRetry || record.verb == resources::Verb::kAbort;
    return acts && record.refused.empty() && !Known(before.decisions, record.uid);
  });
  status.decisions_before = intended.decisions_before;
  status.rollback = intended.rollback;
}

void RefuseRollback(const Hold& hold, Plan& plan) {
  auto record = plan.status.rollback->decision;
  record.refused = Clip(hold.message, 500);
  plan.notices.push_back({true, "DecisionRefused",
                          fmt::format("Decision {} of {} to roll back is not followed: {}", record.name,
                                      record.actor, record.refused)});
  Note(plan.status.decisions, record);
  plan.status.rollback.reset();
}

}  // namespace

Plan HeldBy(const resources::Release& release, const Plan* intended, const Hold& hold, TimePoint now) {
  Plan plan;
  plan.status = release.status;
  plan.status.observed_generation = release.meta.generation;
  plan.status.phase = hold.phase;
  if (intended != nullptr) {
    TakeDecisions(intended->status, release.status, plan.status);
    std::ranges::copy_if(intended->notices, std::back_inserter(plan.notices),
                         [](const Notice& notice) { return notice.reason == "DecisionRefused"; });
  }
  if (hold.reason == kConfigCopyGone && plan.status.rollback) RefuseRollback(hold, plan);
  const auto* before = resources::Find(release.status.conditions, "Ready");
  if (before == nullptr || before->reason != hold.reason) {
    plan.notices.push_back({true, hold.reason, hold.message});
  }
  resources::SetReadiness(plan.status.conditions, hold.readiness, hold.reason, Clip(hold.message, 1000),
                          release.meta.generation, now);
  plan.recheck_after = kHeldRecheck;
  return plan;
}

}  // namespace slipway::release
