#include "runner/sequential.h"

#include <algorithm>
#include <cmath>

namespace slipway::runner {
namespace {

// Small bets win where both sides are bad often, large ones where hardly anything is: about one for each
// doubling. A mean over more of them would cost each the logarithm of their number.
constexpr std::array<double, 8> kGrid{0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.98};

const double kLog2 = std::log(2.0);

// ln of the mean of exp(exponent): the greatest is taken out, so that nothing overflows.
double LogMeanExp(const std::array<double, kGrid.size()>& exponents) {
  const double greatest = std::ranges::max(exponents);
  double sum = 0;
  for (const double exponent : exponents) sum += std::exp(exponent - greatest);
  return greatest + std::log(sum / static_cast<double>(kGrid.size()));
}

}  // namespace

void PairCounts::Add(bool canary_bad, bool stable_bad) {
  if (canary_bad == stable_bad) {
    ++zero;
  } else {
    ++(canary_bad ? plus : minus);
  }
}

// A factor is 1 + l*(when_zero + sign*D).
Wealth::Wealth(double when_zero, double sign) {
  static_assert(kBets == kGrid.size());
  for (std::size_t i = 0; i < kBets; ++i) {
    plus_[i] = std::log1p(kGrid[i] * (when_zero + sign));
    zero_[i] = std::log1p(kGrid[i] * when_zero);
    minus_[i] = std::log1p(kGrid[i] * (when_zero - sign));
  }
}

Wealth Wealth::OfFail() { return {0, 1}; }
Wealth Wealth::OfPass(double margin) { return {margin, -1}; }

Wealth::Logs Wealth::Exponents(const PairCounts& counts) const {
  Logs out{};
  for (std::size_t i = 0; i < kBets; ++i) {
    out[i] = static_cast<double>(counts.plus) * plus_[i] + static_cast<double>(counts.zero) * zero_[i] +
             static_cast<double>(counts.minus) * minus_[i];
  }
  return out;
}

double Wealth::Log(const PairCounts& counts) const { return LogMeanExp(Exponents(counts)); }

// The mean is at most the greatest: most pairs are decided without an exponential.
bool Wealth::Reaches(const PairCounts& counts, double log_threshold) const {
  const Logs exponents = Exponents(counts);
  return std::ranges::max(exponents) >= log_threshold && LogMeanExp(exponents) >= log_threshold;
}

SequentialTest::SequentialTest(const SequentialLimits& limits)
    : threshold_(-std::log1p(-limits.confidence)),
      fail_(Wealth::OfFail()),
      pass_errors_(Wealth::OfPass(limits.error_margin)),
      pass_slow_(Wealth::OfPass(limits.slow_margin)) {}

Sequel SequentialTest::Decide(const PairCounts& errors, const PairCounts& slow) const {
  if (fail_.Reaches(errors, threshold_ + kLog2)) return Sequel::kMoreErrors;
  if (fail_.Reaches(slow, threshold_ + kLog2)) return Sequel::kSlower;
  const bool passes = pass_errors_.Reaches(errors, threshold_) && pass_slow_.Reaches(slow, threshold_);
  return passes ? Sequel::kPass : Sequel::kGoOn;
}

double SequentialTest::ConfidenceReached(const PairCounts& errors, const PairCounts& slow,
                                         Sequel sequel) const {
  const double more_errors = fail_.Log(errors) - kLog2;
  const double slower = fail_.Log(slow) - kLog2;
  const double pass = std::min(pass_errors_.Log(errors), pass_slow_.Log(slow));
  double wealth = std::max({more_errors, slower, pass});
  if (sequel == Sequel::kMoreErrors) wealth = more_errors;
  if (sequel == Sequel::kSlower) wealth = slower;
  if (sequel == Sequel::kPass) wealth = pass;
  return std::max(0.0, -std::expm1(-wealth));
}

}  // namespace slipway::runner
