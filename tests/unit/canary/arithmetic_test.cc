#include "canary/arithmetic.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace slipway::canary {
namespace {

using resources::Capacity;

constexpr int kMost = std::numeric_limits<int>::max();

struct SplitCase {
  int replicas;
  int weight;
  Capacity capacity;
  int limit;
  std::optional<Split> expected;
};

const SplitCase kSplits[] = {
    {10, 10, Capacity::kSplit, 0, Split{1, 9, 10, 0}},
    {10, 25, Capacity::kSplit, 0, Split{3, 7, 30, 500}},
    {10, 24, Capacity::kSplit, 0, Split{2, 8, 20, -400}},
    {3, 10, Capacity::kSplit, 0, Split{1, 2, 33, 2333}},
    {3, 50, Capacity::kSplit, 0, Split{2, 1, 67, 1667}},
    {3, 90, Capacity::kSplit, 0, std::nullopt},
    {2, 50, Capacity::kSplit, 0, Split{1, 1, 50, 0}},
    {100, 1, Capacity::kSplit, 0, Split{1, 99, 1, 0}},
    {1, 10, Capacity::kSplit, 0, std::nullopt},
    {10, 100, Capacity::kSplit, 0, std::nullopt},
    {10, 95, Capacity::kSplit, 0, std::nullopt},
    {10, 94, Capacity::kSplit, 0, Split{9, 1, 90, -400}},
    {0, 10, Capacity::kSplit, 0, std::nullopt},
    {kMost, 50, Capacity::kSplit, 0, Split{1'073'741'824, 1'073'741'823, 50, 0}},
    {kMost, 99, Capacity::kSplit, 0, Split{2'126'008'811, 21'474'836, 99, 0}},
    {0, 10, Capacity::kSurge, 10, std::nullopt},
    {1, 10, Capacity::kSurge, 1, Split{1, 1, 50, 4000}},
    {9, 10, Capacity::kSurge, 9, Split{1, 9, 10, 0}},
    {10, 10, Capacity::kSurge, 10, Split{1, 10, 9, -91}},
    {10, 25, Capacity::kSurge, 10, Split{3, 10, 23, -192}},
    {10, 50, Capacity::kSurge, 10, Split{10, 10, 50, 0}},
    {10, 50, Capacity::kSurge, 4, Split{4, 10, 29, -2143}},
    {10, 80, Capacity::kSurge, 100, Split{40, 10, 80, 0}},
    {10, 100, Capacity::kSurge, 10, Split{10, 10, 50, -5000}},
    {3, 90, Capacity::kSurge, 3, Split{3, 3, 50, -4000}},
    {10, 50, Capacity::kSurge, 0, Split{1, 10, 9, -4091}},
    {kMost, 99, Capacity::kSurge, kMost, Split{kMost, kMost, 50, -4900}},
};

TEST(SplitFor, SharesWholePodsAndNamesTheWeightAndTheErrorThatTheyGive) {
  for (const auto& c : kSplits) {
    const auto got = SplitFor(c.replicas, c.weight, c.capacity, c.limit);
    EXPECT_EQ(got, c.expected) << c.replicas << " at " << c.weight << "%: " << (got ? got->canary : 0) << "+"
                               << (got ? got->stable : 0) << " " << (got ? got->weight : 0) << "% "
                               << (got ? got->error : 0);
  }
}

int AnyReplicas() { return *rc::gen::oneOf(rc::gen::inRange(1, 200), rc::gen::inRange(1, kMost)); }
int AnyWeight() { return *rc::gen::inRange(1, 101); }

TEST(SplitFor, KeepsTheTotalAndIsTheNearestWholePod) {
  rc::check([] {
    const int replicas = AnyReplicas();
    const int weight = AnyWeight();
    const std::int64_t asked = std::int64_t{replicas} * weight;  // hundredths of a pod
    const auto split = SplitFor(replicas, weight, Capacity::kSplit, 0);
    if (!split) {
      RC_ASSERT(replicas == 1 || 2 * asked >= 200 * std::int64_t{replicas} - 100);
      return;
    }
    RC_ASSERT(split->canary + split->stable == replicas);
    RC_ASSERT(split->canary >= 1 && split->stable >= 1);
    RC_ASSERT(split->weight == Percent(split->canary, replicas));
    if (split->canary > 1) RC_ASSERT(2 * std::abs(100 * std::int64_t{split->canary} - asked) <= 100);
  });
}

TEST(SplitFor, SurgeKeepsStableAndIsTheNearestWholePodBelowItsLimit) {
  rc::check([] {
    const int replicas = AnyReplicas();
    const int weight = AnyWeight();
    const int limit = *rc::gen::inRange(1, kMost);
    const auto split = *SplitFor(replicas, weight, Capacity::kSurge, limit);
    RC_ASSERT(split.stable == replicas);
    RC_ASSERT(split.canary >= 1 && split.canary <= limit);
    if (split.canary == limit || split.canary == 1) return;
    // c * (100 - w) is nearest to R * w.
    const std::int64_t off = std::int64_t{split.canary} * (100 - weight) - std::int64_t{replicas} * weight;
    RC_ASSERT(2 * std::abs(off) <= 100 - weight);
  });
}

TEST(SplitFor, AGreaterWeightNeverGivesASmallerCanary) {
  rc::check([] {
    const int replicas = AnyReplicas();
    const int weight = *rc::gen::inRange(1, 100);
    const auto capacity = *rc::gen::element(Capacity::kSplit, Capacity::kSurge);
    const auto less = SplitFor(replicas, weight, capacity, replicas);
    const auto more = SplitFor(replicas, weight + 1, capacity, replicas);
    if (!less) RC_ASSERT(!more);
    if (less && more) RC_ASSERT(less->canary <= more->canary && less->weight <= more->weight);
  });
}

TEST(SplitFor, TheErrorIsWhatThePlannedWeightIsOffByAndLessThanAPodsShare) {
  rc::check([] {
    const int replicas = *rc::gen::inRange(2, 100'000);
    const int weight = AnyWeight();
    const auto split = SplitFor(replicas, weight, Capacity::kSplit, 0);
    if (!split) return;
    const double planned = 10'000.0 * split->canary / replicas;
    RC_ASSERT(std::abs(planned - 100.0 * weight - split->error) <= 0.5001);
    if (split->canary > 1) RC_ASSERT(std::abs(split->error) <= 5'000.0 / replicas + 0.5001);
  });
}

TEST(Percent, RoundsHalfUpAndIsNothingOfNothing) {
  EXPECT_EQ(Percent(1, 8), 13);
  EXPECT_EQ(Percent(1, 3), 33);
  EXPECT_EQ(Percent(2, 3), 67);
  EXPECT_EQ(Percent(0, 0), 0);
  EXPECT_EQ(Percent(5, 0), 0);
  EXPECT_EQ(Percent(kMost, kMost), 100);
  EXPECT_EQ(Percent(kMost, 2 * std::int64_t{kMost}), 50);
}

TEST(MaxUnavailable, IsRoundedDownAsTheDeploymentControllerDoes) {
  EXPECT_EQ(MaxUnavailable("25%", 10), 2);
  EXPECT_EQ(MaxUnavailable("25%", 3), 0);
  EXPECT_EQ(MaxUnavailable("3", 10), 3);
  EXPECT_EQ(MaxUnavailable("30", 10), 10);
  EXPECT_EQ(MaxUnavailable("", 10), 0);
  EXPECT_EQ(MaxUnavailable("-1", 10), 0);
}

TEST(SurgeLimit, IsRoundedUpAndNeverNothing) {
  EXPECT_EQ(SurgeLimit("25%", 10), 3);
  EXPECT_EQ(SurgeLimit("100%", 10), 10);
  EXPECT_EQ(SurgeLimit("200%", 10), 20);
  EXPECT_EQ(SurgeLimit("1%", 10), 1);
  EXPECT_EQ(SurgeLimit("0%", 10), 1);
  EXPECT_EQ(SurgeLimit("0", 10), 1);
  EXPECT_EQ(SurgeLimit("4", 10), 4);
  EXPECT_EQ(SurgeLimit("", 10), 1);
  EXPECT_EQ(SurgeLimit("100%", kMost), kMost);
  EXPECT_EQ(SurgeLimit("1000%", kMost), kMost);
}

TEST(RoundedUp, IsThatOfABudgetAndMayBeNothingOrMoreThanThereIs) {
  EXPECT_EQ(RoundedUp("90%", 10), 9);
  EXPECT_EQ(RoundedUp("90%", 9), 9);
  EXPECT_EQ(RoundedUp("1%", 10), 1);
  EXPECT_EQ(RoundedUp("0%", 10), 0);
  EXPECT_EQ(RoundedUp("50%", 0), 0);
  EXPECT_EQ(RoundedUp("12", 10), 12);
  EXPECT_EQ(RoundedUp("", 10), 0);
  EXPECT_EQ(RoundedUp("many", 10), 0);
  EXPECT_EQ(RoundedUp("100%", kMost), kMost);
}

// Every move alone, pods there at once: it arrives, within the bounds, in no more moves than there are
// batches.
TEST(Moves, ArriveInBatchesThatNeverBreakEitherBound) {
  rc::check([] {
    const int baseline = *rc::gen::inRange(1, 300);
    const int limit = *rc::gen::inRange(1, baseline + 1);
    const int before = *rc::gen::inRange(0, baseline + 1);
    const int wanted = *rc::gen::inRange(0, baseline + 1);
    Move move{.now = {before, baseline - before},
              .wanted = {wanted, baseline - wanted},
              .least = baseline,
              .most = std::int64_t{baseline} + limit};
    int moves = 0;
    while (move.now != move.wanted) {
      move.there = move.now;
      Pods next = Grown(move);
      if (next == move.now) next = Shrunk(move);
      RC_ASSERT(!(next == move.now));
      RC_ASSERT(next.canary + next.stable >= baseline && next.canary + next.stable <= baseline + limit);
      move.now = next;
      RC_ASSERT(++moves <= 2 * (baseline / limit + 1));
    }
  });
}

TEST(Moves, WaitForPodsThatAreOnTheirWayOut) {
  const Move move{.now = {0, 10}, .there = {0, 11}, .wanted = {5, 5}, .least = 10, .most = 11};
  EXPECT_EQ(Grown(move), (Pods{0, 10}));
}

}  // namespace
}  // namespace slipway::canary
