// From what, how and by whom an image was built: the predicate of SLSA provenance v1. It says what the run's
// record says, so that a Job made just before a crash is rendered the same again. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "resources/image_build.h"
#include "resources/policy.h"

namespace slipway::supply {

// What `buildDefinition.externalParameters` means; deploy/SLSA.md says it in words. Verifying asks for
// `externalParameters.source.url` and for `runDetails.builder.id`.
inline constexpr std::string_view kBuildType = "https://slipway.dev/image-build/v1";

// What ran, by digest: the builder's own dependencies.
using ToolImages = std::vector<std::string>;

// Of a run that knows its commit and has an image.
kube::Json Provenance(const resources::ImageBuild& build, const resources::BuildRun& run,
                      const resources::Policy& policy, const ToolImages& tools);

}  // namespace slipway::supply
