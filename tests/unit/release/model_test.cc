// A Release and everybody who touches it, in random order.
#include "unit/release/model.h"

#include <gtest/gtest.h>

namespace slipway::release {
namespace {

class RandomSchedule : public testing::TestWithParam<unsigned> {};

TEST_P(RandomSchedule, NeverHasTwoPromotionsNorDeliversTheSameTwiceAndEnds) {
  for (unsigned i = 0; i < 40; ++i) {
    Model model(GetParam() * 1000 + i);
    for (int step = 0; step < 150 && !HasFailure(); ++step) model.Step(true);
    model.Settle();
    model.ExpectEnded();
    ASSERT_FALSE(HasFailure()) << "seed " << GetParam() * 1000 + i;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomSchedule, testing::Range(0U, 10U));

// Its create has no precondition, so it may make a promotion that nobody asked for any more; it is found and
// goes.
TEST_P(RandomSchedule, ClearsUpAfterALeaderThatCameTooLate) {
  for (unsigned i = 0; i < 20; ++i) {
    Model model(GetParam() * 1000 + i);
    for (int round = 0; round < 6; ++round) {
      for (int step = 0; step < 12; ++step) model.Step(true);
      model.LateLeaderDecides();
      for (int step = 0; step < 25; ++step) model.Step(true);
      model.LateLeaderWrites();
    }
    model.Settle();
    model.ExpectEnded();
    ASSERT_FALSE(HasFailure()) << "seed " << GetParam() * 1000 + i;
  }
}

}  // namespace
}  // namespace slipway::release
