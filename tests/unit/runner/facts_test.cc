#include "runner/facts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace slipway::runner {
namespace {

class Facts : public ::testing::Test {
 protected:
  Facts()
      : path_(std::filesystem::temp_directory_path() / ("facts-" + std::to_string(::getpid()) + ".json")) {}
  ~Facts() override {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  void Write(const std::string& text) const { std::ofstream(path_) << text; }
  std::filesystem::path path_;
};

TEST_F(Facts, AreClonesAndNothingElse) {
  EXPECT_FALSE(AuthorTimeIn(path_));
  for (const char* const text :
       {"", "[]", "{}", "no JSON", R"({"authorTime":7})", R"({"authorTime":"yesterday"})"}) {
    Write(text);
    EXPECT_FALSE(AuthorTimeIn(path_)) << text;
  }
  Write(R"({"sha":"abc","authorTime":"2026-01-02T03:04:05Z"})");
  EXPECT_EQ(AuthorTimeIn(path_), ParseTime("2026-01-02T03:04:05Z"));
}

TEST(Timestamp, StandsForEachTemplate) {
  const auto time = *ParseTime("2026-01-02T03:04:05Z");
  EXPECT_EQ(WithTimestamp("v1", time), "v1");
  EXPECT_EQ(WithTimestamp("{{timestamp}}", time), "20260102T030405Z");
  EXPECT_EQ(WithTimestamp("a-{{timestamp}}-{{timestamp}}.b", time), "a-20260102T030405Z-20260102T030405Z.b");
}

}  // namespace
}  // namespace slipway::runner
