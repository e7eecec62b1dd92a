// The Jobs of a run as the API server takes them. What is rendered follows from the spec, the run, the policy
// and the operator's flags alone, so that a Job made just before a crash is known again.
#pragma once

#include <nlohmann/json.hpp>

#include "image_build/decide.h"
#include "image_build/tools.h"
#include "resources/image_build.h"
#include "resources/policy.h"

namespace slipway::image_build {

struct Setting {
  const Tools& tools;
  const resources::Policy& policy;
  const resources::NamespacePolicy& space;
  std::string supply_namespace = {};  // where the Job that attests is
};

// Resolve: one container, which commit the revision is. Test: source, then the user's image on it. Build:
// source, prepare, build, scan, push, one after the other, each with the mounts and the one Secret that it
// needs; without a push, the scan is the last. Index: one container that names the platforms' images. Report:
// one container that tells the forge. Attest: see attest.h; null where the policy has no such signer. All but
// Resolve need a run that knows its commit.
kube::Json RenderJob(const resources::ImageBuild& build, const resources::BuildRun& run,
                     const StartJob& start, const Setting& setting);

// The ImageBuild of a pull request: the spec of its parent, without what unmerged code must not have.
resources::ImageBuildSpec PullSpec(const resources::ImageBuild& parent, const resources::ObservedPull& pull);
// For server-side apply, with the commit that was seen as an annotation.
kube::Json RenderPullBuild(const resources::ImageBuild& parent, const resources::ObservedPull& pull);
// Whether `child` is as RenderPullBuild would have it.
bool IsPullBuild(const resources::ImageBuild& child, const resources::ImageBuild& parent,
                 const resources::ObservedPull& pull);
// Of the pull requests that are open, those to build.
std::vector<resources::ObservedPull> WantedPulls(const resources::ImageBuild& parent);

}  // namespace slipway::image_build
