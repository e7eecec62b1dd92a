#include "runner/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace slipway::runner {
namespace {

struct LineCase {
  std::string text;
  std::size_t most;
  std::string line;
};

TEST(OneLine, MakesForeignTextFitForAReport) {
  const std::vector<LineCase> cases{
      {"plain", 20, "plain"},
      {"  two\r\n\tlines \n", 20, "two lines"},
      {"\x1b[31mred", 20, "[31mred"},
      {"caf\xC3\xA9", 20, "caf\xC3\xA9"},
      {"latin \xE9 one", 20, "latin \xEF\xBF\xBD one"},
      {"\xC0\xAF", 20, "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", 20, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a\xE2\x80\xA8"
       "b\xC2\x85"
       "c",
       20, "a b c"},
      {"cut \xC3", 20, "cut \xEF\xBF\xBD"},
      {"0123456789", 10, "0123456789"},
      {"0123456789a", 10, "0123456\xE2\x80\xA6"},
      {"012345\xC3\xA9\xC3\xA9\xC3\xA9", 10, "012345\xE2\x80\xA6"},
      {"long", 2, ""},
      {"", 5, ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(OneLine(c.text, c.most), c.line) << c.text;
    EXPECT_LE(OneLine(c.text, c.most).size(), c.most);
  }
}

TEST(WithoutUserinfo, KeepsTheRestOfTheText) {
  EXPECT_EQ(WithoutUserinfo("at 'https://bob:pw@h/x' and http://eve@[::1]:80/y@z."),
            "at 'https://h/x' and http://[::1]:80/y@z.");
  EXPECT_EQ(WithoutUserinfo("https://a:b@c@h"), "https://h");
  EXPECT_EQ(WithoutUserinfo("mail bob@h; see http://h/?q=a@b"), "mail bob@h; see http://h/?q=a@b");
  EXPECT_EQ(WithoutUserinfo("http://"), "http://");
}

TEST(Trimmed, TakesBlanksFromBothEnds) {
  EXPECT_EQ(Trimmed("\r\n a b\t"), "a b");
  EXPECT_EQ(Trimmed(" \n"), "");
}

TEST(Base64, IsThatOfTheStandard) {
  const std::vector<std::pair<std::string, std::string>> cases{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"},
                                                               {"\xFF\xFE\xFD", "//79"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(Base64(bytes), text);
}

}  // namespace
}  // namespace slipway::runner
