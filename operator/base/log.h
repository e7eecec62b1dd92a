// Structured logs to standard error, one line an event: time, level, logger, message. Values that a tenant
// wrote pass through Quoted(), so that a newline in a name can't forge a line.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace slipway::log {

// level: trace, debug, info, warn, error. Anything else is kept as info.
void Init(std::string_view level);

std::string Quoted(std::string_view text);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace slipway::log
