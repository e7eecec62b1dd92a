// Whether the canary's share of the answers through a Service can be its share of the ready pods: the exact
// binomial interval of Clopper and Pearson (1934, Biometrika 26), by Boost.Math. Pure.
#pragma once

namespace slipway::runner {

struct Interval {
  double low = 0;
  double high = 1;
  bool Has(double value) const { return low <= value && value <= high; }
};

// Both ends are exact, so that an interval of confidence c misses the true share with a chance of at most
// 1 - c. `hits` of `trials`; the whole of [0, 1] when there was none. `miss` is 1 - c, above 0 and below 1.
Interval ClopperPearson(int hits, int trials, double miss);

inline constexpr double kShown = 0.01;       // the interval that the report shows misses 1 in 100
inline constexpr double kSplitFails = 1e-6;  // a finding is made once in a million sound splits at most

struct Share {
  int canary = 0;  // answers
  int answers = 0;
  int wanted_permille = 0;  // of ready pods
  int low_permille = 0;     // of the 99 % interval, rounded down; the upper end is rounded up
  int high_permille = 0;
  bool inside = false;     // the wanted share lies in the 99 % interval
  bool plausible = false;  // it lies in the 99.9999 % interval
  bool operator==(const Share&) const = default;
};

Share MeasureShare(int canary, int answers, double wanted);

}  // namespace slipway::runner
