#include "runner/check_report.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMessageBytes = 512;
constexpr std::size_t kReportBytes = 3072;
constexpr std::size_t kPods = 10;
constexpr std::size_t kPodName = 63;

std::string_view ToString(CheckVerdict verdict) {
  if (verdict == CheckVerdict::kPass) return "pass";
  return verdict == CheckVerdict::kFail ? "fail" : "inconclusive";
}

Json ToJson(const Share& share) {
  return {{"canary", share.canary},
          {"answers", share.answers},
          {"wantedPermille", share.wanted_permille},
          {"lowPermille", share.low_permille},
          {"highPermille", share.high_permille},
          {"inside", share.inside}};
}

Json ToJson(const ComparisonReport& comparison) {
  return {{"pairs", comparison.pairs},
          {"canaryErrors", comparison.canary_errors},
          {"stableErrors", comparison.stable_errors},
          {"canarySlow", comparison.canary_slow},
          {"stableSlow", comparison.stable_slow},
          {"thresholdMs", comparison.threshold_ms},
          {"canaryP95Ms", comparison.canary_p95_ms},
          {"stableP95Ms", comparison.stable_p95_ms},
          {"confidence", comparison.confidence}};
}

std::string Rendered(const CheckReport& report) {
  Json pods = Json::array();
  for (const auto& pod : report.pods) {
    pods.push_back(
        {{"name", PrintableAscii(pod.name, kPodName)}, {"failures", pod.failures}, {"version", pod.version}});
  }
  Json json{{"verdict", ToString(report.verdict)},
            {"reason", report.reason},
            {"message", report.message},
            {"requests", report.requests},
            {"failures", report.failures},
            {"p50Ms", report.latency.p50_ms},
            {"p95Ms", report.latency.p95_ms},
            {"p99Ms", report.latency.p99_ms},
            {"maxMs", report.latency.max_ms},
            {"versions", report.versions},
            {"pods", std::move(pods)}};
  if (report.share) json["share"] = ToJson(*report.share);
  if (report.comparison) json["comparison"] = ToJson(*report.comparison);
  if (!report.value.empty()) json["value"] = report.value;
  return json.dump();
}

int ExitCode(CheckVerdict verdict) {
  if (verdict == CheckVerdict::kPass) return kCheckPassed;
  return verdict == CheckVerdict::kFail ? kCheckFailed : kCheckInconclusive;
}

}  // namespace

std::string PrintableAscii(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

void Find(CheckReport& report, std::string_view reason, std::string_view message) {
  if (!report.reason.empty()) return;
  report.reason = reason;
  report.message = PrintableAscii(message, kMessageBytes);
}

std::string ToJson(CheckReport report) {
  std::ranges::sort(report.pods, [](const PodReport& a, const PodReport& b) {
    return a.failures != b.failures ? a.failures > b.failures : a.name < b.name;
  });
  if (report.pods.size() > kPods) report.pods.resize(kPods);
  std::string text = Rendered(report);
  while (text.size() > kReportBytes && !report.pods.empty()) {
    report.pods.pop_back();
    text = Rendered(report);
  }
  // Quotes and backslashes double in JSON: eight versions made of them are too much by themselves.
  while (text.size() > kReportBytes && !report.versions.empty()) {
    report.versions.erase(std::prev(report.versions.end()));
    text = Rendered(report);
  }
  return text;
}

int Conclude(std::string_view step, const CheckReport& report, const std::string& report_path) {
  log::info("{}: {}: {}", step, report.reason, log::Quoted(report.message));
  return WriteReport(report_path, ToJson(report)) ? ExitCode(report.verdict) : kCheckBroken;
}

}  // namespace slipway::runner
