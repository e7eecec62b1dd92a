// Builds that nobody asked for by hand: a push that the poller finds, and a base image that moved.
#include <algorithm>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kPoller = "slipway-poller";
constexpr const char* kBases = "registry.slipway.test:5000/e2e-runs/base";

class Triggered : public Runs {
 protected:
  Json Poller() const { return GetJson(ns_, "deployment", kPoller); }

  void PollerIsConfined() {
    const auto pod = Poller().at("spec").at("template").at("spec");
    EXPECT_EQ(pod.value("serviceAccountName", ""), "slipway-trigger");
    EXPECT_EQ(pod["securityContext"].value("runAsNonRoot", false), true) << pod;
    EXPECT_EQ(pod["securityContext"]["seccompProfile"].value("type", ""), "RuntimeDefault") << pod;
    for (const auto& container : pod["containers"]) {
      const auto& context = container["securityContext"];
      EXPECT_EQ(context.value("allowPrivilegeEscalation", true), false) << context;
      EXPECT_EQ(context.value("readOnlyRootFilesystem", false), true) << context;
      EXPECT_EQ(context["capabilities"]["drop"], Json::array({"ALL"})) << context;
    }
  }

  // The base image's tag names another image from now on: the same one with one more label. Its digest.
  static std::string MoveBase(const std::string& label) {
    const auto moved =
        Execute({"crane", "mutate", "--insecure", "registry.slipway.test:5000/slipway/sample-base:1",
                 "--label", "moved=" + label, "--tag", std::string(kBases) + ":1"});
    EXPECT_TRUE(moved.ok()) << moved.text;
    const auto digest = Execute({"crane", "digest", "--insecure", std::string(kBases) + ":1"});
    EXPECT_TRUE(digest.ok()) << digest.text;
    return digest.text.substr(0, 71);
  }
};

TEST_F(Triggered, APushIsFoundByPollingAndTheLastOneTakesThePollerAway) {
  Json spec = Spec();
  spec["tests"] = Failing(1);
  spec["trigger"]["poll"]["interval"] = "10s";
  Create(spec);
  const auto rolled =
      Kubectl({"-n", ns_, "wait", "--for=create", "deployment/slipway-poller", "--timeout=20s"});
  ASSERT_TRUE(rolled.ok()) << rolled.text;
  PollerIsConfined();
  const auto ready = Kubectl({"-n", ns_, "rollout", "status", "deployment/slipway-poller", "--timeout=60s"});
  ASSERT_TRUE(ready.ok()) << ready.text;
  const auto first = WaitFinished(1, Seconds(60));

  const std::string commit = Push("good");
  const auto found = WaitRun(2, Seconds(25), "was begun by a push", [](const Json&) { return true; });
  EXPECT_EQ(found.value("reason", ""), "NewCommit") << found;
  EXPECT_EQ(Text(found, "/commit/sha"), commit) << found;
  EXPECT_EQ(found.value("cause", "").rfind("Poll: ", 0), 0U) << found;

  const auto deleted = Kubectl({"-n", ns_, "delete", "ib", "web", "--timeout=30s"});
  EXPECT_TRUE(deleted.ok()) << deleted.text;
  EXPECT_TRUE(Eventually(Seconds(20), "the poller is gone", [this](std::string& seen) {
    seen = Poller().dump();
    return Poller().empty();
  }));
}

TEST_F(Triggered, ABaseImageThatMovedIsBuiltUpon) {
  const std::string before = MoveBase("once");
  const std::string commit = Push("base-argument");
  Json spec = Spec();
  spec["build"]["args"] = Json::array({{{"name", "BASE"}, {"value", std::string(kBases) + ":1"}}});
  spec["output"]["tags"] = {"{{commit}}-{{run}}"};
  spec["trigger"]["baseImages"]["interval"] = "10s";
  Create(spec);
  const auto first = WaitFinished(1, Seconds(150));
  ASSERT_EQ(FailureOf(first), "") << first;
  const Json was = {{"image", std::string(kBases) + ":1"}, {"digest", before}};
  ASSERT_EQ(first["bases"], Json::array({was}));

  const std::string after = MoveBase("twice");
  ASSERT_NE(before, after);
  const auto second = WaitFinished(2, Seconds(150));
  EXPECT_EQ(second.value("reason", ""), "BaseImageMoved") << second;
  EXPECT_NE(second.value("cause", "").find(after), std::string::npos) << second;
  EXPECT_EQ(Text(second, "/commit/sha"), commit);
  EXPECT_EQ(FailureOf(second), "") << second;
  EXPECT_EQ(Text(second, "/bases/0/digest"), after) << second;
  EXPECT_EQ(second["tags"], Json::array({commit + "-2"}));
  EXPECT_NE(Text(first, "/image"), Text(second, "/image"));
}

}  // namespace
}  // namespace slipway::testing
