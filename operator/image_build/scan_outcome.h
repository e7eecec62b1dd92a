// What the containers of the stage `scan` mean: scan and sarif are Trivy, which finds and does not judge;
// gate is ours, which judges (runner/scan_gate.h). A scanner that broke is never clean, and never a finding.
// Pure.
#pragma once

#include <optional>

#include "image_build/scene.h"

namespace slipway::image_build {

// Of a container of the stage that ended badly.
resources::Failure ScanFailure(const Scene& scene, const resources::ContainerState& container);

// A gate that passed must say of what, and that nothing closes it; nullopt: it does, or it is another
// container.
std::optional<resources::Failure> BadGateReport(const Scene& scene,
                                                const resources::ContainerState& container);

}  // namespace slipway::image_build
