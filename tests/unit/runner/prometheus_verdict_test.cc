#include "runner/prometheus_verdict.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

using Kind = Measurement::Kind;

HttpAnswer Answer(int status, std::string body) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

std::string Vector(const std::string& samples) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + samples + "]}}";
}

std::string Series(const std::string& value) {
  return R"({"metric":{"pod":"a"},"value":[1700000000.1,")" + value + R"("]})";
}

struct Case {
  const char* name;
  int status;
  std::string body;
  Kind kind;
  const char* value;
  const char* message;
};

class Answers : public ::testing::TestWithParam<Case> {};

TEST_P(Answers, AreWorthWhatTheTableSays) {
  const auto bounds = ParseBounds("0", "0.05");
  const Measurement measured = Measure(*bounds, Answer(GetParam().status, GetParam().body));
  EXPECT_EQ(measured.kind, GetParam().kind);
  EXPECT_EQ(measured.value, GetParam().value);
  EXPECT_EQ(measured.message, GetParam().message);
  EXPECT_EQ(measured.reason, measured.kind == Kind::kError ? "QueryError" : "");
}

const Case kCases[] = {
    {"within", 200, Vector(Series("0.01")), Kind::kGood, "0.01", "0.01 is from 0 to 0.05"},
    {"at_the_ends", 200, Vector(Series("0.05") + "," + Series("0")), Kind::kGood, "0.05",
     "0.05 is from 0 to 0.05"},
    {"scientific", 200, Vector(Series("1e-05")), Kind::kGood, "1e-05", "1e-05 is from 0 to 0.05"},
    {"scalar", 200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"0.02"]}})", Kind::kGood,
     "0.02", "0.02 is from 0 to 0.05"},
    {"above", 200, Vector(Series("0.06")), Kind::kFailed, "0.06", "0.06 is not from 0 to 0.05 (1 samples)"},
    {"below", 200, Vector(Series("-1")), Kind::kFailed, "-1", "-1 is not from 0 to 0.05 (1 samples)"},
    {"each_must_lie_in_it", 200, Vector(Series("0.01") + "," + Series("0.2")), Kind::kFailed, "0.2",
     "0.2 is not from 0 to 0.05 (2 samples)"},
    {"infinite", 200, Vector(Series("+Inf")), Kind::kFailed, "+Inf",
     "+Inf is not from 0 to 0.05 (1 samples)"},
    {"no_sample", 200, Vector(""), Kind::kInconclusive, "", "the query has no sample"},
    {"nan", 200, Vector(Series("0.01") + "," + Series("NaN")), Kind::kInconclusive, "NaN",
     "a sample of the query is NaN"},
    {"nan_and_one_outside", 200, Vector(Series("NaN") + "," + Series("7")), Kind::kFailed, "7",
     "7 is not from 0 to 0.05 (2 samples)"},
    {"matrix", 200, R"({"status":"success","data":{"resultType":"matrix","result":[]}})", Kind::kError, "",
     "the answer is not that of a query: its type is \"matrix\"; a vector or a scalar is needed"},
    {"no_data", 200, R"({"status":"success"})", Kind::kError, "",
     "the answer is not that of a query: it has no result"},
    {"sample_is_no_number", 200, Vector(Series("many")), Kind::kError, "",
     "the answer is not that of a query: a sample of its vector can't be read"},
    {"histogram_sample", 200, Vector(R"({"metric":{},"histogram":[1,{}]})"), Kind::kError, "",
     "the answer is not that of a query: a sample of its vector can't be read"},
    {"status_error", 200, R"({"status":"error","errorType":"bad_data","error":"parse error"})", Kind::kError,
     "", "the query failed: parse error"},
    {"bad_request", 400, R"({"status":"error","errorType":"bad_data","error":"parse error"})", Kind::kError,
     "", "it answered 400: parse error"},
    {"unavailable", 503, "no\nbackend", Kind::kError, "", "it answered 503: no?backend"},
    {"redirect", 302, "", Kind::kError, "", "it answered 302: "},
    {"no_json", 200, "<html>", Kind::kError, "", "it is not JSON: <html>"},
    {"json_text", 200, "\"success\"", Kind::kError, "", "it is not JSON: \"success\""},
};

INSTANTIATE_TEST_SUITE_P(Prometheus, Answers, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(NoAnswer, IsAnErrorOfItsOwnReason) {
  HttpAnswer none;
  none.failed = "connect: Connection refused";
  const Measurement measured = Measure(*ParseBounds("", "1"), none);
  EXPECT_EQ(measured.kind, Kind::kError);
  EXPECT_EQ(measured.reason, "PrometheusUnreachable");
}

TEST(BoundsOfSamples, MayBeOnOneSide) {
  const HttpAnswer high = Answer(200, Vector(Series("1e300")));
  EXPECT_EQ(Measure(*ParseBounds("0.9", ""), high).message, "1e300 is at least 0.9");
  EXPECT_EQ(Measure(*ParseBounds("", "0.9"), high).message, "1e300 is not at most 0.9 (1 samples)");
}

TEST(BoundsOfSamples, MustBeNumbersInOrder) {
  EXPECT_EQ(ParseBounds("", "").error().message, "neither --min nor --max: nothing can fail");
  EXPECT_EQ(ParseBounds("2", "1").error().message, "--min is above --max");
  EXPECT_FALSE(ParseBounds("x", ""));
  EXPECT_FALSE(ParseBounds("", "1%"));
  EXPECT_FALSE(ParseBounds("", "inf"));
  EXPECT_FALSE(ParseBounds("nan", ""));
}

// g: good, f: failed, i: inconclusive, e: error
struct Course {
  const char* measurements;
  const char* reason;  // "": broken
  CheckVerdict verdict;
  int requests;  // how many of them were needed
};

TEST(TheLimits, AreToldApart) {
  PrometheusOptions options;
  options.url = "http://prometheus:9090";
  options.query = "up";
  options.count = 5;
  options.failure_limit = 1;
  options.inconclusive_limit = 1;
  options.error_limit = 2;
  const Course courses[] = {
      {"ggggg", "Passed", CheckVerdict::kPass, 5},
      {"gfgig", "Passed", CheckVerdict::kPass, 5},
      {"gfgf", "QueryFailed", CheckVerdict::kFail, 4},
      {"gigi", "NoData", CheckVerdict::kInconclusive, 4},
      {"gffi", "QueryFailed", CheckVerdict::kFail, 3},
      {"eegeegeegeegeeg", "Passed", CheckVerdict::kPass, 15},
      {"geee", "", CheckVerdict::kFail, 4},
      {"eee", "", CheckVerdict::kFail, 3},
  };
  for (const Course& course : courses) {
    QueryTally tally(options);
    int asked = 0;
    for (const char what : std::string_view(course.measurements)) {
      if (tally.over()) break;
      ++asked;
      const Kind kind = what == 'g'   ? Kind::kGood
                        : what == 'f' ? Kind::kFailed
                        : what == 'i' ? Kind::kInconclusive
                                      : Kind::kError;
      tally.Add({kind, kind == Kind::kError ? "QueryError" : "", "said", "1"});
    }
    EXPECT_TRUE(tally.over()) << course.measurements;
    EXPECT_EQ(asked, course.requests) << course.measurements;
    EXPECT_EQ(tally.broken(), course.reason[0] == '\0') << course.measurements;
    const CheckReport report = tally.Report();
    EXPECT_EQ(report.reason, tally.broken() ? "QueryError" : course.reason) << course.measurements;
    EXPECT_EQ(report.verdict, course.verdict) << course.measurements;
  }
}

TEST(WhatHadNoGoodAnswer, DoesNotPassWhateverTheLimits) {
  PrometheusOptions options;
  options.failure_limit = options.inconclusive_limit = 9;
  QueryTally failed(options);
  failed.Add({Kind::kFailed, "", "said", "1"});
  EXPECT_EQ(failed.Report().verdict, CheckVerdict::kFail);
  QueryTally none(options);
  none.Add({Kind::kInconclusive, "", "said", ""});
  EXPECT_EQ(none.Report().verdict, CheckVerdict::kInconclusive);
  EXPECT_EQ(none.Report().reason, "NoData");
}

}  // namespace
}  // namespace slipway::runner
