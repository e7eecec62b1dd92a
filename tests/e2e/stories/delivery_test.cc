// The two stories of the product: a good commit reaches production under traffic without a failed request,
// and a bad one is taken back while stable keeps its capacity.
#include "support/story.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

class Delivery : public Story {
 protected:
  Delivery() : Story("e2e-delivery") {}
};

class Rollback : public Story {
 protected:
  Rollback() : Story("e2e-rollback") {}
};

std::string DeployedImage(const std::string& ns) {
  return GetJson(ns, "deployment", "web")
      .at("spec")
      .at("template")
      .at("spec")
      .at("containers")
      .at(0)
      .at("image");
}

nlohmann::json LastDelivery(const std::string& ns) {
  return GetJson(ns, "release", "web").at("status").at("history").at(0);
}

TEST_F(Delivery, ASecondCommitIsBuiltScannedCanariedTestedAndPromotedWithoutAFailedRequest) {
  const std::string first = BuildAndWait("main");
  Serve(first);
  Follow();
  WaitReady(ns_, "release", "web", "True", seconds(30));
  WatchCapacity();
  StartTraffic();

  const std::string commit = Push("good");
  const std::string second = BuildAndWait(commit);
  ASSERT_NE(first, second);
  ASSERT_TRUE(Eventually(seconds(180), "the release delivers the second image", [&](std::string& seen) {
    const auto release = GetJson(ns_, "release", "web");
    seen = release["status"].dump();
    return release["status"].value("image", "") == second &&
           Condition(release, "Ready").value("status", "") == "True";
  }));

  const auto build = GetJson(ns_, "imagebuild", "web")["status"]["runs"][0];
  EXPECT_EQ(build["commit"]["sha"], commit);
  EXPECT_EQ(build["commit"]["author"], "Sample Author");
  for (const auto& stage : build["stages"]) {
    // A full SHA has nothing to be resolved.
    EXPECT_EQ(stage["state"], stage["name"] == "resolve" ? "Skipped" : "Succeeded") << stage;
  }

  EXPECT_EQ(DeployedImage(ns_), second);
  const auto delivery = LastDelivery(ns_);
  EXPECT_EQ(delivery["outcome"], "Promoted");
  EXPECT_EQ(delivery["commit"], commit);
  EXPECT_EQ(delivery["previousImage"], first);
  EXPECT_EQ(delivery["weightWanted"], 10);
  EXPECT_EQ(delivery["weightGot"], 10);
  EXPECT_EQ(delivery["checks"][0]["verdict"], "Passed") << delivery;

  const Traffic traffic = StopTraffic();
  EXPECT_GT(traffic.ok, 1000);
  EXPECT_EQ(traffic.failed, 0) << traffic.errors;
  EXPECT_EQ(traffic.versions.count(commit), 1U) << "no request was answered by the new version";
  EXPECT_GE(LeastCapacity(), 10);
  EXPECT_EQ(GetJson(ns_, "deployments")["items"].size(), 1U) << "the canary is still there";
}

TEST_F(Delivery, EachKindCanBeWaitedForAndReadInOneLine) {
  const std::string image = BuildAndWait("main");
  Serve(image);
  Follow();
  for (const char* object : {"imagebuild/web", "release/web"}) {
    const auto waited = Kubectl({"-n", ns_, "wait", "--for=condition=Ready", object, "--timeout=60s"});
    EXPECT_TRUE(waited.ok()) << waited.text;
  }
  const auto builds = Kubectl({"-n", ns_, "get", "ib"}).text;
  for (const char* column : {"PHASE", "COMMIT", "DIGEST", "REASON", "AGE"}) {
    EXPECT_NE(builds.find(column), std::string::npos) << builds;
  }
  EXPECT_NE(builds.find("Succeeded"), std::string::npos) << builds;
  EXPECT_NE(Kubectl({"-n", ns_, "get", "rel"}).text.find("Delivered"), std::string::npos);
}

TEST_F(Delivery, APromotionAloneCanBeWaitedFor) {
  const std::string first = BuildAndWait("main");
  Serve(first);
  const std::string commit = Push("good");
  const std::string second = BuildAndWait(commit);
  Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: CanaryPromotion
metadata: {name: by-hand}
spec:
  target: {deployment: web, container: web, service: web}
  image: ")" + second +
                 R"("
  version: ")" + commit +
                 R"("
  steps: [{weight: 10}]
)");
  const auto waited = Kubectl({"-n", ns_, "wait", "--for=condition=Ready", "cp/by-hand", "--timeout=180s"});
  EXPECT_TRUE(waited.ok()) << waited.text;
  EXPECT_EQ(DeployedImage(ns_), second);
}

TEST_F(Rollback, ACommitWhoseHealthCheckFailsIsTakenBackAndStableKeepsItsCapacity) {
  const std::string first = BuildAndWait("main");
  Serve(first);
  Follow();
  WaitReady(ns_, "release", "web", "True", seconds(30));
  WatchCapacity();

  const std::string commit = Push("bad");
  const std::string bad = BuildAndWait(commit);
  ASSERT_TRUE(Eventually(seconds(180), "the release is rolled back", [&](std::string& seen) {
    const auto release = GetJson(ns_, "release", "web");
    seen = release["status"].dump();
    return release["status"].value("phase", "") == "RolledBack";
  }));

  const auto release = GetJson(ns_, "release", "web");
  EXPECT_EQ(Condition(release, "Ready").value("status", ""), "False");
  EXPECT_NE(Condition(release, "Ready").value("message", "").find("/healthz"), std::string::npos)
      << Condition(release, "Ready");
  EXPECT_EQ(LastDelivery(ns_)["outcome"], "Aborted");
  EXPECT_EQ(LastDelivery(ns_)["image"], bad);
  EXPECT_EQ(LastDelivery(ns_)["checks"][0].value("verdict", ""), "Failed");

  EXPECT_EQ(DeployedImage(ns_), first);
  const auto deployments = GetJson(ns_, "deployments")["items"];
  ASSERT_EQ(deployments.size(), 1U) << "the canary is still there";
  EXPECT_EQ(deployments[0]["spec"]["replicas"], 10);
  EXPECT_EQ(deployments[0]["status"].value("readyReplicas", 0), 10);
  EXPECT_GE(LeastCapacity(), 10);

  // Held: the same digest is not tried again by itself.
  const auto promotions = GetJson(ns_, "canarypromotions")["items"].size();
  std::this_thread::sleep_for(seconds(5));
  EXPECT_EQ(GetJson(ns_, "canarypromotions")["items"].size(), promotions);
}

}  // namespace
}  // namespace slipway::testing
