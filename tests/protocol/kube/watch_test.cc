#include <gmock/gmock.h>

#include "client_fixture.h"
#include "kube/status_error.h"

namespace slipway::kube {
namespace {

using testing::Chunked;
using ::testing::HasSubstr;
using testing::Line;
using testing::Piece;

class WatchTest : public ClientTest {
 protected:
  std::unique_ptr<WatchStream> Opened(Reply reply, ClientOptions options = {}) {
    ServeInOrder({std::move(reply)});
    Connect(server_->Config(), std::move(options));
    auto opened = Open();
    EXPECT_EQ(Said(opened), "ok");
    return opened ? std::move(*opened) : nullptr;
  }
};

using Seen = std::vector<std::string>;

TEST_F(WatchTest, GivesEventsUntilTheGoodEnd) {
  const auto watch = Opened(Chunked({Piece{Line("ADDED", R"({"a":1})")},
                                     Piece{Line("MODIFIED", R"({"a":2})") + Line("BOOKMARK", "{}")},
                                     Piece{Line("DELETED", R"({"a":2})")}}));
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), (Seen{R"(0{"a":1})", R"(1{"a":2})", "3{}", R"(2{"a":2})", "end"}));
  const Received request = server_->requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_THAT(request.target, HasSubstr("watch=true"));
  EXPECT_EQ(request.headers.count("accept-encoding"), 0U);
}

TEST_F(WatchTest, EventMayComeInAnyPieces) {
  const std::string line = Line("ADDED", R"({"a":"one two"})");
  std::vector<Piece> bytes;
  for (const char c : line + line) bytes.push_back({std::string(1, c), milliseconds(c == 'a' ? 5 : 0)});
  const auto watch = Opened(Chunked(bytes));
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), (Seen{R"(0{"a":"one two"})", R"(0{"a":"one two"})", "end"}));
}

TEST_F(WatchTest, EventLargerThanAReadComesWhole) {
  const std::string large = R"({"a":")" + std::string(100'000, 'x') + R"("})";
  const auto watch = Opened(Chunked({Piece{Line("ADDED", large)}}));
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), (Seen{"0" + large, "end"}));
}

TEST_F(WatchTest, EventIsGivenWhileTheStreamStaysOpen) {
  const auto watch = Opened(Chunked({Piece{Line("ADDED", "{}")}}, false));
  ASSERT_TRUE(watch);
  const auto frame = Next(*watch);
  ASSERT_TRUE(frame && frame->has_value());
  EXPECT_EQ((*frame)->type, WatchEventType::kAdded);
}

TEST_F(WatchTest, EndsInGoodOrderWithoutAnyEvent) {
  const auto watch = Opened(Chunked({}));
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), Seen{"end"});
}

TEST_F(WatchTest, SilenceBeyondTheIdleTimeIsTransient) {
  const auto watch = Opened(Chunked({Piece{Line("ADDED", "{}")}}, false));
  ASSERT_TRUE(watch);
  ASSERT_TRUE(Next(*watch));
  const auto start = std::chrono::steady_clock::now();
  const auto frame = Next(*watch, milliseconds(60));
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().kind, ErrorKind::kTransient);
  EXPECT_GE(took, milliseconds(50));
  EXPECT_LT(took, seconds(4));
}

TEST_F(WatchTest, EventsKeepAWatchAliveBeyondItsIdleTime) {
  // Three seconds of events, each of which may come two seconds late.
  const std::vector<Piece> events(30, Piece{Line("BOOKMARK", "{}"), milliseconds(100)});
  const auto watch = Opened(Chunked(events));
  ASSERT_TRUE(watch);
  Seen all(30, "3{}");
  all.emplace_back("end");
  EXPECT_EQ(Drain(*watch, milliseconds(2500)), all);
}

TEST_F(WatchTest, ConnectionThatBreaksIsTransientAndItsPartialEventIsThrownAway) {
  Reply cut = Chunked({Piece{Line("ADDED", "{}")}, Piece{"{\"type\":\"ADD"}}, false);
  cut.hang = false;
  cut.close_after = true;
  const auto watch = Opened(cut);
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), (Seen{"0{}", "Transient"}));
}

TEST_F(WatchTest, GoodEndInTheMiddleOfAnEventIsTransient) {
  const auto watch = Opened(Chunked({Piece{Line("ADDED", "{}")}, Piece{"{\"type\":\"ADD"}}));
  ASSERT_TRUE(watch);
  EXPECT_EQ(Drain(*watch), (Seen{"0{}", "Transient"}));
}

TEST_F(WatchTest, GarbageIsInvalid) {
  for (const std::string_view line : {"garbage\n", "{}\n", "{\"type\":\"ADDED\"}\n", "[]\n"}) {
    const auto watch = Opened(Chunked({Piece{Line("ADDED", "{}")}, Piece{std::string(line)}}, false));
    ASSERT_TRUE(watch);
    EXPECT_EQ(Drain(*watch), (Seen{"0{}", "Invalid"})) << line;
  }
}

TEST_F(WatchTest, EventWithoutEndIsRefusedAtTheCap) {
  const auto watch =
      Opened(Chunked({Piece{"{\"type\":\"" + std::string(2000, 'x')}}, false), {.max_frame_bytes = 1000});
  ASSERT_TRUE(watch);
  const auto frame = Next(*watch);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(frame.error().message, HasSubstr("1000 bytes"));
}

TEST_F(WatchTest, ExpiredVersionInsideTheStreamIsGone) {
  const auto watch = Opened(Chunked({Piece{Line(
      "ERROR",
      R"x({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 1 (2)"})x")}}));
  ASSERT_TRUE(watch);
  const auto frame = Next(*watch);
  ASSERT_TRUE(frame && frame->has_value()) << Said(frame);
  EXPECT_EQ((*frame)->type, WatchEventType::kError);
  const Error error = ErrorFromStatus((*frame)->object);
  EXPECT_EQ(error.kind, ErrorKind::kGone);
  EXPECT_EQ(error.message, "too old resource version: 1 (2)");
}

TEST_F(WatchTest, RefusalAtTheOpeningIsAnErrorWithTheServersWords) {
  const struct {
    Reply reply;
    std::string said;
  } rows[] = {
      {{.code = 403, .body = R"({"kind":"Status","code":403,"message":"pods is forbidden"})"},
       "Forbidden: pods is forbidden"},
      {{.code = 410, .body = R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})"},
       "Gone: too old"},
      {{.code = 429, .body = "slow down", .headers = {{"Retry-After", "7"}}},
       "Throttled: the API server answered 429: slow down"},
      {{.code = 302, .headers = {{"Location", "https://127.0.0.1:1/"}}},
       "Transient: the API server answered 302: {}"},
  };
  for (const auto& row : rows) {
    ServeInOrder({row.reply});
    Connect();
    EXPECT_EQ(Said(Open()), row.said);
    EXPECT_EQ(server_->requests().size(), 1U);
  }
}

TEST_F(WatchTest, RefusalWithoutEndIsCutOff) {
  Reply endless = Chunked({Piece{std::string(200'000, 'x')}}, false);
  endless.raw[0].bytes = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";
  ServeInOrder({endless});
  Connect();
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kForbidden);
  EXPECT_LT(opened.error().message.size(), 1000U);
}

TEST_F(WatchTest, OpeningHasADeadline) {
  Serve([](const Received&) { return Reply{.hang = true}; });
  Connect();
  const auto opened = Open(milliseconds(60));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kTransient);
}

TEST_F(WatchTest, CancelledOpeningEndsAtOnce) {
  Serve([](const Received&) { return Reply{.hang = true}; });
  Connect();
  auto [opened, took] = CancelAfter(client_->Open(Watch(kPods, "shop", {})), milliseconds(50));
  ASSERT_TRUE(opened);
  ASSERT_FALSE(*opened);
  EXPECT_EQ(opened->error().kind, ErrorKind::kCancelled);
  EXPECT_LT(took, seconds(4));
}

TEST_F(WatchTest, CancelledWaitForAnEventEndsAtOnce) {
  const auto watch = Opened(Chunked({}, false));
  ASSERT_TRUE(watch);
  auto [frame, took] = CancelAfter(watch->Next(seconds(60)), milliseconds(50));
  ASSERT_TRUE(frame);
  ASSERT_FALSE(*frame);
  EXPECT_EQ(frame->error().kind, ErrorKind::kCancelled);
  EXPECT_LT(took, seconds(4));
}

TEST_F(WatchTest, WatchesTakeNoConnectionFromCalls) {
  Serve([](const Received& request) {
    return request.target.find("watch=true") == std::string::npos ? Reply{} : Chunked({}, false);
  });
  Connect(server_->Config(), {.max_connections = 1});
  const auto one = Open();
  const auto two = Open();
  EXPECT_EQ(Said(one), "ok");
  EXPECT_EQ(Said(two), "ok");
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->accepted(), 3);
}

TEST_F(WatchTest, WatchOutlivesItsClient) {
  const auto watch = Opened(Chunked({Piece{Line("ADDED", "{}"), milliseconds(50)}}));
  ASSERT_TRUE(watch);
  client_.reset();
  EXPECT_EQ(Drain(*watch), (Seen{"0{}", "end"}));
}

}  // namespace
}  // namespace slipway::kube
