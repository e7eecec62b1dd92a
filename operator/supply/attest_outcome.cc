#include "supply/attest_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/text.h"
#include "supply/pods.h"
#include "supply/verify_job.h"

namespace slipway::supply {
namespace {

constexpr std::size_t kQuoted = 500;

bool HasAny(std::string_view text, std::span<const std::string_view> needles) {
  return std::ranges::any_of(needles, [text](std::string_view needle) { return text.contains(needle); });
}

// The last line that is not blank, without what a terminal would act upon. cosign says twice why it ended.
std::string LastWords(std::string_view text) {
  constexpr std::string_view kMark = "error during command execution: ";
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  const auto mark = text.rfind(kMark);
  std::string line(mark == std::string_view::npos ? text.substr(text.find_last_of("\r\n") + 1)
                                                  : text.substr(mark + kMark.size()));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return Clip(std::move(line), kQuoted);
}

// What a look found of what was attested just before. A signature by another key alone: the policy's public
// key is not of the key that signs, and no second try mends that.
std::optional<Trouble> Lost(const resources::ContainerState& container) {
  using Kind = Found::Kind;
  if (!container.name.starts_with(kLookPrefix)) return std::nullopt;
  const Found found =
      JudgeLook(container, DemandOf(std::string_view(container.name).substr(kLookPrefix.size())));
  if (found.kind == Kind::kUnknown) return std::nullopt;
  if (found.demand == "Signature" && found.kind == Kind::kByAnother) {
    return Trouble{"AttestFailed", "the policy's public key does not verify what it signed: " + found.said};
  }
  return Trouble{"AttestationLost",
                 fmt::format("{} was attested, and is not there: {}", found.demand, found.said)};
}

}  // namespace

Trouble TroubleOf(const resources::ContainerState& container) {
  static constexpr std::array<std::string_view, 6> kDenied{"UNAUTHORIZED",  "401 Unauthorized", "DENIED",
                                                           "403 Forbidden", "code 401",         "code 403"};
  static constexpr std::array<std::string_view, 12> kUnavailable{
      "dial tcp",    "connection refused", "no such host",      "connection reset",
      "i/o timeout", "unexpected EOF",     "deadline exceeded", "TOOMANYREQUESTS",
      "code 429",    "code 502",           "code 503",          "code 504"};
  if (auto lost = Lost(container)) return *std::move(lost);
  const std::string_view words = container.message;
  std::string last = LastWords(words);
  if (last.empty()) last = fmt::format("it ended with exit code {} and no word", container.exit_code);
  if (HasAny(words, kDenied)) return {"RegistryDenied", std::move(last)};
  if (HasAny(words, kUnavailable)) return {"RegistryUnavailable", std::move(last)};
  return {"AttestFailed", std::move(last)};
}

AttestOutcome OutcomeOfAttest(const resources::Job* job, const resources::Pod* pod) {
  using State = AttestOutcome::State;
  const std::string reason = "AttestFailed";
  if (job == nullptr) return {State::kFailed, reason, "its Job was deleted before its outcome was recorded"};
  if (job->complete) return {State::kAttested, {}, {}};
  if (!job->failed) return {State::kRunning, {}, Waiting(pod)};
  if (pod != nullptr && pod->reason.empty()) {
    for (const auto& container : pod->containers) {
      if (!container.terminated || container.exit_code == 0) continue;
      Trouble trouble = TroubleOf(container);
      return {State::kFailed, std::move(trouble.reason),
              fmt::format("{}: {}", container.name, trouble.words)};
    }
  }
  return {State::kFailed, reason, WhyFailed(*job, pod)};
}

}  // namespace slipway::supply
