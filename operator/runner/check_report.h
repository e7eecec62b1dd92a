// What `probe`, `compare` and `prometheus` leave behind: one shape, as the operator reads it from the pod's
// termination message. Exit codes: a finding is not a broken check.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/latency.h"
#include "runner/share.h"

namespace slipway::runner {

inline constexpr int kCheckPassed = 0;
inline constexpr int kCheckBroken = 1;  // no verdict: options that make no sense, nobody to ask, no report
inline constexpr int kCheckFailed = 10;
inline constexpr int kCheckInconclusive = 11;

inline constexpr std::string_view kPassedReason = "Passed";

enum class CheckVerdict : std::uint8_t { kPass, kFail, kInconclusive };

struct PodReport {
  std::string name;
  int failures = 0;
  std::string version;  // the last that it answered
  bool operator==(const PodReport&) const = default;
};

struct ComparisonReport {
  int pairs = 0;  // that counted: those of the warm-up do not
  int canary_errors = 0, stable_errors = 0;
  int canary_slow = 0, stable_slow = 0;
  int threshold_ms = 0;  // what took longer was slow
  int canary_p95_ms = 0, stable_p95_ms = 0;
  int confidence = 0;  // percent, rounded down: what the counts give to the verdict
  bool operator==(const ComparisonReport&) const = default;
};

struct CheckReport {
  CheckVerdict verdict = CheckVerdict::kFail;
  std::string reason;   // CamelCase
  std::string message;  // what was asked, what was answered; printable, at most 512 bytes
  int requests = 0;     // probe: through the Service; compare: those to the canary; prometheus: queries
  int failures = 0;     // of them
  Percentiles latency;
  std::map<std::string, int> versions;  // through the Service; the 8 most frequent
  std::vector<PodReport> pods;          // in JSON: those with failures first; at most 10
  std::optional<Share> share;
  std::optional<ComparisonReport> comparison;
  std::string value;  // what a query answered last

  bool passed() const { return verdict == CheckVerdict::kPass; }
};

// The first finding is the reason; later ones change nothing.
void Find(CheckReport& report, std::string_view reason, std::string_view message);

// At most 3 KiB, so that it fits its share of a pod's termination messages: pods go first, then versions.
std::string ToJson(CheckReport report);

// Logs the verdict of `step`, writes the report; the exit code.
int Conclude(std::string_view step, const CheckReport& report, const std::string& report_path);

// At most so many bytes; what is not printable ASCII becomes '?'.
std::string PrintableAscii(std::string_view text, std::size_t most);

}  // namespace slipway::runner
