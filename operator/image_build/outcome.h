// What the containers of a run mean: exit codes and reports as stages, and the first failure in one sentence
// that says where to look. Pure; the reports were read from the termination messages before (report.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image_build/scene.h"

namespace slipway::image_build {

inline constexpr Duration kStartPatience = std::chrono::minutes(2);

// The stage that a container of a Job of this role is of. Empty: none of ours.
std::string_view StageOf(resources::JobRole role, std::string_view container);

// Why the pod failed, or can't start; nullopt while nothing of it did.
std::optional<resources::Failure> FailureOf(const Scene& scene, TimePoint now);
// Of containers only.
std::optional<resources::Failure> FailureOfContainer(const Scene& scene,
                                                     const resources::ContainerState& container);

// Whether it is the infrastructure's, so that the same may be tried again: a pod evicted, a node or a pod
// lost, a host or a registry that can't be reached, a database that can't be had. Never what a Dockerfile, a
// test or a scan says.
bool MayPass(std::string_view reason);

// "2 critical, 1 high"; "none".
std::string Counts(const resources::Findings& findings);
int Total(const resources::Findings& findings);

// Of the Job's own time, or of its pod's.
resources::Failure Overdue(const resources::ImageBuild& build, const resources::BuildRun& run,
                           const resources::RunJob& job);
// The timeout's sentence is the same wherever it is found out.
resources::Failure TimedOut(const resources::ImageBuild& build, const resources::BuildRun& run);

}  // namespace slipway::image_build
