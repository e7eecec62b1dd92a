#include "runner/prometheus.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "protocol/runner/http_server.h"
#include "protocol/runner/scratch.h"
#include "runner/check_report.h"
#include "support/scripted_server.h"

namespace slipway::runner {
namespace {

using ::slipway::testing::Answer;
using ::slipway::testing::Contents;
using ::slipway::testing::HttpServer;
using ::slipway::testing::Received;
using ::slipway::testing::Reply;
using ::slipway::testing::Request;
using ::slipway::testing::Scratch;
using ::slipway::testing::ScriptedServer;
using std::chrono::milliseconds;

std::string Sample(const std::string& value) {
  return R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,")" + value +
         R"("]}]}})";
}

const std::string kNoSample = R"({"status":"success","data":{"resultType":"vector","result":[]}})";

class Querying : public ::testing::Test {
 protected:
  PrometheusOptions Options(const std::string& url) const {
    PrometheusOptions options;
    options.url = url;
    options.query = "up";
    options.max = "0.05";
    options.interval = milliseconds(10);
    options.error_limit = 1;
    options.report_path = scratch_ / "report";
    return options;
  }
  std::string Text() const { return Contents(scratch_ / "report"); }
  nlohmann::json Report() const { return nlohmann::json::parse(Text()); }

  Scratch scratch_;
};

TEST_F(Querying, AsksForTheQueryBelowThePathOfTheUrl) {
  std::string target, host;
  HttpServer server([&](const Request& request) {
    target = request.target();
    host = request["Host"];
    return Answer(200, Sample("0.01"));
  });
  PrometheusOptions options = Options(server.url() + "/select/0/");
  options.query = "rate(x{a=\"b\"}[5m]) + 1";
  EXPECT_EQ(RunPrometheus(options), kCheckPassed) << Text();
  EXPECT_EQ(target, "/select/0/api/v1/query?query=rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29%20%2B%201");
  EXPECT_EQ(host, server.address());
  EXPECT_EQ(Report().at("verdict"), "pass");
  EXPECT_EQ(Report().at("value"), "0.01");
  EXPECT_EQ(Report().at("requests"), 1);
}

struct Course {
  const char* name;
  std::vector<std::pair<unsigned, std::string>> answers;  // the last again and again
  int code;
  const char* verdict;  // "": none
  const char* reason;
  int asked;
  const char* value;
};

class Courses : public Querying, public ::testing::WithParamInterface<Course> {};

TEST_P(Courses, EndAsTheTableSays) {
  std::size_t asked = 0;
  HttpServer server([&](const Request&) {
    const auto& answers = GetParam().answers;
    const auto& [code, body] = answers[std::min(asked++, answers.size() - 1)];
    return Answer(code, body);
  });
  PrometheusOptions options = Options(server.url());
  options.count = 3;
  EXPECT_EQ(RunPrometheus(options), GetParam().code) << Text();
  EXPECT_EQ(Report().value("verdict", ""), GetParam().verdict) << Text();
  EXPECT_EQ(Report().at("reason"), GetParam().reason);
  EXPECT_EQ(Report().value("value", ""), GetParam().value);
  EXPECT_EQ(asked, static_cast<std::size_t>(GetParam().asked));
}

const Course kCourses[] = {
    {"good", {{200, Sample("0.01")}}, kCheckPassed, "pass", "Passed", 3, "0.01"},
    {"failing", {{200, Sample("0.01")}, {200, Sample("0.5")}}, kCheckFailed, "fail", "QueryFailed", 2, "0.5"},
    {"no_data", {{200, kNoSample}}, kCheckInconclusive, "inconclusive", "NoData", 1, ""},
    {"nan", {{200, Sample("NaN")}}, kCheckInconclusive, "inconclusive", "NoData", 1, "NaN"},
    {"one_error_is_borne", {{503, ""}, {200, Sample("0")}}, kCheckPassed, "pass", "Passed", 4, "0"},
    {"errors", {{200, Sample("0")}, {503, "no backend"}}, kCheckBroken, "", "QueryError", 3, ""},
    {"no_json", {{200, "<html>"}}, kCheckBroken, "", "QueryError", 2, ""},
    {"status_error", {{200, R"({"status":"error","error":"x"})"}}, kCheckBroken, "", "QueryError", 2, ""},
    {"too_long", {{200, std::string(2 << 20, ' ') + Sample("0")}}, kCheckBroken, "", "QueryError", 2, ""},
};

INSTANTIATE_TEST_SUITE_P(Prometheus, Courses, ::testing::ValuesIn(kCourses),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Querying, IsBrokenWhenNobodyListens) {
  std::string url;
  {
    HttpServer gone([](const Request&) { return Answer(200, ""); });
    url = gone.url();
  }
  EXPECT_EQ(RunPrometheus(Options(url)), kCheckBroken);
  EXPECT_EQ(
      Report(),
      (nlohmann::json{{"reason", "PrometheusUnreachable"},
                      {"message", "2 errors in a row of up at " + url + ": connect: Connection refused"}}));
}

TEST_F(Querying, IsBrokenWhenItHangs) {
  ScriptedServer server([](const Received&) { return Reply{.hang = true}; }, {.tls = false});
  PrometheusOptions options = Options("http://127.0.0.1:" + server.Config().port);
  // Long enough to be connected in; one error is enough.
  options.request_timeout = std::chrono::seconds(3);
  options.error_limit = 0;
  EXPECT_EQ(RunPrometheus(options), kCheckBroken);
  EXPECT_NE(Text().find("receive: timed out"), std::string::npos) << Text();
}

// The system's authorities are those of SSL_CERT_FILE.
TEST_F(Querying, TrustsWhomTheSystemTrusts) {
  ScriptedServer server([](const Received&) { return Reply{.body = Sample("0.01")}; });
  const std::string authority = scratch_ / "ca.crt";
  testing::Put(authority, server.authority().pem());
  const PrometheusOptions options = Options("https://127.0.0.1:" + server.Config().port);
  EXPECT_EQ(RunPrometheus(options), kCheckBroken);
  EXPECT_NE(Text().find("the certificate is refused"), std::string::npos) << Text();
  EXPECT_TRUE(server.requests().empty()) << "nothing is asked of a stranger";
  ::setenv("SSL_CERT_FILE", authority.c_str(), 1);
  EXPECT_EQ(RunPrometheus(options), kCheckPassed) << Text();
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(Querying, IsBrokenByOptionsThatMakeNoSense) {
  void (*const changes[])(PrometheusOptions&) = {
      [](PrometheusOptions& o) { o.url = "prometheus:9090"; },
      [](PrometheusOptions& o) { o.query.clear(); },
      [](PrometheusOptions& o) { o.max.clear(); },
      [](PrometheusOptions& o) { o.max = "x"; },
      [](PrometheusOptions& o) { o.min = "1"; },
      [](PrometheusOptions& o) { o.count = 0; },
      [](PrometheusOptions& o) { o.interval = milliseconds(0); },
      [](PrometheusOptions& o) { o.error_limit = -1; },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    PrometheusOptions options = Options("http://127.0.0.1:1");
    changes[i](options);
    EXPECT_EQ(RunPrometheus(options), kCheckBroken) << "change " << i;
    EXPECT_EQ(Text(), "") << "change " << i;
  }
}

}  // namespace
}  // namespace slipway::runner
