#include "resources/checks.h"

#include <charconv>

#include "resources/describe.h"
#include "resources/image_build_parts.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 5> kMethods{"GET", "HEAD", "POST", "PUT", "DELETE"};
constexpr std::array<std::string_view, 2> kOnInconclusive{"Pause", "Abort"};
constexpr std::array<std::string_view, 3> kKinds{"Smoke", "Compare", "Prometheus"};
constexpr std::array<std::string_view, 5> kVerdicts{"", "Passed", "Failed", "Inconclusive", "Error"};
constexpr std::int64_t kPercent = 100;
constexpr std::int64_t kPermille = 1000;
constexpr Field kPath{.name = "path",
                      .doc = "What is asked.",
                      .required = true,
                      .min_length = 1,
                      .max_length = 512,
                      .rule = &kHttpPath};
}  // namespace

static std::span<const std::string_view> Names(HttpMethod) { return kMethods; }
static std::span<const std::string_view> Names(OnInconclusive) { return kOnInconclusive; }
static std::span<const std::string_view> Names(CheckKind) { return kKinds; }
static std::span<const std::string_view> Names(Verdict) { return kVerdicts; }

std::string_view ToString(HttpMethod method) { return kMethods[static_cast<std::size_t>(method)]; }
std::string_view ToString(CheckKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view ToString(Verdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }

// ---- what is asked ----

static void Header(Visitor& v, NameValue& s) {
  v.Visit({.name = "name",
           .doc = "The header's name.",
           .required = true,
           .min_length = 1,
           .max_length = 128,
           .rule = &kHeaderName},
          s.name);
  v.Visit({.name = "value", .doc = "The header's value.", .max_length = 512, .rule = &kPlainText}, s.value);
}

static void Headers(Visitor& v, const Field& field, std::vector<NameValue>& headers) {
  v.List(field, {headers.size(), [&headers](std::size_t n) { headers.resize(n); },
                 [&headers](Visitor& inner, std::size_t i) { Header(inner, headers[i]); }});
}

static void Describe(Visitor& v, HttpCheck& s) {
  v.Visit({.name = "method", .doc = "How it is asked."}, s.method);
  v.Visit(kPath, s.path);
  Headers(v, {.name = "headers", .doc = "Sent with it.", .max_items = 8}, s.headers);
  v.Visit({.name = "body", .doc = "Sent with it.", .max_length = 2048, .rule = &kCommand}, s.body);
  v.Visit({.name = "status", .doc = "The status that the answer must have.", .min = 100, .max = 599},
          s.status);
  Headers(v, {.name = "expectHeaders", .doc = "Headers that the answer must have.", .max_items = 8},
          s.expect_headers);
  v.Visit({.name = "bodyContains",
           .doc = "A text that must be in the answer's first 64 KiB.",
           .max_length = 512,
           .rule = &kPlainText},
          s.body_contains);
  v.Visit({.name = "jsonPointer",
           .doc = "Of a value in the answer, by RFC 6901: /items/0/name.",
           .max_length = 256,
           .rule = &kJsonPointer},
          s.json_pointer);
  v.Visit({.name = "jsonEquals",
           .doc = "What stands there: a text as it is, anything else as compact JSON.",
           .max_length = 512,
           .rule = &kPlainText},
          s.json_equals);
  v.Visit({.name = "latencyLimit",
           .doc = "The answer must arrive within this time.",
           .shortest = std::chrono::milliseconds(1),
           .longest = std::chrono::minutes(1)},
          s.latency_limit);
  v.Visit({.name = "retries", .doc = "How often it is asked again before it counts as failed.", .max = 10},
          s.retries);
}

static void Describe(Visitor& v, PodCheck& s) {
  v.Visit({.name = "image",
           .doc = "The program's image, by digest.",
           .required = true,
           .min_length = 1,
           .max_length = 330,
           .rule = &kImage},
          s.image);
  v.Visit({.name = "command",
           .doc = "Instead of the image's entry point.",
           .max_length = 2048,
           .rule = &kCommand,
           .max_items = 16},
          s.command);
  v.Visit({.name = "args", .doc = "Its arguments.", .max_length = 2048, .rule = &kCommand, .max_items = 16},
          s.args);
  v.Visit({.name = "env", .doc = "Environment variables.", .max_items = 16, .list_key = "name"}, s.env);
}

void Describe(Visitor& v, SmokeTest& s) {
  v.Visit({.name = "name",
           .doc = "Tells this test from the others.",
           .min_length = 1,
           .max_length = 63,
           .rule = &kLabelName},
          s.name);
  v.Visit({.name = "healthPath",
           .doc = "Asked through the Service; each answer must be 200.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kHttpPath},
          s.health_path);
  v.Visit({.name = "versionPath",
           .doc = "Asked of each canary pod; must answer the version that is delivered.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kHttpPath},
          s.version_path);
  v.Visit(
      {.name = "requests",
       .doc = "How often each of the two paths is asked through the Service, each time on a new connection.",
       .min = 1,
       .max = 10000},
      s.requests);
  v.Visit({.name = "p95Limit",
           .doc = "95 of 100 answers must arrive within this time.",
           .shortest = std::chrono::milliseconds(1),
           .longest = std::chrono::minutes(1)},
          s.p95_limit);
  v.Visit({.name = "timeout",
           .doc = "The longest that the whole test may take.",
           .shortest = std::chrono::seconds(1),
           .longest = std::chrono::minutes(30)},
          s.timeout);
  v.Visit({.name = "http", .doc = "Further requests through the Service, in order.", .max_items = 6}, s.http);
  v.Visit({.name = "pod", .doc = "Any program instead: it passes when it exits with 0."}, s.pod);
  v.Rule({"!(has(self.pod) && has(self.http))", "name pod or http, not both", ""}, !s.pod || s.http.empty());
}

// Of decimal numbers; anything else is refused for itself.
static bool IsAbove(std::string_view a, std::string_view b) {
  double left = 0;
  double right = 0;
  const bool read = std::from_chars(a.data(), a.data() + a.size(), left).ec == std::errc() &&
                    std::from_chars(b.data(), b.data() + b.size(), right).ec == std::errc();
  return read && left > right;
}

static void Describe(Visitor& v, Comparison& s) {
  v.Visit(
      {.name = "path",
       .doc =
           "Asked of canary and stable, in pairs. An error is no answer, one of 500 and above, or one of 400 "
           "and above where the other's in its pair was below 400.",
       .min_length = 1,
       .max_length = 512,
       .rule = &kHttpPath},
      s.path);
  v.Visit({.name = "maxPairs", .doc = "After so many it is Inconclusive.", .min = 50, .max = 100000},
          s.max_pairs);
  v.Visit({.name = "rate", .doc = "Pairs a second.", .min = 1, .max = 500}, s.rate);
  v.Visit({.name = "errorMargin",
           .doc = "Passed means: less than so many more errors in 100 answers than stable.",
           .min = 1,
           .max = 50},
          s.error_margin);
  v.Visit({.name = "slowMargin",
           .doc = "Passed means: less than so many more slow answers in 100 than stable.",
           .min = 1,
           .max = 50},
          s.slow_margin);
  v.Visit({.name = "slowerBy",
           .doc = "An answer is slow that takes longer than stable's 95th percentile, by so many percent.",
           .min = 1,
           .max = 1000},
          s.slower_by);
  v.Visit(
      {.name = "confidence",
       .doc = "Percent. 100 less this bounds how often it fails a canary that is no worse, and how often it "
              "passes one that is worse by the margin.",
       .min = 80,
       .max = 99},
      s.confidence);
  v.Visit({.name = "timeout",
           .doc = "After so long it is Inconclusive.",
           .shortest = std::chrono::seconds(1),
           .longest = std::chrono::hours(1)},
          s.timeout);
}

static void Describe(Visitor& v, PrometheusCheck& s) {
  v.Visit({.name = "name",
           .doc = "Tells this query from the others.",
           .required = true,
           .min_length = 1,
           .max_length = 63,
           .rule = &kLabelName},
          s.name);
  v.Visit({.name = "url",
           .doc = "Of the Prometheus: http://host:port.",
           .required = true,
           .min_length = 1,
           .max_length = 512,
           .rule = &kApiUrl},
          s.url);
  v.Visit({.name = "query",
           .doc = "PromQL; $(namespace), $(canary), $(stable) and $(service) stand for the names.",
           .required = true,
           .min_length = 1,
           .max_length = 2048,
           .rule = &kCommand},
          s.query);
  v.Visit({.name = "min", .doc = "Each sample must be at least this.", .max_length = 32, .rule = &kDecimal},
          s.min);
  v.Visit({.name = "max", .doc = "Each sample must be at most this.", .max_length = 32, .rule = &kDecimal},
          s.max);
  v.Rule({"has(self.min) || has(self.max)", "name min, max or both: else nothing can fail", ""},
         !s.min.empty() || !s.max.empty());
  v.Rule({"!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)",
          "min is above max: nothing could pass", ""},
         s.min.empty() || s.max.empty() || !IsAbove(s.min, s.max));
  v.Visit({.name = "count", .doc = "How often it is asked.", .min = 1, .max = 1000}, s.count);
  v.Visit({.name = "interval",
           .doc = "The time between two.",
           .shortest = std::chrono::seconds(1),
           .longest = std::chrono::hours(1)},
          s.interval);
  v.Visit({.name = "failureLimit", .doc = "How many may fail.", .max = 1000}, s.failure_limit);
  v.Visit({.name = "inconclusiveLimit", .doc = "How many may have no sample.", .max = 1000},
          s.inconclusive_limit);
  v.Visit({.name = "errorLimit", .doc = "How many in a row may get no answer.", .max = 1000}, s.error_limit);
}

void Describe(Visitor& v, Analysis& s) {
  v.Visit({.name = "compare",
           .doc = "Canary and stable asked in pairs, straight at their pods: a sequential test."},
          s.compare);
  v.Visit({.name = "prometheus", .doc = "Questions to a Prometheus.", .max_items = 10, .list_key = "name"},
          s.prometheus);
  v.Visit({.name = "onInconclusive",
           .doc = "What is done when a check could not tell: Pause waits for a Decision."},
          s.on_inconclusive);
}

// ---- what came of it ----

static void Describe(Visitor& v, ShareResult& s) {
  v.Visit({.name = "canary", .doc = "Answers of the canary."}, s.canary);
  v.Visit({.name = "answers", .doc = "All answers that named a version."}, s.answers);
  v.Visit({.name = "wantedPermille", .doc = "The canary's share of ready pods.", .max = kPermille},
          s.wanted_permille);
  v.Visit({.name = "lowPermille", .doc = "The lower end of the 99% interval.", .max = kPermille},
          s.low_permille);
  v.Visit({.name = "highPermille", .doc = "Its upper end.", .max = kPermille}, s.high_permille);
  v.Visit({.name = "inside", .doc = "Whether the wanted share lies in it."}, s.inside);
}

static void Describe(Visitor& v, ComparisonResult& s) {
  v.Visit({.name = "pairs", .doc = "How many were asked."}, s.pairs);
  v.Visit({.name = "canaryErrors", .doc = "Errors of the canary."}, s.canary_errors);
  v.Visit({.name = "stableErrors", .doc = "Errors of stable."}, s.stable_errors);
  v.Visit({.name = "canarySlow", .doc = "Slow answers of the canary."}, s.canary_slow);
  v.Visit({.name = "stableSlow", .doc = "Slow answers of stable."}, s.stable_slow);
  v.Visit({.name = "thresholdMs", .doc = "What took longer was slow, in milliseconds."}, s.threshold_ms);
  v.Visit({.name = "canaryP95Ms", .doc = "The canary's 95th percentile, in milliseconds."}, s.canary_p95_ms);
  v.Visit({.name = "stableP95Ms", .doc = "Stable's 95th percentile, in milliseconds."}, s.stable_p95_ms);
  v.Visit({.name = "confidence", .doc = "Of the verdict, in percent.", .max = kPercent}, s.confidence);
}

void Describe(Visitor& v, CheckResult& s) {
  v.Visit({.name = "name", .doc = "The check's name.", .max_length = 63}, s.name);
  v.Visit({.name = "kind", .doc = "What it is."}, s.kind);
  v.Visit({.name = "verdict", .doc = "What came of it.", .hidden_names = 1}, s.verdict);
  v.Visit(kReason, s.reason);
  v.Visit({.name = "requests", .doc = "How many were made through the Service."}, s.requests);
  v.Visit({.name = "failures", .doc = "How many were not answered, or not by 200."}, s.failures);
  v.Visit({.name = "p50Ms", .doc = "Half of the answers came within so many milliseconds."}, s.p50_ms);
  v.Visit({.name = "p95Ms", .doc = "95 of 100 answers came within so many milliseconds."}, s.p95_ms);
  v.Visit({.name = "p99Ms", .doc = "99 of 100 answers came within so many milliseconds."}, s.p99_ms);
  v.Visit({.name = "maxMs", .doc = "The slowest answer, in milliseconds."}, s.max_ms);
  v.Visit({.name = "versions",
           .doc = "Answers through the Service, by the version that they named.",
           .max_items = 16},
          s.versions);
  v.Visit({.name = "share", .doc = "Whether the split is real."}, s.share);
  v.Visit({.name = "comparison", .doc = "What canary and stable did side by side."}, s.comparison);
  v.Visit({.name = "value", .doc = "What the query answered last.", .max_length = 64}, s.value);
  v.Visit(kMessage, s.message);
  v.Visit(kFinished, s.finished);
}

void Describe(Visitor& v, CheckRun& s) {
  v.Visit({.name = "jobName", .doc = "The Job of the check under way.", .max_length = 253}, s.job_name);
  v.Visit(
      {.name = "jobUID", .doc = "The UID that it was created with: no other Job counts.", .max_length = 64},
      s.job_uid);
  v.Visit({.name = "results", .doc = "What the checks found, in their order.", .max_items = 24}, s.results);
}

}  // namespace slipway::resources
