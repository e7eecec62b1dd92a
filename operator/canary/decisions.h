// Which Decisions a promotion follows, and why it does not follow others. Pure.
#pragma once

#include <string>

#include "canary/decide.h"

namespace slipway::canary {

enum class Fate : std::uint8_t {
  kIgnored,   // it is not about this promotion, or was taken up already: no record
  kLater,     // a Promote that waits for the canary to be whole, or what may be about a spec that comes
  kRefused,   // recorded with `why`
  kFollowed,  // recorded, and done
};
struct Judgement {
  Fate fate = Fate::kIgnored;
  std::string why;
};

// `status` is as it stands after the Decisions before this one. `whole`: every pod of the step's canary is
// available.
Judgement Judge(const resources::Decision& decision, const Seen& seen,
                const resources::CanaryPromotionStatus& status, bool whole, TimePoint now);

// The most that a status records. When it is full, the records of the oldest second make room, and
// status.decisionsBefore says so: what has no record any more is not taken up twice.
inline constexpr std::size_t kMostDecisions = 32;
void MakeRoom(resources::CanaryPromotionStatus& status);

}  // namespace slipway::canary
