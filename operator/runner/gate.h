// `slipway-runner gate`: reads what Trivy left in the pod's volume, judges it (scan_gate.h), says so and ends
// with its exit code. It needs no network.
#pragma once

#include <string>
#include <vector>

#include "runner/scan_gate.h"

namespace slipway::runner {

struct GateOptions {
  std::string trivy;     // the report: `trivy image --format json --list-all-pkgs --show-suppressed`
  std::string database;  // metadata.json of the database that it used; empty: its age does not count
  GateRules rules;
  std::string report_path = "/dev/termination-log";
};

int RunGate(const GateOptions& options);

// An exception as a flag: {"id": …, "package": …, "expires": "2026-12-24", "reason": …}. It is
// borne until that day begins, in UTC.
Result<ScanException> ParseException(std::string_view json);

}  // namespace slipway::runner
