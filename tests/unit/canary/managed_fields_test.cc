// What managedFields says: which fields are ours, and who wrote others last.
#include "canary/managed_fields.h"

#include <gtest/gtest.h>

#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using kube::Json;

struct Entry {
  const char* manager;
  const char* operation = "Apply";
  const char* fields = "{}";
  const char* time = "2026-11-20T10:00:00Z";
  const char* subresource = "";
};

Json Live(const std::vector<Entry>& entries) {
  Json live = Json::parse(R"({"metadata": {"name": "web", "managedFields": []}, "spec": {"replicas": 4,
    "template": {"spec": {"containers": [{"name": "side", "image": "s"}, {"name": "web", "image": "w", "env": [
      {"name": "A", "value": "1"}], "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}]}}}})");
  for (const auto& each : entries) {
    Json entry = {{"manager", each.manager}, {"operation", each.operation}, {"time", each.time}};
    entry["fieldsV1"] = Json::parse(each.fields);
    if (*each.subresource != '\0') entry["subresource"] = each.subresource;
    live["metadata"]["managedFields"].push_back(std::move(entry));
  }
  return live;
}

constexpr const char* kReplicas = R"({"f:spec": {"f:replicas": {}}})";
constexpr const char* kImage =
    R"({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}})";
constexpr const char* kOtherImage =
    R"({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"side\"}": {"f:image": {}}}}}}})";

TEST(OwnedSpec, OnlyByAnApplyOfOurs) {
  EXPECT_EQ(OwnedSpec(Live({{"slipway", "Apply", kReplicas}})), Json::parse(R"({"replicas": 4})"));
  for (const Entry& entry : std::vector<Entry>{{"slipway", "Update", kReplicas},
                                               {"kubectl", "Apply", kReplicas},
                                               {"slipway-claim-1", "Apply", kReplicas},
                                               {"slipway", "Apply", kReplicas, "", "status"},
                                               {"slipway", "Apply", R"({"f:metadata": {}})"}}) {
    EXPECT_EQ(OwnedSpec(Live({entry})), Json::object()) << entry.manager << entry.operation << entry.fields;
  }
  EXPECT_EQ(OwnedSpec(Json::object()), Json::object());
}

TEST(OwnedSpec, HasTheValuesOfNowAndTheKeysOfLists) {
  EXPECT_EQ(OwnedSpec(Live({{"slipway", "Apply", kImage}})),
            Json::parse(R"({"template": {"spec": {"containers": [{"name": "web", "image": "w"}]}}})"));
  const char* below =
      R"({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {
          "f:env": {"k:{\"name\":\"A\"}": {"f:value": {}}, "k:{\"name\":\"GONE\"}": {"f:value": {}}},
          "f:gone": {}, "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}}}}}}})";
  EXPECT_EQ(OwnedSpec(Live({{"slipway", "Apply", below}})),
            Json::parse(R"({"template": {"spec": {"containers": [
      {"name": "web", "env": [{"name": "A", "value": "1"}],
       "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}]}}})"));
}

TEST(OwnedSpec, OddSetsTakeNothingAndBreakNothing) {
  for (const char* odd :
       {R"({"f:spec": null})", R"({"f:spec": []})", R"({"f:spec": {"f:template": {"k:x": {}}}})",
        R"({"f:spec": {"f:replicas": {"f:deeper": {}}}})", R"("x")", "null",
        R"({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{bad": {}, "v:1": {}}}}}})"}) {
    const Json owned = OwnedSpec(Live({{"slipway", "Apply", odd}}));
    EXPECT_TRUE(owned.is_object()) << odd;
  }
}

TEST(WritersOf, NamesTheLastThatIsNotUs) {
  const auto writers =
      WritersOf(Live({{"slipway", "Apply", kReplicas, "2026-11-20T12:00:00Z"},
                      {"slipway-claim-1", "Apply", kImage, "2026-11-20T12:00:00Z"},
                      {"kubectl", "Update", kReplicas, "2026-11-20T10:00:00Z"},
                      {"kube-controller-manager", "Update", kReplicas, "2026-11-20T11:00:00Z", "scale"},
                      {"kube-controller-manager", "Update", kReplicas, "2026-11-20T12:00:00Z", "status"},
                      {"argocd-controller", "Apply", kImage, "2026-11-20T09:00:00Z"},
                      {"helm", "Update", kOtherImage, "2026-11-20T10:30:00Z"}}),
                Live({{"dev", "Update", kReplicas}}), "web");
  ASSERT_TRUE(writers.replicas && writers.image && writers.pods && writers.canary);
  EXPECT_EQ(writers.replicas->manager, "kube-controller-manager");
  EXPECT_EQ(FormatTime(writers.replicas->time), "2026-11-20T11:00:00Z");
  EXPECT_EQ(writers.image->manager, "argocd-controller");
  EXPECT_EQ(writers.pods->manager, "helm");
  EXPECT_EQ(writers.canary->manager, "dev");
}

TEST(WritersOf, NobodyIsNamedForWhatOnlyWeWrote) {
  const auto writers =
      WritersOf(Live({{"slipway", "Apply", kImage}, {"dev", "Update", kReplicas}}), nullptr, "web");
  EXPECT_TRUE(writers.replicas);
  EXPECT_FALSE(writers.image || writers.pods || writers.canary);
}

}  // namespace
}  // namespace slipway::canary
