// That the look at the pods of a whole run would find a key, each way in which a pod can be given one.
#include "e2e/record/sight.h"

#include <gtest/gtest.h>

namespace slipway::testing {
namespace {

const std::set<std::string> kKeys{"release-key"};

Json Pod(const Json& container, const Json& volumes = Json::array(), const char* kind = "containers") {
  Json pod = {{"spec", {{"volumes", volumes}}}};
  pod["spec"]["containers"] = Json::array({{{"name", "plain"}, {"image", "other"}}});
  if (std::string(kind) != "containers") pod["spec"][kind] = Json::array();
  pod["spec"][kind].push_back(container);
  return pod;
}

Json Volume(const Json& source) {
  Json volume = source;
  volume["name"] = "v";
  return Json::array({volume});
}

TEST(SightOfAKey, IsFoundHoweverItIsGiven) {
  const Json mounts = Json::parse(R"({"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/k"}]})");
  const std::vector<std::pair<const char*, Json>> pods{
      {"volume", Pod(mounts, Volume({{"secret", {{"secretName", "release-key"}}}}))},
      {"projected", Pod(mounts, Volume(Json::parse(R"({"projected": {"sources": [
           {"serviceAccountToken": {"path": "token"}}, {"secret": {"name": "release-key"}}]}})")))},
      {"driver",
       Pod(mounts, Volume(Json::parse(
                       R"({"csi": {"driver": "d", "nodePublishSecretRef": {"name": "release-key"}}})")))},
      {"variable", Pod(Json::parse(R"({"name": "c", "env": [{"name": "A", "value": "a"},
           {"name": "K", "valueFrom": {"secretKeyRef": {"name": "release-key", "key": "cosign.key"}}}]})"))},
      {"variables",
       Pod(Json::parse(
           R"({"name": "c", "envFrom": [{"configMapRef": {"name": "m"}}, {"secretRef": {"name": "release-key"}}]})"))},
  };
  for (const auto& [way, pod] : pods) {
    const auto seeing = ThatSee(pod, kKeys);
    ASSERT_EQ(seeing.size(), 1U) << way;
    EXPECT_EQ(seeing[0].value("name", ""), "c") << way;
    EXPECT_TRUE(Names(pod, kKeys)) << way;
    EXPECT_FALSE(Names(pod, {"another-key"})) << way;
  }
}

TEST(SightOfAKey, IsFoundInEveryKindOfContainer) {
  const Json reads = Json::parse(R"({"name": "c", "envFrom": [{"secretRef": {"name": "release-key"}}]})");
  for (const char* kind : {"initContainers", "containers", "ephemeralContainers"}) {
    EXPECT_EQ(ThatSee(Pod(reads, Json::array(), kind), kKeys).size(), 1U) << kind;
  }
}

TEST(SightOfAKey, IsNotHadByWhoMountsSomethingElse) {
  const Json volumes = Volume({{"secret", {{"secretName", "release-key"}}}});
  const Json other = Json::parse(R"({"name": "c", "volumeMounts": [{"name": "w", "mountPath": "/k"}]})");
  EXPECT_TRUE(ThatSee(Pod(other, volumes), kKeys).empty());
  EXPECT_TRUE(Names(Pod(other, volumes), kKeys)) << "another container of it could";
  EXPECT_FALSE(Names(Pod(other), kKeys));
}

}  // namespace
}  // namespace slipway::testing
