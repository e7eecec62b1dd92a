// What a step asks before it goes on: requests of the user's own, a program of the user's own, and whether a
// version is what it says. Each finding is in the status in words that name it.
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Checks : public Canaries {
 protected:
  // On top of stable's pods, which need not come back then: quicker. Who splits them is in the steps'
  // stories.
  static Json Spec(const std::string& kind) {
    Json spec = Canaries::Spec(kind, Steps({10}, "0s"));
    spec["capacity"] = "Surge";
    return spec;
  }
  // One step of 10% whose only smoke test is this one.
  Json Asking(const Json& test, const std::string& kind) {
    Json spec = Spec(kind);
    spec["smokeTests"] = Json::array({test});
    return spec;
  }
  Json Http(const Json& requests) {
    return {{"name", "page"}, {"requests", 20}, {"p95Limit", "2s"}, {"timeout", "40s"}, {"http", requests}};
  }
  Json Program(const std::string& script) {
    const Json env = Json::array({{{"name", "EXPECTED"}, {"value", SampleOf(next_).version}}});
    return {{"name", "program"},
            {"timeout", "40s"},
            {"pod",
             {{"image", SampleOf("one").image},
              {"command", {"/bin/sh", "-c"}},
              {"args", {script}},
              {"env", env}}}};
  }
  // The promotion ends for that reason, which its only check gives as well, in these words.
  void Finds(const std::string& name, const Json& spec, const std::string& reason,
             const std::vector<std::string>& words) {
    Create(name, spec);
    const Json status = Ends(name, "Aborted", reason);
    const Json result = CheckOf(status, 0, 0);
    EXPECT_EQ(result.value("verdict", ""), "Failed") << result;
    EXPECT_EQ(result.value("reason", ""), reason) << result;
    HasWords(result.value("message", ""), words);
    HasWords(status.value("failureMessage", ""), words);
  }
};

TEST_F(Checks, EachPartOfAnAnswerIsLookedAt) {
  Observe();
  struct Case {
    std::string name, reason;
    Json request;
    std::vector<std::string> words;
  };
  const std::vector<Case> cases{
      {"status", "UnexpectedStatus", {{"path", "/about"}, {"status", 418}}, {"/about", "418", "200"}},
      {"header",
       "UnexpectedHeader",
       {{"path", "/about"},
        {"expectHeaders", Json::array({{{"name", "content-type"}, {"value", "text/plain"}}})}},
       {"/about", "content-type", "text/plain", "application/json"}},
      {"body", "UnexpectedBody", {{"path", "/"}, {"bodyContains", "no such words"}}, {"no such words"}},
      {"json",
       "UnexpectedJson",
       {{"path", "/about"}, {"jsonPointer", "/paths/1"}, {"jsonEquals", "/other"}},
       {"/about", "/paths/1", "/other", "/config"}},
  };
  for (const Case& one : cases) {
    Finds(one.name, Asking(Http(Json::array({one.request})), next_), one.reason, one.words);
    ExpectStable(stable_);
  }
  const Json right = Json::array(
      {{{"path", "/about"},
        {"expectHeaders", Json::array({{{"name", "content-type"}, {"value", "application/json"}}})},
        {"bodyContains", "sample"},
        {"jsonPointer", "/paths/1"},
        {"jsonEquals", "/config"},
        {"latencyLimit", "3s"},
        {"retries", 1}},
       {{"path", "/about"}, {"jsonPointer", "/teapot"}, {"jsonEquals", "false"}},
       {{"path", "/config"}, {"status", 404}},
       {{"method", "POST"}, {"path", "/about"}, {"body", "{}"}, {"status", 405}}});
  Create("right", Asking(Http(right), next_));
  Ends("right", "Promoted");
  Unharmed();
}

TEST_F(Checks, AHealthCheckThatFailsIsFound) {
  Observe();
  Create("bad", Spec("bad"));
  const Json status = WaitEnd("bad");
  EXPECT_EQ(status.value("completion", ""), "Aborted");
  HasWords(status.value("failureMessage", ""), {"/healthz", "500"});
  EXPECT_GT(CheckOf(status, 0, 0).value("failures", 0), 0);
  ExpectStable(stable_);
  Unharmed();
}

TEST_F(Checks, AnyImageAndCommandIsASmokeTest) {
  Observe();
  Finds("exits", Asking(Program("echo it is secret; exit 3"), next_), "CheckFailed",
        {"3", "kubectl", "logs"});
  EXPECT_EQ(Get("exits").dump().find("it is secret\n"), std::string::npos);
  EXPECT_EQ(Text(Get("exits"), "/status/failureMessage").find("it is secret"), std::string::npos)
      << "what a program prints stays in its log";

  Json missing = Program("true");
  missing["pod"]["command"] = {"/no/such/program"};
  Create("missing", Asking(missing, next_));
  const Json broken = Ends("missing", "Aborted", "CheckError");
  EXPECT_EQ(CheckOf(broken, 0, 0).value("verdict", ""), "Error") << "a broken check is no finding";

  // It is told what it is about.
  const std::string script =
      "test \"$SLIPWAY_VERSION\" = \"$EXPECTED\" && test -n \"$SLIPWAY_IMAGE\" && "
      "wget -q -O - \"${SLIPWAY_URL%/}/healthz\" && pod=${SLIPWAY_CANARY_PODS%%,*} && "
      "test \"$(wget -q -O - \"http://$pod/version\")\" = \"$EXPECTED\"";
  Create("passes", Asking(Program(script), next_));
  const Json passed = Ends("passes", "Promoted");
  EXPECT_EQ(CheckOf(passed, 0, 0).value("verdict", ""), "Passed");
  Unharmed();
}

// The liar says at /version that it is sample one.
TEST_F(Checks, AVersionThatLiesIsCaught) {
  ASSERT_NO_FATAL_FAILURE(ServeSample("one"));
  Observe();
  Json spec = Spec("liar");
  Finds("wrong", spec, "WrongVersion", {SampleOf("liar").version, SampleOf("one").version});
  // Told that the new version is called what stable is called, nobody could tell the two apart.
  spec["version"] = SampleOf("one").version;
  Finds("ambiguous", spec, "VersionAmbiguous", {SampleOf("one").version});
  ExpectStable("one");
  Unharmed();
}

TEST_F(Checks, AnImageThatNeverStartsIsTakenBack) {
  Observe();
  Json spec = Spec(next_);
  spec["image"] = "registry.slipway.test:5000/slipway/nothing@sha256:" + std::string(64, '0');
  spec["progressDeadline"] = "30s";
  Create("nothing", spec);
  const Json status = WaitEnd("nothing");
  EXPECT_EQ(status.value("completion", ""), "Aborted") << status;
  HasWords(status.value("failureMessage", ""), {"Image"});
  ExpectStable(stable_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
