#include "unit/release/decides.h"

#include <gmock/gmock.h>

namespace slipway::release {

using resources::ConditionStatus;
using resources::Find;
using resources::Readiness;
using testing::HasSubstr;

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

void ExpectReadiness(const resources::Conditions& conditions, Readiness readiness) {
  const auto* ready = Find(conditions, "Ready");
  ASSERT_NE(ready, nullptr);
  const bool is_false = readiness == Readiness::kFailed || readiness == Readiness::kWaiting;
  const auto otherwise = readiness == Readiness::kReady ? ConditionStatus::kTrue : ConditionStatus::kUnknown;
  EXPECT_EQ(ready->status, is_false ? ConditionStatus::kFalse : otherwise);
  EXPECT_EQ(Find(conditions, "Stalled") != nullptr, readiness == Readiness::kFailed);
  const bool reconciling = readiness == Readiness::kProgressing || readiness == Readiness::kWaiting;
  EXPECT_EQ(Find(conditions, "Reconciling") != nullptr, reconciling);
}

TEST_P(Decides, AsTheTableSays) {
  World world;
  GetParam().arrange(world);
  const Plan plan = world.Decide();
  const auto& row = GetParam();
  EXPECT_EQ(resources::ToString(plan.status.phase), resources::ToString(row.phase));
  ExpectReadiness(plan.status.conditions, row.readiness);
  const auto* ready = Find(plan.status.conditions, "Ready");
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->reason, row.reason);
  EXPECT_THAT(ready->message, HasSubstr(row.says));
  EXPECT_EQ(plan.status.history.empty() ? "-" : plan.status.history.front().outcome, row.outcome);
  EXPECT_EQ(plan.start.has_value(), row.starts);
  EXPECT_EQ(plan.removals.size(), row.removals);
  EXPECT_EQ(plan.status.observed_generation, world.release.meta.generation);
}

}  // namespace slipway::release
