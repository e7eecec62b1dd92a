#include <algorithm>

#include "canary/decide.h"

namespace slipway::canary {
namespace {

using resources::CheckKind;

constexpr std::string_view kCompare = "compare";

}  // namespace

// Errors in a row above the limit end it, and any other answer begins a new row: so before each answer that
// counts there may be as many errors as the limit. An answer may take as long as the runner waits for one.
Duration TimeoutOf(const Check& check) {
  if (check.smoke) return check.smoke->timeout;
  if (check.compare) return check.compare->timeout;
  if (!check.prometheus) return Duration(0);
  constexpr Duration kLongestAnswer = std::chrono::seconds(10);
  const auto& query = *check.prometheus;
  const std::int64_t times = (std::int64_t{query.count} + 1) * (std::int64_t{query.error_limit} + 1);
  return std::max(query.interval, kLongestAnswer) * times;
}

std::vector<Check> ChecksOf(const resources::CanaryPromotionSpec& spec, int step) {
  std::vector<Check> checks;
  const auto ask = [&](const resources::SmokeTest& test) {
    Check check{.kind = CheckKind::kSmoke, .name = test.name};
    check.smoke = test;
    checks.push_back(std::move(check));
  };
  if (step == kVerification) {
    for (const auto& test : spec.verification) ask(test);
    return checks;
  }
  const auto& asked = spec.steps.at(static_cast<std::size_t>(step));
  for (const auto& test : spec.smoke_tests) {
    const bool named = std::ranges::find(asked.smoke_tests, test.name) != asked.smoke_tests.end();
    if (named || asked.smoke_tests.empty()) ask(test);
  }
  if (!asked.analysis) return checks;
  if (spec.analysis.compare) {
    Check check{.kind = CheckKind::kCompare, .name = std::string(kCompare)};
    check.compare = spec.analysis.compare;
    checks.push_back(std::move(check));
  }
  for (const auto& query : spec.analysis.prometheus) {
    Check check{.kind = CheckKind::kPrometheus, .name = query.name};
    check.prometheus = query;
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace slipway::canary
