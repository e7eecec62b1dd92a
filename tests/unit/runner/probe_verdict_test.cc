#include "runner/probe_verdict.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using std::chrono::milliseconds;

ProbeOptions Options() {
  ProbeOptions options;
  options.url = "http://web.demo.svc:80";
  options.health_path = "/healthz";
  options.version_path = "/version";
  options.expect_version = "v2";
  options.requests = 100;
  options.canary_share = 0.5;
  options.p95_limit = milliseconds(200);
  options.stable_pods = {{"web-1", "10.0.0.5:8080"}};
  options.pods = {{"web-canary-1", "10.0.0.7:8080"}, {"web-canary-2", "10.0.0.8:8080"}};
  return options;
}

void Add(Findings& findings, int count, int pod, bool version, int status, std::string text,
         milliseconds took = milliseconds(10)) {
  for (int i = 0; i < count; ++i) findings.answers.push_back({pod, version, status, text, took});
}

// All well: half of the Service's answers come from the canary.
Findings Well() {
  Findings findings;
  for (int pod = 0; pod < 2; ++pod) {
    Add(findings, 10, pod, false, 200, "ok");
    Add(findings, 10, pod, true, 200, "v2");
  }
  Add(findings, 100, kThroughService, false, 200, "ok");
  Add(findings, 50, kThroughService, true, 200, "v1");
  Add(findings, 50, kThroughService, true, 200, "v2");
  for (int i = 0; i < kRequestsPerStablePod; ++i) {
    findings.answers.push_back({0, true, 200, "v1", milliseconds(10), true});
  }
  findings.planned = static_cast<int>(findings.answers.size());
  return findings;
}

struct VerdictCase {
  const char* name;
  void (*change)(ProbeOptions&, Findings&);
  const char* reason;
  const char* message;
};

class Verdict : public ::testing::TestWithParam<VerdictCase> {};

TEST_P(Verdict, IsThatOfTheTable) {
  ProbeOptions options = Options();
  Findings findings = Well();
  GetParam().change(options, findings);
  const CheckReport report = Judge(options, findings);
  EXPECT_EQ(report.reason, GetParam().reason);
  EXPECT_EQ(report.message, GetParam().message);
  EXPECT_EQ(report.passed(), report.reason == "Passed");
}

void Fail(Findings& findings, int count, int pod, bool version, int status, const std::string& text) {
  for (auto& answer : findings.answers) {
    if (count == 0) return;
    if (answer.pod != pod || answer.version != version) continue;
    answer.status = status;
    answer.text = text;
    --count;
  }
}

void Slow(Findings& findings, int count) {
  for (auto& answer : findings.answers) {
    if (answer.pod == kThroughService && count-- > 0) answer.took = milliseconds(350);
  }
}

constexpr VerdictCase kVerdicts[] = {
    {"all_well", [](ProbeOptions&, Findings&) {}, "Passed",
     "200 requests through the Service and 2 canary pods answered as they should"},
    {"failing_health", [](ProbeOptions&, Findings& f) { Fail(f, 20, kThroughService, false, 500, ""); },
     "RequestsFailed",
     "20 of 200 requests to http://web.demo.svc:80/healthz failed; the first: GET /healthz answered 500"},
    {"a_redirect_is_no_good_answer",
     [](ProbeOptions&, Findings& f) { Fail(f, 1, kThroughService, false, 302, ""); }, "RequestsFailed",
     "1 of 200 requests to http://web.demo.svc:80/healthz failed; the first: GET /healthz answered 302"},
    {"no_answer",
     [](ProbeOptions& o, Findings& f) {
       o.url += "/";
       Fail(f, 1, kThroughService, false, 0, "connect: Connection refused");
     },
     "RequestsFailed",
     "1 of 200 requests to http://web.demo.svc:80/healthz failed; the first: GET /healthz: connect: "
     "Connection refused"},
    {"health_is_named_before_version",
     [](ProbeOptions&, Findings& f) {
       std::ranges::reverse(f.answers);
       Fail(f, 1, kThroughService, true, 404, "");
       Fail(f, 2, kThroughService, false, 503, "");
     },
     "RequestsFailed",
     "3 of 200 requests to http://web.demo.svc:80/healthz failed; the first: GET /healthz answered 503"},
    {"failing_version", [](ProbeOptions&, Findings& f) { Fail(f, 3, kThroughService, true, 404, ""); },
     "RequestsFailed",
     "3 of 200 requests to http://web.demo.svc:80/version failed; the first: GET /version answered 404"},
    {"a_pod_fails", [](ProbeOptions&, Findings& f) { Fail(f, 1, 1, false, 500, ""); }, "PodFailed",
     "canary pod web-canary-2: GET /healthz answered 500"},
    {"a_pod_lies", [](ProbeOptions&, Findings& f) { Fail(f, 10, 0, true, 200, "v1"); }, "WrongVersion",
     "canary pod web-canary-1: GET /version answered version \"v1\" instead of \"v2\""},
    {"the_canary_is_not_seen",
     [](ProbeOptions&, Findings& f) { Fail(f, 100, kThroughService, true, 200, "v1"); }, "VersionNotSeen",
     "none of 100 answers of http://web.demo.svc:80/version was version \"v2\": the Service does not reach "
     "the "
     "canary"},
    {"a_small_canary_may_be_missed",
     [](ProbeOptions& o, Findings& f) {
       o.canary_share = 0.1;  // 0.9^100 is 2.7e-5
       Fail(f, 100, kThroughService, true, 200, "v1");
     },
     "Passed", "200 requests through the Service and 2 canary pods answered as they should"},
    {"any_version_is_right_when_none_is_expected",
     [](ProbeOptions& o, Findings&) { o.expect_version.clear(); }, "Passed",
     "200 requests through the Service and 2 canary pods answered as they should"},
    {"stable_answers_the_new_version",
     [](ProbeOptions&, Findings& f) { f.answers.push_back({0, true, 200, "v2", milliseconds(10), true}); },
     "VersionAmbiguous",
     "GET /version of stable's pod web-1 answered version \"v2\", which only the canary should answer"},
    {"whether_stable_is_well_is_not_asked",
     [](ProbeOptions&, Findings& f) {
       f.answers.push_back({0, true, 500, "v2", milliseconds(10), true});
       f.answers.push_back({0, true, 0, "connect: refused", milliseconds(10), true});
     },
     "Passed", "200 requests through the Service and 2 canary pods answered as they should"},
    {"the_split_is_not_real",
     [](ProbeOptions&, Findings& f) { Fail(f, 40, kThroughService, true, 200, "v2"); }, "SplitNotReal",
     "90 of 100 answers of http://web.demo.svc:80/version were version \"v2\"; the canary is 50.0% of the "
     "ready "
     "pods: the Service does not choose among them evenly (session affinity, a mesh, traffic policy?)"},
    {"an_odd_split_is_borne", [](ProbeOptions& o, Findings&) { o.canary_share = 0.33; }, "Passed",
     "200 requests through the Service and 2 canary pods answered as they should"},
    {"an_http_check_fails",
     [](ProbeOptions&, Findings& f) {
       f.http = {{kThroughService, 1, {}}, {1, 3, {"UnexpectedStatus", "GET /x answered 500; expected 200"}}};
       f.planned += 2;
     },
     "UnexpectedStatus", "canary pod web-canary-2: GET /x answered 500; expected 200 (tried 3 times)"},
    {"an_http_check_fails_at_the_service",
     [](ProbeOptions&, Findings& f) {
       f.http = {{kThroughService, 1, {"NoAnswer", "GET /x: timed out; expected 200"}}};
       f.planned += 1;
     },
     "NoAnswer", "through the Service: GET /x: timed out; expected 200"},
    {"an_http_check_was_not_made", [](ProbeOptions&, Findings& f) { f.planned += 1; }, "TimedOut",
     "1 of 244 requests were not made within 60000 ms"},
    {"slow", [](ProbeOptions&, Findings& f) { Slow(f, 11); }, "TooSlow",
     "95 of 100 requests to http://web.demo.svc:80 took up to 350 ms; the limit is 200 ms"},
    {"a_few_may_be_slow", [](ProbeOptions&, Findings& f) { Slow(f, 10); }, "Passed",
     "200 requests through the Service and 2 canary pods answered as they should"},
    {"out_of_time", [](ProbeOptions&, Findings& f) { f.answers.pop_back(); }, "TimedOut",
     "1 of 243 requests were not made within 60000 ms"},
    {"no_address",
     [](ProbeOptions&, Findings& f) { f = {.unreachable = "no such host", .planned = 240, .answers = {}}; },
     "ServiceUnreachable", "http://web.demo.svc:80 can't be looked up: no such host"},
};

INSTANTIATE_TEST_SUITE_P(Probe, Verdict, ::testing::ValuesIn(kVerdicts),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ProbeReports, CountRequestsVersionsAndPods) {
  Findings findings = Well();
  Fail(findings, 4, kThroughService, false, 500, "");
  Fail(findings, 2, 1, true, 200, "v1");
  const CheckReport report = Judge(Options(), findings);
  EXPECT_EQ(report.requests, 200);
  EXPECT_EQ(report.failures, 4);
  EXPECT_EQ(report.versions, (std::map<std::string, int>{{"v1", 50}, {"v2", 50}}));
  EXPECT_EQ(report.pods, (std::vector<PodReport>{{"web-canary-1", 0, "v2"}, {"web-canary-2", 2, "v2"}}));
}

TEST(ProbeReports, AreJsonWithThePodsThatFailFirst) {
  Findings findings = Well();
  Fail(findings, 2, 1, false, 500, "");
  const auto json = nlohmann::json::parse(ToJson(Judge(Options(), findings)));
  EXPECT_EQ(json, nlohmann::json::parse(R"({
    "verdict": "fail", "reason": "PodFailed", "message": "canary pod web-canary-2: GET /healthz answered 500",
    "requests": 200, "failures": 0, "p50Ms": 10, "p95Ms": 10, "p99Ms": 10, "maxMs": 10, "versions": {"v1": 50, "v2": 50},
    "pods": [{"name": "web-canary-2", "failures": 2, "version": "v2"},
             {"name": "web-canary-1", "failures": 0, "version": "v2"}],
    "share": {"canary": 50, "answers": 100, "wantedPermille": 500, "lowPermille": 368, "highPermille": 632,
              "inside": true}})"));
}

TEST(ProbeReports, StayBelowThreeKibibytesWhateverTheProgramAnswers) {
  ProbeOptions options = Options();
  options.url = "http://" + std::string(400, '"') + ":80";
  options.pods.clear();
  Findings findings;
  for (int i = 0; i < 40; ++i) {
    options.pods.push_back({std::string(63, 'p'), "10.0.0.7:8080"});
    Add(findings, 1, i, true, 200, VersionOf(std::string(200, '\\')));
    Add(findings, i, kThroughService, true, 200, VersionOf(std::to_string(i) + std::string(200, '"')));
  }
  Add(findings, 1, kThroughService, false, 500, "");
  const std::string text = ToJson(Judge(options, findings));
  EXPECT_LE(text.size(), 3072U);
  EXPECT_EQ(nlohmann::json::parse(text).at("verdict"), "fail");
}

TEST(ProbeReports, HaveTheShareWhereItIsKnown) {
  const auto json = nlohmann::json::parse(ToJson(Judge(Options(), Well())));
  EXPECT_EQ(json.at("share"), nlohmann::json::parse(R"({"canary": 50, "answers": 100, "wantedPermille": 500,
    "lowPermille": 368, "highPermille": 632, "inside": true})"));
  void (*const changes[])(ProbeOptions&, Findings&) = {
      [](ProbeOptions& o, Findings&) { o.canary_share = 0; },
      [](ProbeOptions& o, Findings&) { o.canary_share = 1; },
      [](ProbeOptions& o, Findings&) { o.expect_version.clear(); },
      [](ProbeOptions&, Findings& f) { f.answers.push_back({0, true, 200, "v2", milliseconds(10), true}); },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    ProbeOptions options = Options();
    Findings findings = Well();
    changes[i](options, findings);
    EXPECT_FALSE(Judge(options, findings).share) << "change " << i;
  }
}

TEST(ProbeReports, KeepTheEightMostFrequentVersions) {
  Findings findings;
  for (int i = 1; i <= 12; ++i) Add(findings, i, kThroughService, true, 200, "v" + std::to_string(i));
  const CheckReport report = Judge(Options(), findings);
  EXPECT_EQ(report.versions.size(), 8U);
  EXPECT_TRUE(report.versions.contains("v5"));
  EXPECT_FALSE(report.versions.contains("v4"));
}

TEST(VersionOf, IsShortAndPrintable) {
  EXPECT_EQ(VersionOf(" v1.2\r\n"), "v1.2");
  EXPECT_EQ(VersionOf("a\nb\x1b\xC3\xA9"), "a?b???");
  EXPECT_EQ(VersionOf(std::string(500, 'x')), std::string(128, 'x'));
  EXPECT_EQ(VersionOf("\n"), "");
}

TEST(TheCanary, MustBeMetWhenMissingItIsLessLikelyThanOnceInAMillion) {
  EXPECT_FALSE(MustMeetCanary(0, 1000));
  EXPECT_FALSE(MustMeetCanary(0.1, 131));  // 0.9^131 is 1.01e-6
  EXPECT_TRUE(MustMeetCanary(0.1, 132));
  EXPECT_TRUE(MustMeetCanary(1, 1));
  EXPECT_FALSE(MustMeetCanary(0.5, 19));
  EXPECT_TRUE(MustMeetCanary(0.5, 20));
}

}  // namespace
}  // namespace slipway::runner
