// The comparison of canary and stable, simulated many times over with the runner's own code (PairTally):
// how often it alarms falsely, and how often it misses. Deterministic: the seed is in the row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "runner/compare_verdict.h"

namespace slipway::rates {

// The truth that a run is drawn from. Latencies are lognormal: median 20 ms, sigma 0.5 (95th percentile 46
// ms).
struct Truth {
  std::string name;
  double stable_error = 0;
  double canary_error = 0;
  double slow_points = 0;    // the canary's share of slow answers is greater by this
  double canary_factor = 1;  // its latencies are multiplied by this
};

struct Rates {
  int runs = 0;
  int failed = 0;
  int passed = 0;
  int inconclusive = 0;
  std::int64_t median_pairs = 0;
};

class Simulation {
 public:
  Simulation(const runner::CompareOptions& options, const Truth& truth, std::uint64_t seed)
      : options_(options), truth_(truth), random_(seed) {}

  Rates Run(int runs) {
    Rates rates{runs};
    std::vector<std::int64_t> pairs;
    for (int i = 0; i < runs; ++i) {
      runner::PairTally tally(options_);
      while (!tally.over()) Draw(tally);
      using State = runner::PairTally::State;
      const bool fails = tally.state() == State::kMoreErrors || tally.state() == State::kSlower;
      ++(fails ? rates.failed : tally.state() == State::kPass ? rates.passed : rates.inconclusive);
      pairs.push_back(tally.pairs());
    }
    std::ranges::nth_element(pairs, pairs.begin() + runs / 2);
    rates.median_pairs = pairs[static_cast<std::size_t>(runs) / 2];
    return rates;
  }

 private:
  static constexpr double kLogMedian = 9.903487552536127;  // ln of 20,000 microseconds
  static constexpr double kSigma = 0.5;

  double Uniform() { return std::uniform_real_distribution<double>()(random_); }

  runner::SideAnswer Answer(double error, double factor) {
    const double took = factor * std::exp(kLogMedian + kSigma * normal_(random_));
    return {Uniform() < error, std::chrono::microseconds(static_cast<std::int64_t>(took))};
  }

  // So that the canary's share of slow answers is greater by slow_points exactly, whatever the threshold: of
  // its answers that are not slow by themselves, the part that makes up the difference is made slow.
  double MadeSlow(const runner::PairTally& tally) const {
    const auto threshold = static_cast<double>(tally.threshold().count());
    if (truth_.slow_points == 0 || threshold <= 0) return 0;
    const double slow = std::erfc((std::log(threshold) - kLogMedian) / kSigma / std::sqrt(2.0)) / 2;
    return truth_.slow_points / (1 - slow);
  }

  void Draw(runner::PairTally& tally) {
    const auto stable = Answer(truth_.stable_error, 1);
    auto canary = Answer(truth_.canary_error, truth_.canary_factor);
    if (Uniform() < MadeSlow(tally)) canary.took += tally.threshold();
    tally.Add(canary, stable);
  }

  const runner::CompareOptions& options_;
  const Truth& truth_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

}  // namespace slipway::rates
