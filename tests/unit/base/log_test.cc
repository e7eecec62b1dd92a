#include "base/log.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/result.h"

namespace slipway {
namespace {

TEST(Quoted, LetsNoValueForgeALineOrTurnIt) {
  const struct {
    std::string_view value;
    std::string_view quoted;
  } rows[] = {
      {"", R"("")"},
      {"plain text.", R"("plain text.")"},
      {"say \"hi\"", R"("say \"hi\"")"},
      {"a\\b", R"("a\\b")"},
      {"one\ntwo", R"("one\x0atwo")"},
      {"\r\t\x1b[31m", R"("\x0d\x09\x1b[31m")"},
      {"\x7f", R"("\x7f")"},
      {"\xe2\x80\xae", R"("\xe2\x80\xae")"},
      {"\xff", R"("\xff")"},
      {std::string_view("a\0b", 3), R"("a\x00b")"},
  };
  for (const auto& row : rows) EXPECT_EQ(log::Quoted(row.value), row.quoted);
}

TEST(QuotedProperty, IsPrintableAsciiAndDistinctForDistinctValues) {
  const bool holds = rc::check([](const std::string& one, const std::string& two) {
    for (const char c : log::Quoted(one)) RC_ASSERT(c >= 0x20 && c < 0x7f);
    RC_ASSERT((one == two) == (log::Quoted(one) == log::Quoted(two)));
  });
  EXPECT_TRUE(holds);
}

TEST(LogInit, ReadsLevelsAndTakesInfoForWhatItDoesNotKnow) {
  const struct {
    std::string_view given;
    spdlog::level::level_enum kept;
  } rows[] = {{"trace", spdlog::level::trace}, {"debug", spdlog::level::debug}, {"info", spdlog::level::info},
              {"warn", spdlog::level::warn},   {"error", spdlog::level::err},   {"loud", spdlog::level::info},
              {"", spdlog::level::info}};
  for (const auto& row : rows) {
    log::Init(row.given);
    EXPECT_EQ(spdlog::default_logger()->level(), row.kept) << row.given;
  }
}

TEST(ErrorKind, HasAWordForEachKind) {
  const std::pair<ErrorKind, std::string_view> rows[] = {
      {ErrorKind::kNotFound, "NotFound"},   {ErrorKind::kAlreadyExists, "AlreadyExists"},
      {ErrorKind::kConflict, "Conflict"},   {ErrorKind::kGone, "Gone"},
      {ErrorKind::kThrottled, "Throttled"}, {ErrorKind::kTransient, "Transient"},
      {ErrorKind::kInvalid, "Invalid"},     {ErrorKind::kForbidden, "Forbidden"},
      {ErrorKind::kCancelled, "Cancelled"}, {ErrorKind::kUnauthorized, "Unauthorized"},
  };
  for (const auto& [kind, word] : rows) EXPECT_EQ(ToString(kind), word);
}

}  // namespace
}  // namespace slipway
