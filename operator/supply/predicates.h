// What a run of an ImageBuild knows of its image beside its provenance, as predicates: its tests, and its
// scan in the form that cosign calls `vuln`. They say what the run's record says. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "resources/image_build.h"

namespace slipway::supply {

// {"result": "PASSED", "commit": {…}, "tests": [{"name", "image", "result", "startedOn", "finishedOn"}]}: a
// leg each.
kube::Json TestsPredicate(const resources::ImageBuild& build, const resources::BuildRun& run);

// `scanner_image` by digest. What was borne is named, and the gate that it passed, with all exceptions of the
// spec: attestation_policy.h asks for them.
kube::Json ScanPredicate(const resources::ImageBuild& build, const resources::BuildRun& run,
                         const std::string& builder_id, const std::string& scanner_image);

}  // namespace slipway::supply
