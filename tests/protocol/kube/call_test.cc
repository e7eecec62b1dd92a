#include <gmock/gmock.h>

#include "client_fixture.h"

namespace slipway::kube {
namespace {

using ::testing::HasSubstr;
using testing::Piece;

using CallTest = ClientTest;

TEST_F(CallTest, GetSendsWhatTheRequestSaysAndReadsTheAnswer) {
  ServeInOrder({{.body = R"({"kind":"Pod","metadata":{"name":"app"}})"}});
  ClientConfig config = server_->Config();
  config.base_path = "/proxy";
  config.token = "secret";
  Connect(config, {.user_agent = "slipway/test"});
  const auto answer = Call(Get(kPods, kApp));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["metadata"]["name"], "app");
  const auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].target, "/proxy/api/v1/namespaces/shop/pods/app");
  EXPECT_EQ(requests[0].body, "");
  EXPECT_EQ(requests[0].headers.at("authorization"), "Bearer secret");
  EXPECT_EQ(requests[0].headers.at("user-agent"), "slipway/test");
  EXPECT_EQ(requests[0].headers.at("accept"), "application/json");
  EXPECT_EQ(requests[0].headers.at("host"), "127.0.0.1:" + server_->Config().port);
  EXPECT_EQ(requests[0].headers.count("content-type"), 0U);
  // An answer that was compressed could be a bomb, and TLS with compression leaks (CRIME).
  EXPECT_EQ(requests[0].headers.count("accept-encoding"), 0U);
}

TEST_F(CallTest, EveryVerbCarriesItsBody) {
  Serve([](const Received&) { return Reply{}; });
  Connect();
  const Json body{{"kind", "Pod"}};
  const std::pair<Request, std::string_view> rows[] = {{Create(kPods, "shop", body), "POST"},
                                                       {Replace(kPods, kApp, body), "PUT"},
                                                       {Apply(kPods, kApp, body, true), "PATCH"},
                                                       {Delete(kPods, kApp, {{"u"}, {}}), "DELETE"}};
  for (const auto& [request, method] : rows) {
    EXPECT_EQ(Said(Call(request)), "ok") << method;
    const Received last = server_->requests().back();
    EXPECT_EQ(last.method, method);
    EXPECT_EQ(last.target, request.target);
    EXPECT_EQ(last.body, request.body) << method;
    EXPECT_EQ(last.headers.at("content-type"), request.content_type) << method;
  }
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(CallTest, ManagedFieldsComeOnlyWhenAskedFor) {
  Serve([](const Received&) { return Reply{.body = R"({"metadata":{"managedFields":[{}]}})"}; });
  Connect();
  EXPECT_TRUE((*Call(Get(kPods, kApp)))["metadata"].contains("managedFields"));
  EXPECT_FALSE((*Call(List(kPods, "shop", {})))["metadata"].contains("managedFields"));
}

TEST_F(CallTest, OneConnectionIsUsedAgainAndAgain) {
  Serve([](const Received&) { return Reply{}; });
  Connect();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(CallTest, ConnectionThatTheServerWantsClosedIsNotKept) {
  Serve([](const Received&) { return Reply{.headers = {{"Connection", "close"}}, .close_after = true}; });
  Connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Said(Call(Create(kPods, "shop", Json::object()))), "ok");
  EXPECT_EQ(server_->accepted(), 3);
}

TEST_F(CallTest, CallsBeyondTheLimitWaitForAConnection) {
  Serve([](const Received&) {
    return Reply{.raw = {{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", milliseconds(20)}}};
  });
  Connect(server_->Config(), {.max_connections = 2});
  std::vector<std::optional<CallResult>> results(6);
  TaskGroup group(io_.get_executor());
  for (auto& result : results) group.Spawn("call", Keep(client_->Call(Get(kPods, kApp)), result));
  testing::Run(io_, group.Join());
  for (const auto& result : results) EXPECT_EQ(Said(*result), "ok");
  EXPECT_EQ(server_->accepted(), 2);
  EXPECT_EQ(server_->requests().size(), 6U);
}

TEST_F(CallTest, WaitForAConnectionHasAnEnd) {
  Serve([](const Received&) { return Reply{.hang = true}; });
  Connect(server_->Config(), {.max_connections = 1});
  std::optional<CallResult> first;
  TaskGroup group(io_.get_executor());
  group.Spawn("call", Keep(client_->Call(Get(kPods, kApp)), first));
  testing::Run(io_, Sleep(milliseconds(1)));
  const auto second = Call(Get(kPods, kApp), milliseconds(50));
  EXPECT_EQ(Said(second), "Transient: every connection to the API server is busy");
  group.Cancel();
  testing::Run(io_, group.Join());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error().kind, ErrorKind::kCancelled);
}

TEST_F(CallTest, IdleConnectionThatTheServerClosedIsReplacedWithoutAnyoneNoticing) {
  Serve([](const Received&) { return Reply{}; });
  Connect();
  const Json body = Json::object();
  for (const Request& request : {Get(kPods, kApp), Replace(kPods, kApp, body), Apply(kPods, kApp, body, true),
                                 Delete(kPods, kApp, {})}) {
    EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
    const int before = server_->accepted();
    server_->CutAll();
    EXPECT_EQ(Said(Call(request)), "ok") << request.target;
    EXPECT_EQ(server_->accepted(), before + 1);
  }
}

TEST_F(CallTest, PostOnAConnectionThatBrokeIsNeverSentTwice) {
  Serve([](const Received& request) {
    return request.method == "POST" ? Reply{.raw = {{""}}, .close_after = true} : Reply{};
  });
  Connect();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  const auto answer = Call(Create(kPods, "shop", Json::object()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(CallTest, FreshConnectionThatBreaksIsNotTriedAgain) {
  ServeInOrder({{.raw = {{""}}, .close_after = true}});
  Connect();
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient: GET /api/v1/namespaces/shop/pods/app"));
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(CallTest, AnswerThatBrokeInItsMiddleIsNotAskedForAgain) {
  ServeInOrder({{}, {.raw = {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}}, .close_after = true}});
  Connect();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  const auto answer = Call(Replace(kPods, kApp, Json::object()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(CallTest, AnswersThatBreakOffOrAreNoHttpAreTransient) {
  const std::pair<std::string_view, std::string> rows[] = {
      {"truncated body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}"},
      {"truncated header", "HTTP/1.1 200 OK\r\nContent-Le"},
      {"truncated chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}"},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"},
      {"body to the end of a TLS stream that was cut", "HTTP/1.1 200 OK\r\n\r\n{}"},
      {"nothing", ""},
      {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"},
      {"a chunk size that overflows",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(40, 'f') + "\r\n"},
      {"a header without end", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')}};
  for (const auto& [name, bytes] : rows) {
    ServeInOrder({{.raw = {{bytes}}, .close_after = true}});
    Connect();
    const auto answer = Call(Get(kPods, kApp));
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().kind, ErrorKind::kTransient) << name << ": " << answer.error().message;
  }
}

TEST_F(CallTest, AnswersThatAreNoJsonObjectAreInvalid) {
  for (const std::string body : {"", "null", "[]", "<html></html>", "{\"a\":", "\xff", "{} {}"}) {
    ServeInOrder({{.body = body}});
    Connect();
    const auto answer = Call(Get(kPods, kApp));
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid) << body;
  }
}

TEST_F(CallTest, AnswerLargerThanTheCapIsInvalidHoweverItIsSent) {
  const std::string large = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
  for (const Reply& reply : {Reply{.body = large}, testing::Chunked({Piece{large}})}) {
    ServeInOrder({reply, {}});
    Connect(server_->Config(), {.max_response_bytes = 1000});
    const auto answer = Call(Get(kPods, kApp));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(answer.error().message, HasSubstr("larger than 1000 bytes"));
    // The rest of that answer must not be taken for the next one.
    EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  }
}

TEST_F(CallTest, AnswerOfTheCapIsTaken) {
  const std::string body = "{\"a\":\"" + std::string(992, 'x') + "\"}";
  ASSERT_EQ(body.size(), 1000U);
  ServeInOrder({{.body = body}});
  Connect(server_->Config(), {.max_response_bytes = 1000});
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
}

TEST_F(CallTest, RefusalsAreErrorsByTheirKindAndKeepTheConnection) {
  ServeInOrder({{.code = 404, .body = R"({"kind":"Status","code":404,"message":"pods \"app\" not found"})"},
                {.code = 409, .body = R"({"kind":"Status","code":409,"reason":"AlreadyExists"})"},
                {.code = 403, .body = R"({"kind":"Status","code":403,"message":"no\nway"})"},
                {.code = 500, .body = "oops"}});
  Connect();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "NotFound: pods \"app\" not found");
  EXPECT_THAT(Said(Call(Create(kPods, "shop", Json::object()))), HasSubstr("AlreadyExists: "));
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "Forbidden: no way");
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "Transient: the API server answered 500: oops");
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(CallTest, ThrottlingCarriesTheServersWait) {
  ServeInOrder({{.code = 429, .body = "slow down", .headers = {{"Retry-After", "7"}}},
                {.code = 503, .body = "starting", .headers = {{"Retry-After", "3"}}},
                {.code = 503, .body = "starting"}});
  Connect();
  const auto busy = Call(Get(kPods, kApp));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(busy.error().retry_after, seconds(7));
  const auto starting = Call(Get(kPods, kApp));
  ASSERT_FALSE(starting);
  EXPECT_EQ(starting.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(starting.error().retry_after, seconds(3));
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient"));
}

TEST_F(CallTest, RedirectIsNotFollowed) {
  Serve([](const Received&) {
    return Reply{.code = 307, .headers = {{"Location", "https://127.0.0.1:1/elsewhere"}}};
  });
  ClientConfig config = server_->Config();
  config.token = "secret";
  Connect(config);
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient: the API server answered 307"));
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(CallTest, ServerThatIsNotThereIsTransientAndNamed) {
  Serve([](const Received&) { return Reply{}; });
  const ClientConfig config = server_->Config();
  server_.reset();
  Connect(config);
  const auto answer = Call(Get(kPods, kApp));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(answer.error().message, HasSubstr("127.0.0.1:" + config.port));
  EXPECT_THAT(answer.error().message, HasSubstr("refused"));
}

TEST_F(CallTest, EveryAnswerIsCountedByItsCodeAndALostOneAsZero) {
  ServeInOrder({{}, {.code = 404}, {.raw = {{""}}, .close_after = true}});
  std::vector<std::pair<Verb, int>> counted;
  Connect(server_->Config(), {.on_response = [&](Verb verb, int code) { counted.emplace_back(verb, code); }});
  for (int i = 0; i < 2; ++i) static_cast<void>(Call(Get(kPods, kApp)));
  static_cast<void>(Call(Create(kPods, "shop", Json::object())));
  EXPECT_EQ(counted,
            (std::vector<std::pair<Verb, int>>{{Verb::kGet, 200}, {Verb::kGet, 404}, {Verb::kPost, 0}}));
}

TEST_F(CallTest, ErrorNeverRepeatsTheToken) {
  ServeInOrder({{.raw = {{""}}, .close_after = true}, {.code = 403, .body = "no"}, {.hang = true}});
  ClientConfig config = server_->Config();
  config.token = "hunter2";
  Connect(config);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Said(Call(Get(kPods, kApp), milliseconds(50))), ::testing::Not(HasSubstr("hunter2")));
  }
}

TEST_F(CallTest, PlainHttpWorksOnLoopback) {
  Serve([](const Received&) { return Reply{}; }, {.tls = false});
  Connect();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->accepted(), 1);
}

}  // namespace
}  // namespace slipway::kube
