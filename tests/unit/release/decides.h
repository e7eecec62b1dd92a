// Rows about what is decided: each puts one thing out of order, and says what the Release then says of itself
// and does. Files of rows instantiate Decides with theirs.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "unit/release/world.h"

namespace slipway::release {

struct Row {
  const char* name;
  std::function<void(World&)> arrange;
  resources::ReleasePhase phase;
  resources::Readiness readiness;
  const char* reason;
  const char* says = "";      // in the message
  const char* outcome = "-";  // of history[0]; "-": there is no history
  bool starts = false;
  std::size_t removals = 0;
};

void PrintTo(const Row& row, std::ostream* out);

class Decides : public testing::TestWithParam<Row> {};

// The conditions that the table in resources/common.h asks for.
void ExpectReadiness(const resources::Conditions& conditions, resources::Readiness readiness);

inline constexpr auto kPending = resources::ReleasePhase::kPending;
inline constexpr auto kProgressing = resources::ReleasePhase::kProgressing;
inline constexpr auto kDelivered = resources::ReleasePhase::kDelivered;
inline constexpr auto kRolledBack = resources::ReleasePhase::kRolledBack;
inline constexpr auto kBlocked = resources::ReleasePhase::kBlocked;
inline constexpr auto kWorks = resources::Readiness::kProgressing;
inline constexpr auto kReady = resources::Readiness::kReady;
inline constexpr auto kFailed = resources::Readiness::kFailed;
inline constexpr auto kWaits = resources::Readiness::kWaiting;

}  // namespace slipway::release
