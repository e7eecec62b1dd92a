// What a scan Job may have found, for the tables about the gate and about what is delivered.
#pragma once

#include <string>

#include "unit/release/world.h"

namespace slipway::release {

using ScanState = supply::ScanOutcome::State;

inline resources::Findings Findings(int closing, const std::string& id = "CVE-2024-1") {
  resources::Findings findings;
  findings.high = closing;
  findings.closing = closing;
  for (int i = 0; i < closing; ++i) {
    const std::string name = i == 0 ? id : id + "-" + std::to_string(i);
    findings.worst.push_back({name, "HIGH", "zlib", "1.0", "1.1"});
  }
  findings.database = kNow - std::chrono::hours(7);
  return findings;
}

inline supply::ScanOutcome Clean() { return {ScanState::kClean, Findings(0), {}, {}}; }
inline supply::ScanOutcome Found(int closing = 1, const std::string& id = "CVE-2024-1") {
  return {ScanState::kFound, Findings(closing, id), {}, {}};
}
inline supply::ScanOutcome Stale() { return {ScanState::kStale, Findings(0), {}, {}}; }
inline supply::ScanOutcome Broken() {
  return {ScanState::kFailed, {}, "the image can't be read: connection refused", {}};
}

}  // namespace slipway::release
