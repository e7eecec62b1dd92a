// rates: prints how often the sequential comparison alarms falsely, misses and can't tell, measured by
// simulation with the runner's own code, beside the bounds that it promises.
//
// As flags: [--runs=N] (10,000 for each row, at least 100). Exits with 1 when a rate is above its bound by
// more than chance: when the bound lies below the exact 99.9 % interval of what was measured.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "rates/simulation.h"
#include "runner/share.h"

namespace slipway::rates {
namespace {

constexpr double kChance = 1e-3;
constexpr std::uint64_t kSeed = 20240101;

enum class Bound : std::uint8_t { kFalseAlarm, kMiss, kNoPass, kNone };

struct Row {
  Truth truth;
  Bound bound = Bound::kNone;
  int confidence = 99;
  int slower_by = 50;
};

// The margins are the defaults: 2 points of errors, 10 points of slow answers.
std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (const double error : {0.0, 0.001, 0.01, 0.05}) {
    rows.push_back({{fmt::format("equal, errors {:.1f}%", error * 100), error, error}, Bound::kFalseAlarm});
  }
  for (const double error : {0.0, 0.01, 0.05}) {
    for (const double worse : {0.02, 0.04, 0.10}) {
      rows.push_back({{fmt::format("errors {:.1f}% and {:.1f}%", error * 100, (error + worse) * 100), error,
                       error + worse},
                      Bound::kMiss});
    }
  }
  for (const double worse : {0.10, 0.20, 0.30}) {
    rows.push_back({{fmt::format("slow in {:.0f} of 100 more", worse * 100), 0, 0, worse}, Bound::kMiss});
  }
  // A threshold hardly above stable's 95th percentile: many answers of both are slow.
  rows.push_back({{"equal, slow 1% above p95", 0, 0}, Bound::kFalseAlarm, 99, 1});
  rows.push_back({{"the same, slow in 10 more", 0, 0, 0.10}, Bound::kMiss, 99, 1});
  rows.push_back({{"latencies x 1.2", 0, 0, 0, 1.2}});
  rows.push_back({{"latencies x 2", 0, 0, 0, 2.0}});
  rows.push_back({{"latencies x 4", 0, 0, 0, 4.0}});
  rows.push_back({{"equal, errors 1.0%", 0.01, 0.01}, Bound::kFalseAlarm, 80});
  rows.push_back({{"errors 1.0% and 3.0%", 0.01, 0.03}, Bound::kMiss, 80});
  rows.push_back({{"slow in 10 of 100 more", 0, 0, 0.10}, Bound::kMiss, 80});
  // Both fail: the canary is no worse, and must not pass for it. (Of the warm-up half has to be good.)
  rows.push_back({{"both fail, errors 40.0%", 0.4, 0.4}, Bound::kNoPass});
  return rows;
}

std::string_view Name(Bound bound) {
  if (bound == Bound::kFalseAlarm) return "fail";
  return bound == Bound::kNone ? "" : "pass";
}

bool Keeps(const Row& row, const Rates& rates) {
  if (row.bound == Bound::kNone) return true;
  if (row.bound == Bound::kNoPass) return rates.passed == 0;
  const int wrong = row.bound == Bound::kFalseAlarm ? rates.failed : rates.passed;
  return runner::ClopperPearson(wrong, rates.runs, kChance).low <= (100 - row.confidence) / 100.0;
}

void Print(const Row& row, const Rates& rates, bool keeps) {
  const auto percent = [&rates](int count) { return 100.0 * count / rates.runs; };
  const int most = row.bound == Bound::kNoPass ? 0 : 100 - row.confidence;
  const std::string bound = row.bound == Bound::kNone ? "" : fmt::format("{} <= {}%", Name(row.bound), most);
  fmt::print("{:<26} {:>4}% {:>7} {:>8.2f} {:>8.2f} {:>8.2f} {:>8}  {:<12}{}\n", row.truth.name,
             row.confidence, rates.runs, percent(rates.failed), percent(rates.passed),
             percent(rates.inconclusive), rates.median_pairs, bound, keeps ? "" : " BROKEN");
}

int Run(int runs) {
  fmt::print("stable and canary          conf.    runs   fail %   pass %  unknown %  pairs  bound\n");
  bool all = true;
  std::uint64_t seed = kSeed;
  for (const Row& row : Rows()) {
    runner::CompareOptions options;
    options.confidence = row.confidence;
    options.slower_by = row.slower_by;
    const Rates rates = Simulation(options, row.truth, seed++).Run(runs);
    const bool keeps = Keeps(row, rates);
    Print(row, rates, keeps);
    all = all && keeps;
  }
  fmt::print("pairs: the median of runs, without the {} of the warm-up; at most {}\n", runner::kWarmUpPairs,
             runner::CompareOptions().max_pairs);
  return all ? 0 : 1;
}

int Main(int argc, char** argv) {
  constexpr int kBadFlags = 2;
  CLI::App app("Measures the rates of the comparison of canary and stable by simulation", "rates");
  int runs = 10000;
  app.add_option("--runs", runs, "For each row")->capture_default_str()->check(CLI::Range(100, 10000000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadFlags;
  }
  return Run(runs);
}

}  // namespace
}  // namespace slipway::rates

int main(int argc, char** argv) {
  try {
    return slipway::rates::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rates: {}\n", error.what());
    return 1;
  }
}
