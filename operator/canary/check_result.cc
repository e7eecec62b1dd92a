// The form of the runner's report, member by member.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "canary/check_report.h"

namespace slipway::canary {
namespace {

using Json = nlohmann::json;
using resources::CheckResult;
using resources::Verdict;

constexpr std::int64_t kMost = 1'000'000'000;
constexpr std::int64_t kPermille = 1000;
constexpr std::int64_t kPercent = 100;
constexpr std::size_t kVersions = 16;
constexpr std::size_t kVersionBytes = 128;
constexpr std::size_t kReasonBytes = 64;
constexpr std::size_t kMessageBytes = 800;
constexpr std::size_t kValueBytes = 64;

// It ends in a terminal.
std::string Printable(std::string text, std::size_t most) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return Clip(std::move(text), most);
}

// Reads members, and remembers whether one was of the wrong form.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  std::string Text(const char* name, std::size_t most, bool required) {
    const Json* value = Find(name, required);
    if (value == nullptr) return {};
    if (value->is_string()) return Printable(value->get<std::string>(), most);
    whole_ = false;
    return {};
  }
  // Absent: 0.
  void Count(const char* name, int& out, std::int64_t most = kMost) {
    const Json* value = Find(name, false);
    if (value == nullptr) return;
    const bool fits = value->is_number_integer() && *value >= 0 && *value <= most;
    whole_ = whole_ && fits;
    if (fits) out = value->get<int>();
  }
  bool Flag(const char* name) {
    const Json* value = Find(name, true);
    if (value == nullptr) return false;
    whole_ = whole_ && value->is_boolean();
    return value->is_boolean() && value->get<bool>();
  }
  // nullptr when it is absent, or no object.
  const Json* Object(const char* name) {
    const Json* value = Find(name, false);
    if (value == nullptr) return nullptr;
    whole_ = whole_ && value->is_object();
    return value->is_object() ? value : nullptr;
  }
  void And(bool whole) { whole_ = whole_ && whole; }
  bool Whole() const { return whole_; }

 private:
  const Json* Find(const char* name, bool required) {
    const auto it = object_.find(name);
    if (it != object_.end()) return &*it;
    whole_ = whole_ && !required;
    return nullptr;
  }

  const Json& object_;
  bool whole_ = true;
};

// As conditions demand it (API conventions).
bool IsReason(std::string_view text) {
  return !text.empty() && text.size() <= kReasonBytes &&
         std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

Verdict VerdictOf(std::string_view word) {
  if (word == "pass") return Verdict::kPassed;
  if (word == "fail") return Verdict::kFailed;
  return word == "inconclusive" ? Verdict::kInconclusive : Verdict::kNone;
}

void ReadVersions(Reader& reader, CheckResult& result) {
  const Json* versions = reader.Object("versions");
  if (versions == nullptr) return;
  for (const auto& [version, count] : versions->items()) {
    const bool fits = count.is_number_integer() && count >= 0 && count <= kMost;
    reader.And(fits);
    if (fits && result.versions.size() < kVersions) {
      result.versions[Printable(version, kVersionBytes)] = count.get<int>();
    }
  }
}

void ReadShare(Reader& reader, CheckResult& result) {
  const Json* object = reader.Object("share");
  if (object == nullptr) return;
  Reader inner(*object);
  auto& share = result.share.emplace();
  inner.Count("canary", share.canary);
  inner.Count("answers", share.answers);
  inner.Count("wantedPermille", share.wanted_permille, kPermille);
  inner.Count("lowPermille", share.low_permille, kPermille);
  inner.Count("highPermille", share.high_permille, kPermille);
  share.inside = inner.Flag("inside");
  reader.And(inner.Whole() && share.canary <= share.answers && share.low_permille <= share.high_permille);
}

void ReadComparison(Reader& reader, CheckResult& result) {
  const Json* object = reader.Object("comparison");
  if (object == nullptr) return;
  Reader inner(*object);
  auto& out = result.comparison.emplace();
  inner.Count("pairs", out.pairs);
  inner.Count("canaryErrors", out.canary_errors);
  inner.Count("stableErrors", out.stable_errors);
  inner.Count("canarySlow", out.canary_slow);
  inner.Count("stableSlow", out.stable_slow);
  inner.Count("thresholdMs", out.threshold_ms);
  inner.Count("canaryP95Ms", out.canary_p95_ms);
  inner.Count("stableP95Ms", out.stable_p95_ms);
  inner.Count("confidence", out.confidence, kPercent);
  reader.And(inner.Whole());
}

}  // namespace

std::string CauseIn(std::string_view text) {
  constexpr std::size_t kCauseBytes = 400;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  Reader reader(json);
  const std::string reason = reader.Text("reason", kReasonBytes, false);
  const std::string message = reader.Text("message", kCauseBytes, false);
  return IsReason(reason) && !message.empty() ? reason + ": " + message : std::string();
}

std::optional<CheckResult> ParseReport(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Reader reader(json);
  CheckResult result;
  result.verdict = VerdictOf(reader.Text("verdict", kReasonBytes, true));
  // What is cut or cleaned is no reason.
  result.reason = reader.Text("reason", 2 * kReasonBytes, true);
  result.message = reader.Text("message", kMessageBytes, true);
  result.value = reader.Text("value", kValueBytes, false);
  reader.Count("requests", result.requests);
  reader.Count("failures", result.failures);
  reader.Count("p50Ms", result.p50_ms);
  reader.Count("p95Ms", result.p95_ms);
  reader.Count("p99Ms", result.p99_ms);
  reader.Count("maxMs", result.max_ms);
  ReadVersions(reader, result);
  ReadShare(reader, result);
  ReadComparison(reader, result);
  const bool whole = reader.Whole() && result.verdict != Verdict::kNone && IsReason(result.reason);
  return whole ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace slipway::canary
