// ConfigMaps that are delivered with the image: what the pods read comes and goes back with it.
#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class Configs : public Releases {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Releases::SetUp());
    Configure("green");
    // What an earlier case delivered has its copies in the template, which git would not.
    ASSERT_NO_FATAL_FAILURE(Deploy(SampleOf(stable_).image, replicas_));
  }
  Json Versioned(Json spec) {
    spec["configMaps"] = {"web-config"};
    return spec;
  }
  std::string Mounted() {
    return Text(GetJson(ns_, "deployment", "web"), "/spec/template/spec/volumes/0/configMap/name");
  }
  static std::string CopyOf(const Json& entry) { return Text(entry, "/configMaps/0/copy"); }
};

TEST_F(Configs, AVersionIsDeliveredAndARollbackBringsItBack) {
  Observe();
  Release(Versioned(Rolling(next_)));
  const Json first = Delivered(1, "Promoted");
  const std::string green = CopyOf(first);
  EXPECT_EQ(Mounted(), green);
  EXPECT_TRUE(green.starts_with("web-config-slipway-")) << green;
  const Json copy = GetJson(ns_, "configmap", green);
  EXPECT_EQ(copy.value("immutable", false), true) << copy;
  EXPECT_EQ(Text(copy, "/metadata/ownerReferences/0/kind"), "Release") << copy;
  EXPECT_EQ(Ask("/config"), "green");

  // Both at once: one delivery. What is written into the ConfigMap reaches no pod before.
  PatchRelease({{"suspend", true}});
  WaitReason("Suspended");
  Configure("blue");
  EXPECT_EQ(Ask("/config"), "green");
  PatchRelease(
      {{"suspend", false}, {"image", SampleOf(another_).image}, {"version", SampleOf(another_).version}});
  const Json second = Delivered(2, "Promoted");
  EXPECT_NE(CopyOf(second), green);
  EXPECT_EQ(Ask("/config"), "blue");

  DecideRelease("Rollback", SampleOf(next_).Digest());
  const Json back = Delivered(3, "Promoted");
  EXPECT_EQ(CopyOf(back), green) << back;
  EXPECT_EQ(Mounted(), green);
  EXPECT_EQ(Ask("/config"), "green");
  ExpectStable(next_);
  Unharmed();
}

TEST_F(Configs, AChangeAloneIsADeliveryAndAnAbortBringsTheOldOneBack) {
  Release(Versioned(Stepped(next_)));
  Delivered(1, "Promoted");
  Configure("blue");
  const Json second = Delivered(2, "Promoted", Seconds(240));
  EXPECT_EQ(second.value("cause", ""), "Config") << second;
  EXPECT_EQ(Ask("/config"), "blue");

  // Red goes with an image that fails when stable has it.
  Configure("red");
  Json spec = Versioned(Rolling("bad"));
  Release(spec);
  ASSERT_TRUE(Eventually(Seconds(180), "red is taken back", [&](std::string& seen) {
    const Json entry = Newest(Status());
    seen = entry.dump();
    return entry.value("image", "") == SampleOf("bad").image && entry.value("outcome", "") == "RolledBack";
  }));
  EXPECT_EQ(Ask("/config"), "blue");
  ExpectStable(next_);
}

TEST_F(Configs, OneThatIsMissingIsWaitedFor) {
  Kubectl({"-n", ns_, "delete", "configmap", "web-config"});
  Release(Versioned(Rolling(next_)));
  WaitReason("ConfigMapNotFound");
  HasWords(Message(), {"web-config"});
  EXPECT_EQ(GetJson(ns_, "canarypromotions")["items"].size(), 0U);
  Configure("green");
  Delivered(1, "Promoted");
}

}  // namespace
}  // namespace slipway::testing
