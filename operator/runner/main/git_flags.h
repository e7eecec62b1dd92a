// The flags of `slipway-runner resolve` and `clone`, read into their options (git.h). A flag that can't be
// read ends the program in CLI11's words, with exit code 2.
#pragma once

#include <CLI/CLI.hpp>

#include "runner/git.h"

namespace slipway::runner {

void DeclareResolve(CLI::App& app, ResolveOptions& options);
void DeclareClone(CLI::App& app, CloneOptions& options);

}  // namespace slipway::runner
