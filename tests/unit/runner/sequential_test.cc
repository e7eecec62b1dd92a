#include "runner/sequential.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <functional>
#include <random>

namespace slipway::runner {
namespace {

constexpr double kGrid[] = {0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.98};

// By the definition, product by product.
double MeanOfProducts(const PairCounts& counts, const std::function<double(double, int)>& factor) {
  double sum = 0;
  for (const double bet : kGrid) {
    sum += std::pow(factor(bet, 1), static_cast<double>(counts.plus)) *
           std::pow(factor(bet, 0), static_cast<double>(counts.zero)) *
           std::pow(factor(bet, -1), static_cast<double>(counts.minus));
  }
  return sum / 8;
}

TEST(WealthProperty, IsTheMeanOfTheProducts) {
  const bool holds = rc::check([] {
    const PairCounts counts{*rc::gen::inRange(0, 30), *rc::gen::inRange(0, 200), *rc::gen::inRange(0, 30)};
    const double margin = *rc::gen::inRange(1, 50) / 100.0;
    const double fail = MeanOfProducts(counts, [](double bet, int d) { return 1 + bet * d; });
    const double pass = MeanOfProducts(counts, [&](double bet, int d) { return 1 + bet * (margin - d); });
    RC_ASSERT(std::abs(Wealth::OfFail().Log(counts) - std::log(fail)) < 1e-9);
    RC_ASSERT(std::abs(Wealth::OfPass(margin).Log(counts) - std::log(pass)) < 1e-9);
    const double threshold = *rc::gen::inRange(-1000, 1000) / 100.0;
    RC_ASSERT(Wealth::OfFail().Reaches(counts, threshold) == (Wealth::OfFail().Log(counts) >= threshold));
  });
  EXPECT_TRUE(holds);
}

// What Ville's inequality asks for: where the hypothesis just holds, a pair changes the worth by nothing on
// average, whatever was before it.
TEST(WealthProperty, IsAMartingaleWhereItsHypothesisJustHolds) {
  const bool holds = rc::check([] {
    const PairCounts counts{*rc::gen::inRange(0, 50), *rc::gen::inRange(0, 500), *rc::gen::inRange(0, 50)};
    const double margin = *rc::gen::inRange(1, 50) / 100.0;
    const double bad = *rc::gen::inRange(0, 50) / 100.0;  // of stable alone
    const auto grows = [&counts](const Wealth& wealth, double plus, double minus) {
      PairCounts up = counts, same = counts, down = counts;
      up.Add(true, false);
      same.Add(true, true);
      down.Add(false, true);
      const double now = wealth.Log(counts);
      return plus * std::exp(wealth.Log(up) - now) + minus * std::exp(wealth.Log(down) - now) +
             (1 - plus - minus) * std::exp(wealth.Log(same) - now);
    };
    const double alike = bad / 2;
    RC_ASSERT(std::abs(grows(Wealth::OfFail(), alike, alike) - 1) < 1e-9);
    const double stable = bad * (1 - margin) / 2;
    RC_ASSERT(std::abs(grows(Wealth::OfPass(margin), stable + margin, stable) - 1) < 1e-9);
  });
  EXPECT_TRUE(holds);
}

TEST(Wealths, DoNotOverflow) {
  const PairCounts counts{0, 100'000'000, 0};
  EXPECT_NEAR(Wealth::OfPass(0.02).Log(counts), 1e8 * std::log1p(0.98 * 0.02) - std::log(8.0), 1e-3);
  EXPECT_LT(Wealth::OfFail().Log({0, 0, 100'000'000}), -1e5);
}

// The pairs until the test knows; 0 when it does not within 5000.
int PairsUntil(Sequel wanted, const SequentialLimits& limits,
               const std::function<void(PairCounts&, PairCounts&)>& add) {
  const SequentialTest test(limits);
  PairCounts errors, slow;
  for (int i = 1; i <= 5000; ++i) {
    add(errors, slow);
    const Sequel sequel = test.Decide(errors, slow);
    if (sequel == wanted) return i;
    if (sequel != Sequel::kGoOn) return -i;
  }
  return 0;
}

TEST(TheTest, KnowsAsSoonAsItsHeaderSays) {
  const auto well = [](PairCounts& e, PairCounts& s) { e.Add(false, false), s.Add(false, false); };
  const auto errs = [](PairCounts& e, PairCounts& s) { e.Add(true, false), s.Add(false, false); };
  const auto slows = [](PairCounts& e, PairCounts& s) { e.Add(false, false), s.Add(true, false); };
  const auto both_err = [](PairCounts& e, PairCounts& s) { e.Add(true, true), s.Add(false, false); };
  EXPECT_EQ(PairsUntil(Sequel::kPass, {}, well), 326);
  EXPECT_EQ(PairsUntil(Sequel::kMoreErrors, {}, errs), 11);
  EXPECT_EQ(PairsUntil(Sequel::kSlower, {}, slows), 11);
  EXPECT_EQ(PairsUntil(Sequel::kPass, {}, both_err), 326) << "as bad as stable is not worse";
  EXPECT_LT(PairsUntil(Sequel::kPass, {.confidence = 0.8}, well), 200);
  EXPECT_EQ(PairsUntil(Sequel::kPass, {.error_margin = 0.001}, well), 0) << "not within 5000";
}

TEST(TheTest, PassesOnlyWhatPassesInBoth) {
  const SequentialTest test({});
  const PairCounts clear{0, 1000, 0};
  const PairCounts unclear{10, 100, 10};
  EXPECT_EQ(test.Decide(clear, clear), Sequel::kPass);
  EXPECT_EQ(test.Decide(clear, unclear), Sequel::kGoOn);
  EXPECT_EQ(test.Decide(unclear, clear), Sequel::kGoOn);
  EXPECT_EQ(test.Decide({}, {}), Sequel::kGoOn);
  EXPECT_EQ(test.Decide(clear, {100, 900, 0}), Sequel::kSlower);
}

// Two tests that may alarm: each has half of what both may.
TEST(TheTest, SplitsItsAlarmsBetweenErrorsAndSlowAnswers) {
  const double log_200 = std::log(200.0);
  const double log_100 = std::log(100.0);
  bool between = false;
  for (int plus = 1; plus < 20; ++plus) {
    const PairCounts counts{plus, 3, 0};
    const double wealth = Wealth::OfFail().Log(counts);
    EXPECT_EQ(SequentialTest({}).Decide(counts, {}) == Sequel::kMoreErrors, wealth >= log_200) << plus;
    between = between || (wealth >= log_100 && wealth < log_200);
  }
  EXPECT_TRUE(between) << "no row tells 1/a from 2/a";
}

TEST(TheTest, TellsTheConfidenceOfItsVerdict) {
  const SequentialTest test({});
  const PairCounts clear{0, 326, 0};
  EXPECT_NEAR(test.ConfidenceReached(clear, clear, Sequel::kPass), 0.99, 0.001);
  EXPECT_GT(test.ConfidenceReached({40, 100, 0}, clear, Sequel::kMoreErrors), 0.999);
  EXPECT_GT(test.ConfidenceReached(clear, {40, 100, 0}, Sequel::kSlower), 0.999);
  EXPECT_EQ(test.ConfidenceReached({}, {}, Sequel::kGoOn), 0);
  const double half = test.ConfidenceReached({0, 150, 0}, {0, 150, 0}, Sequel::kGoOn);
  EXPECT_GT(half, 0.5);
  EXPECT_LT(half, 0.99);
}

}  // namespace
}  // namespace slipway::runner
