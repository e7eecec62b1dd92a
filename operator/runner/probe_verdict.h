// What the probe makes of its answers: pure, so that it is tested as a table.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runner/check_report.h"
#include "runner/probe.h"

namespace slipway::runner {

inline constexpr int kThroughService = -1;
inline constexpr int kRequestsPerPod = 10;       // of each kind
inline constexpr int kRequestsPerStablePod = 3;  // of the version

struct Observation {
  int pod = kThroughService;  // or an index into ProbeOptions::pods; of stable_pods when `stable`
  bool version = false;       // version_path was asked, else health_path
  int status = 0;             // 0: there was no answer
  std::string text;           // the version that was answered; without an answer, what went wrong
  std::chrono::microseconds took{0};
  bool stable = false;
};

// One request of --http, after its retries.
struct HttpOutcome {
  int pod = kThroughService;  // or an index into ProbeOptions::pods
  int tries = 1;
  HttpFinding finding;  // of the last try
};

struct Findings {
  std::string unreachable;  // why the Service's name has no address; empty: it has one
  int planned = 0;          // how many answers and outcomes there should be
  std::vector<Observation> answers;
  std::vector<HttpOutcome> http;
};

CheckReport Judge(const ProbeOptions& options, const Findings& findings);

// The body without the space around it: at most 128 bytes, what is not printable ASCII becomes '?'. It is
// written by the program under test and is shown to people.
std::string VersionOf(std::string_view body);

// True when so many requests, each of which meets the canary with this chance, miss it less than once in a
// million runs.
bool MustMeetCanary(double share, int requests);

}  // namespace slipway::runner
