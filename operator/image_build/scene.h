// The pod of one Job of a run, as its outcome is told from it, and the words that all its failures share.
// Pure.
#pragma once

#include <string>

#include "image_build/report.h"
#include "resources/image_build.h"
#include "resources/workloads.h"

namespace slipway::image_build {

// A Job's pod, and whom to tell about it.
struct Scene {
  const resources::ImageBuild& build;
  const resources::BuildRun& run;
  const resources::RunJob& job;
  const resources::Pod& pod;
  const Reports& reports;
};

inline constexpr std::size_t kQuoted = 500;  // bytes of somebody else's words

// A failure of this container, at the stage that it is of.
resources::Failure FailureAt(const Scene& scene, const resources::ContainerState& container,
                             std::string reason, std::string message);
// "read its log with: kubectl …"
std::string LogsOf(const Scene& scene, const resources::ContainerState& container);
// The commit as messages name it.
std::string CommitOf(const Scene& scene);

}  // namespace slipway::image_build
