#include "release/turn.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;

constexpr std::string_view kQueued = "LookQueued";

Hold Queued(std::string message) {
  return {Readiness::kWaiting, ReleasePhase::kPending, std::string(kQueued), std::move(message)};
}

}  // namespace

std::string NoRoom(const Seen& seen) {
  const auto& looks = seen.looks;
  const int most = looks.of_namespace > 0 ? kMostLooks : kMostWithFirst;
  if (looks.all >= most) {
    return fmt::format(
        "{} Jobs of the supply chain's namespace look at images for Releases, and no more than {} do at "
        "once{}",
        looks.all, kMostLooks,
        most == kMostLooks ? "" : fmt::format(", {} with the first of each namespace", kMostWithFirst));
  }
  if (looks.of_namespace < kMostOfNamespace) return {};
  return fmt::format(
      "{} Jobs of the supply chain's namespace look at images for Releases of this namespace, and no more "
      "than {} do at once",
      looks.of_namespace, kMostOfNamespace);
}

Turn TurnOf(const Seen& seen, Hold hold, std::optional<TimePoint> started, TimePoint due, TimePoint now) {
  if (started) due = std::max(due, *started + kLeastApart);
  if (due > now) return {std::move(hold), due};
  const std::string full = NoRoom(seen);
  if (full.empty()) return {std::move(hold), std::nullopt};
  // A look that ended has a word of its own, and that stays until the next.
  if (hold.phase == ReleasePhase::kBlocked) return {std::move(hold), now + kLeastApart};
  return {Queued(fmt::format("{}: {}. It is tried again", hold.message, full)), now + kLeastApart};
}

Hold BehindAnother(std::string_view job, std::string_view image, std::string_view wanted) {
  return Queued(fmt::format(
      "{} is looked at when Job {} of the supply chain's namespace, which looks at {} or by other "
      "demands, has ended: a Release has one at a time",
      wanted, job, image));
}

}  // namespace slipway::release
