// Tests as gates: each leg of a matrix is a Job of its own, all at once, and nothing is built unless all
// pass.
#include <algorithm>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

class Matrix : public Runs {
 protected:
  Json WithAxis(const std::string& script, bool fail_fast) const {
    Json spec = Spec();
    Json test = Test(script, fail_fast);
    test["matrix"] = Json::array({{{"name", "MODE"}, {"values", {"good", "bad", "other"}}}});
    spec["tests"] = Json::array({test});
    return spec;
  }

  static Json Leg(const Json& run, const std::string& mode) {
    for (const auto& job : run.value("jobs", Json::array())) {
      if (job.value("leg", "") == "unit MODE=" + mode) return job;
    }
    return Json::object();
  }

  // The run ended at its tests: no Job that builds, and no tag of it.
  void NothingWasBuilt(const Json& run) {
    EXPECT_EQ(FailureOf(run), "TestFailed") << run;
    EXPECT_EQ(Text(run, "/failure/stage"), "test") << run;
    for (const auto& job : Jobs()) {
      EXPECT_NE(Text(job, "/metadata/labels/slipway.dev~1role"), "build") << job["metadata"];
    }
    const std::string commit = Text(run, "/commit/sha");
    ASSERT_EQ(commit.size(), 40U) << run;
    EXPECT_EQ(TagsOf(Image()).find(commit), std::string::npos) << "pushed in spite of a failed test";
  }
};

TEST_F(Matrix, WithoutFailFastEveryLegEndsAndTheOneThatFailedIsNamed) {
  // The checkout is there, and the variable is both in the environment and in the command.
  Create(
      WithAxis(R"~(sleep 4; test "$(MODE)" = "$MODE" && test "$MODE" != bad && test -f Dockerfile)~", false));
  const auto run = WaitFinished(1, Seconds(90));
  NothingWasBuilt(run);
  for (const std::string mode : {"good", "other"}) EXPECT_EQ(Leg(run, mode)["state"], "Succeeded") << run;
  const auto bad = Leg(run, "bad");
  EXPECT_EQ(bad["state"], "Failed");
  EXPECT_NE(Text(bad, "/message").find("unit MODE=bad"), std::string::npos) << bad;
  EXPECT_NE(Text(run, "/failure/message").find("unit MODE=bad"), std::string::npos) << run;
  EXPECT_NE(Text(Get(), "/status/conditions/0/message").find("unit MODE=bad"), std::string::npos);

  // RFC 3339 in whole seconds of one zone: text that sorts as time does.
  std::string last_start, first_end = "9";
  for (const std::string mode : {"good", "bad", "other"}) {
    last_start = std::max(last_start, Text(Leg(run, mode), "/started"));
    first_end = std::min(first_end, Text(Leg(run, mode), "/finished"));
  }
  ASSERT_FALSE(last_start.empty());
  EXPECT_LT(last_start, first_end) << "one leg waited for another: " << run["jobs"];
}

TEST_F(Matrix, WithFailFastTheFirstThatFailsCallsTheOthersOff) {
  Create(WithAxis(R"(test "$MODE" = bad && exit 7; )" + Sleep(100), true));
  const auto run = WaitFinished(1, Seconds(60));
  NothingWasBuilt(run);
  EXPECT_EQ(Leg(run, "bad")["state"], "Failed") << run;
  EXPECT_NE(Text(Leg(run, "bad"), "/message").find("exit code 7"), std::string::npos) << run;
  Json slow = Json::array();
  for (const std::string mode : {"good", "other"}) {
    EXPECT_EQ(Leg(run, mode)["state"], "Skipped") << run;
    slow.push_back(Leg(run, mode));
  }
  EXPECT_TRUE(JobsGone(slow));
}

}  // namespace
}  // namespace slipway::testing
