#include "jobs/pods.h"

namespace slipway::jobs {

PodPtr NewestPod(const kube::ObjectMeta& job, const std::vector<PodPtr>& pods) {
  PodPtr newest;
  for (const auto& pod : pods) {
    if (!resources::IsPodOf(*pod, job)) continue;
    if (!newest || pod->meta.created > newest->meta.created) newest = pod;
  }
  return newest;
}

bool HasEnded(const resources::Pod& pod) { return pod.phase == "Failed" || pod.phase == "Succeeded"; }

}  // namespace slipway::jobs
