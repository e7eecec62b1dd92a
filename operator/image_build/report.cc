#include "image_build/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "image_build/names.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::Findings;

constexpr std::size_t kWorst = 10;
constexpr std::size_t kMessageBytes = 600;
constexpr std::size_t kMostBases = 8;

// Text of a commit or an image: control characters go, because it ends in a terminal.
std::string Printable(std::string text, std::size_t most) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return Clip(std::move(text), most);
}

std::string Text(const Json& object, const char* key, std::size_t most) {
  const auto at = object.find(key);
  return at == object.end() || !at->is_string() ? std::string() : Printable(at->get<std::string>(), most);
}

Json Parse(std::string_view text) { return Json::parse(text, nullptr, false); }

std::string_view NextLine(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

// CamelCase, or nothing: it becomes a reason of ours.
std::string Reason(const Json& json) {
  std::string reason = Text(json, "reason", 64);
  const bool word = std::ranges::all_of(
      reason, [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  return word ? reason : std::string();
}

// False when the number is not there, or is none.
bool Count(const Json& counts, const char* severity, int& into) {
  const auto at = counts.find(severity);
  if (at == counts.end() || !at->is_number_integer()) return false;
  const auto value = at->get<std::int64_t>();
  if (value < 0 || value > 1'000'000) return false;
  into = static_cast<int>(value);
  return true;
}

}  // namespace

std::optional<GitReport> ParseGitReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  GitReport report;
  report.commit.sha = Text(json, "sha", 64);
  if (!report.commit.sha.empty() && !IsCommit(report.commit.sha)) return std::nullopt;
  report.commit.author = Text(json, "author", 256);
  report.commit.author_time = ParseTime(Text(json, "authorTime", 64));
  report.commit.subject = Text(json, "subject", 200);
  report.ref = Text(json, "ref", 250);
  report.reason = Text(json, "reason", 64);
  report.message = Text(json, "message", kMessageBytes);
  return report;
}

std::optional<PrepareReport> ParsePrepareReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  PrepareReport report{.reason = Reason(json), .message = Text(json, "message", kMessageBytes)};
  const auto bases = json.find("bases");
  if (bases == json.end() || !bases->is_array()) return report;
  for (const auto& base : *bases) {
    if (!base.is_object() || report.bases.size() >= kMostBases) continue;
    report.bases.push_back({Text(base, "image", 512), Text(base, "digest", 128)});
  }
  return report;
}

std::optional<BuildReport> ParseBuildReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  BuildReport report;
  const bool whole = Count(json, "hits", report.cache.hits) && Count(json, "misses", report.cache.misses);
  if (!whole) return std::nullopt;
  report.failure = Text(json, "failure", 64);
  return report;
}

std::optional<PushReport> ParsePushReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  PushReport report{.reason = Reason(json), .message = Text(json, "message", kMessageBytes)};
  auto image = resources::ParseImageRef(Text(json, "image", 512));
  if (image) report.image = std::move(*image);
  return report;
}

std::optional<ToldReport> ParseToldReport(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return std::nullopt;
  return ToldReport{Reason(json), Text(json, "message", kMessageBytes)};
}

std::optional<Findings> ParseFindings(std::string_view text) {
  const Json first = Parse(NextLine(text));
  if (!first.is_object()) return std::nullopt;
  const auto counts = first.find("counts");
  if (counts == first.end() || !counts->is_object()) return std::nullopt;
  Findings findings;
  const bool whole = Count(*counts, "CRITICAL", findings.critical) && Count(*counts, "HIGH", findings.high) &&
                     Count(*counts, "MEDIUM", findings.medium) && Count(*counts, "LOW", findings.low) &&
                     Count(*counts, "UNKNOWN", findings.unknown);
  if (!whole) return std::nullopt;
  while (!text.empty() && findings.worst.size() < kWorst) {
    const Json line = Parse(NextLine(text));
    if (line.is_string()) findings.worst.push_back(Printable(line.get<std::string>(), 200));
  }
  return findings;
}

Reports ReadReports(const resources::Pod& pod) {
  Reports reports;
  for (const auto& container : pod.containers) {
    if (!container.terminated) continue;
    if (container.name == "resolve") reports.resolve = ParseGitReport(container.message);
    if (container.name == "source") reports.source = ParseGitReport(container.message);
    if (container.name == "scan") reports.scan = ParseFindings(container.message);
    if (container.name == "prepare") reports.prepare = ParsePrepareReport(container.message);
    if (container.name == "build") reports.build = ParseBuildReport(container.message);
    if (container.name == "push") reports.push = ParsePushReport(container.message);
    if (container.name == "index") reports.index = ParsePushReport(container.message);
    if (container.name == "report") reports.report = ParseToldReport(container.message);
  }
  return reports;
}

// The names are cut because a pod's termination messages have 12 KiB together, and the numbers stand first
// because what is too long loses its end.
std::string_view FindingsTemplate() {
  return R"({{- $worst := list -}}
{{- $n := dict "CRITICAL" 0 "HIGH" 0 "MEDIUM" 0 "LOW" 0 "UNKNOWN" 0 -}}
{{- range $s := list "CRITICAL" "HIGH" "MEDIUM" "LOW" "UNKNOWN" -}}
{{- range $ -}}{{- range .Vulnerabilities -}}{{- if eq .Severity $s -}}
{{- $_ := set $n $s (add1 (get $n $s)) -}}
{{- if lt (len $worst) 10 -}}
{{- $fixed := default "no fix" .FixedVersion -}}
{{- $line := printf "%.30s %.40s %.24s -> %.24s" .VulnerabilityID .PkgName .InstalledVersion $fixed -}}
{{- $worst = append $worst $line -}}
{{- end -}}
{{- end -}}{{- end -}}{{- end -}}
{{- end -}}
{{- toJson (dict "counts" $n) -}}
{{- range $worst }}
{{ toRawJson . }}{{ end }}
)";
}

}  // namespace slipway::image_build
