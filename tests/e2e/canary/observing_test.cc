// What the other stories observe with is able to see harm: requests that fail, pods that are missing, a
// version's share; and the test bed's autoscaler scales.
#include <thread>

#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Observing : public Canaries {
 protected:
  void Scale(int replicas) {
    const auto scaled = Kubectl({"-n", ns_, "scale", "deploy/web", "--replicas=" + std::to_string(replicas)});
    ASSERT_TRUE(scaled.ok()) << scaled.text;
    EXPECT_TRUE(Eventually(Seconds(60), "it is scaled", [&](std::string& seen) {
      const auto status = GetJson(ns_, "deployment", "web")["status"];
      seen = status.dump();
      return status.value("replicas", 0) == replicas;
    }));
  }
};

TEST_F(Observing, PodsThatGoAreSeenAndCostNoRequest) {
  Observe();
  Scale(8);
  Scale(10);
  ExpectStable(stable_);
  std::this_thread::sleep_for(Seconds(3));
  const Capacity capacity = StopCapacity();
  EXPECT_EQ(capacity.least, 8);
  EXPECT_EQ(capacity.least_stable, 8);
  EXPECT_EQ(capacity.most_wanted, 10);
  const Traffic traffic = StopTraffic();
  EXPECT_EQ(traffic.failed, 0) << traffic.errors;
  EXPECT_GE(traffic.ok, 100 * traffic.seconds);
  EXPECT_EQ(traffic.versions.size(), 1U);
  EXPECT_EQ(traffic.versions.count(SampleOf(stable_).version), 1U) << Json(traffic.versions);
  EXPECT_GE(traffic.each.size(), 3U);
}

TEST_F(Observing, RequestsThatFailAreSeen) {
  Observe();
  Scale(0);
  ExpectStable(stable_, 0);
  // kube-proxy refuses what comes to a Service without endpoints.
  std::this_thread::sleep_for(Seconds(5));
  Scale(10);
  ExpectStable(stable_);
  EXPECT_EQ(LeastCapacity(), 0);
  EXPECT_GT(StopTraffic().failed, 0);
}

TEST_F(Observing, TheAutoscalerKeepsToItsBounds) {
  Autoscale(11, 11);
  ExpectStable(stable_, 11);
  Autoscale(10, 10);
  ExpectStable(stable_, 10);
}

}  // namespace
}  // namespace slipway::testing
