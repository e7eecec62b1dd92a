// The operator killed with SIGKILL in the middle of its work comes back and finishes it: no second Job, no
// step lost.
#include "support/story.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

class Kill : public Story {
 protected:
  Kill() : Story("e2e-kill") {}

  // The names of the Jobs that were ever made for a role, by the Job controller's own events.
  std::size_t JobsOf(const std::string& role) {
    std::size_t count = 0;
    for (const auto& job : GetJson(ns_, "jobs").at("items")) {
      if (job["metadata"]["labels"].value("slipway.dev/role", "") == role) ++count;
    }
    return count;
  }
};

// Killed once in each phase that a build shows on its way.
TEST_F(Kill, InMidBuildItFinishesWithOneJobOfEachKind) {
  Build("main");
  for (const char* phase : {"Resolving", "Building"}) {
    const bool came = Eventually(seconds(60), std::string("phase ") + phase, [&](std::string& seen) {
      seen = GetJson(ns_, "imagebuild", "web").value("/status/phase"_json_pointer, "");
      return seen == phase || seen == "Succeeded";
    });
    ASSERT_TRUE(came);
    KillOperator();
  }
  const auto build = WaitReady(ns_, "imagebuild", "web", "True", seconds(180));
  EXPECT_EQ(build["status"]["runs"].size(), 1U);
  EXPECT_EQ(JobsOf("resolve"), 1U);
  EXPECT_EQ(JobsOf("build"), 1U);
}

TEST_F(Kill, InMidCanaryItFinishesAndKeepsCapacityAndSteps) {
  const std::string first = BuildAndWait("main");
  Serve(first);
  Follow("10s");
  WaitReady(ns_, "release", "web", "True", seconds(30));
  WatchCapacity();
  const std::string second = BuildAndWait(Push("good"));

  const auto phase_of_promotion = [&] {
    const auto promotions = GetJson(ns_, "canarypromotions").value("items", nlohmann::json::array());
    return promotions.empty() ? std::string() : promotions[0].value("/status/phase"_json_pointer, "");
  };
  for (const char* phase : {"Holding", "Promoting"}) {
    const bool came = Eventually(seconds(120), std::string("phase ") + phase, [&](std::string& seen) {
      seen = phase_of_promotion();
      return seen == phase || seen == "Promoted";
    });
    ASSERT_TRUE(came);
    KillOperator();
  }
  ASSERT_TRUE(Eventually(seconds(240), "the release delivers the second image", [&](std::string& seen) {
    const auto release = GetJson(ns_, "release", "web");
    seen = release["status"].dump();
    return release["status"].value("image", "") == second;
  }));

  const auto promotions = GetJson(ns_, "canarypromotions")["items"];
  ASSERT_EQ(promotions.size(), 1U);
  const auto status = promotions[0]["status"];
  ASSERT_EQ(status["steps"].size(), 1U);
  EXPECT_EQ(status["steps"][0]["verdict"], "Passed");
  EXPECT_EQ(JobsOf("smoke"), 1U) << "a smoke test was run twice";
  EXPECT_GE(LeastCapacity(), 10);
}

}  // namespace
}  // namespace slipway::testing
