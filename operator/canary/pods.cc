#include "canary/pods.h"

#include <algorithm>

#include "resources/digest.h"

namespace slipway::canary {

using resources::DigestOf;

Runs RunsImage(const resources::Pod& pod, const std::string& container, std::string_view image) {
  for (const auto& state : pod.containers) {
    if (state.init || state.name != container) continue;
    const auto digest = DigestOf(state.image_id);
    if (digest.empty()) return Runs::kUnknown;
    return digest == DigestOf(image) ? Runs::kThis : Runs::kAnother;
  }
  return Runs::kUnknown;
}

std::vector<PodPtr> Choose(std::vector<PodPtr> pods, const PodChoice& choice) {
  std::erase_if(pods, [&](const PodPtr& pod) {
    return !pod->ready || pod->ip.empty() || pod->meta.deleted ||
           RunsImage(*pod, choice.container, choice.image) == choice.not_these;
  });
  std::ranges::sort(pods, {}, [](const PodPtr& pod) { return pod->meta.key.name; });
  if (pods.size() > kMostPods) pods.resize(kMostPods);
  return pods;
}

}  // namespace slipway::canary
