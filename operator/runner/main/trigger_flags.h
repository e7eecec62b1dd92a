// The subcommands `poll`, `receive` and `commit-status`: their flags, and what runs. A flag that can't be
// read ends the program in CLI11's words, with exit code 2.
#pragma once

#include <CLI/CLI.hpp>

namespace slipway::runner {

// `code` becomes the exit code of the one that was asked for; it outlives the app's parse.
void AddTriggerSteps(CLI::App& app, int& code);

}  // namespace slipway::runner
