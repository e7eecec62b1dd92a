// The flags of `gate`, the subcommand that judges what Trivy found.
#pragma once

#include <CLI/CLI.hpp>

namespace slipway::runner {

// Declares it; see AddCheckSteps for `code`.
void AddScanSteps(CLI::App& app, int& code);

}  // namespace slipway::runner
