// Whether the canary is worse than stable, from paired answers, decided as soon as it is known. Pure: counts
// in, decision out.
//
// Of each pair D = (canary bad) - (stable bad), which is -1, 0 or 1. Two bets are kept (I. Waudby-Smith and
// A. Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 86, 2024):
//   Fail  against "the canary is no worse", E[D] <= 0:         mean over l of the product of 1 + l*D
//   Pass  against "it is worse by the margin m", E[D] >= m:    mean over l of the product of 1 + l*(m - D)
// Where its hypothesis holds each is a non-negative supermartingale that starts at 1, so it reaches 1/a at
// any time with a chance of at most a (Ville's inequality): it may be looked at after every pair. The grid of
// l is fixed and below 1, which keeps every factor positive for each m in (0, 1). The products depend on
// counts alone, so the sums are exact and in log space.
//
// Two dimensions, errors and slow answers, each with bets of its own. Fail: either reaches 2/a (together they
// alarm falsely with a chance of at most a). Pass: both reach 1/a (one that is worse by its margin passes
// with a chance of at most a, whatever the other does). a = 1 - confidence.
//
// How soon, at 99 % (measured by tests/rates): with no bad answer on either side and a margin of 2 points,
// Pass after 326 pairs; a canary that always fails, Fail after 11; see the table of `rates` for the rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace slipway::runner {

struct PairCounts {
  std::int64_t plus = 0;   // only the canary was bad
  std::int64_t zero = 0;   // both or neither
  std::int64_t minus = 0;  // only stable was bad

  void Add(bool canary_bad, bool stable_bad);
  std::int64_t pairs() const { return plus + zero + minus; }
  bool operator==(const PairCounts&) const = default;
};

struct SequentialLimits {
  double confidence = 0.99;  // in (0, 1)
  double error_margin = 0.02;
  double slow_margin = 0.10;
};

enum class Sequel : std::uint8_t { kGoOn, kMoreErrors, kSlower, kPass };

// The logarithm of what a bet is worth, a mean over the grid.
class Wealth {
 public:
  static Wealth OfFail();
  static Wealth OfPass(double margin);  // a share in (0, 1)

  double Log(const PairCounts& counts) const;
  bool Reaches(const PairCounts& counts, double log_threshold) const;  // cheaper than Log

 private:
  static constexpr std::size_t kBets = 8;
  using Logs = std::array<double, kBets>;
  Wealth(double when_zero, double sign);
  Logs Exponents(const PairCounts& counts) const;

  Logs plus_{}, zero_{}, minus_{};  // ln of each factor
};

class SequentialTest {
 public:
  explicit SequentialTest(const SequentialLimits& limits);

  // What the counts say. It is called after each pair, in the order in which pairs were asked, until it is
  // not kGoOn.
  Sequel Decide(const PairCounts& errors, const PairCounts& slow) const;
  // The confidence that the counts give to `sequel`, in [0, 1): for kGoOn that of the likelier verdict.
  double ConfidenceReached(const PairCounts& errors, const PairCounts& slow, Sequel sequel) const;

 private:
  double threshold_;  // ln(1/a)
  Wealth fail_;
  Wealth pass_errors_;
  Wealth pass_slow_;
};

}  // namespace slipway::runner
