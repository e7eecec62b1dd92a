// What `slipway-runner gate` says of a scan (runner/scan_gate.h): of a build's, and of a look at an image
// that is somewhere already. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/findings.h"

namespace slipway::supply {

// Its exit codes.
inline constexpr int kFindingsExit = 10;
inline constexpr int kStaleExit = 12;  // the database is too old
inline constexpr int kAheadExit = 13;  // it is dated in the future

// What it found, or why it could not judge.
struct GateReport {
  std::optional<resources::Findings> findings;
  std::string reason;  // ScanError, DatabaseUnknown
  std::string message;
};

// nullopt: `text` is none, or was cut short. What was found is there whole, or not at all.
std::optional<GateReport> ParseGateReport(std::string_view text);

// The worst that close the gate, as people read them: "CVE-… package 1.0 -> 1.1; …", at most `most` bytes.
std::string Listed(const std::vector<resources::Finding>& worst, std::size_t most);
// "; FIELD: that of CVE-… and 1 more expired on 2026-12-24"; empty: none did.
std::string Expired(std::string_view field, const std::vector<resources::BorneFinding>& expired);

}  // namespace slipway::supply
