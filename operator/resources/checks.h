// What a promotion asks of an image before it goes on, and what came of it: smoke tests, the comparison of
// canary and stable, and questions to a Prometheus. Each runs as one Job in the tenant's namespace; the
// operator itself opens no URL.
#pragma once

#include "resources/common.h"

namespace slipway::resources {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kPut, kDelete };

// One request through the Service, and what its answer must be.
struct HttpCheck {
  HttpMethod method = HttpMethod::kGet;
  std::string path;
  std::vector<NameValue> headers;
  std::string body;
  int status = 200;
  std::vector<NameValue> expect_headers;  // names in any case, values as they are
  std::string body_contains;
  std::string json_pointer;  // RFC 6901; empty: the body is not read as JSON
  std::string json_equals;   // a text as it is, any other value as compact JSON
  Duration latency_limit = std::chrono::seconds(5);
  int retries = 0;
  bool operator==(const HttpCheck&) const = default;
};

// Any program: it passes when it exits with 0. Its environment has SLIPWAY_URL (of the Service),
// SLIPWAY_VERSION, SLIPWAY_IMAGE and SLIPWAY_CANARY_PODS (addresses, by commas).
struct PodCheck {
  std::string image;  // by digest
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::vector<NameValue> env;
  bool operator==(const PodCheck&) const = default;
};

// With `pod`, that program. Without, what our probe asks through the Service's DNS name, on a new connection
// each, and at each pod's address; and then the requests of `http`, in order.
struct SmokeTest {
  std::string name = "default";
  std::string health_path = "/healthz";   // every answer must be 200
  std::string version_path = "/version";  // must answer spec.version from every canary pod
  int requests = 200;
  Duration p95_limit = std::chrono::milliseconds(1500);
  Duration timeout = std::chrono::seconds(60);  // of the whole test
  std::vector<HttpCheck> http;
  std::optional<PodCheck> pod;
  bool operator==(const SmokeTest&) const = default;
};

// Canary and stable asked in pairs, straight at their pods, until the answer is known: a sequential test by
// betting (Waudby-Smith & Ramdas, 2024; Ville's inequality), so it may be read after each pair. An error is
// no answer, one of 500 and above, or one of 400 to 499 where the other side's was below 400. An answer is
// slow that takes longer than stable's own 95th percentile in the first pairs, by `slower_by` percent.
struct Comparison {
  std::string path = "/";
  int max_pairs = 3000;  // then: Inconclusive
  int rate = 100;        // pairs a second
  int error_margin = 2;  // Pass: with confidence, less than so many more errors in 100
  int slow_margin = 10;  // Pass: with confidence, less than so many more slow answers in 100
  int slower_by = 50;    // percent
  int confidence = 99;   // percent: 100 - it bounds both a false alarm and a miss
  Duration timeout = std::chrono::minutes(2);
  bool operator==(const Comparison&) const = default;
};

// A PromQL query, asked `count` times. $(namespace), $(canary), $(stable) and $(service) in it are replaced.
// An answer fails that is outside [min, max]; it is inconclusive when there is no sample, or NaN; everything
// else is an error. The limits say how many of each are borne.
struct PrometheusCheck {
  std::string name;
  std::string url;  // http(s)://host[:port][/path]
  std::string query;
  std::string min;  // a decimal number; empty: none
  std::string max;
  int count = 1;
  Duration interval = std::chrono::seconds(10);
  int failure_limit = 0;
  int inconclusive_limit = 0;
  int error_limit = 3;  // in a row
  bool operator==(const PrometheusCheck&) const = default;
};

// What is done about a check that could not tell: kPause waits for a Decision (Resume or Abort).
enum class OnInconclusive : std::uint8_t { kPause, kAbort };

struct Analysis {
  std::optional<Comparison> compare;
  std::vector<PrometheusCheck> prometheus;
  OnInconclusive on_inconclusive = OnInconclusive::kPause;
  bool operator==(const Analysis&) const = default;
};

enum class CheckKind : std::uint8_t { kSmoke, kCompare, kPrometheus };
enum class Verdict : std::uint8_t { kNone, kPassed, kFailed, kInconclusive, kError };

// The canary's share of answers through the Service beside its share of ready pods: whether the split is
// real. An exact binomial (Clopper-Pearson) interval at 99%.
struct ShareResult {
  int canary = 0;  // answers
  int answers = 0;
  int wanted_permille = 0;  // of ready pods
  int low_permille = 0, high_permille = 0;
  bool inside = false;
  bool operator==(const ShareResult&) const = default;
};

struct ComparisonResult {
  int pairs = 0;
  int canary_errors = 0, stable_errors = 0;
  int canary_slow = 0, stable_slow = 0;
  int threshold_ms = 0;  // what was slow
  int canary_p95_ms = 0, stable_p95_ms = 0;
  int confidence = 0;  // percent
  bool operator==(const ComparisonResult&) const = default;
};

struct CheckResult {
  std::string name;
  CheckKind kind = CheckKind::kSmoke;
  Verdict verdict = Verdict::kNone;
  std::string reason;  // CamelCase
  int requests = 0;
  int failures = 0;
  int p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
  std::map<std::string, int> versions;  // answers per version, through the Service
  std::optional<ShareResult> share;
  std::optional<ComparisonResult> comparison;
  std::string value;  // of a query: the last
  std::string message;
  std::optional<TimePoint> finished;
  bool operator==(const CheckResult&) const = default;
};

// Checks, one after the other, each a Job: where they are. A result is of the check at its own index.
struct CheckRun {
  std::optional<std::string> job_name;  // of the one under way
  std::optional<kube::Uid> job_uid;
  std::vector<CheckResult> results;
  bool operator==(const CheckRun&) const = default;
};

std::string_view ToString(CheckKind kind);
std::string_view ToString(Verdict verdict);
std::string_view ToString(HttpMethod method);

}  // namespace slipway::resources
