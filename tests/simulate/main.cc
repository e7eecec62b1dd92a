// Plays random schedules of every scenario of the canary: simulate [SCHEDULES-PER-SCENARIO [FIRST-SEED
// [WORD-IN-THE-NAME]]]. One line each; exits 1 when an invariant was violated, whose seed it prints: with it
// as the first seed, 1 schedule and the name it is replayed.
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "unit/canary/simulation.h"

int main(int argc, char** argv) {
  using namespace slipway::canary;
  const auto number = [&](int at, std::uint64_t otherwise) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : otherwise;
  };
  constexpr std::uint64_t kSchedules = 1000;
  const std::uint64_t schedules = number(1, kSchedules);
  const std::uint64_t first = number(2, 1);
  const std::string_view word = argc > 3 ? argv[3] : "";
  Tally all;
  fmt::print("{:<46}{:>10}{:>13}{:>13}{:>11}\n", "scenario", "schedules", "decisions", "events",
             "violations");
  const auto print = [](std::string_view name, const Tally& tally) {
    fmt::print("{:<46}{:>10}{:>13}{:>13}{:>11}\n", name, tally.schedules, tally.decisions, tally.events,
               tally.violations);
    if (!tally.first.empty()) fmt::print("  {}\n", tally.first);
    std::fflush(stdout);
  };
  for (const auto& scenario : Scenarios()) {
    if (std::string_view(scenario.name).find(word) == std::string_view::npos) continue;
    Tally tally;
    for (std::uint64_t seed = first; seed < first + schedules; ++seed) Simulate(scenario, seed, tally);
    print(scenario.name, tally);
    all.schedules += tally.schedules;
    all.decisions += tally.decisions;
    all.events += tally.events;
    all.violations += tally.violations;
  }
  print("all", all);
  return all.violations == 0 ? 0 : 1;
}
