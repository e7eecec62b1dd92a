// The two Jobs of a run as the API server takes them. What is rendered follows from the spec, the run, the
// policy and the operator's flags alone, so that a Job made just before a crash is known again.
#pragma once

#include <nlohmann/json.hpp>

#include "image_build/tools.h"
#include "resources/image_build.h"
#include "resources/policy.h"

namespace slipway::image_build {

struct Setting {
  const Tools& tools;
  const resources::Policy& policy;
  const resources::NamespacePolicy& space;
};

// One container, `resolve`: which commit the revision is.
kube::Json RenderResolveJob(const resources::ImageBuild& build, const resources::BuildRun& run,
                            const Setting& setting);

// source, build, scan, push, then a container for each further tag: one after the other, each with the mounts
// and the one Secret that it needs. `run` knows its commit.
kube::Json RenderBuildJob(const resources::ImageBuild& build, const resources::BuildRun& run,
                          const Setting& setting);

// "HIGH,CRITICAL": this severity and worse, as Trivy names them.
std::string SeveritiesFrom(resources::Severity least);

}  // namespace slipway::image_build
