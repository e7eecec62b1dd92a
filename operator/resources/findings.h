// What a scan for vulnerabilities finds in an image, what of it is borne, and the record of a look at an
// image that runs or is to run. A build's own scan is judged by the same words (image_build.h).
#pragma once

#include "resources/common.h"

namespace slipway::resources {

enum class Severity : std::uint8_t { kUnknown, kLow, kMedium, kHigh, kCritical };

// A finding that is borne until the day on which it expires begins (UTC).
struct ScanException {
  std::string id;       // CVE-2024-1234, GHSA-…
  std::string package;  // empty: in any
  std::string expires;  // 2026-12-24
  std::string reason;
  bool operator==(const ScanException&) const = default;
};

struct Finding {
  std::string id;
  std::string severity;  // CRITICAL, …
  std::string package;
  std::string installed;
  std::string fixed;  // empty: in no version yet
  bool operator==(const Finding&) const = default;
};

// An exception of the spec that bore something, or would have.
struct BorneFinding {
  std::string id;
  std::optional<TimePoint> expires;
  bool operator==(const BorneFinding&) const = default;
};

struct Findings {
  int critical = 0, high = 0, medium = 0, low = 0, unknown = 0;
  int closing = 0;             // of them close the gate
  int suppressed = 0;          // more, by VEX documents
  std::vector<Finding> worst;  // of those that close it, at most 10
  std::vector<BorneFinding> accepted;
  std::vector<BorneFinding> expired;
  std::optional<TimePoint> database;  // when the vulnerability database was made
  bool operator==(const Findings&) const = default;
};

// The looks at one image of a Release, by a Job each; the newest, and what the last that told something told.
// A look is under way while it has a Job and no `finished`.
struct ScanRecord {
  std::string image;
  std::string key;  // hash of what counts as a finding; at the gate, behind a dot the retry mark
  std::string job;  // in the supply chain's namespace
  std::optional<kube::Uid> job_uid;
  int runs = 0;         // Jobs that were made for this image
  int failures = 0;     // of them so many of the newest told nothing
  std::string outcome;  // of the last that ended: Clean, Found, Stale (an old database), Failed
  std::string reason;   // why it is not Clean, CamelCase
  std::string message;
  std::optional<Findings> findings;  // of the last that told something
  std::optional<TimePoint> at;       // when that ended
  std::optional<TimePoint> started;  // of the newest
  std::optional<TimePoint> finished;
  std::optional<TimePoint> next;  // when what runs is looked at again
  std::string told;  // a mark of the findings that an Event told last; empty: none are to be told
  bool operator==(const ScanRecord&) const = default;
};

std::string_view ToString(Severity severity);

}  // namespace slipway::resources
