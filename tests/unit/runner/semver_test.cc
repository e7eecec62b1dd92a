#include "runner/semver.h"

#include <gtest/gtest.h>

#include <string>

namespace slipway::runner::semver {
namespace {

TEST(Versions, AreStrict) {
  for (const char* good :
       {"0.0.0", "1.2.3", "10.20.30", "1.2.3-rc", "1.2.3-rc.1", "1.2.3-0", "1.2.3-0a", "1.2.3--", "1.2.3-x-y",
        "1.2.3+b", "1.2.3+001", "1.2.3-rc.1+b.2", "1.2.3+a-b", "999999999999999999.0.0"}) {
    EXPECT_TRUE(ParseVersion(good)) << good;
    EXPECT_TRUE(ParseTag(std::string("v") + good)) << good;
    EXPECT_FALSE(ParseVersion(std::string("v") + good)) << good;
  }
  for (const char* bad :
       {"",         "1",      "1.2",       "1.2.",       "1.2.x",     "1.2.*",      "1.2.3.4",
        "01.2.3",   "1.02.3", "1.2.03",    "1.2.3-",     "1.2.3-01",  "1.2.3-a..b", "1.2.3-.a",
        "1.2.3-a.", "1.2.3+", "1.2.3+a+b", "1.2.3+a..b", "1.2.3-a_b", "-1.2.3",     "1.-2.3",
        "1.2.3 ",   " 1.2.3", "a.b.c",     "vv1.2.3",    "V1.2.3",    "1.2-rc.3",   "1000000000000000000.0.0",
        "1,2,3"}) {
    EXPECT_FALSE(ParseTag(bad)) << bad;
  }
}

TEST(Versions, RankByPrecedence) {
  const char* const ascending[] = {
      "0.0.0-0",    "0.0.0",        "0.0.1",         "0.1.0",           "0.9.0",
      "0.10.0",     "1.0.0-0",      "1.0.0-2",       "1.0.0-11",        "1.0.0-99999999999999999999999",
      "1.0.0--",    "1.0.0-2a",     "1.0.0-alpha",   "1.0.0-alpha.1",   "1.0.0-alpha.beta",
      "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-beta.11.0", "1.0.0-rc.1",
      "1.0.0",      "2.0.0"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      const auto a = ParseVersion(ascending[i]);
      const auto b = ParseVersion(ascending[j]);
      ASSERT_TRUE(a && b);
      EXPECT_EQ(*a <=> *b, i <=> j) << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(*ParseVersion("1.0.0+a"), *ParseVersion("1.0.0+b"));
}

struct Row {
  const char* range;
  const char* version;
  bool in;
};

constexpr Row kRows[] = {
    // One version.
    {"1.2.3", "1.2.3", true},
    {"=1.2.3", "1.2.3", true},
    {"= 1.2.3", "1.2.3", true},
    {"v1.2.3", "1.2.3", true},
    {"=v1.2.3", "1.2.3", true},
    {"1.2.3", "1.2.4", false},
    {"1.2.3", "1.2.3+build", true},
    {"1.2.3+build", "1.2.3", true},
    {"1.2.3", "1.2.3-rc.1", false},
    {"1.2.3-rc.1", "1.2.3-rc.1", true},
    {"1.2.3-rc.1", "1.2.3", false},
    // More and less.
    {">1.2.3", "1.2.4", true},
    {">1.2.3", "1.2.3", false},
    {">1.2.3", "2.0.0-rc.1", false},
    {">=1.2.3", "1.2.3", true},
    {">=1.2.3", "1.2.2", false},
    {">= 1.2.3", "1.10.0", true},
    {"<1.2.3", "1.2.2", true},
    {"<1.2.3", "1.2.3", false},
    {"<1.2.3", "1.2.3-rc.1", false},
    {"<1.2.3-rc.2", "1.2.3-rc.1", true},
    {"<1.2.3-rc.2", "1.2.2-rc.1", false},
    {"<=1.2.3", "1.2.3", true},
    {"<=1.2.3", "1.2.4", false},
    {">1.2.3-rc.1", "1.2.3-rc.2", true},
    {">1.2.3-rc.1", "1.2.3", true},
    {">1.2.3-rc.1", "1.2.4-rc.2", false},
    {">=1.2.3-rc.1", "1.3.0", true},
    // More and less, without the end.
    {">1.2", "1.2.9", false},
    {">1.2", "1.3.0", true},
    {">1", "1.9.9", false},
    {">1", "2.0.0", true},
    {">1.x", "2.0.0", true},
    {">=1.2", "1.2.0", true},
    {">=1.2", "1.1.9", false},
    {"<1.2", "1.1.9", true},
    {"<1.2", "1.2.0", false},
    {"<=1.2", "1.2.9", true},
    {"<=1.2", "1.3.0", false},
    {"<=1", "1.9.9", true},
    {"<=1", "2.0.0", false},
    {">*", "1.0.0", false},
    {"<*", "1.0.0", false},
    {">=*", "1.0.0", true},
    {"<=x", "1.0.0", true},
    // x.
    {"*", "0.0.0", true},
    {"*", "1.0.0-rc.1", false},
    {"x", "3.2.1", true},
    {"*.*.*", "3.2.1", true},
    {"1", "1.9.9", true},
    {"1", "2.0.0", false},
    {"1", "2.0.0-rc.1", false},
    {"1", "0.9.9", false},
    {"1.x", "1.2.3", true},
    {"1.X.x", "1.2.3", true},
    {"1.2", "1.2.9", true},
    {"1.2", "1.3.0", false},
    {"1.2.*", "1.2.0", true},
    {"=1.2.x", "1.2.7", true},
    {"0", "0.9.0", true},
    {"0.0", "0.1.0", false},
    // Tilde.
    {"~1.2.3", "1.2.3", true},
    {"~1.2.3", "1.2.9", true},
    {"~1.2.3", "1.2.2", false},
    {"~1.2.3", "1.3.0", false},
    {"~1.2.3", "1.3.0-rc.1", false},
    {"~1.2", "1.2.9", true},
    {"~1.2", "1.3.0", false},
    {"~1", "1.9.0", true},
    {"~1", "2.0.0", false},
    {"~0.2.3", "0.2.4", true},
    {"~>1.2.3", "1.2.4", true},
    {"~ 1.2.3", "1.2.4", true},
    {"~1.2.3-beta.2", "1.2.3-beta.4", true},
    {"~1.2.3-beta.2", "1.2.4-beta.2", false},
    {"~*", "5.0.0", true},
    // Caret.
    {"^1.2.3", "1.2.3", true},
    {"^1.2.3", "1.9.0", true},
    {"^1.2.3", "2.0.0", false},
    {"^1.2.3", "2.0.0-rc.1", false},
    {"^1.2.3", "1.2.2", false},
    {"^1.2.3", "1.2.4-rc.1", false},
    {"^0.2.3", "0.2.9", true},
    {"^0.2.3", "0.3.0", false},
    {"^0.0.3", "0.0.3", true},
    {"^0.0.3", "0.0.4", false},
    {"^1.2.3-beta.2", "1.2.3-beta.4", true},
    {"^1.2.3-beta.2", "1.2.4", true},
    {"^0.0.3-beta", "0.0.3-pr.2", true},
    {"^1.2", "1.9.9", true},
    {"^1.2.x", "1.1.9", false},
    {"^0.1", "0.1.9", true},
    {"^0.1", "0.2.0", false},
    {"^0.0", "0.0.9", true},
    {"^0.0.x", "0.1.0", false},
    {"^0.x", "0.9.9", true},
    {"^0", "1.0.0", false},
    {"^1", "1.9.9", true},
    {"^*", "7.0.0", true},
    // And, or.
    {">=1.2.0 <2", "1.9.9", true},
    {">=1.2.0 <2", "2.0.0", false},
    {">=1.2.0, <2", "1.1.0", false},
    {">=1.2.0,<2.0.0", "1.3.0", true},
    {">=1.2.0<2", "1.3.0", true},
    {"\t>=1.2.0  ,  <2  ", "1.3.0", true},
    {"1 || 3", "3.1.0", true},
    {"1||3", "1.1.0", true},
    {"1 || 3", "2.1.0", false},
    {">=1 <1.5 || >=2 <2.5, 3", "2.1.0", false},
    {">=1 <1.5 || >=2 <2.5", "2.4.0", true},
    {">=1 <1.5 || >=2 <2.5", "1.6.0", false},
    {"^1.0.0-rc.1 || ^2", "1.0.0-rc.2", true},
    {"^1.0.0-rc.1 || ^2", "2.1.0-rc.2", false},
    {">=1.0.0-rc.1 >=0.5", "1.0.0-rc.2", true},
};

TEST(Ranges, HoldTheVersionsOfTheTable) {
  for (const Row& row : kRows) {
    const auto range = Range::Parse(row.range);
    const auto version = ParseVersion(row.version);
    ASSERT_TRUE(version) << row.version;
    EXPECT_EQ(range && range->Contains(*version), row.in) << row.range << " " << row.version;
    if (row.in) ASSERT_TRUE(range) << row.range;
  }
}

TEST(Ranges, ThatCanNotBeReadAreRefusedInASentence) {
  for (const char* bad : {"",
                          " ",
                          "||",
                          "1 ||",
                          "|| 1",
                          "1 || || 2",
                          "1 | 2",
                          ",",
                          "1,",
                          ",1",
                          "1,,2",
                          ">",
                          ">=",
                          "^",
                          "~ ",
                          "> >1",
                          "==1",
                          "!=1.2.3",
                          "1.2.3.4",
                          "1.x.3",
                          "x.1",
                          "1.2-rc",
                          "1.x-rc",
                          "01.2.3",
                          "latest",
                          "main",
                          "1.0.0 - 2.0.0",
                          "1.2.3-",
                          "1.2.3+",
                          "=>1",
                          "^^1",
                          "1;2",
                          "1.2.3-rc..1",
                          "1000000000000000000"}) {
    const auto range = Range::Parse(bad);
    ASSERT_FALSE(range) << bad;
    EXPECT_FALSE(range.error().empty()) << bad;
  }
  EXPECT_FALSE(Range::Parse(std::string(257, '1')));
  EXPECT_EQ(Range::Parse("latest").error(), "'latest' is not a version");
}

TEST(Tags, TheHighestInTheRangeIsTaken) {
  struct Case {
    const char* range;
    std::vector<std::string> tags;
    const char* highest;  // empty: none
  };
  const Case cases[] = {
      {"^1", {"v1.2.0", "v1.10.0", "v1.9.0", "v2.0.0"}, "v1.10.0"},
      {"*", {"nightly", "v1", "1.0", "release-3.0.0", "0.1.0"}, "0.1.0"},
      {"*", {"1.0.0", "v1.0.0-rc.1", "2.0.0-rc.1"}, "1.0.0"},
      {">=2.0.0-0", {"1.0.0", "2.0.0-rc.1", "2.0.0-rc.2"}, "2.0.0-rc.2"},
      {"^2", {"1.0.0"}, ""},
      {"^2", {}, ""},
      {"1.0.0", {"1.0.0", "v1.0.0", "1.0.0+b"}, "v1.0.0"},
      {"1.0.0", {"v1.0.0", "1.0.0+b", "1.0.0"}, "v1.0.0"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(HighestTag(*Range::Parse(c.range), c.tags).value_or(""), c.highest) << c.range;
  }
}

}  // namespace
}  // namespace slipway::runner::semver
