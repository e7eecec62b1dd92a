#include "image_build/history.h"

#include <algorithm>

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::HistorySpec;

bool CalledOff(const BuildRun& run) {
  return run.failure && (run.failure->reason == kSuperseded || run.failure->reason == kCancelled);
}

// The forge is still told how it ended.
bool UnderWay(const BuildRun& run) {
  return std::ranges::any_of(run.jobs,
                             [](const auto& job) { return job.state == resources::StageState::kRunning; });
}

void RemoveJobs(BuildRun& run, std::vector<OwnedJob>& removals) {
  for (const auto& job : run.jobs) removals.push_back(OwnedOf(job));
  run.jobs.clear();
}

class Room {
 public:
  explicit Room(const HistorySpec& limits)
      : successful_(limits.successful), failed_(limits.failed), cancelled_(limits.cancelled) {}
  bool Take(const BuildRun& run) {
    if (!run.finished) return true;
    if (CalledOff(run)) return cancelled_-- > 0;
    return run.failure ? failed_-- > 0 : successful_-- > 0;
  }

 private:
  int successful_, failed_, cancelled_;
};

}  // namespace

std::vector<OwnedJob> Prune(const HistorySpec& limits, std::vector<BuildRun>& runs, TimePoint now,
                            std::optional<Duration>& next) {
  std::vector<OwnedJob> removals;
  std::vector<BuildRun> kept;
  Room room(limits);
  for (auto& run : runs) {
    const bool newest = kept.empty();
    if (!room.Take(run) && !newest) {
      RemoveJobs(run, removals);
      continue;
    }
    const auto& ttl = run.failure ? limits.ttl_after_failure : limits.ttl_after_success;
    if (run.finished && ttl && !run.jobs.empty() && !UnderWay(run)) {
      const Duration left = *run.finished + *ttl - now;
      if (left <= Duration(0)) {
        RemoveJobs(run, removals);
      } else {
        next = next ? std::min(*next, left) : left;
      }
    }
    kept.push_back(std::move(run));
  }
  runs = std::move(kept);
  return removals;
}

}  // namespace slipway::image_build
