#include "base/backoff.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace slipway {
namespace {

using std::chrono::milliseconds;

TEST(BackoffDelay, DoublesUpToTheCap) {
  const BackoffPolicy policy{milliseconds(100), milliseconds(1000), 2.0};
  const struct {
    int attempt;
    int least;
  } rows[] = {{0, 50}, {1, 100}, {2, 200}, {3, 400}, {4, 500}, {50, 500}, {1000, 500}, {-1, 50}};
  for (const auto& row : rows) {
    EXPECT_EQ(BackoffDelay(policy, row.attempt, 0.0).count(), row.least) << row.attempt;
    EXPECT_EQ(BackoffDelay(policy, row.attempt, 0.5).count(), row.least * 3 / 2) << row.attempt;
  }
}

TEST(BackoffDelay, IsNeverZeroForThePoliciesThatWeUse) { EXPECT_GT(BackoffDelay({}, 0, 0.0), Duration(0)); }

TEST(BackoffProperty, StaysBetweenHalfOfTheDelayAndTheCap) {
  const bool holds = rc::check([] {
    const BackoffPolicy policy{milliseconds(*rc::gen::inRange(1, 10'000)),
                               milliseconds(*rc::gen::inRange(10'000, 10'000'000)),
                               1.0 + *rc::gen::inRange(0, 90) / 10.0};
    const int attempt = *rc::gen::inRange(0, std::numeric_limits<int>::max());
    const double draw = *rc::gen::inRange(0, 1'000'000) / 1'000'000.0;
    const Duration delay = BackoffDelay(policy, attempt, draw);
    RC_ASSERT(delay <= policy.cap);
    RC_ASSERT(delay >= policy.base / 2);
  });
  EXPECT_TRUE(holds);
}

TEST(BackoffProperty, GrowsWithTheAttemptForTheSameDraw) {
  const bool holds = rc::check([] {
    const int attempt = *rc::gen::inRange(0, 100);
    const double draw = *rc::gen::inRange(0, 1'000'000) / 1'000'000.0;
    RC_ASSERT(BackoffDelay({}, attempt + 1, draw) >= BackoffDelay({}, attempt, draw));
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace slipway
