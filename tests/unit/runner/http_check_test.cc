#include "runner/http_check.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

using std::chrono::milliseconds;

TEST(HttpChecks, AreReadWithTheNamesOfTheCrd) {
  const auto check = ParseHttpCheck(R"({
    "method": "POST", "path": "/orders?x=1", "headers": [{"name": "X-A", "value": "b"}, {"name": "X-Empty"}],
    "body": "{}", "status": 201, "expectHeaders": [{"name": "Location", "value": "/orders/1"}],
    "bodyContains": "id", "jsonPointer": "/items/0/a~1b", "jsonEquals": "1", "latencyLimit": "1500ms",
    "retries": 2})");
  ASSERT_TRUE(check) << check.error().message;
  EXPECT_EQ(*check, (HttpCheck{"POST",
                               "/orders?x=1",
                               {{"X-A", "b"}, {"X-Empty", ""}},
                               "{}",
                               201,
                               {{"Location", "/orders/1"}},
                               "id",
                               "/items/0/a~1b",
                               "1",
                               milliseconds(1500),
                               2}));
  EXPECT_EQ(*ParseHttpCheck(R"({"path": "/"})"), (HttpCheck{.path = "/"})) << "the defaults of the CRD";
}

TEST(HttpChecks, ThatCannotBeReadAreRefused) {
  for (const char* text : {"",
                           "[]",
                           "\"/\"",
                           "{}",
                           R"({"path": "x"})",
                           R"({"path": 1})",
                           R"({"path": "/", "method": "TRACE"})",
                           R"({"path": "/", "status": 99})",
                           R"({"path": "/", "status": "200"})",
                           R"({"path": "/", "retries": 11})",
                           R"({"path": "/", "retries": -1})",
                           R"({"path": "/", "latencyLimit": "soon"})",
                           R"({"path": "/", "latencyLimit": "0s"})",
                           R"({"path": "/", "jsonPointer": "a"})",
                           R"({"path": "/", "jsonPointer": "/~2"})",
                           R"({"path": "/", "headers": {"a": "b"}})",
                           R"({"path": "/", "headers": [{"value": "b"}]})",
                           R"({"path": "/", "headers": [{"name": "a b"}]})",
                           R"({"path": "/", "headers": [{"name": "a", "value": "b\r\nc: d"}]})",
                           R"({"path": "/", "follow": true})"}) {
    EXPECT_FALSE(ParseHttpCheck(text)) << text;
  }
  EXPECT_EQ(ParseHttpCheck(R"({"path": "/", "follow": true})").error().message,
            "--http: follow can't be true");
}

HttpAnswer Well() {
  HttpAnswer answer;
  answer.status = 200;
  answer.headers = {{"Content-Type", "application/json"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}};
  answer.body = R"({"ok":true,"items":[{"name":"x"},{"n":1.5}],"none":null})";
  answer.took = milliseconds(20);
  return answer;
}

struct Case {
  const char* name;
  const char* check;
  void (*change)(HttpAnswer&);
  const char* reason;
  const char* message;
};

void AsIs(HttpAnswer&) {}

class Judged : public ::testing::TestWithParam<Case> {};

TEST_P(Judged, IsThatOfTheTable) {
  const auto check = ParseHttpCheck(GetParam().check);
  ASSERT_TRUE(check) << check.error().message;
  HttpAnswer answer = Well();
  GetParam().change(answer);
  EXPECT_EQ(JudgeHttp(*check, answer), (HttpFinding{GetParam().reason, GetParam().message}));
}

const Case kCases[] = {
    {"status", R"({"path": "/"})", AsIs, "", ""},
    {"other_status", R"({"path": "/a", "method": "PUT", "status": 204})", AsIs, "UnexpectedStatus",
     R"(PUT /a answered 200 "{"ok":true,"items":[{"name":"x"},{"n":1.5}],"none":null}"; expected 204)"},
    {"no_answer", R"({"path": "/a"})",
     [](HttpAnswer& a) {
       a = {};
       a.failed = "connect: Connection refused";
     },
     "NoAnswer", "GET /a: connect: Connection refused; expected 200"},
    {"header_in_any_case",
     R"({"path": "/", "expectHeaders": [{"name": "content-type", "value": "application/json"}]})", AsIs, "",
     ""},
    {"one_of_several_headers", R"({"path": "/", "expectHeaders": [{"name": "Set-Cookie", "value": "b"}]})",
     AsIs, "", ""},
    {"header_of_another_value",
     R"({"path": "/", "expectHeaders": [{"name": "Content-Type", "value": "Application/JSON"}]})", AsIs,
     "UnexpectedHeader",
     R"(the answer of GET / has the header Content-Type: "application/json"; expected "Application/JSON")"},
    {"header_is_missing", R"({"path": "/", "expectHeaders": [{"name": "ETag", "value": "1"}]})", AsIs,
     "UnexpectedHeader", R"(the answer of GET / has no header ETag; expected "1")"},
    {"body", R"({"path": "/", "bodyContains": "\"ok\":true"})", AsIs, "", ""},
    {"body_without_it", R"({"path": "/", "bodyContains": "orders"})",
     [](HttpAnswer& a) { a.body = "a\n\xC3\xA9" + std::string(300, 'x'); }, "UnexpectedBody",
     "GET / answered \"a???xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"; expected \"orders\" in it"},
    {"json_text", R"({"path": "/", "jsonPointer": "/items/0/name", "jsonEquals": "x"})", AsIs, "", ""},
    {"json_number", R"({"path": "/", "jsonPointer": "/items/1/n", "jsonEquals": "1.5"})", AsIs, "", ""},
    {"json_true", R"({"path": "/", "jsonPointer": "/ok", "jsonEquals": "true"})", AsIs, "", ""},
    {"json_null", R"({"path": "/", "jsonPointer": "/none", "jsonEquals": "null"})", AsIs, "", ""},
    {"json_object", R"({"path": "/", "jsonPointer": "/items/0", "jsonEquals": "{\"name\":\"x\"}"})", AsIs, "",
     ""},
    {"json_other", R"({"path": "/", "jsonPointer": "/ok", "jsonEquals": "false"})", AsIs, "UnexpectedJson",
     R"(the answer of GET / has "true" at /ok; expected "false" at /ok)"},
    {"json_nothing_there", R"({"path": "/", "jsonPointer": "/items/7", "jsonEquals": "x"})", AsIs,
     "UnexpectedJson", R"(the answer of GET / has nothing at /items/7; expected "x" at /items/7)"},
    {"json_index_is_no_number", R"({"path": "/", "jsonPointer": "/items/a", "jsonEquals": "x"})", AsIs,
     "UnexpectedJson", R"(the answer of GET / has nothing at /items/a; expected "x" at /items/a)"},
    {"json_is_none", R"({"path": "/", "jsonPointer": "/a", "jsonEquals": "x"})",
     [](HttpAnswer& a) { a.body = "<html>"; }, "UnexpectedJson",
     R"(the answer of GET / is not JSON: "<html>"; expected "x" at /a)"},
    {"json_is_cut", R"({"path": "/", "jsonPointer": "/a", "jsonEquals": "x"})",
     [](HttpAnswer& a) {
       a.body = "[1,";
       a.cut = true;
     },
     "UnexpectedJson", R"(the answer of GET / is too long to be read as JSON; expected "x" at /a)"},
    {"just_in_time", R"({"path": "/", "latencyLimit": "20ms"})", AsIs, "", ""},
    {"late", R"({"path": "/", "latencyLimit": "19ms"})", AsIs, "AnswerTooSlow",
     "GET / took 20 ms; the limit is 19 ms"},
};

INSTANTIATE_TEST_SUITE_P(HttpCheck, Judged, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace slipway::runner
