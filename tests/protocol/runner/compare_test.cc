#include "runner/compare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/runner/http_server.h"
#include "protocol/runner/scratch.h"
#include "runner/check_report.h"

namespace slipway::runner {
namespace {

using ::slipway::testing::Answer;
using ::slipway::testing::Contents;
using ::slipway::testing::HttpServer;
using ::slipway::testing::Request;
using ::slipway::testing::Scratch;
using std::chrono::milliseconds;

class ComparingPods : public ::testing::Test {
 protected:
  CompareOptions Options(const std::string& canary, const std::string& stable) const {
    CompareOptions options;
    options.path = "/api?x=1";
    options.host = "web.demo.svc:8080";
    options.rate = 400;
    options.max_pairs = 2000;
    options.timeout = std::chrono::seconds(60);
    // The machine that runs the tests may stall: nothing is slow or too late but where a test asks for it.
    // What is slow must stay below request_timeout, or stable is too slow for a comparison.
    options.slower_by = 10'000'000;
    options.request_timeout = std::chrono::hours(1000);
    options.slow_margin = 25;
    options.canary_pods = {{"web-canary-1", canary}};
    options.stable_pods = {{"web-1", stable}};
    options.report_path = scratch_ / "report";
    return options;
  }
  nlohmann::json Report() const { return nlohmann::json::parse(Contents(scratch_ / "report")); }
  std::string Text() const { return Contents(scratch_ / "report"); }

  Scratch scratch_;
};

// Answers `code` to one of `every` requests, 200 to the others.
HttpServer::Handler Sometimes(unsigned code, int every) {
  return [code, every, asked = 0](const Request&) mutable {
    return Answer(++asked % every == 0 ? code : 200, "ok");
  };
}

TEST_F(ComparingPods, PassesACanaryThatIsNoWorse) {
  std::string host, target, connection;
  HttpServer canary([&](const Request& request) {
    host = request["Host"];
    target = request.target();
    connection = request["Connection"];
    return Answer(404, "not an error: stable has none either");
  });
  HttpServer stable(Sometimes(404, 1));
  EXPECT_EQ(RunCompare(Options(canary.address(), stable.address())), kCheckPassed) << Text();
  EXPECT_EQ(Report().at("verdict"), "pass");
  EXPECT_EQ(Report().at("reason"), "Passed");
  EXPECT_EQ(Report().at("comparison").at("canaryErrors"), 0);
  EXPECT_GE(Report().at("comparison").at("pairs"), 326);
  EXPECT_GE(Report().at("comparison").at("confidence"), 99);
  EXPECT_EQ(host, "web.demo.svc:8080");
  EXPECT_EQ(target, "/api?x=1");
  EXPECT_EQ(connection, "close");
}

TEST_F(ComparingPods, FailsACanaryThatHasLostAPath) {
  HttpServer canary(Sometimes(404, 1));
  HttpServer stable(Sometimes(200, 1));
  EXPECT_EQ(RunCompare(Options(canary.address(), stable.address())), kCheckFailed) << Text();
  EXPECT_EQ(Report().at("reason"), "MoreErrors");
  EXPECT_NE(Text().find("pod web-canary-1 answered 404"), std::string::npos) << Text();
}

TEST_F(ComparingPods, GivesAStablePodThatIsGoneNoTurnAnyMore) {
  HttpServer canary(Sometimes(200, 1));
  HttpServer stable(Sometimes(200, 1));
  CompareOptions options = Options(canary.address(), stable.address());
  options.stable_pods.push_back({"web-2", "127.0.0.1:1"});
  EXPECT_EQ(RunCompare(options), kCheckPassed) << Text();
  EXPECT_LT(Report().at("comparison").at("stableErrors"), 10);
  options.stable_pods = {{"web-2", "127.0.0.1:1"}};
  EXPECT_EQ(RunCompare(options), kCheckInconclusive) << Text();
  options.stable_pods.clear();
  EXPECT_EQ(RunCompare(options), kCheckInconclusive) << Text();
  EXPECT_EQ(Report().at("reason"), "StableFails");
}

TEST_F(ComparingPods, PassesACanaryThatErrsAsOftenAsStable) {
  HttpServer canary(Sometimes(500, 20));
  HttpServer stable(Sometimes(500, 20));
  CompareOptions options = Options(canary.address(), stable.address());
  options.error_margin = 10;
  EXPECT_EQ(RunCompare(options), kCheckPassed) << Text();
  EXPECT_GT(Report().at("comparison").at("canaryErrors"), 0);
  EXPECT_GT(Report().at("comparison").at("stableErrors"), 0);
}

TEST_F(ComparingPods, FailsACanaryWithFivePercentErrors) {
  HttpServer canary(Sometimes(503, 20));
  HttpServer stable(Sometimes(200, 1));
  EXPECT_EQ(RunCompare(Options(canary.address(), stable.address())), kCheckFailed) << Text();
  EXPECT_EQ(Report().at("reason"), "MoreErrors");
  EXPECT_NE(Report().at("message").get<std::string>().find("its first error: pod web-canary-1 answered 503"),
            std::string::npos);
  EXPECT_EQ(Report().at("failures"), Report().at("comparison").at("canaryErrors"));
  EXPECT_LT(Report().at("comparison").at("pairs"), 1000);
  EXPECT_EQ(Report().at("pods").at(0).at("name"), "web-canary-1");
  EXPECT_GE(Report().at("pods").at(0).at("failures"), Report().at("failures"));
}

// The server answers one at a time: only a rate below 1 in 60 ms keeps a queue from forming.
TEST_F(ComparingPods, FailsASlowCanary) {
  HttpServer canary([](const Request&) {
    std::this_thread::sleep_for(milliseconds(60));
    return Answer(200, "late");
  });
  HttpServer stable(Sometimes(200, 1));
  CompareOptions options = Options(canary.address(), stable.address());
  options.rate = 50;
  options.slower_by = 100;
  EXPECT_EQ(RunCompare(options), kCheckFailed) << Text();
  EXPECT_EQ(Report().at("reason"), "Slower");
  EXPECT_GE(Report().at("comparison").at("canaryP95Ms"), 60);
  EXPECT_EQ(Report().at("comparison").at("canaryErrors"), 0);
  EXPECT_GT(Report().at("comparison").at("thresholdMs"), 0);
}

TEST_F(ComparingPods, FailsADeadCanary) {
  std::string dead;
  {
    HttpServer gone(Sometimes(200, 1));
    dead = gone.address();
  }
  HttpServer stable(Sometimes(200, 1));
  EXPECT_EQ(RunCompare(Options(dead, stable.address())), kCheckFailed) << Text();
  EXPECT_EQ(Report().at("reason"), "MoreErrors");
  EXPECT_EQ(Report().at("comparison").at("pairs"), 11);
  EXPECT_NE(Report().at("message").get<std::string>().find("connect: Connection refused"), std::string::npos);
}

TEST_F(ComparingPods, FailsACanaryThatHangs) {
  namespace asio = boost::asio;
  asio::io_context io;
  const asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  HttpServer stable(Sometimes(200, 1));
  CompareOptions options =
      Options("127.0.0.1:" + std::to_string(silent.local_endpoint().port()), stable.address());
  // Where the machine stalls, stable's own 95th percentile may be two seconds: what is slow must stay below
  // the timeout then too.
  options.slower_by = 50;
  options.request_timeout = std::chrono::seconds(4);
  EXPECT_EQ(RunCompare(options), kCheckFailed) << Text();
  EXPECT_EQ(Report().at("reason"), "MoreErrors");
  EXPECT_NE(Report().at("message").get<std::string>().find("timed out"), std::string::npos);
}

TEST_F(ComparingPods, TakesTurnsAmongThePodsOfEachSide) {
  int asked[3] = {};
  const auto count = [&asked](int which) {
    return [&asked, which](const Request&) {
      ++asked[which];
      return Answer(200, "ok");
    };
  };
  HttpServer one(count(0)), two(count(1)), stable(count(2));
  CompareOptions options = Options(one.address(), stable.address());
  options.canary_pods.push_back({"web-canary-2", two.address()});
  EXPECT_EQ(RunCompare(options), kCheckPassed) << Text();
  EXPECT_LE(std::abs(asked[0] - asked[1]), 64) << "as many as are under way when it ends";
  EXPECT_GT(asked[1], 150);
  EXPECT_GT(asked[2], 326);
}

TEST_F(ComparingPods, CannotTellWithTooFewPairs) {
  HttpServer canary(Sometimes(200, 1));
  HttpServer stable(Sometimes(200, 1));
  CompareOptions options = Options(canary.address(), stable.address());
  options.max_pairs = 100;
  EXPECT_EQ(RunCompare(options), kCheckInconclusive) << Text();
  EXPECT_EQ(Report().at("verdict"), "inconclusive");
  EXPECT_EQ(Report().at("reason"), "TooFewPairs");
  EXPECT_EQ(Report().at("comparison").at("pairs"), 100);
}

TEST_F(ComparingPods, CannotTellInTooLittleTime) {
  HttpServer canary(Sometimes(200, 1));
  HttpServer stable(Sometimes(200, 1));
  CompareOptions options = Options(canary.address(), stable.address());
  options.rate = 50;
  options.timeout = milliseconds(1500);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(RunCompare(options), kCheckInconclusive) << Text();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_LE(Report().at("comparison").at("pairs"), 25) << "a rate of 50 less the warm-up";
}

TEST_F(ComparingPods, CannotTellWhenStableFails) {
  HttpServer canary(Sometimes(200, 1));
  HttpServer stable(Sometimes(500, 1));
  EXPECT_EQ(RunCompare(Options(canary.address(), stable.address())), kCheckInconclusive) << Text();
  EXPECT_EQ(Report().at("reason"), "StableFails");
}

TEST_F(ComparingPods, IsBrokenByOptionsThatMakeNoSense) {
  void (*const changes[])(CompareOptions&) = {
      [](CompareOptions& o) { o.path = "api"; },
      [](CompareOptions& o) { o.host.clear(); },
      [](CompareOptions& o) { o.max_pairs = 0; },
      [](CompareOptions& o) { o.rate = 0; },
      [](CompareOptions& o) { o.error_margin = 0; },
      [](CompareOptions& o) { o.slow_margin = 100; },
      [](CompareOptions& o) { o.slower_by = 0; },
      [](CompareOptions& o) { o.confidence = 100; },
      [](CompareOptions& o) { o.timeout = milliseconds(0); },
      [](CompareOptions& o) { o.canary_pods.clear(); },
      [](CompareOptions& o) { o.stable_pods[0].address = "web:80"; },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    CompareOptions options = Options("127.0.0.1:1", "127.0.0.1:1");
    changes[i](options);
    EXPECT_EQ(RunCompare(options), kCheckBroken) << "change " << i;
  }
}

}  // namespace
}  // namespace slipway::runner
