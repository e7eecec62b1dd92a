// `slipway-runner prometheus`: asks a Prometheus the same query some times, and judges each answer.
//
// GET {url}/api/v1/query?query=…; http or https (the system's authorities, or those of SSL_CERT_FILE).
// Redirects are not followed; of an answer at most 1 MiB is read. What an answer is worth:
//   good          it has samples, and each lies in [min, max]
//   failed        a sample lies outside
//   inconclusive  no sample, or one that is NaN
//   error         everything else: no connection, a code other than 200, no JSON, another type of result
// The first three count towards `count`; an error is asked again, `error_limit` times in a row. It ends at
// once when a limit is passed:
//   failures > failure_limit            fails, QueryFailed
//   inconclusive > inconclusive_limit   is inconclusive, NoData
//   errors in a row > error_limit       is broken (exit code 1): the report has a reason,
//   PrometheusUnreachable
//                                       or QueryError, and a message, and no verdict
// What had no good answer at all does not pass, whatever the limits.
//
// As flags: --url --query --min --max --count --interval --failure-limit --inconclusive-limit --error-limit
// --report. The report and the exit codes are those of check_report.h.
#pragma once

#include <chrono>
#include <string>

namespace slipway::runner {

struct PrometheusOptions {
  std::string url;  // http(s)://host[:port][/path]
  std::string query;
  std::string min;  // a decimal number; empty: none
  std::string max;
  int count = 1;
  std::chrono::milliseconds interval{10000};
  int failure_limit = 0;
  int inconclusive_limit = 0;
  int error_limit = 3;
  std::chrono::milliseconds request_timeout{10000};  // no flag
  std::string report_path = "/dev/termination-log";
};

int RunPrometheus(const PrometheusOptions& options);

}  // namespace slipway::runner
