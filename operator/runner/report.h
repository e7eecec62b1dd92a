// Where the runner's subcommands leave what they found: the kubelet copies the file into the pod's status.
#pragma once

#include <string>
#include <string_view>

namespace slipway::runner {

// False, with a line in the log, when it can't be written.
bool WriteReport(const std::string& path, std::string_view text);

}  // namespace slipway::runner
