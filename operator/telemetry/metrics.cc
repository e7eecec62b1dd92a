#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "telemetry/process.h"

namespace slipway::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;
using Labels = std::map<std::string, std::string>;

// controller-runtime's buckets for a reconcile, in seconds.
const Histogram::BucketBoundaries& ReconcileBuckets() {
  static const Histogram::BucketBoundaries kBuckets = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,
                                                       1.0,   2.5,  5.0,   10.0, 30.0, 60.0};
  return kBuckets;
}

// A stage is a Job: seconds to hours.
const Histogram::BucketBoundaries& StageBuckets() {
  static const Histogram::BucketBoundaries kBuckets = {1,   5,   10,   30,   60,   120,
                                                       300, 600, 1200, 1800, 3600, 7200};
  return kBuckets;
}

Labels OfRelease(std::string_view ns, std::string_view release) {
  return {{"namespace", std::string(ns)}, {"release", std::string(release)}};
}

Labels OfSeverity(std::string_view ns, std::string_view release, const char* severity) {
  Labels labels = OfRelease(ns, release);
  labels["severity"] = severity;
  return labels;
}

constexpr std::array<const char*, 5> kSeverities{"critical", "high", "medium", "low", "unknown"};

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

Family<Counter>& CounterFamily(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& GaugeFamily(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& HistogramFamily(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

// The families live in the registry; a series is made when it is first named, and found again after that.
struct Metrics::Impl {
  Registry registry;
  Family<Counter>& reconciles = CounterFamily(registry, "controller_runtime_reconcile_total",
                                              "Total number of reconciliations per controller");
  Family<Counter>& errors = CounterFamily(registry, "controller_runtime_reconcile_errors_total",
                                          "Total number of reconciliation errors per controller");
  Family<Histogram>& took = HistogramFamily(registry, "controller_runtime_reconcile_time_seconds",
                                            "Length of time per reconciliation per controller");
  Family<Gauge>& depth = GaugeFamily(registry, "workqueue_depth", "Current depth of workqueue");
  Family<Counter>& retries =
      CounterFamily(registry, "workqueue_retries_total", "Total number of retries handled by workqueue");
  Family<Counter>& requests = CounterFamily(registry, "rest_client_requests_total",
                                            "Number of HTTP requests, partitioned by status code and method");
  Family<Gauge>& leader = GaugeFamily(registry, "leader_election_master_status",
                                      "1 while this process holds the lease and acts, 0 otherwise");
  Family<Histogram>& stages = HistogramFamily(registry, "slipway_stage_duration_seconds",
                                              "Length of time of the stages of image builds");
  Family<Counter>& runs =
      CounterFamily(registry, "slipway_runs_total",
                    "Runs of image builds that ended, by why they were made and how they ended");
  Family<Gauge>& places =
      GaugeFamily(registry, "slipway_runs", "Runs of image builds that are under way, or wait for a place");
  Family<Counter>& cache = CounterFamily(registry, "slipway_cache_steps_total",
                                         "Steps of Dockerfiles that the layer cache had, or had not");
  Family<Counter>& promotions =
      CounterFamily(registry, "slipway_promotions_total", "Canary promotions that ended, by how they ended");
  Family<Gauge>& findings = GaugeFamily(registry, "slipway_release_findings",
                                        "Vulnerabilities in what a Release has delivered, by severity");
  Family<Gauge>& scan_age = GaugeFamily(registry, "slipway_release_scan_age_seconds",
                                        "Time since what a Release has delivered was scanned");
  std::map<std::pair<std::string, std::string>, TimePoint> scanned;  // by namespace and Release
  Family<Gauge>& watched =
      GaugeFamily(registry, "slipway_watched_objects", "Objects in the operator's caches, by kind");
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) { Leading(false); }
Metrics::~Metrics() = default;

void Metrics::Reconciled(std::string_view controller, std::string_view result, Duration took) {
  const std::string name(controller);
  impl_->reconciles.Add(Labels{{"controller", name}, {"result", std::string(result)}}).Increment();
  auto& errors = impl_->errors.Add(Labels{{"controller", name}});
  if (result == "error") errors.Increment();
  impl_->took.Add(Labels{{"controller", name}}, ReconcileBuckets()).Observe(Seconds(took));
}

void Metrics::QueueDepth(std::string_view controller, std::size_t depth) {
  impl_->depth.Add(Labels{{"name", std::string(controller)}}).Set(static_cast<double>(depth));
}

void Metrics::Retried(std::string_view controller) {
  impl_->retries.Add(Labels{{"name", std::string(controller)}}).Increment();
}

void Metrics::Request(std::string_view method, int code) {
  impl_->requests.Add(Labels{{"code", std::to_string(code)}, {"method", std::string(method)}}).Increment();
}

void Metrics::Leading(bool leading) { impl_->leader.Add(Labels{{"name", "slipway"}}).Set(leading ? 1 : 0); }

void Metrics::StageEnded(std::string_view stage, std::string_view result, Duration took) {
  const Labels labels{{"result", std::string(result)}, {"stage", std::string(stage)}};
  impl_->stages.Add(labels, StageBuckets()).Observe(Seconds(took));
}

void Metrics::RunEnded(std::string_view reason, std::string_view outcome) {
  const Labels labels{{"outcome", std::string(outcome)}, {"reason", std::string(reason)}};
  impl_->runs.Add(labels).Increment();
}

void Metrics::Runs(std::size_t running, std::size_t waiting) {
  impl_->places.Add(Labels{{"state", "running"}}).Set(static_cast<double>(running));
  impl_->places.Add(Labels{{"state", "waiting"}}).Set(static_cast<double>(waiting));
}

void Metrics::CacheUsed(int hits, int misses) {
  impl_->cache.Add(Labels{{"result", "hit"}}).Increment(hits);
  impl_->cache.Add(Labels{{"result", "miss"}}).Increment(misses);
}

void Metrics::PromotionEnded(std::string_view completion) {
  impl_->promotions.Add(Labels{{"completion", std::string(completion)}}).Increment();
}

void Metrics::ReleaseScanned(std::string_view ns, std::string_view release, const SeverityCounts& found,
                             TimePoint at) {
  const std::array<int, kSeverities.size()> counts{found.critical, found.high, found.medium, found.low,
                                                   found.unknown};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    impl_->findings.Add(OfSeverity(ns, release, kSeverities[i])).Set(counts[i]);
  }
  impl_->scanned[{std::string(ns), std::string(release)}] = at;
}

void Metrics::ReleaseForgotten(std::string_view ns, std::string_view release) {
  if (impl_->scanned.erase({std::string(ns), std::string(release)}) == 0) return;
  for (const char* severity : kSeverities) {
    auto& found = impl_->findings.Add(OfSeverity(ns, release, severity));
    impl_->findings.Remove(&found);
  }
  auto& age = impl_->scan_age.Add(OfRelease(ns, release));
  impl_->scan_age.Remove(&age);
}

void Metrics::Watched(std::string_view kind, std::size_t count) {
  impl_->watched.Add(Labels{{"kind", std::string(kind)}}).Set(static_cast<double>(count));
}

std::string Metrics::Text() const {
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  for (const auto& [release, at] : impl_->scanned) {
    impl_->scan_age.Add(OfRelease(release.first, release.second)).Set(Seconds(now - at));
  }
  auto families = impl_->registry.Collect();
  std::ranges::move(ProcessFamilies(), std::back_inserter(families));
  // A family without a series would be a heading with nothing below it.
  std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace slipway::telemetry
