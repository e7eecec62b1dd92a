// What `compare` makes of its pairs: pure, so that it is tested as a table and its rates are simulated
// (tests/rates).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runner/check_report.h"
#include "runner/compare.h"
#include "runner/latency.h"
#include "runner/sequential.h"

namespace slipway::runner {

// These pairs count for nothing but the threshold: they warm caches and pools on both sides as well.
inline constexpr int kWarmUpPairs = 50;
// Of the warm-up's answers of stable, fewer good ones than this tell nothing of how slow stable is.
inline constexpr int kLeastWarmAnswers = 25;
inline constexpr std::chrono::milliseconds kLeastSlower{5};

// Where more than one in so many of either side's answers are errors, that the canary has no more of them
// than stable says nothing: both fail, by the canary's own doing perhaps.
inline constexpr int kErrorsOfNoMeaning = 4;

struct SideAnswer {
  bool error = false;  // there was none, or it was 500 or above
  std::chrono::microseconds took{0};
  bool refused = false;  // it was 400 to 499: an error where the other side of the pair had none of that
};
// What is an error is known of both answers of a pair only: a path that neither side has is no difference.
void JudgePair(SideAnswer& canary, SideAnswer& stable);

// Takes pairs in the order in which they were asked.
class PairTally {
 public:
  enum class State : std::uint8_t {
    kWarmingUp,
    kStableFails,
    kStableTooSlow,  // nothing can be slower: it would not be an answer
    kCounting,
    kMoreErrors,
    kSlower,
    kPass,
    kPairsOut
  };

  explicit PairTally(const CompareOptions& options);

  // Of a pair that was judged. Does nothing once over().
  void Add(SideAnswer canary, SideAnswer stable);
  // No pod of stable answers any more.
  void GiveUp();

  State state() const { return state_; }
  bool over() const { return state_ != State::kWarmingUp && state_ != State::kCounting; }
  std::int64_t pairs() const { return errors_.pairs(); }
  // What takes longer is slow: stable's 95th percentile in the warm-up and `slower_by` percent of it, 5 ms at
  // least. Known once the warm-up is over.
  std::chrono::microseconds threshold() const { return threshold_; }
  ComparisonReport Report() const;
  const LatencyHistogram& canary_latencies() const { return canary_latencies_; }

 private:
  void WarmUp(SideAnswer stable);
  void Count(SideAnswer canary, SideAnswer stable);
  Sequel Verdict() const;

  SequentialTest test_;
  int max_pairs_;
  int slower_by_;
  std::chrono::microseconds request_timeout_;
  State state_ = State::kWarmingUp;
  int warm_pairs_ = 0;
  std::vector<std::chrono::microseconds> warm_;  // stable's good answers
  std::chrono::microseconds threshold_{0};
  PairCounts errors_;
  PairCounts slow_;
  int canary_errors_ = 0, stable_errors_ = 0;
  int canary_slow_ = 0, stable_slow_ = 0;
  LatencyHistogram canary_latencies_;
  LatencyHistogram stable_latencies_;
};

// `first_error` is the canary's, in words; empty for none. A tally that is not over ran out of time.
CheckReport JudgeComparison(const CompareOptions& options, const PairTally& tally,
                            const std::string& first_error);

}  // namespace slipway::runner
