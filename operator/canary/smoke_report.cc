#include "canary/smoke_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace slipway::canary {
namespace {

using Json = nlohmann::json;
using State = SmokeOutcome::State;

constexpr int kPassedCode = 0;
constexpr int kFailedCode = 10;  // a finding; anything else is a broken probe
constexpr Duration kPodPatience = std::chrono::seconds(15);
constexpr std::size_t kVersions = 16;
constexpr std::size_t kReasonBytes = 64;
constexpr std::size_t kMessageBytes = 800;

SmokeOutcome Broken(std::string message) {
  SmokeOutcome outcome{.state = State::kBroken, .reason = "SmokeTestError"};
  outcome.result.message = std::move(message);
  return outcome;
}

bool Count(const Json& report, const char* name, int& out) {
  const auto it = report.find(name);
  if (it == report.end() || !it->is_number_integer()) return false;
  const auto value = it->get<std::int64_t>();
  if (value < 0 || value > 1'000'000'000) return false;
  out = static_cast<int>(value);
  return true;
}

bool Text(const Json& report, const char* name, std::string& out) {
  const auto it = report.find(name);
  if (it == report.end() || !it->is_string()) return false;
  out = it->get<std::string>();
  return true;
}

// As conditions demand it (API conventions).
bool IsReason(std::string_view text) {
  return !text.empty() && text.size() <= kReasonBytes &&
         std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

void ReadVersions(const Json& report, std::map<std::string, int>& out) {
  const auto versions = report.find("versions");
  if (versions == report.end() || !versions->is_object()) return;
  for (const auto& [version, count] : versions->items()) {
    if (out.size() >= kVersions || !count.is_number_unsigned()) return;
    out[Clip(version, 128)] =
        static_cast<int>(std::min<std::uint64_t>(count.get<std::uint64_t>(), 1'000'000));
  }
}

const resources::ContainerState* Ended(const resources::Pod& pod) {
  for (const auto& container : pod.containers) {
    if (container.name == "probe" && container.terminated) return &container;
  }
  return nullptr;
}

SmokeOutcome Judge(const resources::Pod& pod, const resources::ContainerState& probe) {
  const std::string where = fmt::format("pod {}", pod.meta.key.name);
  if (probe.exit_code != kPassedCode && probe.exit_code != kFailedCode) {
    return Broken(fmt::format("the probe in {} ended with exit code {}{}{}; read `kubectl -n {} logs {}`",
                              where, probe.exit_code, probe.reason.empty() ? "" : ": ", probe.reason,
                              pod.meta.key.ns, pod.meta.key.name));
  }
  auto report = ParseReport(probe.message);
  if (!report) return Broken(fmt::format("the report of the probe in {} can't be read", where));
  if (report->passed != (probe.exit_code == kPassedCode)) {
    return Broken(fmt::format("the report of the probe in {} says other than its exit code", where));
  }
  SmokeOutcome outcome{.state = report->passed ? State::kPassed : State::kFailed, .reason = report->reason};
  outcome.result = std::move(report->result);
  outcome.result.finished = probe.finished;
  return outcome;
}

}  // namespace

SmokeOutcome ReadOutcome(const resources::Job& job,
                         const std::vector<std::shared_ptr<const resources::Pod>>& pods, TimePoint now) {
  for (const auto& pod : pods) {
    if (!resources::IsPodOf(*pod, job.meta)) continue;
    if (const auto* probe = Ended(*pod)) return Judge(*pod, *probe);
  }
  const bool just_ended = job.finished && now - *job.finished < kPodPatience;
  if (just_ended) return {};
  if (job.failed) {
    const std::string why = job.failed_message.empty() ? job.failed_reason : job.failed_message;
    return Broken(fmt::format("Job {} failed without a report: {}", job.meta.key.name, why));
  }
  if (job.complete) return Broken(fmt::format("Job {} ended, and its pod is gone", job.meta.key.name));
  return {};
}

std::optional<SmokeReport> ParseReport(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  SmokeReport report;
  std::string verdict;
  auto& result = report.result;
  const bool whole = Text(json, "verdict", verdict) && Text(json, "reason", report.reason) &&
                     Text(json, "message", result.message) && Count(json, "requests", result.requests) &&
                     Count(json, "failures", result.failures) && Count(json, "p50Ms", result.p50_ms) &&
                     Count(json, "p95Ms", result.p95_ms) && Count(json, "p99Ms", result.p99_ms);
  if (!whole || (verdict != "pass" && verdict != "fail") || !IsReason(report.reason)) return std::nullopt;
  result.message = Clip(std::move(result.message), kMessageBytes);
  report.passed = verdict == "pass";
  ReadVersions(json, result.versions);
  return report;
}

}  // namespace slipway::canary
