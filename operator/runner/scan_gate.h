// `slipway-runner gate`: whether what Trivy found in an image lets it through.
//
// Trivy looks and writes down everything it finds, and decides nothing: its exit code says only whether it
// worked. This decides, from that report, the age of the database and the exceptions that the spec makes. A
// report that is missing, cut short or of another shape is a broken scanner: never clean, and never a
// finding.
//
// As flags: gate --trivy=FILE --database=FILE [--max-database-age] --fail-on [--ignore-unfixed |
// --count-unfixed]
//           --exception=JSON… --report.
// Exit codes: kGateOpen; kGateFindings; kGateStale, the database is too old; kGateAhead, it is dated in the
// future; kGateBroken, there is nothing to judge. The first four leave a report (ToJson below), the last
// {"reason": …, "message": …}.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace slipway::runner {

inline constexpr int kGateOpen = 0;
inline constexpr int kGateBroken = 1;
inline constexpr int kGateFindings = 10;
inline constexpr int kGateStale = 12;
inline constexpr int kGateAhead = 13;

// As Trivy orders them; what it can't tell is the least.
enum class Severity : std::uint8_t { kUnknown, kLow, kMedium, kHigh, kCritical };
std::optional<Severity> ParseSeverity(std::string_view text);  // HIGH, High
std::string_view ToString(Severity severity);                  // HIGH

struct Vulnerability {
  std::string id;  // CVE-2024-1234, GHSA-…
  Severity severity = Severity::kUnknown;
  std::string package;
  std::string installed;
  std::string fixed;  // versions that mend it; empty: none
  bool operator==(const Vulnerability&) const = default;
};

struct ScanReport {
  // Each (id, package, installed) once, with the worst severity and the first mend that are told of it.
  std::vector<Vulnerability> found;
  int suppressed = 0;  // by VEX documents
};

// Trivy's `--format json`, version 2 of its schema. kInvalid: it is none, or a part of it has another shape.
Result<ScanReport> ParseTrivyReport(std::string_view json);

// When the database was made: `UpdatedAt` of its metadata.json.
Result<TimePoint> ParseDatabaseTime(std::string_view json);

// One finding that is borne until its day begins (UTC).
struct ScanException {
  std::string id;
  std::string package;  // empty: any
  TimePoint expires;    // the first moment at which the finding counts again
  std::string reason;
};

struct GateRules {
  Severity fail_on = Severity::kHigh;  // this and worse close the gate
  bool ignore_unfixed = true;
  std::vector<ScanException> exceptions;
  Duration max_database_age = std::chrono::hours(0);  // 0: any age, and any day
};

enum class Gate : std::uint8_t { kOpen, kFindings, kStale, kAhead };

struct GateVerdict {
  Gate gate = Gate::kOpen;
  std::array<int, 5> counts{};         // of all that was found, by severity
  std::vector<Vulnerability> worst;    // of what closes the gate: the worst first, then by id; at most 10
  int closing = 0;                     // how many close it
  std::vector<ScanException> used;     // exceptions that bore something, at most 10
  std::vector<ScanException> expired;  // exceptions that would have, and are over; at most 10
  std::optional<TimePoint> database;   // when it was made
};

// What was found counts whatever the database's age: a finding of an old one is one all the same.
GateVerdict JudgeScan(const ScanReport& report, std::optional<TimePoint> database, const GateRules& rules,
                      TimePoint now);

// At most 1.5 KiB, a container's share of the 12 KiB that a pod's reports may take: {"counts": {"HIGH": 1,
// …}, "closing": 1, "worst": [{"id", "severity", "package", "installed", "fixed"}], "used": [{"id",
// "expires"}], "expired": […], "suppressed": 0, "database": TIME}. What does not fit is left out of the
// lists' ends.
std::string ToJson(const GateVerdict& verdict, int suppressed);

}  // namespace slipway::runner
