#include "canary/arithmetic.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace slipway::canary {
namespace {

using resources::Capacity;

struct SplitCase {
  int replicas;
  int weight;
  Capacity capacity;
  std::optional<Split> expected;
};

TEST(SplitFor, SharesWholePodsAndNamesTheWeightThatWasGot) {
  const SplitCase cases[] = {
      {10, 10, Capacity::kSplit, Split{1, 9, 10}},    {10, 25, Capacity::kSplit, Split{3, 7, 30}},
      {3, 10, Capacity::kSplit, Split{1, 2, 33}},     {2, 50, Capacity::kSplit, Split{1, 1, 50}},
      {100, 1, Capacity::kSplit, Split{1, 99, 1}},    {1, 10, Capacity::kSplit, std::nullopt},
      {10, 100, Capacity::kSplit, std::nullopt},      {10, 96, Capacity::kSplit, std::nullopt},
      {0, 10, Capacity::kSplit, std::nullopt},        {0, 10, Capacity::kSurge, std::nullopt},
      {1, 10, Capacity::kSurge, Split{1, 1, 50}},     {9, 10, Capacity::kSurge, Split{1, 9, 10}},
      {10, 100, Capacity::kSurge, Split{10, 10, 50}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(SplitFor(c.replicas, c.weight, c.capacity), c.expected)
        << c.replicas << " at " << c.weight << "%";
  }
}

TEST(SplitFor, KeepsTheTotalAndLeavesAPodToStable) {
  rc::check([](int any_replicas, int any_weight) {
    const int replicas = std::abs(any_replicas % 5000) + 1;
    const int weight = std::abs(any_weight % 100) + 1;
    const auto split = SplitFor(replicas, weight, Capacity::kSplit);
    if (!split) return;
    RC_ASSERT(split->canary + split->stable == replicas);
    RC_ASSERT(split->canary >= 1 && split->stable >= 1);
    RC_ASSERT(split->weight == Percent(split->canary, replicas));
  });
}

TEST(Percent, RoundsHalfUpAndIsNothingOfNothing) {
  EXPECT_EQ(Percent(1, 8), 13);
  EXPECT_EQ(Percent(1, 3), 33);
  EXPECT_EQ(Percent(2, 3), 67);
  EXPECT_EQ(Percent(0, 0), 0);
  EXPECT_EQ(Percent(5, 0), 0);
  EXPECT_EQ(Percent(2'000'000'000, 2'000'000'000), 100);
}

TEST(MaxUnavailable, IsRoundedDownAsTheDeploymentControllerDoes) {
  EXPECT_EQ(MaxUnavailable("25%", 10), 2);
  EXPECT_EQ(MaxUnavailable("25%", 3), 0);
  EXPECT_EQ(MaxUnavailable("3", 10), 3);
  EXPECT_EQ(MaxUnavailable("30", 10), 10);
  EXPECT_EQ(MaxUnavailable("", 10), 0);
  EXPECT_EQ(MaxUnavailable("-1", 10), 0);
}

}  // namespace
}  // namespace slipway::canary
