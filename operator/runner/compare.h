// `slipway-runner compare`: whether the canary is worse than stable, from pairs of requests straight at their
// pods: no metrics server, no traffic of others needed.
//
// Of a pair one goes to a canary pod and one to a stable pod, at the same moment, each on a new connection;
// both sides take turns among their pods. An answer of 500 and above, none, or none within request_timeout is
// an error; and one of 400 to 499 where the other side's in its pair was below 400. A pod of stable that gave
// no answer three times running is gone, and has no turn any more; with the last of them the comparison ends,
// inconclusive. So it does where either side errs in more than one answer of four. The first 50 pairs tell
// only what is slow (compare_verdict.h); after that sequential.h decides, pair by pair in the order of
// asking, until it is known, or max_pairs or the time are used up. At most 64 pairs are under way at once:
// against pods that hang the rate is not kept.
//
// As flags: --path --host --max-pairs --rate --error-margin --slow-margin --slower-by --confidence --timeout
// --canary-pod=NAME=IP:PORT --stable-pod=NAME=IP:PORT (repeated) --report. The report and the exit codes are
// those of check_report.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runner/address.h"

namespace slipway::runner {

struct CompareOptions {
  std::string path = "/";
  std::string host;                                  // the Host header: the Service's name, as clients use it
  int max_pairs = 3000;                              // that count
  int rate = 100;                                    // pairs a second
  int error_margin = 2;                              // percent of answers
  int slow_margin = 10;                              // percent of answers
  int slower_by = 50;                                // percent of stable's 95th percentile
  int confidence = 99;                               // percent
  std::chrono::milliseconds timeout{120000};         // of the whole comparison
  std::chrono::milliseconds request_timeout{10000};  // no flag
  std::vector<PodAddress> canary_pods;
  std::vector<PodAddress> stable_pods;
  std::string report_path = "/dev/termination-log";
};

int RunCompare(const CompareOptions& options);

}  // namespace slipway::runner
