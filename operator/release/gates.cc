#include "release/gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "release/delivery.h"
#include "release/ledger.h"
#include "release/scan_gate.h"
#include "release/verification.h"

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;
using resources::Verb;

bool Says(const Seen& seen, const resources::Decision& decision, Verb verb, std::string_view image,
          TimePoint now) {
  const auto refused = [&decision](const resources::DecisionRecord& record) {
    return record.uid == decision.meta.uid && !record.refused.empty();
  };
  return decision.spec.verb == verb && !DigestOf(image).empty() &&
         std::ranges::none_of(seen.release.status.decisions, refused) &&
         resources::Applies(decision, kube::kReleases, seen.release.meta, DigestOf(image), now);
}

std::optional<Closed> Breaking(const Seen& seen, const resources::ReleaseStatus& status,
                               const Wanted& wanted) {
  const bool back = wanted.cause == resources::DeliveryCause::kRollback;
  const bool works =
      back ? WorksNow(seen.release, status, wanted.image) : !Predates(seen.release, status, wanted.image);
  if (works) return std::nullopt;
  return Closed{
      {Readiness::kFailed, ReleasePhase::kBlocked, "MigrationBreaking",
       fmt::format("{} is older than the migration of {}, which was declared breaking: it can't work "
                   "on what that has made. Name a newer image{}",
                   Named(wanted.image, wanted.commit), Named(NewestBreaking(status)->image, ""),
                   back ? ""
                        : "; if the data was brought back, a Decision with verb Retry about its "
                          "digest delivers it all the same")},
      {}};
}

std::optional<Closed> Rejected(const Seen& seen, const Wanted& wanted, TimePoint now) {
  const auto* rejection = RejectionOf(seen, wanted.image, now);
  if (rejection == nullptr) return std::nullopt;
  return Closed{
      {Readiness::kFailed, ReleasePhase::kBlocked, "Rejected",
       fmt::format("{} rejected {} in Decision {}: {}. It is held until another image is wanted",
                   rejection->spec.actor, Named(wanted.image, wanted.commit), rejection->meta.key.name,
                   rejection->spec.reason.empty() ? "no reason was given" : rejection->spec.reason)},
      rejection->spec.expires};
}

std::optional<Closed> Soaking(const Seen& seen, const Wanted& wanted, TimePoint now) {
  const Duration soak = seen.release.spec.gates.soak;
  if (!wanted.soaked_since || soak <= Duration(0)) return std::nullopt;
  const TimePoint end = *wanted.soaked_since + soak;
  if (now >= end) return std::nullopt;
  return Closed{
      {Readiness::kWaiting, ReleasePhase::kPending, "Soaking",
       fmt::format("{} was verified in Release {} at {}, and spec.gates.soak is {}: it goes on at {}",
                   Named(wanted.image, wanted.commit), wanted.from_release, FormatTime(*wanted.soaked_since),
                   FormatDuration(soak), FormatTime(end))},
      end};
}

std::optional<Closed> Awaiting(const Seen& seen, const Wanted& wanted, TimePoint now) {
  const auto asked = static_cast<std::size_t>(std::max(seen.release.spec.gates.approvals, 0));
  const auto approvals = ApprovalsOf(seen, wanted.image, now);
  if (approvals.size() >= asked) return std::nullopt;
  std::vector<std::string> who;
  std::optional<TimePoint> until;
  for (const auto& approval : approvals) {
    who.push_back(approval->spec.actor);
    if (approval->spec.expires) until = std::min(until.value_or(TimePoint::max()), *approval->spec.expires);
  }
  return Closed{
      {Readiness::kWaiting, ReleasePhase::kPending, "AwaitingApproval",
       fmt::format("{} of {} approvals of {}{}. To approve it, `kubectl create` a Decision with spec.verb "
                   "Approve, spec.target {{kind: Release, name: {}, uid: {}}}, spec.subject {} and your user "
                   "name as spec.actor; each person counts once",
                   approvals.size(), asked, Named(wanted.image, wanted.commit),
                   who.empty() ? std::string() : Clip(fmt::format(" (by {})", fmt::join(who, ", ")), 200),
                   seen.release.meta.key.name, seen.release.meta.uid.value, DigestOf(wanted.image))},
      until};
}

// This Release delivered it here, and nothing else since: a change of its ConfigMaps, or a way back to it, is
// no new image. What was found running, or was left by a delivery that failed, passed no gate, and what
// passed those of one target may still be none for another.
bool PassedHere(const resources::Release& release, const resources::ReleaseStatus& status,
                std::string_view image) {
  if (!SameDigest(status.image, image)) return false;
  const auto last = std::ranges::find_if(status.history, Delivered);
  if (last == status.history.end() || last->outcome != "Promoted") return false;
  const auto& target = release.spec.target;
  return SameDigest(last->image, image) && last->deployment == target.deployment &&
         last->container == target.container;
}

}  // namespace

const resources::Decision* RejectionOf(const Seen& seen, std::string_view image, TimePoint now) {
  for (const auto& decision : seen.decisions) {
    if (Says(seen, *decision, Verb::kReject, image, now)) return decision.get();
  }
  return nullptr;
}

std::vector<std::shared_ptr<const resources::Decision>> ApprovalsOf(const Seen& seen, std::string_view image,
                                                                    TimePoint now) {
  std::vector<std::shared_ptr<const resources::Decision>> approvals;
  for (const auto& decision : seen.decisions) {
    if (!Says(seen, *decision, Verb::kApprove, image, now) || decision->spec.actor.empty()) continue;
    const bool counted = std::ranges::any_of(
        approvals, [&decision](const auto& other) { return other->spec.actor == decision->spec.actor; });
    if (!counted) approvals.push_back(decision);
  }
  return approvals;
}

std::optional<Closed> ClosedGate(const Seen& seen, const resources::ReleaseStatus& status,
                                 const Wanted& wanted, bool insisted, TimePoint now) {
  const bool back = status.rollback.has_value();
  if (back || !insisted) {
    if (auto closed = Breaking(seen, status, wanted)) return closed;
  }
  if (auto closed = Rejected(seen, wanted, now)) return closed;
  // What is demanded of its signature may be new, and that it runs says nothing of it; what passed is
  // remembered.
  const bool fresh = !back && !PassedHere(seen.release, status, wanted.image);
  if (fresh) {
    if (auto closed = Soaking(seen, wanted, now)) return closed;
    if (auto closed = Awaiting(seen, wanted, now)) return closed;
  }
  if (auto closed = Unverified(seen, status, wanted, now)) return closed;
  return fresh ? Unscanned(seen, status, wanted, now) : std::nullopt;
}

}  // namespace slipway::release
