#include "runner/compare_verdict.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

using State = PairTally::State;
using std::chrono::milliseconds;

constexpr SideAnswer kGood{false, milliseconds(20)};
constexpr SideAnswer kError{true, milliseconds(1)};
constexpr SideAnswer kSlow{false, milliseconds(400)};

void Add(PairTally& tally, int pairs, SideAnswer canary, SideAnswer stable) {
  for (int i = 0; i < pairs; ++i) tally.Add(canary, stable);
}

PairTally Warm(const CompareOptions& options = {}) {
  PairTally tally(options);
  Add(tally, kWarmUpPairs, kGood, kGood);
  return tally;
}

TEST(TheWarmUp, CountsForNothingButTheThreshold) {
  PairTally tally({});
  Add(tally, kWarmUpPairs - 1, kError, kGood);
  EXPECT_EQ(tally.state(), State::kWarmingUp);
  EXPECT_EQ(tally.threshold(), milliseconds(0));
  tally.Add(kError, kGood);
  EXPECT_EQ(tally.state(), State::kCounting);
  EXPECT_EQ(tally.pairs(), 0);
  EXPECT_EQ(tally.Report().canary_errors, 0);
}

TEST(TheThreshold, IsStables95thPercentileAndAShareOfIt) {
  PairTally tally({});
  Add(tally, 47, kGood, {false, milliseconds(10)});
  Add(tally, 1, kGood, {false, milliseconds(100)});  // rank 48 of 50
  Add(tally, 2, kGood, {false, milliseconds(900)});
  EXPECT_EQ(tally.threshold(), milliseconds(150));
}

TEST(TheThreshold, IsFiveMillisecondsMoreAtLeast) {
  PairTally tally({});
  Add(tally, kWarmUpPairs, kSlow, {false, milliseconds(2)});
  EXPECT_EQ(tally.threshold(), milliseconds(7));
}

TEST(TheThreshold, IsThatOfGoodAnswersOnly) {
  PairTally tally({});
  Add(tally, 20, kGood, {true, std::chrono::seconds(10)});
  Add(tally, 30, kGood, kGood);
  EXPECT_EQ(tally.threshold(), milliseconds(30));
}

TEST(AComparison, WithAStableThatNothingCanBeSlowerThanIsInconclusive) {
  CompareOptions options;
  options.slower_by = 25;
  options.stable_pods = {{"web-1", "10.0.0.1:8080"}};
  PairTally tally(options);
  const SideAnswer overloaded{false, options.request_timeout * 4 / 5};
  Add(tally, kWarmUpPairs, kGood, overloaded);
  EXPECT_EQ(tally.state(), State::kStableTooSlow);
  EXPECT_TRUE(tally.over());
  const CheckReport report = JudgeComparison(options, tally, "");
  EXPECT_EQ(report.verdict, CheckVerdict::kInconclusive);
  EXPECT_EQ(report.reason, "StableTooSlow");
  EXPECT_NE(report.message.find("10000 ms"), std::string::npos) << report.message;
}

TEST(AComparison, WithAStableThatFailsIsInconclusive) {
  PairTally tally({});
  Add(tally, 26, kGood, kError);
  Add(tally, 24, kGood, kGood);
  EXPECT_EQ(tally.state(), State::kStableFails);
  const CheckReport report = JudgeComparison({}, tally, "");
  EXPECT_EQ(report.verdict, CheckVerdict::kInconclusive);
  EXPECT_EQ(report.reason, "StableFails");
}

struct Case {
  const char* name;
  void (*add)(PairTally&);
  State state;
  CheckVerdict verdict;
  const char* reason;
  ComparisonReport counts;
  const char* message;
};

class Compared : public ::testing::TestWithParam<Case> {};

TEST_P(Compared, IsThatOfTheTable) {
  CompareOptions options;
  options.path = "/api";
  options.max_pairs = 400;
  options.stable_pods = {{"web-1", "10.0.0.1:80"}};
  PairTally tally = Warm(options);
  GetParam().add(tally);
  EXPECT_EQ(tally.state(), GetParam().state);
  const CheckReport report = JudgeComparison(options, tally, "pod web-1 answered 503");
  EXPECT_EQ(report.verdict, GetParam().verdict);
  EXPECT_EQ(report.reason, GetParam().reason);
  EXPECT_EQ(report.message, GetParam().message);
  EXPECT_EQ(*report.comparison, GetParam().counts);
  EXPECT_EQ(report.requests, GetParam().counts.pairs);
  EXPECT_EQ(report.failures, GetParam().counts.canary_errors);
}

const Case kCases[] = {
    {"equal", [](PairTally& t) { Add(t, 1000, kGood, kGood); }, State::kPass, CheckVerdict::kPass, "Passed",
     ComparisonReport{326, 0, 0, 0, 0, 30, 20, 20, 99},
     "GET /api: in 326 pairs the canary had 0 errors and 0 slow answers (above 30 ms), stable 0 and 0: with "
     "99% "
     "confidence less than 2 points more errors and 10 points more slow answers"},
    {"dead", [](PairTally& t) { Add(t, 1000, kError, kGood); }, State::kMoreErrors, CheckVerdict::kFail,
     "MoreErrors", ComparisonReport{11, 11, 0, 0, 0, 30, 0, 20, 99},
     "GET /api: in 11 pairs the canary had 11 errors and 0 slow answers (above 30 ms), stable 0 and 0: with "
     "99% "
     "confidence it errs more often; its first error: pod web-1 answered 503"},
    {"slow", [](PairTally& t) { Add(t, 1000, kSlow, kGood); }, State::kSlower, CheckVerdict::kFail, "Slower",
     ComparisonReport{11, 0, 0, 11, 0, 30, 400, 20, 99},
     "GET /api: in 11 pairs the canary had 0 errors and 11 slow answers (above 30 ms), stable 0 and 0: with "
     "99% "
     "confidence it is slow more often"},
    {"both_dead", [](PairTally& t) { Add(t, 1000, kError, kError); }, State::kStableFails,
     CheckVerdict::kInconclusive, "StableFails", ComparisonReport{326, 326, 326, 0, 0, 30, 0, 0, 99},
     "GET /api: in 326 pairs the canary had 326 errors and 0 slow answers (above 30 ms), stable 326 and 0: "
     "where so many answers fail there is nothing to compare with"},
    {"undecided",
     [](PairTally& t) {
       for (int i = 0; i < 1000; ++i) t.Add(i % 10 == 0 ? kError : kGood, i % 10 == 5 ? kError : kGood);
     },
     State::kPairsOut, CheckVerdict::kInconclusive, "TooFewPairs",
     ComparisonReport{400, 40, 40, 0, 0, 30, 20, 20, 0},
     "GET /api: in 400 pairs the canary had 40 errors and 0 slow answers (above 30 ms), stable 40 and 0: not "
     "known with 99% confidence within 400 pairs"},
    {"out_of_time", [](PairTally& t) { Add(t, 10, kGood, kGood); }, State::kCounting,
     CheckVerdict::kInconclusive, "TooFewPairs", ComparisonReport{10, 0, 0, 0, 0, 30, 20, 20, 7},
     "GET /api: in 10 pairs the canary had 0 errors and 0 slow answers (above 30 ms), stable 0 and 0: not "
     "known "
     "with 99% confidence within 120000 ms"},
};

INSTANTIATE_TEST_SUITE_P(Comparison, Compared, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(APair, ARefusalIsAnErrorWhereTheOtherSideHasNone) {
  constexpr SideAnswer kRefused{false, milliseconds(1), true};
  const struct {
    SideAnswer canary, stable;
    bool canary_error, stable_error;
  } cases[] = {
      {kRefused, kGood, true, false},  {kGood, kRefused, false, true},  {kRefused, kRefused, false, false},
      {kRefused, kError, false, true}, {kError, kRefused, true, false}, {kGood, kGood, false, false},
  };
  for (auto c : cases) {
    JudgePair(c.canary, c.stable);
    EXPECT_EQ(c.canary.error, c.canary_error);
    EXPECT_EQ(c.stable.error, c.stable_error);
  }
}

TEST(AComparison, WithAStableThatDiesAfterTheWarmUpIsInconclusive) {
  PairTally tally = Warm();
  Add(tally, 2000, kGood, kError);
  EXPECT_EQ(tally.state(), State::kStableFails);
}

TEST(AComparison, WithoutAnyStableIsInconclusive) {
  PairTally tally({});
  tally.GiveUp();
  const CheckReport report = JudgeComparison({}, tally, "");
  EXPECT_EQ(report.verdict, CheckVerdict::kInconclusive);
  EXPECT_EQ(report.reason, "StableFails");
  EXPECT_NE(report.message.find("no pod of stable is ready"), std::string::npos);
}

TEST(AComparison, TakesNothingOnceItIsOver) {
  PairTally tally = Warm();
  Add(tally, 2000, kError, kGood);
  EXPECT_EQ(tally.pairs(), 11);
}

TEST(AComparison, TakesAnErrorForNoSlowAnswer) {
  PairTally tally = Warm();
  Add(tally, 5, {true, std::chrono::seconds(10)}, kGood);
  EXPECT_EQ(tally.Report().canary_slow, 0);
  EXPECT_EQ(tally.Report().canary_errors, 5);
}

TEST(AComparison, IsSlowAboveTheThresholdOnly) {
  PairTally tally = Warm();
  tally.Add({false, milliseconds(30)}, kGood);
  EXPECT_EQ(tally.Report().canary_slow, 0);
  tally.Add({false, milliseconds(30) + std::chrono::microseconds(1)}, kGood);
  EXPECT_EQ(tally.Report().canary_slow, 1);
}

}  // namespace
}  // namespace slipway::runner
