// The flags of `prepare`, `push` and `index`: the subcommands that speak to a registry.
#pragma once

#include <CLI/CLI.hpp>

namespace slipway::runner {

// Declares them. The one that is chosen runs while the command line is read, and leaves its exit code in
// `code`, which must outlive that.
void AddRegistrySteps(CLI::App& app, int& code);

}  // namespace slipway::runner
