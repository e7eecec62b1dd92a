// What the answers of a Prometheus are worth: pure, so that it is tested as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runner/check_report.h"
#include "runner/http_ask.h"
#include "runner/prometheus.h"

namespace slipway::runner {

inline constexpr std::size_t kMostPrometheusAnswer = 1U << 20;

struct Bounds {
  std::optional<double> min;
  std::optional<double> max;
};

// kInvalid when one is no decimal number, when there is none, or when min is above max.
Result<Bounds> ParseBounds(std::string_view min, std::string_view max);

struct Measurement {
  enum class Kind : std::uint8_t { kGood, kFailed, kInconclusive, kError };
  Kind kind = Kind::kError;
  std::string reason;  // of an error
  std::string message;
  // As Prometheus wrote it: the first that lies outside, else the first; empty without a sample.
  std::string value;
};

Measurement Measure(const Bounds& bounds, const HttpAnswer& answer);

class QueryTally {
 public:
  explicit QueryTally(const PrometheusOptions& options) : options_(options) {}

  void Add(Measurement measurement);
  bool over() const;
  // More errors in a row than are borne: there is no verdict, and Report has only reason and message.
  bool broken() const { return errors_in_a_row_ > options_.error_limit; }
  CheckReport Report() const;

 private:
  int measured() const { return good_ + failed_ + inconclusive_; }

  const PrometheusOptions& options_;
  int good_ = 0;
  int failed_ = 0;
  int inconclusive_ = 0;
  int errors_ = 0;
  int errors_in_a_row_ = 0;
  std::string value_;
  Measurement last_failed_;
  Measurement last_inconclusive_;
  Measurement last_error_;
};

}  // namespace slipway::runner
