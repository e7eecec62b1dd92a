// What a person does to the objects in mid canary: stable keeps its capacity, and nothing is left behind.
#include "support/story.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

class Interference : public Story {
 protected:
  Interference() : Story("e2e-rollback") {}

  // The end of one that did not come through.
  nlohmann::json Ended(const std::string& name) {
    nlohmann::json promotion;
    EXPECT_TRUE(Eventually(seconds(90), name + " ends", [&](std::string& seen) {
      promotion = GetJson(ns_, "canarypromotion", name);
      seen = promotion.value("/status"_json_pointer, nlohmann::json()).dump();
      return promotion.value("/status/phase"_json_pointer, "") == "Aborted";
    }));
    return promotion["status"];
  }

  void StableIsWhole(const std::string& image, int replicas) {
    ASSERT_TRUE(Eventually(seconds(60), "stable is whole and alone", [&](std::string& seen) {
      const auto deployments = GetJson(ns_, "deployments")["items"];
      seen = deployments.dump();
      return deployments.size() == 1 && deployments[0]["status"].value("readyReplicas", 0) == replicas;
    }));
    const auto stable = GetJson(ns_, "deployment", "web");
    EXPECT_EQ(stable["spec"]["replicas"], replicas);
    EXPECT_EQ(stable["spec"]["template"]["spec"]["containers"][0]["image"], image);
    EXPECT_FALSE(
        stable["metadata"].value("annotations", nlohmann::json::object()).contains("slipway.dev/claimed-by"));
  }
};

TEST_F(Interference, WhateverAPersonDoesInMidHoldStableServesWhole) {
  const std::string first = BuildAndWait("main");
  Serve(first);
  const std::string second = BuildAndWait(Push("good"));
  WatchCapacity();

  Hold("deleted", second);
  const auto deleted = Kubectl({"-n", ns_, "delete", "cp", "deleted", "--timeout=60s"});
  EXPECT_TRUE(deleted.ok()) << deleted.text;
  StableIsWhole(first, 10);

  Hold("another-image", second);
  Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: CanaryPromotion
metadata: {name: second-on-the-target}
spec: {target: {deployment: web, service: web}, image: ")" +
                 second + R"("}
)");
  const auto busy =
      Condition(WaitReady(ns_, "canarypromotion", "second-on-the-target", "False", seconds(30)), "Ready");
  EXPECT_EQ(busy.value("reason", ""), "TargetBusy") << busy;
  Kubectl({"-n", ns_, "delete", "cp", "second-on-the-target"});

  const std::string canary =
      GetJson(ns_, "canarypromotion", "another-image")["status"].value("canaryDeployment", "");
  Kubectl({"-n", ns_, "set", "image", "deploy/" + canary, "web=" + first});
  EXPECT_EQ(Ended("another-image").value("failureReason", ""), "CanaryChanged");
  StableIsWhole(first, 10);

  Hold("recreate", second);
  Kubectl({"-n", ns_, "patch", "deploy", "web", "--type=json",
           R"(-p=[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}])"});
  const auto superseded = Ended("recreate");
  EXPECT_EQ(superseded.value("completion", ""), "Superseded") << superseded;
  EXPECT_NE(superseded.value("failureMessage", "").find("Recreate"), std::string::npos) << superseded;
  StableIsWhole(first, 10);
  Serve(first);
  Kubectl(
      {"-n", ns_, "patch", "deploy", "web", "--type=json",
       R"(-p=[{"op":"replace","path":"/spec/strategy","value":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":3,"maxUnavailable":0}}}])"});

  Hold("scaled", second);
  Kubectl({"-n", ns_, "scale", "deploy/web", "--replicas=12"});
  EXPECT_EQ(Ended("scaled").value("failureReason", ""), "StableScaled");
  StableIsWhole(first, 12);
  EXPECT_GE(LeastCapacity(), 10);
}

}  // namespace
}  // namespace slipway::testing
