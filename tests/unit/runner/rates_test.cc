// A small set of what tests/rates measures in full: seeded, so it never fails by chance.
#include <gtest/gtest.h>

#include "rates/simulation.h"
#include "runner/share.h"

namespace slipway::rates {
namespace {

constexpr int kRuns = 1000;
constexpr double kChance = 1e-3;

bool MayBe(int count, double bound) { return runner::ClopperPearson(count, kRuns, kChance).low <= bound; }

TEST(Rates, OfFalseAlarmsAreWithinTheBound) {
  for (const double error : {0.0, 0.01}) {
    const Truth truth{"equal", error, error};
    const Rates rates = Simulation({}, truth, 7).Run(kRuns);
    EXPECT_TRUE(MayBe(rates.failed, 0.01)) << rates.failed << " at " << error;
    EXPECT_GT(rates.passed, kRuns * 9 / 10) << "a test that never knows keeps its bounds too";
    EXPECT_LT(rates.median_pairs, 1000);
  }
}

TEST(Rates, OfMissesAreWithinTheBound) {
  const Truth truths[] = {{"errors", 0, 0.02}, {"slow", 0, 0, 0.10}};
  for (const Truth& truth : truths) {
    const Rates rates = Simulation({}, truth, 11).Run(kRuns);
    EXPECT_TRUE(MayBe(rates.passed, 0.01)) << rates.passed << " " << truth.name;
    EXPECT_GT(rates.failed, kRuns * 9 / 10) << truth.name;
  }
}

TEST(Rates, WhatFailsOnBothSidesNeverPasses) {
  const Rates rates = Simulation({}, {"both fail", 0.4, 0.4}, 13).Run(kRuns);
  EXPECT_EQ(rates.passed, 0);
  EXPECT_TRUE(MayBe(rates.failed, 0.01)) << rates.failed;
}

// What shows that the bounds above are those of alpha: at a lower confidence the same rows break them.
TEST(Rates, WouldBreakTheBoundsOf99PercentAt80) {
  runner::CompareOptions options;
  options.confidence = 80;
  const Truth equal{"equal", 0.01, 0.01};
  EXPECT_FALSE(MayBe(Simulation(options, equal, 7).Run(kRuns).failed, 0.01));
  const Truth worse{"errors", 0, 0.02};
  const int missed = Simulation(options, worse, 11).Run(kRuns).passed;
  EXPECT_FALSE(MayBe(missed, 0.01));
  EXPECT_TRUE(MayBe(missed, 0.20));
}

}  // namespace
}  // namespace slipway::rates
