// What is delivered is scanned again, as often as the policy says (rescanInterval): what was clean when it
// was delivered may be known as vulnerable today. It changes nothing of the delivery. status.rescan is the
// record of the looks at status.image, and begins with what the gate found of it. What is known is told by
// condition Vulnerable (True: VulnerabilitiesFound; False: NoneFound; Unknown: ScanPending, ScanFailed,
// DatabaseTooOld), by an Event once for each new set of findings, and by metrics, which the shell makes of
// the record.
//
// One look at a time: where the gate looks, this waits. When, follows from the Release's UID, so that not all
// scan at once: first within a 24th of the interval, and then after nine to ten tenths of it. Pure.
#pragma once

#include <string_view>

#include "release/draft.h"

namespace slipway::release {

inline constexpr std::string_view kVulnerable = "Vulnerable";

// After everything else is decided: status.image is what will be delivered when the plan is carried out.
void Rescan(Draft& draft);

}  // namespace slipway::release
