#include "runner/probe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/runner/http_server.h"
#include "protocol/runner/scratch.h"
#include "runner/check_report.h"

namespace slipway::runner {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

using ::slipway::testing::Answer;
using ::slipway::testing::Contents;
using ::slipway::testing::HttpServer;
using ::slipway::testing::Request;
using ::slipway::testing::Response;
using ::slipway::testing::Scratch;

class Probing : public ::testing::Test {
 protected:
  ProbeOptions Options(const HttpServer& service) const {
    ProbeOptions options;
    options.url = service.url();
    options.health_path = "/healthz";
    options.version_path = "/version";
    options.expect_version = "v2";
    options.requests = 20;
    options.canary_share = 1;
    // The machine that runs the tests may stall: that decides nothing.
    options.p95_limit = std::chrono::seconds(10);
    options.timeout = std::chrono::seconds(10);
    options.propagation = std::chrono::milliseconds(200);
    options.report_path = scratch_ / "report";
    return options;
  }
  nlohmann::json Report() const { return nlohmann::json::parse(Contents(scratch_ / "report")); }

  Scratch scratch_;
};

HttpServer::Handler Version(std::string version) {
  return [version = std::move(version)](const Request& request) {
    return Answer(200, request.target() == "/version" ? version + "\n" : "ok");
  };
}

TEST_F(Probing, PassesWhenAllAnswersAreWell) {
  int requests = 0;
  std::string host;
  HttpServer server([&](const Request& request) {
    ++requests;
    host = request[http::field::host];
    return Version("v2")(request);
  });
  ProbeOptions options = Options(server);
  options.pods = {{"web-1", server.address()}};
  EXPECT_EQ(RunProbe(options), kCheckPassed);
  EXPECT_EQ(Report().at("verdict"), "pass");
  EXPECT_EQ(Report().at("requests"), 40);
  EXPECT_EQ(Report().at("versions"), (nlohmann::json{{"v2", 20}}));
  EXPECT_EQ(requests, 61) << "one more, to see that the Service reaches the canary";
  EXPECT_EQ(host, server.address());
}

TEST_F(Probing, FailsAndNamesThePathThatAnswers500) {
  HttpServer server(
      [](const Request& request) { return Answer(request.target() == "/healthz" ? 500 : 200, "v2"); });
  EXPECT_EQ(RunProbe(Options(server)), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "RequestsFailed");
  EXPECT_EQ(Report().at("message"),
            "20 of 40 requests to " + server.url() + "/healthz failed; the first: GET /healthz answered 500");
}

TEST_F(Probing, FailsWhenAPodAnswersAnotherVersion) {
  HttpServer service(Version("v2"));
  HttpServer pod(Version("v1"));
  ProbeOptions options = Options(service);
  options.pods = {{"web-1", service.address()}, {"web-2", pod.address()}};
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "WrongVersion");
  EXPECT_EQ(Report().at("message"),
            "canary pod web-2: GET /version answered version \"v1\" instead of \"v2\"");
  EXPECT_EQ(Report().at("pods").at(0),
            (nlohmann::json{{"name", "web-2"}, {"failures", 10}, {"version", "v1"}}));
}

TEST_F(Probing, FailsWhenTheServiceNeverReachesTheCanary) {
  HttpServer server(Version("v1"));
  EXPECT_EQ(RunProbe(Options(server)), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "VersionNotSeen");
}

TEST_F(Probing, MeasuresOnlyOnceTheServiceReachesTheCanary) {
  int asked = 0;
  HttpServer server([&](const Request& request) { return Version(++asked <= 5 ? "v1" : "v2")(request); });
  ProbeOptions options = Options(server);
  options.propagation = std::chrono::seconds(10);
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  EXPECT_EQ(Report().at("versions"), (nlohmann::json{{"v2", 20}}));
}

TEST_F(Probing, DoesNotFollowRedirects) {
  HttpServer server([](const Request& request) {
    if (request.target() != "/healthz") return Answer(200, "v2");
    Response response = Answer(302, "");
    response.set(http::field::location, "/version");
    return response;
  });
  EXPECT_EQ(RunProbe(Options(server)), kCheckFailed);
  EXPECT_NE(Report().at("message").get<std::string>().find("GET /healthz answered 302"), std::string::npos);
}

TEST_F(Probing, TakesALongPageForAnAnswer) {
  HttpServer server([](const Request& request) {
    return Answer(200, request.target() == "/version" ? "v2" : std::string(1 << 20, 'x'));
  });
  EXPECT_EQ(RunProbe(Options(server)), kCheckPassed) << Contents(scratch_ / "report");
}

TEST_F(Probing, FailsWhenNobodyListens) {
  ProbeOptions options;
  {
    HttpServer server(Version("v2"));
    options = Options(server);
  }
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("failures"), 40);
  EXPECT_NE(Report().at("message").get<std::string>().find("GET /healthz: connect: Connection refused"),
            std::string::npos);
}

TEST_F(Probing, ReachesAPodByItsIpv6Address) {
  HttpServer service(Version("v2"));
  ProbeOptions options = Options(service);
  options.pods = {{"web-1", "[::ffff:127.0.0.1]:" + service.address().substr(10)}};
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
}

TEST_F(Probing, EndsInTimeWhenTheProgramHangs) {
  HttpServer unused(Version("v2"));
  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  ProbeOptions options = Options(unused);
  options.url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  options.timeout = std::chrono::seconds(3);
  options.propagation = std::chrono::milliseconds(0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  // Less than the ten seconds that one request may take.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
  EXPECT_EQ(Report().at("failures"), 8);
  EXPECT_NE(Report().at("message").get<std::string>().find("GET /healthz: receive: timed out"),
            std::string::npos);
}

TEST_F(Probing, FailsWhenStableAnswersTheNewVersionToo) {
  HttpServer server(Version("v2"));
  HttpServer stable(Version("v1"));
  ProbeOptions options = Options(server);
  options.stable_pods = {{"web-1", stable.address()}};
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  options.stable_pods.push_back({"web-2", server.address()});
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "VersionAmbiguous");
  EXPECT_NE(Report().at("message").get<std::string>().find("web-2"), std::string::npos);
}

// A Service that gives every fourth answer to the canary.
HttpServer::Handler EveryFourth(int& asked) {
  return [&asked](const Request& request) {
    const bool version = request.target() == "/version";
    return Version(version && ++asked % 4 == 0 ? "v2" : "v1")(request);
  };
}

TEST_F(Probing, TellsTheShareOfTheCanarysAnswers) {
  int asked = 0;
  HttpServer server(EveryFourth(asked));
  ProbeOptions options = Options(server);
  options.requests = 200;
  options.canary_share = 0.25;
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  EXPECT_EQ(Report().at("share"), nlohmann::json::parse(R"({"canary": 50, "answers": 200,
    "wantedPermille": 250, "lowPermille": 175, "highPermille": 337, "inside": true})"));
  options.canary_share = 0.75;
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "SplitNotReal");
  EXPECT_EQ(Report().at("share").at("inside"), false);
}

TEST_F(Probing, MakesItsHttpChecksThroughTheServiceAndAtEachCanaryPod) {
  const auto orders = [](const Request& request) {
    if (request.target() != "/orders") return Version("v2")(request);
    const bool right =
        request.method() == http::verb::post && request["X-Token"] == "t" && request.body() == "{}";
    Response response = Answer(right ? 201 : 400, R"({"order":{"id":7}})");
    response.set(http::field::location, "/orders/7");
    return response;
  };
  int at_pod = 0;
  HttpServer service(orders);
  HttpServer pod([&](const Request& request) {
    at_pod += request.target() == "/orders" ? 1 : 0;
    return orders(request);
  });
  ProbeOptions options = Options(service);
  options.pods = {{"web-1", pod.address()}};
  options.http = {*ParseHttpCheck(R"({"method": "POST", "path": "/orders", "body": "{}", "status": 201,
    "headers": [{"name": "X-Token", "value": "t"}], "expectHeaders": [{"name": "location", "value": "/orders/7"}],
    "jsonPointer": "/order/id", "jsonEquals": "7"})")};
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  EXPECT_EQ(at_pod, 1);
  options.http[0].json_equals = "8";
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "UnexpectedJson");
  EXPECT_EQ(
      Report().at("message"),
      "through the Service: the answer of POST /orders has \"7\" at /order/id; expected \"8\" at /order/id");
}

TEST_F(Probing, AsksAgainAsOftenAsAnHttpCheckBears) {
  int asked = 0;
  HttpServer server([&](const Request& request) {
    if (request.target() != "/warm") return Version("v2")(request);
    return Answer(++asked <= 1 ? 503 : 200, "ok");
  });
  ProbeOptions options = Options(server);
  options.http = {{.path = "/warm"}};
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("message"), "through the Service: GET /warm answered 503 \"ok\"; expected 200");
  asked = 0;
  options.http[0].retries = 1;
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  EXPECT_EQ(asked, 2);
}

TEST_F(Probing, ReadsAHeadAnswerAndTheFirst64KibibytesOfALongOne) {
  HttpServer server([](const Request& request) {
    if (request.target() != "/long") return Version("v2")(request);
    Response response =
        Answer(200, request.method() == http::verb::head ? "" : "begin" + std::string(1 << 20, 'x') + "end");
    response.set("X-Long", "yes");
    return response;
  });
  ProbeOptions options = Options(server);
  options.http = {{.method = "HEAD", .path = "/long", .expect_headers = {{"x-long", "yes"}}},
                  {.path = "/long", .body_contains = "begin"}};
  EXPECT_EQ(RunProbe(options), kCheckPassed) << Contents(scratch_ / "report");
  options.http[1].body_contains = "end";
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "UnexpectedBody");
}

TEST_F(Probing, TellsHowLateAnAnswerWas) {
  HttpServer server([](const Request& request) {
    if (request.target() == "/slow") std::this_thread::sleep_for(std::chrono::milliseconds(80));
    return Version("v2")(request);
  });
  ProbeOptions options = Options(server);
  options.http = {{.path = "/slow", .latency_limit = std::chrono::milliseconds(40)}};
  EXPECT_EQ(RunProbe(options), kCheckFailed);
  EXPECT_EQ(Report().at("reason"), "AnswerTooSlow");
  EXPECT_GE(Report().at("maxMs"), Report().at("p99Ms"));
}

TEST_F(Probing, IsBrokenByOptionsThatMakeNoSense) {
  HttpServer server(Version("v2"));
  void (*const changes[])(ProbeOptions&) = {
      [](ProbeOptions& o) { o.url = "https://web"; },
      [](ProbeOptions& o) { o.url = "http://web:99999"; },
      [](ProbeOptions& o) { o.url = "http://web/path"; },
      [](ProbeOptions& o) { o.url = "http://bob@web:80"; },
      [](ProbeOptions& o) { o.url = "http://"; },
      [](ProbeOptions& o) { o.url = "http://[::1"; },
      [](ProbeOptions& o) { o.health_path = "healthz"; },
      [](ProbeOptions& o) { o.health_path = "/a b"; },
      [](ProbeOptions& o) { o.version_path = "/v\r\nX: y"; },
      [](ProbeOptions& o) { o.requests = 0; },
      [](ProbeOptions& o) { o.timeout = std::chrono::milliseconds(0); },
      [](ProbeOptions& o) { o.pods = {{"web-1", "web-1:80"}}; },
      [](ProbeOptions& o) { o.pods = {{"web-1", "10.0.0.7"}}; },
      [](ProbeOptions& o) { o.pods = {{"web-1", "fd00::7:80"}}; },
      [](ProbeOptions& o) { o.stable_pods = {{"web-1", "web-1:80"}}; },
      [](ProbeOptions& o) { o.report_path = "/nonexistent/report"; },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    ProbeOptions options = Options(server);
    changes[i](options);
    EXPECT_EQ(RunProbe(options), kCheckBroken) << "change " << i;
  }
}

}  // namespace
}  // namespace slipway::runner
