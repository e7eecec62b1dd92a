#include "runner/prometheus_verdict.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using Json = nlohmann::json;
using Kind = Measurement::Kind;

constexpr int kOk = 200;
constexpr std::size_t kShown = 160;  // bytes of what others wrote
constexpr std::size_t kValueBytes = 64;
constexpr std::string_view kUnreachable = "PrometheusUnreachable";
constexpr std::string_view kQueryError = "QueryError";

std::string Shown(std::string_view text) {
  const std::string shown = PrintableAscii(text, kShown);
  return text.size() > kShown ? shown + "..." : shown;
}

Measurement Broken(std::string_view reason, std::string message) {
  return {Kind::kError, std::string(reason), std::move(message)};
}

// As Prometheus writes them: "0.5", "1e-05", "NaN", "+Inf", "-Inf".
std::optional<double> ParseSample(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Too great or too small for a double: in no bounds that one can write.
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<double> ParseDecimal(std::string_view text) {
  const auto value = ParseSample(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

// [time, "value"]
bool ReadSample(const Json& pair, std::vector<std::string>& into) {
  if (!pair.is_array() || pair.size() != 2 || !pair[1].is_string()) return false;
  if (!ParseSample(pair[1].get_ref<const std::string&>())) return false;
  into.push_back(pair[1]);
  return true;
}

// The samples of a result of type vector or scalar, as text.
Result<std::vector<std::string>> ReadSamples(const Json& data) {
  const auto wrong = [](std::string_view what) {
    return Fail(ErrorKind::kInvalid, fmt::format("the answer is not that of a query: {}", what));
  };
  if (!data.is_object() || !data.contains("result")) return wrong("it has no result");
  const Json& type = data.value("resultType", Json());
  const Json& result = data.at("result");
  std::vector<std::string> samples;
  if (type == "scalar") {
    if (!ReadSample(result, samples)) return wrong("its scalar can't be read");
    return samples;
  }
  if (type != "vector" || !result.is_array()) {
    return wrong(fmt::format("its type is {}; a vector or a scalar is needed", Shown(type.dump())));
  }
  for (const Json& series : result) {
    const bool read =
        series.is_object() && series.contains("value") && ReadSample(series.at("value"), samples);
    if (!read) return wrong("a sample of its vector can't be read");
  }
  return samples;
}

bool Lies(const Bounds& bounds, double value) {
  return !(bounds.min && value < *bounds.min) && !(bounds.max && value > *bounds.max);
}

std::string InWords(const Bounds& bounds) {
  if (!bounds.max) return fmt::format("at least {}", *bounds.min);
  if (!bounds.min) return fmt::format("at most {}", *bounds.max);
  return fmt::format("from {} to {}", *bounds.min, *bounds.max);
}

Measurement JudgeSamples(const Bounds& bounds, const std::vector<std::string>& samples) {
  if (samples.empty()) return {Kind::kInconclusive, "", "the query has no sample"};
  bool not_a_number = false;
  for (const std::string& sample : samples) {
    const double value = ParseSample(sample).value_or(0);
    not_a_number = not_a_number || std::isnan(value);
    if (std::isnan(value) || Lies(bounds, value)) continue;
    return {Kind::kFailed, "",
            fmt::format("{} is not {} ({} samples)", sample, InWords(bounds), samples.size()), sample};
  }
  if (not_a_number) return {Kind::kInconclusive, "", "a sample of the query is NaN", "NaN"};
  return {Kind::kGood, "", fmt::format("{} is {}", samples.front(), InWords(bounds)), samples.front()};
}

std::string ErrorOf(const Json& json, const HttpAnswer& answer) {
  if (!json.is_object() || !json.contains("error")) return Shown(answer.body);
  const Json& said = json.at("error");
  return Shown(said.is_string() ? said.get<std::string>() : said.dump());
}

}  // namespace

Result<Bounds> ParseBounds(std::string_view min, std::string_view max) {
  Bounds bounds{ParseDecimal(min), ParseDecimal(max)};
  if (!min.empty() && !bounds.min) return Fail(ErrorKind::kInvalid, "--min is not a decimal number");
  if (!max.empty() && !bounds.max) return Fail(ErrorKind::kInvalid, "--max is not a decimal number");
  if (!bounds.min && !bounds.max)
    return Fail(ErrorKind::kInvalid, "neither --min nor --max: nothing can fail");
  if (bounds.min && bounds.max && *bounds.min > *bounds.max) {
    return Fail(ErrorKind::kInvalid, "--min is above --max");
  }
  return bounds;
}

Measurement Measure(const Bounds& bounds, const HttpAnswer& answer) {
  if (answer.status == 0) return Broken(kUnreachable, answer.failed);
  const Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status != kOk) {
    return Broken(kQueryError, fmt::format("it answered {}: {}", answer.status, ErrorOf(json, answer)));
  }
  if (answer.cut) return Broken(kQueryError, "the answer is longer than 1 MiB");
  if (!json.is_object()) return Broken(kQueryError, fmt::format("it is not JSON: {}", Shown(answer.body)));
  if (json.value("status", Json()) != "success") {
    return Broken(kQueryError, fmt::format("the query failed: {}", ErrorOf(json, answer)));
  }
  const auto samples = ReadSamples(json.value("data", Json()));
  if (!samples) return Broken(kQueryError, samples.error().message);
  Measurement measurement = JudgeSamples(bounds, *samples);
  measurement.value = PrintableAscii(measurement.value, kValueBytes);
  return measurement;
}

void QueryTally::Add(Measurement measurement) {
  if (measurement.kind == Kind::kError) {
    ++errors_;
    ++errors_in_a_row_;
    last_error_ = std::move(measurement);
    return;
  }
  errors_in_a_row_ = 0;
  value_ = measurement.value;
  if (measurement.kind == Kind::kGood) ++good_;
  if (measurement.kind == Kind::kFailed) {
    ++failed_;
    last_failed_ = std::move(measurement);
  } else if (measurement.kind == Kind::kInconclusive) {
    ++inconclusive_;
    last_inconclusive_ = std::move(measurement);
  }
}

bool QueryTally::over() const {
  return broken() || failed_ > options_.failure_limit || inconclusive_ > options_.inconclusive_limit ||
         measured() >= options_.count;
}

CheckReport QueryTally::Report() const {
  CheckReport report;
  report.requests = measured() + errors_;
  report.failures = failed_;
  report.value = value_;
  const std::string query = Shown(options_.query);
  if (broken()) {
    Find(report, last_error_.reason,
         fmt::format("{} errors in a row of {} at {}: {}", errors_in_a_row_, query, Shown(options_.url),
                     last_error_.message));
  } else if (failed_ > options_.failure_limit || (good_ == 0 && failed_ > 0)) {
    Find(report, "QueryFailed",
         fmt::format("{} of {} answers of {} failed; the last: {}", failed_, measured(), query,
                     last_failed_.message));
  } else if (inconclusive_ > options_.inconclusive_limit || good_ == 0) {
    report.verdict = CheckVerdict::kInconclusive;
    Find(report, "NoData",
         fmt::format("{} of {} answers of {} could not tell; the last: {}", inconclusive_, measured(), query,
                     last_inconclusive_.message));
  } else {
    report.verdict = CheckVerdict::kPass;
    Find(report, kPassedReason,
         fmt::format("{} of {} answers of {} were good; the last value: {}", good_, measured(), query,
                     value_));
  }
  return report;
}

}  // namespace slipway::runner
