#include "runner/share.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::runner {
namespace {

// By the definition: the chance of at most `hits` when each has the chance p.
double AtMost(int hits, int trials, double p) {
  double sum = 0;
  for (int i = 0; i <= hits; ++i) {
    sum += std::exp(std::lgamma(trials + 1.0) - std::lgamma(i + 1.0) - std::lgamma(trials - i + 1.0) +
                    i * std::log(p) + (trials - i) * std::log1p(-p));
  }
  return sum;
}

TEST(ClopperPearsonIntervals, AreThoseOfTheTables) {
  const struct {
    int hits, trials;
    double miss, low, high;
  } rows[] = {
      {0, 10, 0.05, 0, 0.30850},       {10, 10, 0.05, 0.69150, 1},   {1, 10, 0.05, 0.00253, 0.44502},
      {5, 10, 0.05, 0.18709, 0.81291}, {0, 10, 0.01, 0, 0.41130},    {10, 100, 0.05, 0.04900, 0.17622},
      {0, 100, 1e-6, 0, 0.13504},      {100, 100, 1e-6, 0.86496, 1}, {0, 0, 0.01, 0, 1},
  };
  for (const auto& row : rows) {
    const Interval interval = ClopperPearson(row.hits, row.trials, row.miss);
    EXPECT_NEAR(interval.low, row.low, 5e-5) << row.hits << "/" << row.trials;
    EXPECT_NEAR(interval.high, row.high, 5e-5) << row.hits << "/" << row.trials;
  }
}

TEST(ClopperPearsonIntervals, EndWhereEachTailIsHalfOfWhatIsMissed) {
  for (const int trials : {1, 7, 200, 1000}) {
    for (int hits = 0; hits <= trials; hits += std::max(1, trials / 9)) {
      for (const double miss : {kShown, kSplitFails}) {
        const Interval interval = ClopperPearson(hits, trials, miss);
        if (hits < trials) {
          EXPECT_NEAR(AtMost(hits, trials, interval.high) / (miss / 2), 1, 1e-6) << hits << "/" << trials;
        }
        if (hits > 0) {
          EXPECT_NEAR(AtMost(trials - hits, trials, 1 - interval.low) / (miss / 2), 1, 1e-6)
              << hits << "/" << trials;
        }
      }
    }
  }
}

TEST(Shares, AreToldInPermilleThatHoldTheInterval) {
  // Of 200 answers 10 % are wanted, and 20 came: 99 % exact interval [5.29 %, 16.70 %].
  const Share share = MeasureShare(20, 200, 0.1);
  EXPECT_EQ(share, (Share{20, 200, 100, 52, 167, true, true}));
}

TEST(Shares, OfOnePodOfThreeAre333) { EXPECT_EQ(MeasureShare(0, 10, 1.0 / 3).wanted_permille, 333); }

TEST(Shares, ThatMissThe99PercentIntervalByChanceAreStillPlausible) {
  const Share odd = MeasureShare(60, 200, 0.2);
  EXPECT_FALSE(odd.inside);
  EXPECT_TRUE(odd.plausible);
  const Share wrong = MeasureShare(100, 200, 0.2);
  EXPECT_FALSE(wrong.inside);
  EXPECT_FALSE(wrong.plausible);
  EXPECT_FALSE(MeasureShare(0, 200, 0.2).plausible) << "0.8^200 is 4e-20";
  EXPECT_TRUE(MeasureShare(0, 50, 0.2).plausible) << "0.8^50 is 1.4e-5";
  EXPECT_TRUE(MeasureShare(0, 0, 0.2).plausible) << "nothing was answered: nothing is known";
}

}  // namespace
}  // namespace slipway::runner
