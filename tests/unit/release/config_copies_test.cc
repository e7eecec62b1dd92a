// Copies of ConfigMaps: what they are called, all that is sent, and which ConfigMap counts as one.
#include "release/config_copies.h"

#include <gtest/gtest.h>

#include "resources/config_copy.h"

namespace slipway::release {
namespace {

using kube::Json;
using resources::ConfigVersion;

resources::Release Shop(const std::string& name = "shop") {
  resources::Release release;
  release.meta.key = {"team", name};
  release.meta.uid = {"uid-of-" + name};
  return release;
}

kube::ObjectMeta Target() {
  kube::ObjectMeta meta;
  meta.key = {"team", "web"};
  meta.uid = {"deployment-uid"};
  return meta;
}

ConfigContent Prices() { return {{{"a.txt", "1"}, {"b.txt", "2"}}, {{"logo.png", "aGk="}}}; }

std::string NameOf(const ConfigContent& content, const std::string& release = "shop") {
  return CopyName(Shop(release), "prices", content);
}

// The name stays the same in later versions: a rollback looks for what an earlier one made.
TEST(ConfigCopy, NameIsAHashOfContentAndRelease) {
  EXPECT_EQ(NameOf(Prices()), "prices-slipway-1fcbc9c0");
  EXPECT_TRUE(resources::IsVersionOf(NameOf(Prices()), "prices"));
  EXPECT_NE(NameOf(Prices()), NameOf(Prices(), "other"));
  auto changed = Prices();
  changed.data["a.txt"] = "3";
  EXPECT_NE(NameOf(Prices()), NameOf(changed));
  changed = Prices();
  std::swap(changed.data, changed.binary_data);
  EXPECT_NE(NameOf(Prices()), NameOf(changed));
}

TEST(ConfigCopy, NameDoesNotDependOnOrderMarksOrVersion) {
  const auto a = Json::parse(R"({"metadata": {"name": "prices", "labels": {"x": "y"}, "resourceVersion": "7"},
    "data": {"a.txt": "1", "b.txt": "2"}, "binaryData": {"logo.png": "aGk="}})");
  const auto b = Json::parse(R"({"binaryData": {"logo.png": "aGk="}, "data": {"b.txt": "2", "a.txt": "1"}})");
  EXPECT_EQ(NameOf(ContentOf(a)), NameOf(ContentOf(b)));
  EXPECT_EQ(NameOf(ContentOf(a)), NameOf(Prices()));
}

TEST(ConfigCopy, WhatIsAbsentIsTheSameAsEmpty) {
  const auto none = NameOf(ContentOf(Json::parse(R"({"metadata": {}})")));
  for (const char* same : {R"({"data": {}})", R"({"data": null, "binaryData": {}})", R"({"data": []})"}) {
    EXPECT_EQ(NameOf(ContentOf(Json::parse(same))), none) << same;
  }
  EXPECT_NE(none, NameOf(ContentOf(Json::parse(R"({"data": {"a": ""}})"))));
}

TEST(ConfigCopy, IsSentLikeThis) {
  const auto expected = Json::parse(R"({
    "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
    "metadata": {
      "name": "prices-slipway-01234567", "namespace": "team",
      "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop", "slipway.dev/role": "config"},
      "ownerReferences": [
        {"apiVersion": "slipway.dev/v1alpha1", "kind": "Release", "name": "shop", "uid": "uid-of-shop", "controller": true},
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "deployment-uid"}]},
    "data": {"a.txt": "1", "b.txt": "2"}, "binaryData": {"logo.png": "aGk="}})");
  EXPECT_EQ(RenderConfigCopy(Shop(), Target(), "prices-slipway-01234567", Prices()), expected);
  const auto empty = RenderConfigCopy(Shop(), Target(), "prices-slipway-01234567", {});
  EXPECT_FALSE(empty.contains("data") || empty.contains("binaryData"));
}

Json Live(const std::string& release = "shop") {
  auto live = RenderConfigCopy(Shop(release), Target(), NameOf(Prices()), Prices());
  live["metadata"]["uid"] = "copy-uid";
  return live;
}

std::string Why(const Json& live, bool known = true) {
  const auto target = Target();
  const auto content = Prices();
  const ConfigVersion version{"prices", NameOf(content)};
  return WhyNotCopy(Shop(), &target, version, known ? &content : nullptr, live).value_or("");
}

TEST(ConfigCopy, CountsWhenItIsOursAndTheSame) {
  auto marked = Live();
  marked["metadata"]["annotations"] = {{"somebody", "was here"}};
  for (const bool known : {true, false}) {
    EXPECT_EQ(Why(Live(), known), "");
    EXPECT_EQ(Why(marked, known), "");
    auto changed = Live();
    changed["data"]["a.txt"] = "hunter2";
    EXPECT_EQ(Why(changed, known), "something else is in it");
    auto open = Live();
    open.erase("immutable");
    EXPECT_EQ(Why(open, known), "it is not immutable");
    auto unmarked = Live();
    unmarked["metadata"].erase("labels");
    EXPECT_EQ(Why(unmarked, known), "it is not marked as a copy of a Release");
    EXPECT_EQ(Why(Live("other"), known), "this Release is not its owner");
  }
}

TEST(ConfigCopy, OfAReleaseThatIsGoneCountsForItsTargetOnly) {
  auto left = Live();
  left["metadata"]["ownerReferences"].erase(0);
  EXPECT_EQ(Why(left), "");
  left["metadata"]["ownerReferences"][0]["uid"] = "another-deployment";
  EXPECT_EQ(Why(left), "this Release is not its owner");
  left["metadata"].erase("ownerReferences");
  EXPECT_EQ(Why(left), "this Release is not its owner");
}

TEST(ConfigCopy, OnlyOurOwnIsOursToDelete) {
  const auto meta = [](const Json& live) { return kube::DecodeMeta(live).value(); };
  EXPECT_TRUE(IsCopyOf(Shop(), meta(Live())));
  EXPECT_FALSE(IsCopyOf(Shop(), meta(Live("other"))));
  auto unmarked = Live();
  unmarked["metadata"]["labels"].erase("slipway.dev/role");
  EXPECT_FALSE(IsCopyOf(Shop(), meta(unmarked)));
  EXPECT_FALSE(IsConfigCopy(meta(unmarked)));
  auto left = Live();
  left["metadata"]["ownerReferences"].erase(0);
  EXPECT_FALSE(IsCopyOf(Shop(), meta(left)));
  EXPECT_TRUE(IsConfigCopy(meta(left)));
}

}  // namespace
}  // namespace slipway::release
