// `slipway-runner probe`: whether the canary is fit to go on, measured from inside the cluster.
//
// It asks through the Service on a new connection for each request, so that kube-proxy chooses a pod every
// time, and straight at each canary pod, so that a version that lies is caught; and at stable's pods, which
// must not answer the canary's version. Then come the requests of --http, one after the other: each through
// the Service, which may choose a pod of stable, and at each canary pod, which it is about. Redirects are not
// followed. It speaks plain HTTP only.
//
// As flags: --url --health-path --version-path --expect-version --requests --p95-limit --timeout
// --canary-share --pod=NAME=IP:PORT --stable-pod=NAME=IP:PORT --http=JSON (repeated, each) --report;
// durations are Go's ("1500ms"). The report and the exit codes are those of check_report.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runner/address.h"
#include "runner/http_check.h"

namespace slipway::runner {

struct ProbeOptions {
  std::string url;  // http://service.namespace.svc:port
  std::string health_path = "/";
  std::string version_path;    // empty: no version is asked for
  std::string expect_version;  // empty: any version is right
  int requests = 100;          // of each kind, through the Service; each canary pod gets 10 of each kind
  std::chrono::milliseconds p95_limit{1000};
  std::chrono::milliseconds timeout{60000};  // of the whole probe
  // Share of the Service's ready pods that are the canary's, in [0, 1]: whether the split is real, and how
  // likely the new version is to be missed by chance. At 0 it is not known, and neither is demanded.
  double canary_share = 0;
  // How long it waits, before it measures, for the Service to answer once with expect_version.
  std::chrono::milliseconds propagation{15000};
  std::vector<PodAddress> pods;         // the canary's
  std::vector<PodAddress> stable_pods;  // of another image
  std::vector<HttpCheck> http;
  std::string report_path = "/dev/termination-log";
};

int RunProbe(const ProbeOptions& options);

}  // namespace slipway::runner
