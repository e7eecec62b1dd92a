// Which runs stay on record, and which of their Jobs. Pure.
#pragma once

#include <optional>
#include <vector>

#include "image_build/decide.h"

namespace slipway::image_build {

inline constexpr std::string_view kSuperseded = "Superseded";
inline constexpr std::string_view kCancelled = "Cancelled";

// Takes the runs beyond the spec's limits out of `runs`, and Jobs whose time is over out of those that stay;
// returns the Jobs to remove. The newest run always stays. `next`: when the next Job's time is over.
std::vector<OwnedJob> Prune(const resources::HistorySpec& limits, std::vector<resources::BuildRun>& runs,
                            TimePoint now, std::optional<Duration>& next);

}  // namespace slipway::image_build
