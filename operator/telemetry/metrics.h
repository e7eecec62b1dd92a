// Prometheus metrics, by prometheus-cpp. Names follow controller-runtime where it has one, so that existing
// dashboards and alerts read ours.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace slipway::telemetry {

// Of one image, all that was found.
struct SeverityCounts {
  int critical = 0, high = 0, medium = 0, low = 0, unknown = 0;
};

class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // controller_runtime_reconcile_total{controller,result}, …_reconcile_time_seconds{controller}
  void Reconciled(std::string_view controller, std::string_view result, Duration took);
  // workqueue_depth{name}, workqueue_retries_total{name}
  void QueueDepth(std::string_view controller, std::size_t depth);
  void Retried(std::string_view controller);
  // rest_client_requests_total{code,method}
  void Request(std::string_view method, int code);
  // leader_election_master_status
  void Leading(bool leading);
  // slipway_stage_duration_seconds{stage,result}: stages of builds
  void StageEnded(std::string_view stage, std::string_view result, Duration took);
  // slipway_runs_total{reason,outcome}: of builds; why they were made and how they ended
  void RunEnded(std::string_view reason, std::string_view outcome);
  // slipway_runs{state}: running, waiting
  void Runs(std::size_t running, std::size_t waiting);
  // slipway_cache_steps_total{result}: hit, miss
  void CacheUsed(int hits, int misses);
  // slipway_promotions_total{completion}
  void PromotionEnded(std::string_view completion);
  // slipway_release_findings{namespace,release,severity},
  // slipway_release_scan_age_seconds{namespace,release}: of what a Release has delivered, as of its last
  // scan; none after ReleaseForgotten
  void ReleaseScanned(std::string_view ns, std::string_view release, const SeverityCounts& found,
                      TimePoint at);
  void ReleaseForgotten(std::string_view ns, std::string_view release);
  // slipway_watched_objects{kind}
  void Watched(std::string_view kind, std::size_t count);

  // The text exposition format, with process_* figures read from /proc, and ages as of now.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::telemetry
