#include "canary/manifests.h"

#include <gtest/gtest.h>

#include <set>

#include "canary/config_names.h"
#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using kube::Json;

Json Stable() {
  return Json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "team", "uid": "web-uid", "resourceVersion": "7",
      "labels": {"app": "web", "argocd.argoproj.io/instance": "web"},
      "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "meta.helm.sh/release-name": "web"}},
    "spec": {
      "replicas": 10, "paused": false, "minReadySeconds": 3, "progressDeadlineSeconds": 600,
      "selector": {"matchLabels": {"app": "web"}},
      "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 0}},
      "template": {
        "metadata": {"labels": {"app": "web"},
          "annotations": {"prometheus.io/scrape": "true", "argocd.argoproj.io/tracking-id": "x"}},
        "spec": {"containers": [{"name": "web", "image": "old", "env": [{"name": "A", "value": "b"}]},
                                {"name": "sidecar", "image": "kept"}],
                 "terminationGracePeriodSeconds": 30}}}})");
}

TEST(RenderCanary, CopiesStableButForItsNameItsMarksAndItsImage) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 2);
  EXPECT_EQ(canary["metadata"]["name"], CanaryName(world.promotion));
  EXPECT_EQ(canary["spec"]["replicas"], 2);
  const Json& pod = canary["spec"]["template"];
  EXPECT_EQ(pod["spec"]["containers"][0]["image"], Image('b'));
  EXPECT_EQ(pod["spec"]["containers"][0]["env"],
            Stable()["spec"]["template"]["spec"]["containers"][0]["env"]);
  EXPECT_EQ(pod["spec"]["containers"][1]["image"], "kept");
  EXPECT_EQ(pod["spec"]["terminationGracePeriodSeconds"], 30);
  EXPECT_EQ(canary["spec"]["minReadySeconds"], 3);
  EXPECT_EQ(canary["spec"]["strategy"], Stable()["spec"]["strategy"]);
}

TEST(RenderCanary, TakesNoMarkByWhichOthersWouldOwnIt) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 1);
  EXPECT_FALSE(canary["metadata"].contains("annotations"));
  EXPECT_EQ(canary["metadata"]["labels"].size(), 4U) << canary["metadata"]["labels"];
  const Json& annotations = canary["spec"]["template"]["metadata"]["annotations"];
  EXPECT_EQ(annotations, Json({{"prometheus.io/scrape", "true"}}));
}

TEST(RenderCanary, ItsSelectorTakesItsOwnPodsOnly) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 1);
  const Json& selector = canary["spec"]["selector"]["matchLabels"];
  const Json& labels = canary["spec"]["template"]["metadata"]["labels"];
  EXPECT_EQ(selector["app"], "web");
  EXPECT_EQ(selector["slipway.dev/track"], "canary");
  EXPECT_EQ(selector["slipway.dev/promotion"], "promotion-uid");
  for (const auto& [key, value] : selector.items()) EXPECT_EQ(labels[key], value);
}

TEST(RenderCanary, IsOwnedByStableSoThatItIsNotCollectedBeforeIt) {
  const World world;
  const Json owner = RenderCanary(world.promotion, Stable(), "web", 1)["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["kind"], "Deployment");
  EXPECT_EQ(owner["uid"], "web-uid");
  EXPECT_FALSE(owner.contains("controller"));
}

// ---- what they read ----

const std::string kCopy = "settings-slipway-0a1b2c3d";

Json Reading() {
  Json stable = Stable();
  Json& pod = stable["spec"]["template"]["spec"];
  pod["volumes"] = Json::parse(R"([
    {"name": "settings", "configMap": {"name": "settings", "defaultMode": 420, "items": [{"key": "a", "path": "a"}]}},
    {"name": "all", "projected": {"defaultMode": 420, "sources": [
      {"secret": {"name": "settings"}}, {"configMap": {"name": "settings-slipway-11111111"}}, {"configMap": {"name": "other"}}]}},
    {"name": "other", "configMap": {"name": "settings-verbose"}}])");
  pod["initContainers"] = Json::parse(R"([{"name": "init", "image": "kept", "envFrom": [
    {"configMapRef": {"name": "settings"}, "prefix": "P_"}, {"secretRef": {"name": "settings"}}]}])");
  pod["containers"][0]["env"] = Json::parse(R"([
    {"name": "A", "value": "b"},
    {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level", "optional": true}}},
    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "settings", "key": "key"}}}])");
  pod["containers"][1]["envFrom"] = Json::parse(R"([{"configMapRef": {"name": "other"}}])");
  return stable;
}

resources::CanaryPromotion Versioned() {
  World world;
  world.promotion.spec.config_maps = {{"settings", kCopy}};
  return world.promotion;
}

TEST(RenderCanary, ReadsTheCopiesWhereverStableReadsTheConfigMapOrAnEarlierCopy) {
  const Json pod = RenderCanary(Versioned(), Reading(), "web", 1)["spec"]["template"]["spec"];
  Json expected = Reading()["spec"]["template"]["spec"];
  for (const char* place : {"/volumes/0/configMap/name", "/volumes/1/projected/sources/1/configMap/name",
                            "/initContainers/0/envFrom/0/configMapRef/name",
                            "/containers/0/env/1/valueFrom/configMapKeyRef/name"}) {
    expected[Json::json_pointer(place)] = kCopy;
  }
  expected["containers"][0]["image"] = Image('b');
  EXPECT_EQ(pod, expected) << Json::diff(expected, pod);
}

TEST(RenderCanary, AConfigMapThatIsNamedLikeACopyIsItself) {
  auto promotion = Versioned();
  promotion.spec.config_maps.push_back(
      {"settings-slipway-11111111", "settings-slipway-11111111-slipway-22222222"});
  const Json pod = RenderCanary(promotion, Reading(), "web", 1)["spec"]["template"]["spec"];
  EXPECT_EQ(pod["volumes"][1]["projected"]["sources"][1]["configMap"]["name"],
            "settings-slipway-11111111-slipway-22222222");
}

// ---- stable ----

Json Managed(Json live, const char* manager, const char* operation, const char* spec) {
  Json entry = {{"manager", manager}, {"operation", operation}};
  entry["fieldsV1"]["f:spec"] = Json::parse(spec);
  live["metadata"]["managedFields"].push_back(std::move(entry));
  return live;
}

TEST(RenderStable, SendsReplicasAndImageTogetherWhereASplitMovesThem) {
  World world;
  const auto spec = [&] {
    return RenderStable(world.promotion, Stable(), "web", {9, Image('a'), {}})["spec"];
  };
  const Json web = Json::parse(R"([{"name": "web"}])");
  Json containers = web;
  containers[0]["image"] = Image('a');
  Json image;
  image["template"]["spec"]["containers"] = containers;
  Json both = image;
  both["replicas"] = 9;
  EXPECT_EQ(spec(), image) << "nothing is written before the baseline is";
  auto& baseline = world.promotion.status.baseline.emplace();
  EXPECT_EQ(spec(), both);
  world.promotion.spec.capacity = resources::Capacity::kSurge;
  world.promotion.spec.strategy = resources::Strategy::kRolling;
  EXPECT_EQ(spec(), both) << "what was split is put together again, whatever the spec says now";
  world.promotion.spec = World().promotion.spec;
  baseline.capacity = resources::Capacity::kSurge;
  EXPECT_EQ(spec(), image) << "they are an autoscaler's, or somebody's";
  baseline = {.strategy = resources::Strategy::kRolling};
  EXPECT_EQ(spec(), image) << "a first delivery splits nothing";
}

TEST(RenderStable, NamesWhatWasObserved) {
  const World world;
  const Json metadata = RenderStable(world.promotion, Stable(), "web", {9, Image('a'), {}})["metadata"];
  EXPECT_EQ(metadata,
            Json::parse(R"({"name": "web", "namespace": "team", "uid": "web-uid", "resourceVersion": "7"})"));
}

TEST(RenderStable, HoldsOfEachPlaceNoMoreThanItsNameNeeds) {
  const Json body = RenderStable(Versioned(), Reading(), "web", {9, Image('b'), {{"settings", kCopy}}});
  Json expected = Json::parse(R"({
    "volumes": [{"name": "settings", "configMap": {"name": "COPY"}},
                {"name": "all", "projected": {"sources": [
                  {"secret": {"name": "settings"}}, {"configMap": {"name": "COPY"}}, {"configMap": {"name": "other"}}]}}],
    "initContainers": [{"name": "init", "envFrom": [
      {"configMapRef": {"name": "COPY"}, "prefix": "P_"}, {"secretRef": {"name": "settings"}}]}],
    "containers": [{"name": "web", "image": "IMAGE", "env": [
      {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "COPY", "key": "level", "optional": true}}}]}]})");
  for (const char* place : {"/volumes/0/configMap/name", "/volumes/1/projected/sources/1/configMap/name",
                            "/initContainers/0/envFrom/0/configMapRef/name",
                            "/containers/0/env/0/valueFrom/configMapKeyRef/name"}) {
    expected[Json::json_pointer(place)] = kCopy;
  }
  expected["containers"][0]["image"] = Image('b');
  const Json& pod = body["spec"]["template"]["spec"];
  EXPECT_EQ(pod, expected) << Json::diff(expected, pod);
}

// As the API server keeps what we applied: the fields of `spec`, and their values in `live`.
constexpr const char* kOurs = R"({"f:replicas": {}, "f:template": {"f:spec": {
  "f:volumes": {"k:{\"name\":\"settings\"}": {"f:configMap": {"f:name": {}}, "f:name": {}},
                "k:{\"name\":\"all\"}": {"f:name": {}, "f:projected": {"f:sources": {}}}},
  "f:initContainers": {"k:{\"name\":\"init\"}": {"f:envFrom": {}, "f:name": {}}},
  "f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:name": {}, "f:env": {
    "k:{\"name\":\"LEVEL\"}": {"f:name": {}, "f:valueFrom": {"f:configMapKeyRef": {}}}}}}}}})";

TEST(RenderStable, TheSameFieldsAreSentOnTheWayBack) {
  auto promotion = Versioned();
  promotion.status.baseline.emplace();
  const auto there = RenderStable(promotion, Reading(), "web", {9, Image('b'), {{"settings", kCopy}}});
  Json live = Reading();
  NameConfigs(live["spec"]["template"]["spec"], {{"settings", kCopy}});
  live = Managed(std::move(live), "slipway", "Apply", kOurs);
  const auto back = RenderStable(promotion, live, "web", {10, Image('a'), {{"settings", "settings"}}});
  const auto paths = [](const Json& body) {
    std::set<std::string> keys;
    for (const auto& [path, value] : body["spec"].flatten().items()) keys.insert(path);
    return keys;
  };
  EXPECT_EQ(paths(there), paths(back));
  for (const auto& [path, value] : back["spec"].flatten().items()) {
    EXPECT_FALSE(value.is_string() && value.get<std::string>() == kCopy) << path;
  }
}

TEST(RenderStable, LetsNothingGoThatAnEarlierPromotionWrote) {
  World world;
  world.promotion.spec.capacity = resources::Capacity::kSurge;
  const Json live = Managed(Reading(), "slipway", "Apply", kOurs);
  const Json spec = RenderStable(world.promotion, live, "sidecar", {3, Image('b'), {}})["spec"];
  EXPECT_EQ(spec["replicas"], 10) << "as it is: not what is wanted of another capacity";
  const Json& pod = spec["template"]["spec"];
  EXPECT_EQ(pod["volumes"][0], Json::parse(R"({"name": "settings", "configMap": {"name": "settings"}})"));
  EXPECT_EQ(pod["volumes"][1]["projected"]["sources"].size(), 3U);
  EXPECT_EQ(pod["initContainers"][0]["envFrom"].size(), 2U);
  ASSERT_EQ(pod["containers"].size(), 2U);
  EXPECT_EQ(pod["containers"][0]["image"], "old");
  EXPECT_EQ(pod["containers"][0]["env"][0]["valueFrom"]["configMapKeyRef"]["key"], "level");
  EXPECT_EQ(pod["containers"][1], Json({{"name", "sidecar"}, {"image", Image('b')}}));
}

}  // namespace
}  // namespace slipway::canary
