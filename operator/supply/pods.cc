#include "supply/pods.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::supply {

using resources::ContainerState;
using resources::Job;
using resources::Pod;

namespace {
constexpr std::size_t kQuoted = 200;  // of somebody else's words
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string Waiting(const Pod* pod) {
  if (pod == nullptr) return {};
  for (const ContainerState& container : pod->containers) {
    const bool waits = !container.running && !container.terminated && !container.reason.empty();
    if (!waits || container.reason == "ContainerCreating" || container.reason == "PodInitializing") continue;
    return fmt::format("pod {} can't start: {}: {}", pod->meta.key.name, Clip(container.reason, 60),
                       Clip(OneLine(container.message), kQuoted));
  }
  if (pod->scheduled || pod->unschedulable.empty()) return {};
  return fmt::format("pod {} has no node: {}", pod->meta.key.name,
                     Clip(OneLine(pod->unschedulable), kQuoted));
}

std::string WhyFailed(const Job& job, const Pod* pod) {
  const bool late =
      job.failed_reason == "DeadlineExceeded" || (pod != nullptr && pod->reason == "DeadlineExceeded");
  const std::string waited = Waiting(pod);
  if (late) {
    return fmt::format("Job {} was not done in time{}{}", job.meta.key.name, waited.empty() ? "" : ": ",
                       waited);
  }
  return fmt::format("Job {} failed: {}: {}{}", job.meta.key.name, Clip(job.failed_reason, 60),
                     Clip(OneLine(job.failed_message), kQuoted), pod == nullptr ? "; its pod is gone" : "");
}

}  // namespace slipway::supply
