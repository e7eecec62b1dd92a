#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace slipway::log {

void Init(std::string_view level) {
  spdlog::drop("slipway");  // a second call replaces the first one's logger
  auto logger = spdlog::stderr_logger_st("slipway");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  const auto wanted = spdlog::level::from_str(std::string(level));
  // from_str answers `off` for what it does not know.
  logger->set_level(wanted == spdlog::level::off ? spdlog::level::info : wanted);
  spdlog::set_default_logger(std::move(logger));
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // Everything beyond printable ASCII: control characters, and the marks that turn a line's direction.
    if (byte < 0x20 || byte >= 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace slipway::log
