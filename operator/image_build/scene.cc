#include "image_build/scene.h"

#include <fmt/format.h>

#include "base/text.h"
#include "image_build/names.h"
#include "image_build/outcome.h"

namespace slipway::image_build {

using resources::ContainerState;
using resources::Failure;

Failure FailureAt(const Scene& scene, const ContainerState& container, std::string reason,
                  std::string message) {
  return {std::string(StageOf(scene.job.role, container.name)), std::move(reason),
          Clip(std::move(message), 1000), scene.pod.meta.key.name, container.name};
}

std::string LogsOf(const Scene& scene, const ContainerState& container) {
  return fmt::format("read its log with: kubectl -n {} logs {} -c {}", scene.pod.meta.key.ns,
                     scene.pod.meta.key.name, container.name);
}

std::string CommitOf(const Scene& scene) {
  return scene.run.commit ? ShortCommit(scene.run.commit->sha) : std::string("unknown");
}

}  // namespace slipway::image_build
