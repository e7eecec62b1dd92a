#include "runner/compare_verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::runner {
namespace {

constexpr std::size_t kShownPath = 128;
constexpr double kPercent = 100;
constexpr double kRounding = 1e-9;  // 1 - 1/100 is a hair below 0.99 in binary

SequentialLimits LimitsOf(const CompareOptions& options) {
  return {options.confidence / kPercent, options.error_margin / kPercent, options.slow_margin / kPercent};
}

std::string Counted(const ComparisonReport& c) {
  return fmt::format(
      "in {} pairs the canary had {} errors and {} slow answers (above {} ms), stable {} and {}", c.pairs,
      c.canary_errors, c.canary_slow, c.threshold_ms, c.stable_errors, c.stable_slow);
}

// A path may be longer than a whole message.
std::string Asked(const CompareOptions& options) {
  return fmt::format("GET {}", PrintableAscii(options.path, kShownPath));
}

std::string InTime(const CompareOptions& options, const PairTally& tally) {
  if (tally.state() == PairTally::State::kPairsOut) return fmt::format("{} pairs", options.max_pairs);
  return fmt::format("{} ms", options.timeout.count());
}

void JudgeUnknown(const CompareOptions& options, const PairTally& tally, CheckReport& report) {
  report.verdict = CheckVerdict::kInconclusive;
  if (options.stable_pods.empty()) {
    Find(report, "StableFails",
         fmt::format("{}: no pod of stable is ready: there is nothing to compare with", Asked(options)));
    return;
  }
  if (tally.state() == PairTally::State::kStableTooSlow) {
    Find(
        report, "StableTooSlow",
        fmt::format("{}: stable is so slow that only what takes {} ms would be slow, and an answer is waited "
                    "for {} ms: there is nothing to compare with",
                    Asked(options), CeilMs(tally.threshold()), options.request_timeout.count()));
    return;
  }
  if (tally.state() == PairTally::State::kStableFails && tally.pairs() > 0) {
    Find(report, "StableFails",
         fmt::format("{}: {}: where so many answers fail there is nothing to compare with", Asked(options),
                     Counted(*report.comparison)));
    return;
  }
  if (tally.state() == PairTally::State::kStableFails) {
    Find(report, "StableFails",
         fmt::format("{}: stable answered fewer than {} of the first {} requests well: there is nothing to "
                     "compare with",
                     Asked(options), kLeastWarmAnswers, kWarmUpPairs));
    return;
  }
  Find(report, "TooFewPairs",
       fmt::format("{}: {}: not known with {}% confidence within {}", Asked(options),
                   Counted(*report.comparison), options.confidence, InTime(options, tally)));
}

}  // namespace

void JudgePair(SideAnswer& canary, SideAnswer& stable) {
  const bool canary_alone = canary.refused && !stable.refused && !stable.error;
  const bool stable_alone = stable.refused && !canary.refused && !canary.error;
  canary.error = canary.error || canary_alone;
  stable.error = stable.error || stable_alone;
}

PairTally::PairTally(const CompareOptions& options)
    : test_(LimitsOf(options)),
      max_pairs_(options.max_pairs),
      slower_by_(options.slower_by),
      request_timeout_(options.request_timeout) {}

void PairTally::Add(SideAnswer canary, SideAnswer stable) {
  if (state_ == State::kWarmingUp) {
    WarmUp(stable);
  } else if (state_ == State::kCounting) {
    Count(canary, stable);
  }
}

void PairTally::GiveUp() {
  if (!over()) state_ = State::kStableFails;
}

void PairTally::WarmUp(SideAnswer stable) {
  if (!stable.error) warm_.push_back(stable.took);
  if (++warm_pairs_ < kWarmUpPairs) return;
  if (warm_.size() < kLeastWarmAnswers) {
    state_ = State::kStableFails;
    return;
  }
  std::ranges::sort(warm_);
  const auto p95 = warm_[(warm_.size() * 95 + 99) / 100 - 1];
  threshold_ = p95 + std::max<std::chrono::microseconds>(p95 * slower_by_ / 100, kLeastSlower);
  state_ = threshold_ < request_timeout_ ? State::kCounting : State::kStableTooSlow;
}

// An answer that is an error is not slow too: each dimension counts what the other does not.
void PairTally::Count(SideAnswer canary, SideAnswer stable) {
  const bool canary_slow = !canary.error && canary.took > threshold_;
  const bool stable_slow = !stable.error && stable.took > threshold_;
  errors_.Add(canary.error, stable.error);
  slow_.Add(canary_slow, stable_slow);
  canary_errors_ += canary.error ? 1 : 0;
  stable_errors_ += stable.error ? 1 : 0;
  canary_slow_ += canary_slow ? 1 : 0;
  stable_slow_ += stable_slow ? 1 : 0;
  if (!canary.error) canary_latencies_.Record(canary.took);
  if (!stable.error) stable_latencies_.Record(stable.took);
  const Sequel sequel = test_.Decide(errors_, slow_);
  if (sequel == Sequel::kMoreErrors) state_ = State::kMoreErrors;
  if (sequel == Sequel::kSlower) state_ = State::kSlower;
  const std::int64_t errors = std::max(canary_errors_, stable_errors_);
  const bool no_meaning = errors * kErrorsOfNoMeaning > errors_.pairs();
  if (sequel == Sequel::kPass) state_ = no_meaning ? State::kStableFails : State::kPass;
  if (sequel == Sequel::kGoOn && errors_.pairs() >= max_pairs_) state_ = State::kPairsOut;
}

Sequel PairTally::Verdict() const {
  if (state_ == State::kMoreErrors) return Sequel::kMoreErrors;
  if (state_ == State::kSlower) return Sequel::kSlower;
  return state_ == State::kPass ? Sequel::kPass : Sequel::kGoOn;
}

ComparisonReport PairTally::Report() const {
  ComparisonReport report{static_cast<int>(errors_.pairs()), canary_errors_, stable_errors_, canary_slow_,
                          stable_slow_};
  report.threshold_ms = CeilMs(threshold_);
  report.canary_p95_ms = CeilMs(canary_latencies_.Percentile(95));
  report.stable_p95_ms = CeilMs(stable_latencies_.Percentile(95));
  if (errors_.pairs() > 0) {
    report.confidence =
        static_cast<int>(kPercent * test_.ConfidenceReached(errors_, slow_, Verdict()) + kRounding);
  }
  return report;
}

CheckReport JudgeComparison(const CompareOptions& options, const PairTally& tally,
                            const std::string& first_error) {
  CheckReport report;
  const ComparisonReport counts = tally.Report();
  report.comparison = counts;
  report.requests = counts.pairs;
  report.failures = counts.canary_errors;
  report.latency = PercentilesOf(tally.canary_latencies());
  const std::string counted = fmt::format("{}: {}", Asked(options), Counted(counts));
  using State = PairTally::State;
  switch (tally.state()) {
    case State::kPass:
      report.verdict = CheckVerdict::kPass;
      Find(report, kPassedReason,
           fmt::format(
               "{}: with {}% confidence less than {} points more errors and {} points more slow answers",
               counted, counts.confidence, options.error_margin, options.slow_margin));
      break;
    case State::kMoreErrors:
      Find(report, "MoreErrors",
           fmt::format("{}: with {}% confidence it errs more often{}{}", counted, counts.confidence,
                       first_error.empty() ? "" : "; its first error: ", first_error));
      break;
    case State::kSlower:
      Find(report, "Slower",
           fmt::format("{}: with {}% confidence it is slow more often", counted, counts.confidence));
      break;
    default:
      JudgeUnknown(options, tally, report);
      break;
  }
  return report;
}

}  // namespace slipway::runner
