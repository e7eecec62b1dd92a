#include "supply/gate_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "runtime/last_words.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::BorneFinding;
using resources::Finding;
using resources::Findings;
using runtime::CountIn;
using runtime::TextIn;

constexpr std::size_t kWorst = 10;
constexpr std::size_t kMessageBytes = 600;

Json ListIn(const Json& json, const char* name) {
  const auto at = json.find(name);
  Json list = Json::array();
  if (at == json.end() || !at->is_array()) return list;
  std::ranges::copy_if(*at, std::back_inserter(list), [](const Json& each) { return each.is_object(); });
  return list;
}

void ReadBorne(const Json& json, std::vector<BorneFinding>& into) {
  if (into.size() < kWorst) into.push_back({TextIn(json, "id", 64), ParseTime(TextIn(json, "expires", 64))});
}

// Whole, or not at all: what was found is never guessed.
std::optional<Findings> FindingsIn(const Json& json) {
  const auto counts = json.find("counts");
  if (counts == json.end() || !counts->is_object()) return std::nullopt;
  Findings findings;
  const bool whole = CountIn(*counts, "CRITICAL", findings.critical) &&
                     CountIn(*counts, "HIGH", findings.high) && CountIn(*counts, "MEDIUM", findings.medium) &&
                     CountIn(*counts, "LOW", findings.low) && CountIn(*counts, "UNKNOWN", findings.unknown) &&
                     CountIn(json, "closing", findings.closing) &&
                     CountIn(json, "suppressed", findings.suppressed);
  if (!whole) return std::nullopt;
  for (const auto& each : ListIn(json, "worst")) {
    if (findings.worst.size() >= kWorst) break;
    findings.worst.push_back({TextIn(each, "id", 64), TextIn(each, "severity", 16),
                              TextIn(each, "package", 128), TextIn(each, "installed", 64),
                              TextIn(each, "fixed", 64)});
  }
  for (const auto& each : ListIn(json, "used")) ReadBorne(each, findings.accepted);
  for (const auto& each : ListIn(json, "expired")) ReadBorne(each, findings.expired);
  findings.database = ParseTime(TextIn(json, "database", 64));
  return findings;
}

std::string Words(const Finding& f) {
  return fmt::format("{} {} {} -> {}", f.id, f.package, f.installed, f.fixed.empty() ? "no fix" : f.fixed);
}

}  // namespace

std::optional<GateReport> ParseGateReport(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  GateReport report{.findings = FindingsIn(json),
                    .reason = runtime::ReasonIn(json),
                    .message = TextIn(json, "message", kMessageBytes)};
  if (!report.findings && report.reason.empty()) return std::nullopt;
  return report;
}

std::string Listed(const std::vector<Finding>& worst, std::size_t most) {
  std::vector<std::string> words;
  for (const auto& each : worst) words.push_back(Words(each));
  return Clip(fmt::format("{}", fmt::join(words, "; ")), most);
}

std::string Expired(std::string_view field, const std::vector<BorneFinding>& expired) {
  if (expired.empty()) return {};
  const auto& first = expired.front();
  const std::string day = first.expires ? FormatTime(*first.expires).substr(0, 10) : "";
  const std::string more = expired.size() == 1 ? "" : fmt::format(" and {} more", expired.size() - 1);
  return fmt::format("; {}: that of {}{} expired on {}", field, first.id, more, day);
}

}  // namespace slipway::supply
