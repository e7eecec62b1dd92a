// What the forge is to be told of a run, as a status of its commit. Pure.
#pragma once

#include <string>

#include "image_build/decide.h"

namespace slipway::image_build {

// pending, success, failure or error; empty: nothing. `failure` is what the commit's author can mend, `error`
// everything else. A run that was called off before anything was told of it is not told of.
std::string WantedStatus(const resources::ImageBuild& build, const resources::BuildRun& run);

// What it says beside, in one line.
std::string StatusText(const resources::BuildRun& run);

}  // namespace slipway::image_build
