#include "runner/scan_gate.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runner/check_report.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 5> kSeverities{"UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
constexpr std::size_t kWorst = 10;
constexpr std::size_t kReportBytes = 1536;
constexpr std::size_t kIdBytes = 40;
constexpr std::size_t kPackageBytes = 64;
constexpr std::size_t kVersionBytes = 40;
constexpr int kSchema = 2;
// How far the clocks of the node and of whoever made the database may be apart.
constexpr Duration kClockSkew = std::chrono::minutes(5);

std::unexpected<Error> NoReport(const std::string& why) {
  return Fail(ErrorKind::kInvalid, "what Trivy left is no report: " + why);
}

// A list that is not there is empty; anything else is another shape.
Result<Json> ListAt(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return Json::array();
  if (!found->is_array()) return NoReport(std::string(name) + " is no list");
  return *found;
}

Result<std::string> WordAt(const Json& object, const char* name, bool needed) {
  const auto found = object.find(name);
  if (found == object.end() && !needed) return std::string();
  if (found == object.end() || !found->is_string())
    return NoReport(std::string(name) + " of a finding is no text");
  if (needed && found->get_ref<const std::string&>().empty())
    return NoReport(std::string(name) + " is empty");
  return found->get<std::string>();
}

Result<Vulnerability> ReadVulnerability(const Json& json) {
  if (!json.is_object()) return NoReport("a finding is no object");
  Vulnerability v;
  std::string severity;
  for (auto [into, name, needed] :
       {std::tuple(&v.id, "VulnerabilityID", true), std::tuple(&v.package, "PkgName", true),
        std::tuple(&v.installed, "InstalledVersion", false), std::tuple(&v.fixed, "FixedVersion", false),
        std::tuple(&severity, "Severity", false)}) {
    auto word = WordAt(json, name, needed);
    if (!word) return std::unexpected(word.error());
    *into = std::move(*word);
  }
  // One that we don't know is not taken for harmless.
  v.severity = severity.empty() ? Severity::kUnknown : ParseSeverity(severity).value_or(Severity::kCritical);
  return v;
}

// Trivy tells the same twice where a package's manager and its language both know it, and not always alike:
// the worse severity counts, and a version that mends it counts wherever it stands.
void TakeTwin(const Vulnerability& twin, Vulnerability& into) {
  into.severity = std::max(into.severity, twin.severity);
  if (into.fixed.empty()) into.fixed = twin.fixed;
}

bool Bears(const ScanException& exception, const Vulnerability& finding) {
  return exception.id == finding.id && (exception.package.empty() || exception.package == finding.package);
}

bool Counts(const GateRules& rules, const Vulnerability& finding) {
  return finding.severity >= rules.fail_on && !(rules.ignore_unfixed && finding.fixed.empty());
}

void Note(std::vector<ScanException>& into, const ScanException& exception) {
  const bool known = std::ranges::any_of(
      into, [&](const auto& each) { return each.id == exception.id && each.package == exception.package; });
  if (!known && into.size() < kWorst) into.push_back(exception);
}

// Whether an exception that is in force bears it; notes which, or which would have.
bool Borne(const GateRules& rules, const Vulnerability& finding, TimePoint now, GateVerdict& verdict) {
  const ScanException* over = nullptr;
  for (const auto& exception : rules.exceptions) {
    if (!Bears(exception, finding)) continue;
    if (now < exception.expires) {
      Note(verdict.used, exception);
      return true;
    }
    over = &exception;
  }
  if (over != nullptr) Note(verdict.expired, *over);
  return false;
}

// One of no known age is too old; one that is dated ahead of now could be of any.
Gate GateOfAge(std::optional<TimePoint> database, Duration most, TimePoint now) {
  if (most.count() <= 0) return Gate::kOpen;
  if (!database || now - *database > most) return Gate::kStale;
  return *database - now > kClockSkew ? Gate::kAhead : Gate::kOpen;
}

Json ToJson(const Vulnerability& v) {
  return {{"id", PrintableAscii(v.id, kIdBytes)},
          {"severity", ToString(v.severity)},
          {"package", PrintableAscii(v.package, kPackageBytes)},
          {"installed", PrintableAscii(v.installed, kVersionBytes)},
          {"fixed", PrintableAscii(v.fixed, kVersionBytes)}};
}

Json ToJson(const std::vector<ScanException>& exceptions) {
  Json list = Json::array();
  for (const auto& each : exceptions) {
    list.push_back({{"id", PrintableAscii(each.id, kIdBytes)}, {"expires", FormatTime(each.expires)}});
  }
  return list;
}

}  // namespace

std::optional<Severity> ParseSeverity(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const auto found = std::ranges::find(kSeverities, upper);
  if (found == kSeverities.end()) return std::nullopt;
  return static_cast<Severity>(found - kSeverities.begin());
}

std::string_view ToString(Severity severity) { return kSeverities[static_cast<std::size_t>(severity)]; }

Result<ScanReport> ParseTrivyReport(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return NoReport("it is no JSON object");
  const auto schema = json.find("SchemaVersion");
  if (schema == json.end() || *schema != kSchema) return NoReport("its SchemaVersion is not 2");
  const auto results = ListAt(json, "Results");
  if (!results) return std::unexpected(results.error());
  ScanReport report;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> known;
  for (const auto& result : *results) {
    if (!result.is_object()) return NoReport("a result is no object");
    const auto found = ListAt(result, "Vulnerabilities");
    if (!found) return std::unexpected(found.error());
    for (const auto& each : *found) {
      auto finding = ReadVulnerability(each);
      if (!finding) return std::unexpected(finding.error());
      const std::tuple key(finding->id, finding->package, finding->installed);
      const auto [at, first] = known.emplace(key, report.found.size());
      if (first) {
        report.found.push_back(std::move(*finding));
      } else {
        TakeTwin(*finding, report.found[at->second]);
      }
    }
    const auto modified = ListAt(result, "ExperimentalModifiedFindings");
    if (!modified) return std::unexpected(modified.error());
    report.suppressed += static_cast<int>(modified->size());
  }
  return report;
}

Result<TimePoint> ParseDatabaseTime(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto at = json.is_object() ? json.find("UpdatedAt") : json.end();
  if (!json.is_object() || at == json.end() || !at->is_string())
    return Fail(ErrorKind::kInvalid, "the database's metadata.json has no UpdatedAt");
  const auto time = ParseTime(at->get<std::string>());
  if (!time) return Fail(ErrorKind::kInvalid, "UpdatedAt of the database's metadata.json is no time");
  return *time;
}

GateVerdict JudgeScan(const ScanReport& report, std::optional<TimePoint> database, const GateRules& rules,
                      TimePoint now) {
  GateVerdict verdict;
  verdict.database = database;
  for (const auto& finding : report.found) {
    ++verdict.counts[static_cast<std::size_t>(finding.severity)];
    if (!Counts(rules, finding) || Borne(rules, finding, now, verdict)) continue;
    ++verdict.closing;
    verdict.worst.push_back(finding);
  }
  std::ranges::sort(verdict.worst, [](const auto& a, const auto& b) {
    return std::tuple(b.severity, a.id, a.package) < std::tuple(a.severity, b.id, b.package);
  });
  if (verdict.worst.size() > kWorst) verdict.worst.resize(kWorst);
  verdict.gate = verdict.closing > 0 ? Gate::kFindings : GateOfAge(database, rules.max_database_age, now);
  return verdict;
}

std::string ToJson(const GateVerdict& verdict, int suppressed) {
  Json json;
  for (std::size_t i = 0; i < kSeverities.size(); ++i) json["counts"][kSeverities[i]] = verdict.counts[i];
  json["closing"] = verdict.closing;
  json["suppressed"] = suppressed;
  json["used"] = ToJson(verdict.used);
  json["expired"] = ToJson(verdict.expired);
  if (verdict.database) json["database"] = FormatTime(*verdict.database);
  json["worst"] = Json::array();
  for (const auto& each : verdict.worst) json["worst"].push_back(ToJson(each));
  std::string text = json.dump();
  for (const char* list : {"used", "worst", "expired"}) {
    while (text.size() > kReportBytes && !json[list].empty()) {
      json[list].erase(json[list].size() - 1);
      text = json.dump();
    }
  }
  return text;
}

}  // namespace slipway::runner
