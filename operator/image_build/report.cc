#include "image_build/report.h"

#include <nlohmann/json.hpp>

#include "image_build/names.h"
#include "runtime/last_words.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using runtime::CountIn;
using runtime::ReasonIn;
using runtime::TextIn;

constexpr std::size_t kMessageBytes = 600;
constexpr std::size_t kMostBases = 8;

Json Parse(std::string_view text) { return Json::parse(text, nullptr, false); }

}  // namespace

std::optional<GitReport> ParseGitReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  GitReport report;
  report.commit.sha = TextIn(json, "sha", 64);
  if (!report.commit.sha.empty() && !IsCommit(report.commit.sha)) return std::nullopt;
  report.commit.author = TextIn(json, "author", 256);
  report.commit.author_time = ParseTime(TextIn(json, "authorTime", 64));
  report.commit.subject = TextIn(json, "subject", 200);
  report.ref = TextIn(json, "ref", 250);
  report.reason = TextIn(json, "reason", 64);
  report.message = TextIn(json, "message", kMessageBytes);
  return report;
}

std::optional<PrepareReport> ParsePrepareReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  PrepareReport report{.reason = ReasonIn(json), .message = TextIn(json, "message", kMessageBytes)};
  const auto bases = json.find("bases");
  if (bases == json.end() || !bases->is_array()) return report;
  for (const auto& base : *bases) {
    if (!base.is_object() || report.bases.size() >= kMostBases) continue;
    report.bases.push_back({TextIn(base, "image", 512), TextIn(base, "digest", 128)});
  }
  return report;
}

std::optional<BuildReport> ParseBuildReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  BuildReport report;
  const bool whole = CountIn(json, "hits", report.cache.hits) && CountIn(json, "misses", report.cache.misses);
  if (!whole) return std::nullopt;
  report.failure = TextIn(json, "failure", 64);
  return report;
}

std::optional<PushReport> ParsePushReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  PushReport report{.reason = ReasonIn(json), .message = TextIn(json, "message", kMessageBytes)};
  auto image = resources::ParseImageRef(TextIn(json, "image", 512));
  if (image) report.image = std::move(*image);
  return report;
}

std::optional<ToldReport> ParseToldReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  return ToldReport{ReasonIn(json), TextIn(json, "message", kMessageBytes)};
}

Reports ReadReports(const resources::Pod& pod) {
  Reports reports;
  for (const auto& container : pod.containers) {
    if (!container.terminated) continue;
    if (container.name == "resolve") reports.resolve = ParseGitReport(container.message);
    if (container.name == "source") reports.source = ParseGitReport(container.message);
    if (container.name == "gate") reports.gate = ParseGateReport(container.message);
    if (container.name == "prepare") reports.prepare = ParsePrepareReport(container.message);
    if (container.name == "build") reports.build = ParseBuildReport(container.message);
    if (container.name == "push") reports.push = ParsePushReport(container.message);
    if (container.name == "index") reports.index = ParsePushReport(container.message);
    if (container.name == "report") reports.report = ParseToldReport(container.message);
  }
  return reports;
}

}  // namespace slipway::image_build
