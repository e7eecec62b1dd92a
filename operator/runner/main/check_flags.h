// The flags of `probe`, `compare` and `prometheus`: the subcommands that judge a canary.
#pragma once

#include <CLI/CLI.hpp>

namespace slipway::runner {

// Declares them. The one that is chosen runs while the command line is read, and leaves its exit code in
// `code`, which must outlive that.
void AddCheckSteps(CLI::App& app, int& code);

}  // namespace slipway::runner
