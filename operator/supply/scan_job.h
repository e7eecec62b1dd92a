// The Job that looks for vulnerabilities in an image that is in its registry already: Trivy writes down all
// that it finds, and slipway-runner judges it, as in a build (image_build/scan_containers.cc). It reads the
// registry with the platform's credentials, and has no key. It lives until its Release has recorded the
// outcome, by the Job's UID; Kubernetes deletes it ten minutes later. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "resources/findings.h"
#include "resources/workloads.h"
#include "supply/names.h"
#include "supply/setting.h"

namespace slipway::supply {

// What counts as a finding. How old the database may be is the policy's (maxDatabaseAge).
struct ScanRules {
  resources::Severity fail_on = resources::Severity::kHigh;  // this and worse
  bool ignore_unfixed = true;
  std::vector<resources::ScanException> exceptions;
};

// Hash of the rules. Sixteen hexadecimal digits.
std::string KeyOf(const ScanRules& rules);

struct ScanRequest {
  std::string name;  // of the Job
  Owner owner;
  std::string image;  // repository@sha256:…
  ScanRules rules;
};

// Complete, to be created in setting.ns.
kube::Json RenderScanJob(const ScanRequest& request, const Setting& setting);

// What became of it. kStale: nothing was found, in a database that is too old to trust. kFailed: nothing is
// known of the image, because a tool, the registry, the database or the cluster failed: never clean, and
// never a finding.
struct ScanOutcome {
  enum class State : std::uint8_t { kRunning, kClean, kFound, kStale, kFailed };
  State state = State::kRunning;
  std::optional<resources::Findings> findings;  // of all but kRunning and kFailed
  std::string message;                          // why it failed; while it runs, what it waits for, or nothing
  std::optional<TimePoint> finished;
};

// `job` is that of the recorded UID; nullptr: gone. `pod` may be nullptr.
ScanOutcome OutcomeOfScan(const resources::Job* job, const resources::Pod* pod);

}  // namespace slipway::supply
