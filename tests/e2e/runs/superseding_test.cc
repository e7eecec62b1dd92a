// What becomes of a run when there is something newer to build.
#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

class Superseding : public Runs {
 protected:
  Json Trying(const std::string& on_new_commit, int seconds) const {
    Json spec = Spec();
    spec["tests"] = Failing(seconds);
    spec["trigger"]["onNewCommit"] = on_new_commit;
    return spec;
  }

  static void IsOfNewCommit(const Json& run, const std::string& commit, const std::string& by) {
    EXPECT_EQ(run.value("reason", ""), "NewCommit") << run;
    EXPECT_EQ(Text(run, "/commit/sha"), commit) << run;
    const std::string cause = run.value("cause", "");
    EXPECT_EQ(cause.rfind(by + ": ", 0), 0U) << cause;
    EXPECT_NE(cause.find("refs/heads/main is at " + commit.substr(0, 12)), std::string::npos) << cause;
    // It was told the commit: nothing is looked up again.
    EXPECT_EQ(Stage(run, "resolve").value("state", ""), "Skipped") << run;
  }
};

TEST_F(Superseding, ANewCommitFollowsTheRunUnderWayOrEndsItAsIsAsked) {
  Create(Trying("Finish", 6), "finish");
  Create(Trying("Cancel", 60), "cancel");
  WaitTesting(1, "finish");
  const auto old = WaitTesting(1, "cancel");
  const std::string commit = Push("good");
  Observe(commit, "Webhook", "finish");
  Observe(commit, "Poll", "cancel");

  const auto called_off = WaitFinished(1, Seconds(10), "cancel");
  EXPECT_EQ(FailureOf(called_off), "Superseded") << called_off;
  EXPECT_NE(Text(called_off, "/failure/message").find(commit.substr(0, 12)), std::string::npos) << called_off;
  EXPECT_TRUE(JobsGone(Running(old)));
  IsOfNewCommit(WaitTesting(2, "cancel"), commit, "Poll");

  const auto finished = WaitFinished(1, Seconds(60), "finish");
  EXPECT_EQ(FailureOf(finished), "TestFailed") << finished;
  const auto next = WaitFinished(2, Seconds(60), "finish");
  IsOfNewCommit(next, commit, "Webhook");
  EXPECT_GE(Text(next, "/queued"), Text(finished, "/finished"));
}

TEST_F(Superseding, AChangedSpecEndsTheRunThatWasMadeFromTheOldOne) {
  Create(Trying("Finish", 60));
  const auto old = WaitTesting(1);
  Patch({{"spec", {{"build", {{"args", Json::array({{{"name", "COLOUR"}, {"value", "red"}}})}}}}}});
  const auto called_off = WaitFinished(1, Seconds(10));
  EXPECT_EQ(FailureOf(called_off), "Superseded") << called_off;
  EXPECT_NE(Text(called_off, "/failure/message").find("generation 2"), std::string::npos) << called_off;
  EXPECT_TRUE(JobsGone(Running(old)));
  EXPECT_EQ(WaitTesting(2).value("reason", ""), "NewSpec");
}

}  // namespace
}  // namespace slipway::testing
