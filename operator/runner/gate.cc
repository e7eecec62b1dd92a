#include "runner/gate.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/log.h"
#include "runner/check_report.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kMessage = 512;

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) return Fail(ErrorKind::kNotFound, fmt::format("{} can't be read", path));
  return std::move(text).str();
}

int Broken(const GateOptions& options, std::string_view reason, const Error& why) {
  const std::string message = PrintableAscii(why.message, kMessage);
  log::error("gate: {}: {}", reason, message);
  WriteReport(options.report_path, nlohmann::json{{"reason", reason}, {"message", message}}.dump());
  return kGateBroken;
}

Result<std::optional<TimePoint>> DatabaseTime(const GateOptions& options) {
  if (options.database.empty()) return std::nullopt;
  const auto text = ReadFile(options.database);
  if (!text) return std::unexpected(text.error());
  const auto time = ParseDatabaseTime(*text);
  if (!time) return std::unexpected(time.error());
  return *time;
}

int ExitOf(Gate gate) {
  if (gate == Gate::kFindings) return kGateFindings;
  if (gate == Gate::kAhead) return kGateAhead;
  return gate == Gate::kStale ? kGateStale : kGateOpen;
}

}  // namespace

int RunGate(const GateOptions& options) {
  const auto text = ReadFile(options.trivy);
  if (!text) return Broken(options, "ScanError", text.error());
  const auto scan = ParseTrivyReport(*text);
  if (!scan) return Broken(options, "ScanError", scan.error());
  const auto database = DatabaseTime(options);
  if (!database) return Broken(options, "DatabaseUnknown", database.error());
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const GateVerdict verdict = JudgeScan(*scan, *database, options.rules, now);
  log::info("gate: {} found, {} close it", scan->found.size(), verdict.closing);
  if (!WriteReport(options.report_path, ToJson(verdict, scan->suppressed))) return kGateBroken;
  return ExitOf(verdict.gate);
}

Result<ScanException> ParseException(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto word = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) return Fail(ErrorKind::kInvalid, "an exception is no JSON object");
  ScanException exception{word("id"), word("package"), {}, word("reason")};
  const auto day = ParseTime(word("expires") + "T00:00:00Z");
  if (exception.id.empty() || exception.reason.empty() || !day)
    return Fail(ErrorKind::kInvalid, "an exception needs an id, a reason and the day on which it expires");
  exception.expires = *day;
  return exception;
}

}  // namespace slipway::runner
