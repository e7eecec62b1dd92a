// By which terms the attestations of what is delivered are judged: those of the namespace it is delivered
// into.
#include <gtest/gtest.h>

#include "release/verification.h"
#include "unit/release/decides.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Predicate;
using resources::Severity;
using std::chrono::hours;

TEST(ScanTerms, AreOfTheNamespacesOwnMinimum) {
  World world;
  world.Demand("release", {Predicate::kScan});
  ASSERT_TRUE(world.policy);
  world.policy->minimum.fail_on = Severity::kHigh;
  world.policy->minimum.count_unfixed = true;
  world.policy->minimum.longest_exception = hours(720);
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.verification);
  EXPECT_EQ(plan.verification->demands.scan, (supply::ScanTerms{Severity::kHigh, true, hours(720)}));
}

// What passed by looser terms is looked at again by these.
TEST(ScanTerms, ATighterMinimumIsAnotherQuestion) {
  World world;
  world.Demand("release", {Predicate::kScan});
  Next(world);
  world.verification = supply::VerifyOutcome{supply::VerifyOutcome::State::kPassed, {}, {}, {}};
  const auto before = *DemandsOf(world.Sees());
  ASSERT_TRUE(before);
  world.policy->minimum.fail_on = Severity::kMedium;
  const auto after = *DemandsOf(world.Sees());
  ASSERT_TRUE(after);
  EXPECT_NE(supply::KeyOf(*after), supply::KeyOf(*before));
}

}  // namespace
}  // namespace slipway::release
