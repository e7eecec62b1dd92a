// The matcher against a table, and against std::regex on texts that are short enough for it.
#include "resources/pattern.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <regex>

#include "resources/rules.h"

namespace slipway::resources {
namespace {

struct Row {
  const char* pattern;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

TEST(PatternTest, MatchesWhatTheSyntaxSays) {
  const std::vector<Row> rows{
      {"^$", {""}, {"a"}},
      {"^abc$", {"abc"}, {"", "ab", "abcd", "xabc"}},
      {"^a*$", {"", "a", "aaaa"}, {"b", "ab"}},
      {"^a+$", {"a", "aa"}, {"", "b"}},
      {"^ab?c$", {"ac", "abc"}, {"abbc"}},
      {"^(ab|cd)+$", {"ab", "cdab"}, {"", "a", "abc"}},
      {"^a{3}$", {"aaa"}, {"aa", "aaaa"}},
      {"^a{1,3}$", {"a", "aa", "aaa"}, {"", "aaaa"}},
      {"^(a|)b$", {"ab", "b"}, {"a"}},
      {"^[a-c.-]$", {"a", "b", ".", "-"}, {"d", ",", ""}},
      {"^[^a-c]$", {"d", "é", "日"}, {"a", "b", "", "dd"}},
      {"^\\.\\{$", {".{"}, {"a{"}},
      {"^[\\x{202a}-\\x{202e}]$", {"\xe2\x80\xae"}, {"a", "\xe2\x80\x8f"}},
      {"^(a*)*$", {"", "aaa"}, {"b"}},
      {"^((a|b)?c){2}$", {"cc", "acbc"}, {"c", "ccc"}},
      {"^[^\\x{0}]*$", {"", "a"}, {std::string("\0", 1)}},
  };
  for (const Row& row : rows) {
    const Pattern pattern(row.pattern);
    for (const auto& text : row.good) EXPECT_TRUE(pattern.Matches(text)) << row.pattern << " " << text;
    for (const auto& text : row.bad) EXPECT_FALSE(pattern.Matches(text)) << row.pattern << " " << text;
  }
}

TEST(PatternTest, TextThatIsNotUtf8NeverMatches) {
  const Pattern anything("^[^a]*$");
  for (const char* text :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "x\x80", "\xf8"}) {
    EXPECT_FALSE(anything.Matches(text));
  }
  EXPECT_TRUE(anything.Matches("\xf0\x9f\x98\x80"));
}

// What sends a backtracking matcher away for years.
TEST(PatternTest, TakesTimeInProportionToTheText) {
  const Pattern pattern("^(a|a)*(a*)*b$");
  EXPECT_FALSE(pattern.Matches(std::string(8000, 'a')));
}

TEST(PatternDeathTest, UnknownSyntaxIsABug) {
  EXPECT_DEATH(Pattern("^\\d$"), "unknown syntax");
  EXPECT_DEATH(Pattern("^.$"), "unknown syntax");
  EXPECT_DEATH(Pattern("abc"), "unknown syntax");
}

RC_GTEST_PROP(PatternTest, AgreesWithStdRegex, ()) {
  const std::vector<std::string> patterns{"^(ab|b)*a?$",      "^[a-b]{1,3}c*$", "^a(b|ca)+(c|)$",
                                          "^((a|b)c?){2}b*$", "^[^b]*(bc)+$",   "^(a+b?)*c$"};
  const std::string pattern = *rc::gen::elementOf(patterns);
  const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
  RC_ASSERT(Pattern(pattern).Matches(text) == std::regex_match(text, std::regex(pattern)));
}

TEST(KeepsTest, RefusesSubstringsWholeTextsAndLength) {
  const TextRule rule{"^[a-z.]*$", "message", {"..", ""}, "latest"};
  EXPECT_TRUE(Keeps(rule, "a.b"));
  EXPECT_FALSE(Keeps(rule, "a..b"));
  EXPECT_FALSE(Keeps(rule, "latest"));
  EXPECT_TRUE(Keeps(rule, "latest.a"));
  EXPECT_FALSE(Keeps(rule, "A"));
  EXPECT_FALSE(Keeps(rule, std::string(9000, 'a')));
}

}  // namespace
}  // namespace slipway::resources
