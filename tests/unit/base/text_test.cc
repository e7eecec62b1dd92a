#include "base/text.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Clip, CutsBetweenCharactersAndCountsItsEllipsis) {
  EXPECT_EQ(Clip("abc", 3), "abc");
  EXPECT_EQ(Clip("abcd", 3), "…");
  EXPECT_EQ(Clip("abcdef", 5), "ab…");
  EXPECT_EQ(Clip("äääää", 8), "ää…");
  EXPECT_EQ(Clip("äääää", 9), "äää…");
  EXPECT_EQ(Clip("abc", 2), "");
  for (std::size_t most = 0; most < 40; ++most) EXPECT_LE(Clip(std::string(50, 'x'), most).size(), most);
}

TEST(LastLine, IsTheLastThatIsNotBlank) {
  const struct {
    std::string_view text;
    std::string_view last;
  } cases[] = {{"", ""},
               {"\n \r\n", ""},
               {"one", "one"},
               {"one\ntwo", "two"},
               {"one\n two \n\n", " two"},
               {"progress\rdone\r\n", "done"}};
  for (const auto& c : cases) EXPECT_EQ(LastLine(c.text), c.last) << c.text;
}

}  // namespace
}  // namespace slipway
