// Failures that look alike are told apart: what the author mends, what the platform mends, and what passes by
// itself and is tried again.
#include "e2e/source/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kBase = "FROM registry.slipway.test:5000/slipway/sample-base:1\n";

class Failure : public Source {
 protected:
  void StartBuilds() override {
    StartUnpulled();
    Apply(ns_, R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "authority"},
                   "data": {"other.crt": ""}})");
    Json keyless = Spec("keyless");
    keyless["caBundleRef"] = Ref("authority");
    Make("keyless", keyless);
    Make("evicted", Of("evicted", std::string(kBase) + "COPY site/ /site/\nRUN sleep 20\n"));
    Json full =
        Of("full", std::string(kBase) + "RUN dd if=/dev/zero of=/filler bs=1M count=200 && sleep 120\n");
    full["build"]["resources"]["limits"]["ephemeral-storage"] = "100Mi";
    Make("full", full);
    Json hungry = Of("hungry", std::string(kBase) + "RUN dd if=/dev/zero of=/dev/null bs=400M count=1\n");
    hungry["build"]["resources"]["limits"]["memory"] = "192Mi";
    Make("hungry", hungry);
    Json slow = Of("slow", std::string(kBase) + "RUN sleep 120\n");
    slow["build"]["timeout"] = "30s";
    Make("slow", slow);
    Make("baseless", Of("baseless",
                        "# a remark\nFROM registry.slipway.test:5000/slipway/no-such-image:1\n"
                        "COPY site/ /site/\n"));
  }

  // It is given two minutes: the other stories are done within them.
  void StartUnpulled() {
    Json spec = Spec("unpulled");
    Json test = {{"name", "unit"}};
    test["image"] = std::string(kPublic) + "/slipway/no-such-image@sha256:" + std::string(64, '0');
    spec["tests"] = Json::array({test});
    Make("unpulled", spec);
  }

  // An ImageBuild of a commit with this Dockerfile.
  Json Of(const std::string& name, const std::string& dockerfile) {
    return Spec(name, Commit({{"Dockerfile", dockerfile}}));
  }

  void Evict(const std::string& pod) const {
    Json eviction = {{"apiVersion", "policy/v1"}, {"kind", "Eviction"}};
    eviction["metadata"] = {{"name", pod}, {"namespace", ns_}};
    const auto evicted =
        Kubectl({"create", "--raw", "/api/v1/namespaces/" + ns_ + "/pods/" + pod + "/eviction", "-f", "-"},
                eviction.dump());
    ASSERT_TRUE(evicted.ok()) << evicted.text;
  }
};

TEST_F(Failure, AnEvictedPodIsTriedAgainAndPasses) {
  ASSERT_TRUE(ReachesStage("evicted", "build"));
  ASSERT_NO_FATAL_FAILURE(Evict(PodOf(JobOf(Runs("evicted")[0], "Build"))));
  ASSERT_TRUE(Eventually(seconds(60), "a second run", [this](std::string& seen) {
    const auto runs = Runs("evicted");
    seen = runs.dump();
    return runs.size() == 2;
  }));
  Succeeds("evicted");
  const auto runs = Runs("evicted");
  ASSERT_EQ(runs.size(), 2U) << runs;
  EXPECT_EQ(runs[1].value("/failure/reason"_json_pointer, ""), "Evicted") << runs[1];
  EXPECT_EQ(runs[0].value("reason", ""), "Retry");
  EXPECT_EQ(runs[0].value("attempt", 0), 2);
  EXPECT_EQ(runs[0].value("/commit/sha"_json_pointer, ""), runs[1].value("/commit/sha"_json_pointer, "-"));
}

TEST_F(Failure, ADiskThatTheBuildItselfFills) {
  Fails("full", "DiskFull", {"spec.build.resources.limits.ephemeral-storage", "100Mi"});
}

TEST_F(Failure, OutOfMemory) {
  const auto killed = Fails("hungry", "BuildOutOfMemory", {"spec.build.resources.limits.memory", "192Mi"});
  EXPECT_EQ(killed.value("/failure/container"_json_pointer, ""), "build");
}

TEST_F(Failure, OutOfTime) { Fails("slow", "BuildTimeout", {"spec.build.timeout", "30s", "stage"}); }

TEST_F(Failure, ABaseImageThatIsNotThereIsToldWithItsLine) {
  Fails("baseless", "BaseImageNotFound", {"Dockerfile:2", "no-such-image"});
}

TEST_F(Failure, NoneOfTheseIsTriedAgain) {
  // A second run would have been made after ten seconds.
  std::this_thread::sleep_for(seconds(12));
  for (const char* name : {"full", "hungry", "slow", "baseless"}) {
    EXPECT_EQ(Runs(name).size(), 1U) << name << " was tried again";
  }
}

// The last that makes pods.
TEST_F(Failure, AQuotaThatLeavesNoRoomForPods) {
  Apply(ns_, R"({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                 "spec": {"hard": {"pods": "0"}}})");
  Make("crowded", Spec("crowded"));
  Fails("crowded", "QuotaExceeded", {"exceeded quota", "none"}, seconds(120));
  const auto lifted = Kubectl({"-n", ns_, "delete", "resourcequota", "none"});
  EXPECT_TRUE(lifted.ok()) << lifted.text;
}

TEST_F(Failure, ABundleOfAuthoritiesWithoutItsKey) {
  Fails("keyless", "ConfigMapKeyMissing", {"spec.caBundleRef", "authority", "ca.crt"});
}

TEST_F(Failure, ATestImageThatCannotBePulled) {
  Fails("unpulled", "ImagePullFailed", {"no-such-image"}, seconds(180));
}

}  // namespace
}  // namespace slipway::testing
