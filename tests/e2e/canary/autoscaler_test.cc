// A HorizontalPodAutoscaler on stable goes on working during a canary, and stable's replicas are its own.
// Nothing measures pods on the test cluster: its bounds are moved to make it scale.
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Autoscaled : public Canaries {
 protected:
  Json Surging(const std::string& kind, const Json& steps) {
    Json spec = Spec(kind, steps);
    spec["capacity"] = "Surge";
    spec["acceptAutoscalerOverlap"] = true;
    return spec;
  }
  Json WaitReason(const std::string& name, const std::string& reason) {
    Json ready;
    EXPECT_TRUE(Eventually(Seconds(30), name + " is " + reason, [&](std::string& seen) {
      ready = ReadyOf(name);
      seen = ready.dump();
      return ready.value("reason", "") == reason;
    }));
    return ready;
  }
  void WaitStable(int replicas) {
    EXPECT_TRUE(Eventually(Seconds(60), "stable has " + std::to_string(replicas), [&](std::string& seen) {
      const auto web = GetJson(ns_, "deployment", "web");
      seen = web["status"].dump();
      return web["spec"]["replicas"] == replicas && web["status"].value("readyReplicas", 0) == replicas;
    }));
  }
  // Whether a manager of ours has ever written stable's replicas, now or in what it has owned until now.
  void ExpectReplicasUntouched() {
    const auto web = Kubectl({"-n", ns_, "get", "deploy", "web", "-o", "json", "--show-managed-fields"});
    const Json object = Json::parse(web.text, nullptr, false);
    const Json::json_pointer replicas("/fieldsV1/f:spec/f:replicas");
    bool somebody = false;
    for (const auto& entry : object["metadata"]["managedFields"]) {
      const bool ours = entry.value("manager", "").starts_with("slipway");
      EXPECT_FALSE(ours && entry.contains(replicas)) << entry;
      somebody = somebody || entry.contains(replicas);
    }
    EXPECT_TRUE(somebody) << "nobody owns the replicas: the test sees nothing";
  }
};

TEST_F(Autoscaled, ScalesInMidStepAndItsReplicasAreNeverWritten) {
  Autoscale(10, 10);
  Observe();
  Create("surge", Surging(next_, Steps({30}, "90s")));
  Json status = WaitPhase("surge", "Holding", 0, Seconds(60));
  EXPECT_EQ(Text(status, "/steps/0/verdict"), "");
  EXPECT_EQ(status["steps"][0].value("canaryReplicas", 0), 4) << status;  // 4 of 14 are 29%
  EXPECT_EQ(status["steps"][0].value("weightPlanned", 0), 29) << status;
  const std::string canary = status.value("canaryDeployment", "");
  bool told = false;
  for (const auto& [reason, note] : EventsOf(ns_, Get("surge"))) {
    told = told || note.find("HorizontalPodAutoscaler") != std::string::npos;
  }
  EXPECT_TRUE(told) << "the overlap is said, once";

  Autoscale(12, 12);
  WaitStable(12);
  EXPECT_EQ(GetJson(ns_, "deployment", canary)["spec"]["replicas"], 4) << "growing changes no canary";
  // 4 of 10 would be 40%: more than was asked, by more than the nearest whole pod, which is 3 of 9.
  Autoscale(6, 6);
  WaitStable(6);
  EXPECT_TRUE(Eventually(Seconds(30), "the canary is made smaller", [&](std::string& seen) {
    const auto pods = GetJson(ns_, "deployment", canary);
    seen = pods["spec"]["replicas"].dump();
    return pods["spec"]["replicas"] == 3;
  }));
  EXPECT_EQ(Text(Get("surge"), "/status/phase"), "Holding");
  ExpectReplicasUntouched();
  DecideOn("surge", "Promote");
  Ends("surge", "Promoted", "", Seconds(120));
  ExpectStable(next_, 6);
  ExpectReplicasUntouched();
  Unharmed(6);
}

TEST_F(Autoscaled, SplitIsRefusedWithTheMend) {
  Autoscale(10, 10);
  Json spec = Spec(next_, Steps({10}, "0s"));
  Create("split", spec);
  const Json refused = WaitReason("split", "Autoscaled");
  EXPECT_EQ(refused.value("status", ""), "False");
  HasWords(refused.value("message", ""), {"HorizontalPodAutoscaler", "web", "Surge"});
  EXPECT_EQ(GetJson(ns_, "deployments")["items"].size(), 1U) << "something was touched";
}

TEST_F(Autoscaled, TheOverlapIsRefusedUntilItIsAccepted) {
  Autoscale(10, 10);
  Json spec = Surging(next_, Steps({10}, "0s"));
  spec["acceptAutoscalerOverlap"] = false;
  Observe();
  Create("overlap", spec);
  const Json refused = WaitReason("overlap", "AutoscalerCountsCanary");
  HasWords(refused.value("message", ""), {"acceptAutoscalerOverlap"});
  EXPECT_EQ(GetJson(ns_, "deployments")["items"].size(), 1U) << "something was touched";
  Patch("overlap", {{"spec", {{"acceptAutoscalerOverlap", true}}}});
  EXPECT_TRUE(Eventually(Seconds(120), "it is promoted", [&](std::string& seen) {
    const Json status = Get("overlap").value("status", Json::object());
    seen = status.dump();
    return Text(status, "/completion") == "Promoted";
  }));
  ExpectStable(next_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
