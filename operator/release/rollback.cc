#include "release/rollback.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "release/delivery.h"
#include "release/gates.h"
#include "release/ledger.h"

namespace slipway::release {
namespace {

using resources::DecisionRecord;
using resources::Delivery;
using resources::ReleaseStatus;
using resources::Strategy;

// The attempt that the rollback in force has made already: it says what was decided then.
const Delivery* AttemptOf(const ReleaseStatus& status, const kube::Uid& decision) {
  const auto found = std::ranges::find_if(status.history, [&decision](const Delivery& delivery) {
    return std::ranges::find(delivery.decisions, decision, &DecisionRecord::uid) != delivery.decisions.end();
  });
  return found == status.history.end() ? nullptr : &*found;
}

// Until when the delivery's image was what ran: until another one took its place.
TimePoint RanUntil(const ReleaseStatus& status, const Delivery& delivery, TimePoint at) {
  TimePoint until = at;
  for (const Delivery& later : status.history) {
    if (later.number <= delivery.number) break;
    if (Delivered(later) && !SameDigest(later.image, delivery.image)) until = later.finished.value_or(at);
  }
  return until;
}

bool JustGood(const resources::Release& release, const ReleaseStatus& status, const Delivery& delivery,
              TimePoint at) {
  const Duration window = release.spec.rollback.fast_window;
  return window > Duration(0) && at - RanUntil(status, delivery, at) <= window;
}

bool RunsNow(const Seen& seen, std::string_view image) {
  return seen.deployment == nullptr || SameDigest(ImageOf(seen.release, *seen.deployment), image);
}

// A breaking migration that has not ended yet will leave the images before it behind.
bool BreaksNow(const ReleaseStatus& status) {
  if (status.history.empty() || !Open(status.history.front())) return false;
  const auto& migration = status.history.front().migration;
  return migration && migration->compatibility == resources::Compatibility::kBreaking &&
         migration->outcome.empty();
}

}  // namespace

const Delivery* KeptDelivery(const ReleaseStatus& status, std::string_view digest) {
  const auto found = std::ranges::find_if(status.history, [digest](const Delivery& delivery) {
    return Delivered(delivery) && DigestOf(delivery.image) == digest;
  });
  return found == status.history.end() ? nullptr : &*found;
}

Wanted RollbackOf(const resources::Release& release, const ReleaseStatus& status) {
  const auto& record = *status.rollback;
  Wanted wanted;
  if (const Delivery* attempt = AttemptOf(status, record.decision.uid); attempt != nullptr) {
    wanted = WantedOf(*attempt);
  } else if (const Delivery* kept = KeptDelivery(status, DigestOf(record.image)); kept != nullptr) {
    wanted = WantedOf(*kept);
    wanted.fast = JustGood(release, status, *kept, record.decision.time);
  }
  wanted.image = record.image;
  wanted.cause = resources::DeliveryCause::kRollback;
  wanted.strategy = wanted.fast || release.spec.rolling ? Strategy::kRolling : Strategy::kCanary;
  wanted.on_failure = OnFailureOf(release, status);
  wanted.key = MarkedKey(release, ShortHash(fmt::format("{}\nrollback {}", PlainKey(KeyOf(release, wanted)),
                                                        record.decision.uid.value),
                                            8));
  return wanted;
}

std::optional<std::string> WhyNoRollback(const Seen& seen, const ReleaseStatus& status,
                                         const resources::Decision& decision, TimePoint now) {
  const std::string& digest = decision.spec.subject;
  if (seen.release.spec.suspend) return "spec.suspend is true: set it to false first";
  if (DigestOf(status.image) == digest && RunsNow(seen, status.image)) {
    return "it is what is delivered already; a delivery under way is ended by verb Abort";
  }
  const Delivery* kept = KeptDelivery(status, digest);
  if (kept == nullptr) {
    return fmt::format("{} is not in status.history as delivered: name it in the spec instead", digest);
  }
  const auto* breaking = NewestBreaking(status);
  if (BreaksNow(status)) {
    return "MigrationBreaking: the migration that is under way was declared breaking, and no image before it "
           "works after it";
  }
  if (!WorksNow(seen.release, status, kept->image)) {
    return fmt::format(
        "MigrationBreaking: the migration of {} was declared breaking, and {} is older: deliver "
        "an image that works on what it has made",
        Named(breaking->image, ""), Named(*kept));
  }
  if (const auto* rejected = RejectionOf(seen, kept->image, now); rejected != nullptr) {
    return fmt::format("{} rejected it in Decision {}", rejected->spec.actor, rejected->meta.key.name);
  }
  return std::nullopt;
}

// What is there before a delivery is, as far as is known, what was delivered last.
resources::OnFailure OnFailureOf(const resources::Release& release, const ReleaseStatus& status) {
  const bool back = release.spec.rollback.on_failure && WorksNow(release, status, status.image);
  return back ? resources::OnFailure::kRestore : resources::OnFailure::kStay;
}

}  // namespace slipway::release
