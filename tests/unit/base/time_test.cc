#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace slipway {
namespace {

TimePoint At(std::int64_t milliseconds) { return TimePoint(Duration(milliseconds)); }

struct GoodTime {
  std::string_view text;
  std::int64_t milliseconds;
};

class ReadsTime : public ::testing::TestWithParam<GoodTime> {};

TEST_P(ReadsTime, AsTheInstantThatItNames) {
  const auto read = ParseTime(GetParam().text);
  ASSERT_TRUE(read) << GetParam().text;
  EXPECT_EQ(read->time_since_epoch().count(), GetParam().milliseconds) << GetParam().text;
}

// The numbers are those of `date -u -d TEXT +%s`.
INSTANTIATE_TEST_SUITE_P(
    Rfc3339, ReadsTime,
    ::testing::Values(
        GoodTime{"1970-01-01T00:00:00Z", 0}, GoodTime{"2026-11-21T06:00:00Z", 1795240800000},
        GoodTime{"2026-11-21T06:00:00.123000Z", 1795240800123},
        GoodTime{"2026-11-21T06:00:00.1Z", 1795240800100},
        GoodTime{"2026-11-21T06:00:00.999999999Z", 1795240800999},
        GoodTime{"2026-11-21T06:00:00.0009999999999999999999999999999999999Z", 1795240800000},
        GoodTime{"2026-11-21T08:00:00+02:00", 1795240800000},
        GoodTime{"2026-11-21T00:30:00-05:30", 1795240800000},
        GoodTime{"2026-11-21T06:00:00+00:00", 1795240800000}, GoodTime{"2026-11-21t06:00:00z", 1795240800000},
        GoodTime{"2024-02-29T12:00:00Z", 1709208000000}, GoodTime{"2016-12-31T23:59:60Z", 1483228800000},
        GoodTime{"1969-12-31T23:59:59Z", -1000}, GoodTime{"0001-01-01T00:00:00Z", -62135596800000},
        GoodTime{"9999-12-31T23:59:59Z", 253402300799000}));

class RefusesTime : public ::testing::TestWithParam<std::string_view> {};

TEST_P(RefusesTime, ThatIsNoRfc3339) { EXPECT_FALSE(ParseTime(GetParam())) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(
    Hostile, RefusesTime,
    ::testing::Values("", "Z", "now", "2026", "2026-11-21", "2026-11-21T06:00Z", "2026-11-21T06:00:00",
                      "2026-11-21 06:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
                      "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z",
                      "2026-11-21T24:00:00Z", "2026-11-21T06:60:00Z", "2026-11-21T06:00:61Z",
                      "2026-11-21T06:00:00.Z", "2026-11-21T06:00:00,5Z", "2026-11-21T06:00:00Z ",
                      " 2026-11-21T06:00:00Z", "2026-11-21T06:00:00ZZ", "2026-11-21T06:00:00+24:00",
                      "2026-11-21T06:00:00+02:60", "2026-11-21T06:00:00+0200", "2026-11-21T06:00:00+2:00",
                      "2026-11-21T06:00:00+", "-2026-11-21T06:00:00Z", "12026-11-21T06:00:00Z",
                      "2026-1-21T06:00:00Z", "+026-11-21T06:00:00Z", "2026-11-21T06:00:-1Z",
                      "2026-11-21T06:00:00\xc2\xa0Z", "\xff\xfe", "2026-11-21T06:00:0\xd9\xa0Z",
                      std::string_view("2026-11-21T06:00:00Z\0", 21)));

TEST(FormatTime, IsWholeSecondsInUtc) {
  EXPECT_EQ(FormatTime(At(1795240800123)), "2026-11-21T06:00:00Z");
  EXPECT_EQ(FormatTime(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(At(-1)), "1969-12-31T23:59:59Z");
}

TEST(FormatMicroTime, HasSixDigitsBecauseLeasesRequireThem) {
  EXPECT_EQ(FormatMicroTime(At(1795240800123)), "2026-11-21T06:00:00.123000Z");
  EXPECT_EQ(FormatMicroTime(At(1795240800000)), "2026-11-21T06:00:00.000000Z");
  EXPECT_EQ(FormatMicroTime(At(-1)), "1969-12-31T23:59:59.999000Z");
}

TEST(TimeProperty, AnyInstantOfYears1To9999SurvivesItsTextForm) {
  const bool holds = rc::check([] {
    const auto instant = At(*rc::gen::inRange<std::int64_t>(-62135596800000, 253402300799999));
    RC_ASSERT(ParseTime(FormatMicroTime(instant)) == instant);
    RC_ASSERT(ParseTime(FormatTime(instant)) == std::chrono::floor<std::chrono::seconds>(instant));
  });
  EXPECT_TRUE(holds);
}

TEST(TimeProperty, GarbageIsReadOrRefusedButNeverCrashes) {
  const bool holds = rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0129-:TZ.+ \xff")));
    const auto time = ParseTime(text);
    RC_ASSERT(!time || text.size() >= 20);
    const auto duration = ParseDuration(text);
    RC_ASSERT(!duration || *duration >= Duration(0));
  });
  EXPECT_TRUE(holds);
}

struct GoodDuration {
  std::string_view text;
  std::int64_t milliseconds;
};

class ReadsDuration : public ::testing::TestWithParam<GoodDuration> {};

TEST_P(ReadsDuration, InGoSyntax) {
  const auto read = ParseDuration(GetParam().text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->count(), GetParam().milliseconds) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Go, ReadsDuration,
                         ::testing::Values(GoodDuration{"0", 0}, GoodDuration{"0s", 0},
                                           GoodDuration{"90s", 90'000}, GoodDuration{"1h30m", 5'400'000},
                                           GoodDuration{"1.5s", 1500}, GoodDuration{"300ms", 300},
                                           GoodDuration{"5m", 300'000}, GoodDuration{"1h0m0s", 3'600'000},
                                           GoodDuration{".5s", 500}, GoodDuration{"1.s", 1000},
                                           GoodDuration{"1m1ms", 60'001}, GoodDuration{"1500us", 2},
                                           GoodDuration{"2000µs", 2}, GoodDuration{"400ns", 0},
                                           GoodDuration{"0.1h", 360'000}, GoodDuration{"30m30m", 3'600'000},
                                           // Go reads Greek mu (U+03BC) as well as the micro sign (U+00B5).
                                           GoodDuration{"2000\xce\xbcs", 2}, GoodDuration{"+5s", 5000},
                                           GoodDuration{"0.3333333333333333333h", 1'200'000},
                                           GoodDuration{"87600h", 315'360'000'000}));

struct BadDuration {
  std::string_view text;
  std::string_view says;
};

class RefusesDuration : public ::testing::TestWithParam<BadDuration> {};

TEST_P(RefusesDuration, AndSaysWhy) {
  const auto read = ParseDuration(GetParam().text);
  ASSERT_FALSE(read) << GetParam().text;
  EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(read.error().message.find(GetParam().says), std::string::npos) << read.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Hostile, RefusesDuration,
    ::testing::Values(BadDuration{"", "empty"}, BadDuration{"-5s", "negative"}, BadDuration{"5", "unit"},
                      BadDuration{"5 s", "unit"}, BadDuration{"5d", "unit"}, BadDuration{"s", "number"},
                      BadDuration{".s", "number"}, BadDuration{"1h-30m", "number"},
                      BadDuration{"1.5.5s", "unit"}, BadDuration{"1e3s", "unit"}, BadDuration{"5S", "unit"},
                      BadDuration{"87601h", "ten years"}, BadDuration{"9999999999999999h", "ten years"},
                      BadDuration{"99999999999999999999999h", "ten years"}, BadDuration{"inf", "number"},
                      BadDuration{"NaNs", "number"}, BadDuration{"0x5s", "unit"},
                      BadDuration{"1h ", "number"}, BadDuration{"+", "number"}, BadDuration{"++5s", "number"},
                      BadDuration{std::string_view("5\0s", 3), "unit"}));

TEST(ParseDuration, NeverRepeatsAllOfAHugeInput) {
  const auto read = ParseDuration(std::string(1U << 20, 'x'));
  ASSERT_FALSE(read);
  EXPECT_LT(read.error().message.size(), 200U);
}

TEST(ParseDuration, NeverCutsACharacterOfAnInputInHalf) {
  std::string text(39, 'x');
  text += "\xc3\xa4";  // its second byte is the 41st
  const auto read = ParseDuration(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("\xc3'"), std::string::npos) << read.error().message;
}

TEST(FormatDuration, IsAsGoWritesItWithoutEmptyParts) {
  const struct {
    std::int64_t milliseconds;
    std::string_view text;
  } rows[] = {{0, "0s"},         {1, "1ms"},           {999, "999ms"},        {1000, "1s"},
              {1500, "1.5s"},    {1001, "1.001s"},     {60'000, "1m"},        {61'000, "1m1s"},
              {3'600'000, "1h"}, {5'400'000, "1h30m"}, {3'600'500, "1h0.5s"}, {3'601'000, "1h1s"},
              {-5000, "-5s"}};
  for (const auto& row : rows) EXPECT_EQ(FormatDuration(Duration(row.milliseconds)), row.text);
}

TEST(DurationProperty, AnyDurationUpToTenYearsSurvivesItsTextForm) {
  const bool holds = rc::check([] {
    const Duration duration(*rc::gen::inRange<std::int64_t>(0, 315'360'000'000));
    const auto read = ParseDuration(FormatDuration(duration));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == duration);
  });
  EXPECT_TRUE(holds);
}

TEST(BootClock, NeverGoesBack) {
  const auto before = BootClock::now();
  EXPECT_GE(BootClock::now(), before);
  EXPECT_GT(before.time_since_epoch().count(), 0);
}

}  // namespace
}  // namespace slipway
