// When a look may begin: at what an image has (verification.h) or at what is vulnerable in it (scan_gate.h,
// rescan.h). Each is a Job with a pod in the namespace where the platform signs, and whoever may edit a
// Release can ask for another one with every edit. So of each kind a Release has one at a time, begins the
// next kLeastApart after the last at the earliest, whatever it is about, and all Releases together have
// kMostLooks at once, those of one namespace kMostOfNamespace. A namespace that has none begins its first
// beyond that, up to kMostWithFirst in all: busy namespaces do not keep the others waiting. They are counted
// in the cache, so that a few more may begin in one moment; the ResourceQuota of that namespace
// (deploy/base/supply-chain) bounds those. Pure.
#pragma once

#include <string>

#include "release/draft.h"
#include "release/gates.h"

namespace slipway::release {

inline constexpr Duration kLeastApart = std::chrono::seconds(10);
inline constexpr int kMostLooks = 20;
inline constexpr int kMostWithFirst = 40;
inline constexpr int kMostOfNamespace = 10;

// Why none may begin now, for want of room; empty: one may.
std::string NoRoom(const Seen& seen);

// The gate that is closed until a look has opened it, and the look is due at `due`: when it may begin. The
// one before of this kind began at `started`. Where there is no room, `hold` says so if it has no findings to
// say.
struct Turn {
  Hold hold;
  std::optional<TimePoint> again;  // nullopt: now
};
Turn TurnOf(const Seen& seen, Hold hold, std::optional<TimePoint> started, TimePoint due, TimePoint now);

// What waits for the end of a look at something else: its Job is `job`, and looks at `image`.
Hold BehindAnother(std::string_view job, std::string_view image, std::string_view wanted);

}  // namespace slipway::release
