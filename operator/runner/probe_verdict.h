// What the probe makes of its answers: pure, so that it is tested as a table.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runner/probe.h"

namespace slipway::runner {

inline constexpr int kThroughService = -1;
inline constexpr int kRequestsPerPod = 10;  // of each kind

struct Observation {
  int pod = kThroughService;  // or an index into ProbeOptions::pods
  bool version = false;       // version_path was asked, else health_path
  int status = 0;             // 0: there was no answer
  std::string text;           // the version that was answered; without an answer, what went wrong
  std::chrono::microseconds took{0};
};

struct Findings {
  std::string unreachable;  // why the Service's name has no address; empty: it has one
  int planned = 0;          // how many answers there should be
  std::vector<Observation> answers;
};

struct PodReport {
  std::string name;
  int failures = 0;
  std::string version;  // the last that it answered
  bool operator==(const PodReport&) const = default;
};

struct ProbeReport {
  bool passed = false;
  std::string reason;   // CamelCase
  std::string message;  // what was asked, what was answered
  int requests = 0;     // through the Service
  int failures = 0;     // of them: no answer, or another status than 200
  int p50_ms = 0, p95_ms = 0, p99_ms = 0;
  std::map<std::string, int> versions;  // through the Service; the 8 most frequent
  std::vector<PodReport> pods;          // those with failures first; at most 10
};

ProbeReport Judge(const ProbeOptions& options, const Findings& findings);

// At most 3 KiB, so that it fits its share of a pod's termination messages.
std::string ToJson(ProbeReport report);

// The body without the space around it: at most 128 bytes, what is not printable ASCII becomes '?'. It is
// written by the program under test and is shown to people.
std::string VersionOf(std::string_view body);

// The nearest-rank percentile (the smallest sample that at least `percent` of all samples do not exceed), in
// whole milliseconds, rounded up. `sorted` ascends; 0 when it is empty.
int PercentileMs(const std::vector<std::chrono::microseconds>& sorted, int percent);

// True when so many requests, each of which meets the canary with this chance, miss it less than once in a
// million runs.
bool MustMeetCanary(double share, int requests);

}  // namespace slipway::runner
