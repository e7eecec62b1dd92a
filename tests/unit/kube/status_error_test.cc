#include "kube/status_error.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

using std::chrono::seconds;

std::string Status(int code, std::string_view reason, std::string_view message = "as the server says") {
  return Json{{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"},
              {"code", code},     {"reason", reason},   {"message", message}}
      .dump();
}

TEST(ErrorFromAnswer, TellsTheCallersNextMoveByTheCodeAlone) {
  const std::pair<int, ErrorKind> rows[] = {
      {400, ErrorKind::kInvalid},   {401, ErrorKind::kUnauthorized}, {403, ErrorKind::kForbidden},
      {404, ErrorKind::kNotFound},  {405, ErrorKind::kInvalid},      {406, ErrorKind::kInvalid},
      {409, ErrorKind::kConflict},  {410, ErrorKind::kGone},         {413, ErrorKind::kInvalid},
      {415, ErrorKind::kInvalid},   {422, ErrorKind::kInvalid},      {429, ErrorKind::kThrottled},
      {408, ErrorKind::kTransient}, {500, ErrorKind::kTransient},    {502, ErrorKind::kTransient},
      {503, ErrorKind::kTransient}, {504, ErrorKind::kTransient},    {302, ErrorKind::kTransient},
      {599, ErrorKind::kTransient}};
  for (const auto& [code, kind] : rows) {
    EXPECT_EQ(ErrorFromAnswer(code, "", "no JSON").kind, kind) << code;
    EXPECT_EQ(ErrorFromAnswer(code, "", Status(code, "Whatever")).kind, kind) << code;
    EXPECT_EQ(ErrorFromStatus(Json::parse(Status(code, "Whatever"))).kind, kind) << code;
  }
}

TEST(ErrorFromAnswer, TellsTheKindsThatShareACodeApartByTheReason) {
  EXPECT_EQ(ErrorFromAnswer(409, "", Status(409, "AlreadyExists")).kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(ErrorFromAnswer(409, "", Status(409, "Conflict")).kind, ErrorKind::kConflict);
  EXPECT_EQ(ErrorFromAnswer(410, "", Status(410, "Expired")).kind, ErrorKind::kGone);
  EXPECT_EQ(ErrorFromAnswer(410, "", Status(410, "Gone")).kind, ErrorKind::kGone);
  // An expired continue token has been sent with 400 by old servers.
  EXPECT_EQ(ErrorFromAnswer(400, "", Status(400, "Expired")).kind, ErrorKind::kGone);
}

TEST(ErrorFromAnswer, RepeatsTheServersOwnMessage) {
  EXPECT_EQ(ErrorFromAnswer(403, "", Status(403, "Forbidden", "pods is forbidden: no")).message,
            "pods is forbidden: no");
  EXPECT_EQ(ErrorFromAnswer(403, "", Status(403, "Forbidden", "")).message,
            "the API server answered 403 Forbidden");
  EXPECT_EQ(ErrorFromAnswer(502, "", "<html>bad gateway</html>").message,
            "the API server answered 502: <html>bad gateway</html>");
}

TEST(ErrorFromAnswer, ReadsWholeSecondsOfRetryAfterOnly) {
  const struct {
    std::string_view header;
    std::optional<seconds> wait;
  } rows[] = {{"1", seconds(1)},
              {"0", seconds(0)},
              {"120", seconds(120)},
              {"", std::nullopt},
              {"-1", std::nullopt},
              {"1.5", std::nullopt},
              {"1 ", std::nullopt},
              {"soon", std::nullopt},
              {"Fri, 31 Dec 1999 23:59:59 GMT", std::nullopt},
              {"99999999999999999999999", std::nullopt}};
  for (const auto& row : rows) {
    const Error error = ErrorFromAnswer(429, row.header, Status(429, "TooManyRequests"));
    EXPECT_EQ(error.kind, ErrorKind::kThrottled);
    EXPECT_EQ(error.retry_after, row.wait) << row.header;
  }
}

TEST(ErrorFromAnswer, NeverAsksForAWaitThatOverflowsOurClock) {
  const auto header = ErrorFromAnswer(429, "9223372036854775807", "").retry_after;
  const auto details = ErrorFromStatus(Json{{"code", 429}, {"details", {{"retryAfterSeconds", INT64_MAX}}}});
  ASSERT_TRUE(header && details.retry_after);
  EXPECT_LE(*header, std::chrono::hours(24));
  EXPECT_LE(*details.retry_after, std::chrono::hours(24));
}

TEST(ErrorFromAnswer, ServiceUnavailableIsThrottledOnlyWhenItSaysForHowLong) {
  EXPECT_EQ(ErrorFromAnswer(503, "", "").kind, ErrorKind::kTransient);
  const Error by_header = ErrorFromAnswer(503, "3", "");
  EXPECT_EQ(by_header.kind, ErrorKind::kThrottled);
  EXPECT_EQ(by_header.retry_after, seconds(3));
  const Json status{
      {"kind", "Status"}, {"code", 503}, {"message", "busy"}, {"details", {{"retryAfterSeconds", 7}}}};
  const Error by_details = ErrorFromAnswer(503, "", status.dump());
  EXPECT_EQ(by_details.kind, ErrorKind::kThrottled);
  EXPECT_EQ(by_details.retry_after, seconds(7));
}

TEST(ErrorFromAnswer, SurvivesStatusesOfAnyShape) {
  for (const std::string_view body :
       {R"({"kind":"Status"})", R"({"kind":"Status","code":"409","reason":7,"message":[],"details":[]})",
        R"({"kind":"Status","details":{"retryAfterSeconds":"1"}})",
        R"({"kind":"Status","details":{"retryAfterSeconds":-1}})", R"({"kind":"Status","code":null})",
        R"({"kind":"Pod","code":409})", "[]", "null", "\"Status\"", "{", "\xff\xfe"}) {
    const Error error = ErrorFromAnswer(404, "", body);
    EXPECT_EQ(error.kind, ErrorKind::kNotFound) << body;
    EXPECT_FALSE(error.message.empty()) << body;
    EXPECT_FALSE(error.retry_after) << body;
  }
}

TEST(ErrorFromStatus, WhatIsNoStatusIsTransient) {
  for (const Json& object : {Json(), Json::array(), Json("text"), Json(7), Json::object()}) {
    const Error error = ErrorFromStatus(object);
    EXPECT_EQ(error.kind, ErrorKind::kTransient) << object;
    EXPECT_FALSE(error.message.empty()) << object;
  }
}

TEST(ErrorFromAnswer, LetsNoByteOfAPageForgeALine) {
  const Error page = ErrorFromAnswer(502, "", "a\nlevel=error\r\x1b[31m\xe2\x80\xae");
  EXPECT_EQ(page.message, "the API server answered 502: a level=error  [31m ");
  const Error status = ErrorFromAnswer(422, "", Status(422, "Invalid", "a\nb\x07"));
  EXPECT_EQ(status.message, "a b ");
  const Error reason = ErrorFromAnswer(422, "", Status(422, "In\nvalid", ""));
  EXPECT_EQ(reason.message, "the API server answered 422 In valid");
}

TEST(Printable, MakesHostileBytesFitToShow) {
  const struct {
    std::string_view name;
    std::string_view text;
    std::string_view shown;
  } rows[] = {
      {"plain", "a b", "a b"},
      {"umlaut and emoji", "\xc3\xa4\xf0\x9f\x9a\xa2", "\xc3\xa4\xf0\x9f\x9a\xa2"},
      {"control characters", "a\tb\nc\x7f", "a b c "},
      {"NUL", std::string_view("a\0b", 3), "a b"},
      {"C1 control (CSI)",
       "a\xc2\x9b"
       "b",
       "a b"},
      {"no-break space stays", "\xc2\xa0", "\xc2\xa0"},
      {"right-to-left override",
       "a\xe2\x80\xae"
       "b",
       "a b"},
      {"isolates", "\xe2\x81\xa6\xe2\x81\xa9", "  "},
      {"line separator", "\xe2\x80\xa8", " "},
      {"Arabic letter mark", "\xd8\x9c", " "},
      {"euro stays", "\xe2\x82\xac", "\xe2\x82\xac"},
      {"lone continuation", "\x80", "?"},
      {"cut short", "a\xe2\x82", "a??"},
      {"overlong two bytes", "\xc0\xaf", "??"},
      {"overlong three bytes", "\xe0\x80\x8a", "???"},
      {"overlong four bytes", "\xf0\x80\x80\x8a", "????"},
      {"surrogate", "\xed\xa0\x80", "???"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "????"},
      {"no lead byte at all", "\xf5\xff", "??"},
  };
  for (const auto& row : rows) EXPECT_EQ(Printable(row.text), row.shown) << row.name;
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(Printable("\xc3\xa4\xc3\xa4", 3), "\xc3\xa4");
  EXPECT_EQ(Printable("abc", 3), "abc");
  EXPECT_EQ(Printable("abcd", 3), "abc");
  EXPECT_EQ(Printable(std::string(5000, 'x')).size(), 1024U);
}

TEST(PrintableProperty, WhateverComesTheResultIsUtf8WithoutControls) {
  const bool holds = rc::check([](const std::string& bytes) {
    const std::string shown = Printable(bytes, 64);
    RC_ASSERT(shown.size() <= 64);
    RC_ASSERT(Printable(shown, 64) == shown);
    Json(shown).dump();  // throws on what is no UTF-8
    for (const char c : shown) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace slipway::kube
