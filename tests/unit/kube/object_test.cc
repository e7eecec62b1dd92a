#include "kube/object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

Json Full() {
  return Json::parse(R"({"metadata": {
    "namespace": "shop", "name": "app", "uid": "u-1", "resourceVersion": "42", "generation": 3,
    "creationTimestamp": "2026-11-21T06:00:00Z", "deletionTimestamp": "2026-11-21T07:00:00Z",
    "finalizers": ["slipway.dev/a", "b"], "labels": {"app": "x"}, "annotations": {"note": ""},
    "ownerReferences": [
      {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u-2"},
      {"apiVersion": "slipway.dev/v1alpha1", "kind": "Release", "name": "r", "uid": "u-3",
       "controller": true, "blockOwnerDeletion": true}]}})");
}

TEST(DecodeMeta, ReadsEveryField) {
  const auto meta = DecodeMeta(Full());
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(meta->key, (ObjectKey{"shop", "app"}));
  EXPECT_EQ(meta->uid.value, "u-1");
  EXPECT_EQ(meta->resource_version.value, "42");
  EXPECT_EQ(meta->generation, 3);
  EXPECT_EQ(FormatTime(meta->created), "2026-11-21T06:00:00Z");
  ASSERT_TRUE(meta->deleted);
  EXPECT_EQ(FormatTime(*meta->deleted), "2026-11-21T07:00:00Z");
  EXPECT_EQ(meta->finalizers, (std::vector<std::string>{"slipway.dev/a", "b"}));
  EXPECT_EQ(meta->labels.at("app"), "x");
  EXPECT_EQ(meta->annotations.at("note"), "");
  ASSERT_EQ(meta->owners.size(), 2U);
  ASSERT_NE(meta->Controller(), nullptr);
  EXPECT_EQ(*meta->Controller(), (OwnerReference{"slipway.dev/v1alpha1", "Release", "r", {"u-3"}, true}));
}

TEST(DecodeMeta, NeedsOnlyAName) {
  const auto meta = DecodeMeta(Json{{"metadata", {{"name", "x"}}}});
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(meta->key, (ObjectKey{"", "x"}));
  EXPECT_FALSE(meta->deleted);
  EXPECT_EQ(meta->Controller(), nullptr);
  EXPECT_TRUE(meta->labels.empty() && meta->owners.empty() && meta->finalizers.empty());
}

TEST(DecodeMeta, TakesNullForAbsent) {
  Json object = Full();
  for (const auto& [name, value] : object["metadata"].items()) {
    if (name == "name") continue;
    Json one = Full();
    one["metadata"][name] = nullptr;
    EXPECT_TRUE(DecodeMeta(one)) << name;
  }
}

struct HostileShape {
  std::string_view field;  // of metadata
  std::string_view value;  // JSON
  std::string_view says;
};

class RefusesShape : public ::testing::TestWithParam<HostileShape> {};

TEST_P(RefusesShape, AndNamesTheField) {
  Json object = Full();
  object["metadata"][GetParam().field] = Json::parse(GetParam().value);
  const auto meta = DecodeMeta(object);
  ASSERT_FALSE(meta);
  EXPECT_EQ(meta.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(meta.error().message.find(GetParam().says), std::string::npos) << meta.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Hostile, RefusesShape,
    ::testing::Values(
        HostileShape{"name", "7", "metadata.name is not a string"},
        HostileShape{"name", "\"\"", "metadata.name is missing"},
        HostileShape{"name", "null", "metadata.name is missing"},
        HostileShape{"namespace", "[]", "metadata.namespace is not a string"},
        HostileShape{"uid", "{}", "metadata.uid is not a string"},
        HostileShape{"resourceVersion", "42", "metadata.resourceVersion is not a string"},
        HostileShape{"generation", "\"3\"", "metadata.generation is not an integer"},
        HostileShape{"generation", "3.5", "metadata.generation is not an integer"},
        HostileShape{"generation", "18446744073709551615", "metadata.generation is not an integer"},
        HostileShape{"creationTimestamp", "\"yesterday\"",
                     "metadata.creationTimestamp is not an RFC 3339 time"},
        HostileShape{"creationTimestamp", "0", "metadata.creationTimestamp is not a string"},
        HostileShape{"deletionTimestamp", "true", "metadata.deletionTimestamp is not a string"},
        HostileShape{"finalizers", "\"a\"", "metadata.finalizers is not a list"},
        HostileShape{"finalizers", "[null]", "metadata.finalizers is not a list of strings"},
        HostileShape{"labels", "[]", "metadata.labels is not a map"},
        HostileShape{"labels", R"({"a":1})", "metadata.labels[a] is not a string"},
        HostileShape{"annotations", R"({"a":{}})", "metadata.annotations[a] is not a string"},
        HostileShape{"ownerReferences", "{}", "metadata.ownerReferences is not a list"},
        HostileShape{"ownerReferences", "[7]", "metadata.ownerReferences is not a list of references"},
        HostileShape{"ownerReferences", R"([{"uid":7}])", "metadata.ownerReferences[].uid is not a string"}));

TEST(DecodeMeta, RefusesWhatIsNoObjectWithMetadata) {
  for (const std::string_view text : {"null", "7", "[]", "{}", R"({"metadata":null})", R"({"metadata":[]})",
                                      R"({"metadata":"x"})", R"({"metadata":{}})"}) {
    const auto meta = DecodeMeta(Json::parse(text));
    ASSERT_FALSE(meta) << text;
    EXPECT_EQ(meta.error().kind, ErrorKind::kInvalid) << text;
  }
}

TEST(DecodeMeta, TakesOnlyTrueForAController) {
  for (const std::string_view value : {"false", "null", "\"true\"", "1"}) {
    Json object = Full();
    object["metadata"]["ownerReferences"][1]["controller"] = Json::parse(value);
    const auto meta = DecodeMeta(object);
    ASSERT_TRUE(meta) << value;
    EXPECT_EQ(meta->Controller(), nullptr) << value;
  }
}

TEST(OwnerReferenceJson, SurvivesARoundTripAndNeverBlocksDeletion) {
  const OwnerReference owner{"slipway.dev/v1alpha1", "Release", "r", {"u-3"}, true};
  const Json json = ToJson(owner);
  EXPECT_FALSE(json.contains("blockOwnerDeletion"));
  const auto meta = DecodeMeta(Json{{"metadata", {{"name", "x"}, {"ownerReferences", Json::array({json})}}}});
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->owners, std::vector<OwnerReference>{owner});
  EXPECT_FALSE(ToJson({"v1", "Pod", "p", {"u"}, false}).contains("controller"));
}

TEST(ObjectText, IsAsLogsShowIt) {
  EXPECT_EQ(ToString(ObjectKey{"shop", "app"}), "shop/app");
  EXPECT_EQ(ToString(ObjectKey{"", "node"}), "node");
  EXPECT_EQ(ApiVersion(kPods), "v1");
  EXPECT_EQ(ApiVersion(kJobs), "batch/v1");
}

}  // namespace
}  // namespace slipway::kube
