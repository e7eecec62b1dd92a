#include "runner/latency.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

namespace slipway::runner {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

microseconds NearestRank(std::vector<microseconds> samples, double percent) {
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * percent / 100));
  return samples[std::clamp<std::size_t>(rank, 1, samples.size()) - 1];
}

// Every order of magnitude as often: a plain range would try hardly anything but hours.
rc::Gen<microseconds> Latencies() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 32), rc::gen::inRange(0, 1 << 20)), [](auto drawn) {
    const std::int64_t base = std::int64_t{1} << drawn.first;
    return microseconds(std::min<std::int64_t>(base + base * drawn.second / (1 << 20), 3'600'000'000));
  });
}

TEST(LatencyProperty, APercentileIsTheExactOneLessAThousandthAtMost) {
  const bool holds = rc::check([] {
    const auto samples = *rc::gen::nonEmpty(rc::gen::container<std::vector<microseconds>>(Latencies()));
    LatencyHistogram histogram;
    for (const auto sample : samples) histogram.Record(sample);
    RC_ASSERT(histogram.count() == static_cast<std::int64_t>(samples.size()));
    RC_ASSERT(histogram.Max() == std::ranges::max(samples));
    for (const double percent : {0.001, 1.0, 50.0, 95.0, 99.0, 99.9, 100.0}) {
      const auto exact = NearestRank(samples, percent);
      const auto told = histogram.Percentile(percent);
      RC_ASSERT(told <= exact);
      RC_ASSERT(static_cast<double>((exact - told).count()) <= 0.001 * static_cast<double>(exact.count()));
    }
  });
  EXPECT_TRUE(holds);
}

TEST(Latencies, BelowTwoMillisecondsAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i < 2048; ++i) {
    LatencyHistogram one;
    one.Record(microseconds(i));
    EXPECT_EQ(one.Percentile(50), microseconds(i));
  }
}

TEST(Latencies, OutsideTheRangeCountAsItsEnds) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Percentile(50), microseconds(0)) << "no sample";
  histogram.Record(microseconds(-5));
  EXPECT_EQ(histogram.Max(), microseconds(1));
  histogram.Record(std::chrono::hours(20));
  EXPECT_EQ(histogram.Max(), std::chrono::hours(1));
  EXPECT_EQ(histogram.count(), 2);
}

TEST(Latencies, AreToldInWholeMillisecondsRoundedUp) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 20; ++i) histogram.Record(milliseconds(i));
  EXPECT_EQ(PercentilesOf(histogram), (Percentiles{10, 19, 20, 20}));
  EXPECT_EQ(CeilMs(microseconds(1)), 1);
  EXPECT_EQ(CeilMs(microseconds(2001)), 3);
  EXPECT_EQ(PercentilesOf({}), Percentiles{});
}

}  // namespace
}  // namespace slipway::runner
