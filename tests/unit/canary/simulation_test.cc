// Some schedules of each scenario; tests/simulate runs millions.
#include "unit/canary/simulation.h"

#include <gtest/gtest.h>

namespace slipway::canary {
namespace {

constexpr std::uint64_t kSeeds = 25;

class Simulated : public ::testing::TestWithParam<Scenario> {};

TEST_P(Simulated, KeepsItsPromiseAndEnds) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= kSeeds && tally.violations == 0; ++seed)
    Simulate(GetParam(), seed, tally);
  EXPECT_EQ(tally.violations, 0) << tally.first;
}

std::string NameOf(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name;
  for (const char c : std::string_view(info.param.name)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    if (c == ' ') name += '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Canary, Simulated, ::testing::ValuesIn(Scenarios().begin(), Scenarios().end()),
                         NameOf);

TEST(Simulation, IsTheSameForTheSameSeed) {
  Tally once;
  Tally again;
  Simulate(Scenarios().front(), 7, once);
  Simulate(Scenarios().front(), 7, again);
  EXPECT_EQ(once.events, again.events);
  EXPECT_EQ(once.decisions, again.decisions);
}

}  // namespace
}  // namespace slipway::canary
