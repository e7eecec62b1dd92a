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

}  // namespace
}  // namespace slipway
