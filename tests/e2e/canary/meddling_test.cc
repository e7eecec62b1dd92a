// What others do to the objects in mid step: it is seen, named, and stable keeps serving.
#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Meddling : public Canaries {
 protected:
  // The pods of stable or of the canary, by the mark that only a canary's have, without those on their way
  // out.
  Json PodsOf(const std::string& selector) {
    const auto all = Kubectl({"-n", ns_, "get", "pods", "-l", "app=web," + selector, "-o", "json"});
    Json pods = Json::array();
    const Json found = Json::parse(all.text, nullptr, false).value("items", Json::array());
    for (const Json& pod : found) {
      if (!pod["metadata"].contains("deletionTimestamp")) pods.push_back(pod);
    }
    return pods;
  }
};

TEST_F(Meddling, PodsOfStableThatAreDeletedByHandCostNoRequestAndNoStep) {
  Observe();
  Create("bereft", Spec(next_, Steps({10, 30}, "8s")));
  WaitPhase("bereft", "Holding");
  const Json stable = PodsOf("!slipway.dev/track");
  ASSERT_EQ(stable.size(), 9U);
  for (const std::size_t pod : {0UZ, 1UZ}) {
    const auto gone =
        Kubectl({"-n", ns_, "delete", "pod", Text(stable[pod], "/metadata/name"), "--wait=false"});
    ASSERT_TRUE(gone.ok()) << gone.text;
  }
  Ends("bereft", "Promoted", "", Seconds(180));
  ExpectStable(next_);
  // The promise is about what we do: those two pods are somebody else's doing.
  Unharmed(8);
}

// A node that is lost takes pods of both with it, without a word to them. One node cannot be lost here; its
// pods can: two in five of stable's and one of the canary's, at once. Whether the canary's other pods bear
// out the step or it is taken back, it ends by itself, and all pods are there again.
TEST_F(Meddling, ANodeThatIsLostWithPodsOfBothEndsWithTheWholeCapacity) {
  WatchCapacity();
  Create("lost", Spec(next_, Steps({30}, "15s")));
  WaitPhase("lost", "Holding", 0, Seconds(90));
  const Json stable = PodsOf("!slipway.dev/track");
  const Json canary = PodsOf("slipway.dev/track");
  ASSERT_EQ(stable.size(), 7U);
  ASSERT_EQ(canary.size(), 3U);
  std::vector<std::string> words{"-n", ns_, "delete", "pod", "--grace-period=0", "--force"};
  for (const std::size_t pod : {0UZ, 1UZ, 2UZ}) words.push_back(Text(stable[pod], "/metadata/name"));
  words.push_back(Text(canary[0], "/metadata/name"));
  const auto gone = Kubectl(words);
  ASSERT_TRUE(gone.ok()) << gone.text;
  const auto lost = std::chrono::steady_clock::now();
  const Json status = WaitEnd("lost", Seconds(90));
  const bool promoted = status.value("completion", "") == "Promoted";
  if (!promoted) EXPECT_EQ(status.value("failureReason", ""), "CanaryUnhealthy") << status;
  ExpectStable(promoted ? next_ : stable_);
  const auto took = std::chrono::duration_cast<Seconds>(std::chrono::steady_clock::now() - lost);
  const int least = LeastCapacity();
  EXPECT_LT(least, 10) << "the test lost nothing";
  EXPECT_GE(least, 6) << "we took away more than was lost";
  Show(status.value("completion", "") + " after 4 of 10 pods were lost; least ready pods of both: " +
       std::to_string(least) + ", all 10 again after " + std::to_string(took.count()) + " s");
}

TEST_F(Meddling, ReplicasThatArgoCdPutsBackAreNamedWithTheMend) {
  Observe();
  Create("fought", Spec(next_, Steps({30}, "10m")));
  WaitPhase("fought", "Holding");
  const auto written = Kubectl({"-n", ns_, "apply", "--server-side", "--field-manager=argocd-controller",
                                "--force-conflicts", "-f", "-"},
                               R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 10}
)");
  ASSERT_TRUE(written.ok()) << written.text;
  const Json status = Ends("fought", "Aborted", "StableScaled");
  HasWords(status.value("failureMessage", ""),
           {"argocd-controller",
            "ignoreDifferences: [{group: apps, kind: Deployment, name: web, managedFieldsManagers: "
            "[slipway]}]",
            "RespectIgnoreDifferences=true"});
  ExpectStable(stable_);
  Unharmed();
}

TEST_F(Meddling, APersonWhoScalesStableDownIsNamedAndStableGetsItsPodsBack) {
  Observe();
  Create("scaled", Spec(next_, Steps({10}, "10m")));
  WaitPhase("scaled", "Holding");
  const auto scaled = Kubectl({"-n", ns_, "scale", "deploy/web", "--replicas=8"});
  ASSERT_TRUE(scaled.ok()) << scaled.text;
  const Json status = Ends("scaled", "Aborted", "StableScaled");
  HasWords(status.value("failureMessage", ""), {"scaled to 8 by kubectl"});
  EXPECT_EQ(Text(status, "/failureMessage").find("1970"), std::string::npos) << "a time that nobody gave";
  // The way back is to what served before, which is more.
  ExpectStable(stable_);
  Unharmed(8);
}

TEST_F(Meddling, ATemplateThatSomebodyChangesSupersedesIt) {
  Observe();
  Create("changed", Spec(next_, Steps({10}, "10m")));
  WaitPhase("changed", "Holding");
  const auto set = Kubectl({"-n", ns_, "set", "env", "deploy/web", "MEDDLED=yes"});
  ASSERT_TRUE(set.ok()) << set.text;
  ASSERT_TRUE(Eventually(Seconds(90), "it is superseded", [&](std::string& seen) {
    const Json status = Get("changed").value("status", Json::object());
    seen = status.dump();
    return Text(status, "/failureReason") == "StableChanged";
  }));
  HasWords(Text(Get("changed"), "/status/failureMessage"), {"kubectl"});
  Kubectl({"-n", ns_, "delete", "canarypromotion", "changed", "--timeout=60s"});
  ExpectStable(stable_);
  Unharmed();
}

// It is Ready, and eight seconds later it is not: it says so for ten seconds, and exits.
TEST_F(Meddling, ACanaryThatCrashesAfterItWasReadyIsTakenBackUnnoticed) {
  Observe();
  Create("leaver", Spec("leaver", Steps({10}, "40s")));
  WaitPhase("leaver", "Holding");
  const Json status = Ends("leaver", "Aborted", "CanaryUnhealthy");
  EXPECT_EQ(status["steps"].size(), 1U);
  ExpectStable(stable_);
  Unharmed(9);  // the pod that leaves is missing until stable has its own back
}

// One that exits without a word fails what its pod was sent until the kubelet has seen it and kube-proxy
// heard: no operator can help that without a mesh. A tenth of the requests of two seconds, and none of
// stable's.
TEST_F(Meddling, ACanaryThatDiesWithoutAWordCostsNoMoreThanItsShareOfAMoment) {
  Observe();
  Create("crasher", Spec("crasher", Steps({10}, "40s")));
  WaitPhase("crasher", "Holding");
  Ends("crasher", "Aborted", "CanaryUnhealthy");
  ExpectStable(stable_);
  EXPECT_GE(LeastCapacity(), 9);
  const Traffic traffic = StopTraffic();
  EXPECT_LE(traffic.failed, 60) << traffic.errors;
  EXPECT_GE(traffic.ok, 100 * traffic.seconds - 60);
}

TEST_F(Meddling, APromotionThatIsDeletedInMidStepRestoresStableFirst) {
  Observe();
  Create("deleted", Spec(next_, Steps({50}, "10m")));
  WaitPhase("deleted", "Holding", 0, Seconds(90));
  const auto deleted = Kubectl({"-n", ns_, "delete", "canarypromotion", "deleted", "--timeout=60s"});
  EXPECT_TRUE(deleted.ok()) << deleted.text;
  ExpectStable(stable_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
