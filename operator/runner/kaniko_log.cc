#include "runner/kaniko_log.h"

#include <algorithm>
#include <array>

#include "runner/registry_cause.h"

namespace slipway::runner {
namespace {

bool Holds(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

// Without the colours: ESC [ … m.
std::string Plain(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t escape = std::min(line.find("\x1B[", at), line.size());
    out += line.substr(at, escape - at);
    if (escape == line.size()) break;
    at = std::min(line.find_first_not_of("0123456789;", escape + 2), line.size() - 1) + 1;
  }
  return out;
}

// The words of a line that logrus wrote at this level: INFO[0001] words, or time="…"level=info msg="words".
// Empty when it is none.
std::string_view Logged(std::string_view line, std::string_view colour, std::string_view text) {
  if (line.starts_with(colour) && line.substr(colour.size()).starts_with('[')) {
    const std::size_t close = line.find("] ");
    return close == std::string_view::npos ? std::string_view() : line.substr(close + 2);
  }
  if (!line.starts_with("time=\"") && !line.starts_with("level=")) return {};
  const std::size_t level = line.find(text);
  if (level == std::string_view::npos) return {};
  line.remove_prefix(level + text.size());
  if (line.starts_with('"')) line.remove_prefix(1);
  return line;
}

constexpr auto kGivesUp = std::to_array<std::string_view>({
    "error building image: ",
    "error checking push permissions",
    "error pushing image: ",
    "error resolving ",
    "error changing to root dir",
    "kaniko should only be run inside of a container",
});

}  // namespace

void KanikoLog::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    line_ += part.substr(0, kLineBytes - line_.size());
    if (end == std::string_view::npos) return;
    Finish();
    bytes.remove_prefix(end + 1);
  }
}

void KanikoLog::Finish() {
  if (!line_.empty()) Take(line_);
  line_.clear();
}

void KanikoLog::Take(std::string_view line) {
  const std::string plain = Plain(line);
  const std::string_view info = Logged(plain, "INFO", "level=info msg=");
  if (info.starts_with("Using caching version of cmd: ")) ++hits_;
  if (info.starts_with("No cached layer found for cmd ")) ++misses_;
  const auto gives_up = [&](std::string_view words) { return plain.starts_with(words); };
  if (std::ranges::any_of(kGivesUp, gives_up)) error_ = plain;
}

std::string_view KanikoFailure(std::string_view error) {
  // What a command of the Dockerfile did, whatever the rest says.
  if (Holds(error, "waiting for process to exit") || Holds(error, "starting command: ")) return "";
  if (Holds(error, "no space left on device") || Holds(error, "disk quota exceeded")) return "DiskFull";
  // ADD fetches from the web too. A registry's API, and those who give its tokens, have these in their paths.
  if (!Holds(error, "/v2/") && !Holds(error, "/token")) return "";
  switch (CauseOf(error)) {
    case RegistryCause::kDenied:
      return "RegistryDenied";
    case RegistryCause::kUnreachable:
    case RegistryCause::kUntrusted:
    case RegistryCause::kUnavailable:
      return "RegistryUnavailable";
    case RegistryCause::kNotFound:
      return "BaseImageNotFound";
    case RegistryCause::kNone:
      break;
  }
  return "";
}

std::string KanikoReport(const KanikoLog& log, int exit_code) {
  std::string out = "{\"hits\":" + std::to_string(log.hits());
  out += ",\"misses\":" + std::to_string(log.misses());
  out += ",\"failure\":\"";
  if (exit_code != 0) out += KanikoFailure(log.error());
  return out += "\"}";
}

}  // namespace slipway::runner
