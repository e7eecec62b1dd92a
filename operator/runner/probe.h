// `slipway-runner probe`: whether the canary is fit to go on, measured from inside the cluster.
//
// It asks through the Service on a new connection for each request, so that kube-proxy chooses a pod every
// time, and straight at each canary pod, so that a version that lies is caught. Redirects are not followed:
// 200 is the one good answer. It speaks plain HTTP only.
//
// As flags: --url --health-path --version-path --expect-version --requests --p95-limit --timeout
// --canary-share --pod=NAME=IP:PORT (repeated) --report; durations are Go's ("1500ms").
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace slipway::runner {

struct ProbePod {
  std::string name;
  std::string address;  // "10.0.0.7:8080" or "[fd00::7]:8080"
};

struct ProbeOptions {
  std::string url;  // http://service.namespace.svc:port
  std::string health_path = "/";
  std::string version_path;    // empty: no version is asked for
  std::string expect_version;  // empty: any version is right
  int requests = 100;          // of each kind, through the Service; each pod gets 10 of each kind
  std::chrono::milliseconds p95_limit{1000};
  std::chrono::milliseconds timeout{60000};  // of the whole probe
  // Share of the Service's ready pods that are the canary's, in (0, 1]: how likely the new version is to be
  // missed by chance. At 0 it is not known, and that it is seen through the Service is not demanded.
  double canary_share = 0;
  // How long it waits, before it measures, for the Service to answer once with expect_version.
  std::chrono::milliseconds propagation{15000};
  std::vector<ProbePod> pods;
  std::string report_path = "/dev/termination-log";  // JSON of at most 3 KiB
};

// Exit codes. A finding is not a broken probe.
inline constexpr int kProbePassed = 0;
inline constexpr int kProbeBroken =
    1;  // no verdict: options that make no sense, a report that can't be written
inline constexpr int kProbeFailed = 10;

int RunProbe(const ProbeOptions& options);

}  // namespace slipway::runner
