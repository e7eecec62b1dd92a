// The CRDs, walked: everything is described and bounded, and every default is the decoder's.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "resources/crd.h"
#include "resources/describe.h"
#include "support/hostile.h"

namespace slipway::resources {
namespace {

using kube::Json;

Json SchemaIn(const Json& crd) { return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]; }

// Calls `see` with every schema below and including `schema`. Items of lists and values of maps have no
// description of their own.
void Walk(const Json& schema, const std::string& path, bool named,
          const std::function<void(const Json&, const std::string&, bool)>& see) {
  see(schema, path, named);
  for (const auto& [name, inner] : schema.value("properties", Json::object()).items()) {
    Walk(inner, path + "." + name, true, see);
  }
  if (schema.contains("items")) Walk(schema["items"], path + "[]", false, see);
  if (schema.contains("additionalProperties")) Walk(schema["additionalProperties"], path + "{}", false, see);
}

void WalkAll(const std::function<void(const Json&, const std::string&, bool)>& see) {
  for (const auto& definition : Definitions()) {
    const Json properties = SchemaIn(definition.crd)["properties"];
    for (const char* part : {"spec", "status"}) {
      if (properties.contains(part)) Walk(properties[part], definition.name + "." + part, true, see);
    }
  }
}

TEST(SchemaTest, ThereAreFourKindsOfEveryPartThatPeopleUse) {
  const auto definitions = Definitions();
  ASSERT_EQ(definitions.size(), 4U);
  for (const auto& definition : definitions) {
    const Json& spec = definition.crd["spec"];
    EXPECT_EQ(definition.crd["metadata"]["name"],
              spec["names"]["plural"].get<std::string>() + ".slipway.dev");
    EXPECT_EQ(spec["names"]["categories"], Json::array({"slipway"}));
    EXPECT_EQ(spec["names"]["shortNames"].size(), 1U);
    EXPECT_EQ(SchemaIn(definition.crd)["required"], Json::array({"spec"}));
    if (spec["names"]["kind"] == "Decision") continue;
    EXPECT_EQ(spec["versions"][0]["subresources"], Json::parse(R"({"status": {}})"));
    EXPECT_EQ(SchemaIn(definition.crd)["properties"]["status"]["default"],
              Json::parse(R"({"observedGeneration": -1})"));
  }
}

TEST(SchemaTest, ADecisionHasNoStatusAndNeverChanges) {
  const Json crd = Definitions()[3].crd;
  EXPECT_EQ(crd["spec"]["names"]["kind"], "Decision");
  EXPECT_FALSE(crd["spec"]["versions"][0].contains("subresources"));
  EXPECT_FALSE(SchemaIn(crd)["properties"].contains("status"));
  const Json rules = SchemaIn(crd)["properties"]["spec"]["x-kubernetes-validations"];
  EXPECT_TRUE(std::ranges::any_of(rules, [](const Json& rule) { return rule["rule"] == "self == oldSelf"; }));
}

TEST(SchemaTest, EveryFieldIsDescribed) {
  WalkAll([](const Json& schema, const std::string& path, bool named) {
    if (!named) return;
    EXPECT_GE(schema.value("description", "").size(), 10U) << path;
    EXPECT_TRUE(schema.value("description", "").ends_with('.')) << path;
  });
}

TEST(SchemaTest, EveryFieldIsBounded) {
  WalkAll([](const Json& schema, const std::string& path, bool) {
    const std::string type = schema.value("type", "");
    const bool int_or_string = schema.value("x-kubernetes-int-or-string", false);
    const bool known =
        type == "string" || type == "integer" || type == "boolean" || type == "array" || type == "object";
    EXPECT_TRUE(known || int_or_string) << path;
    if (type == "string" || int_or_string) {
      const bool bounded = schema.value("maxLength", 0) > 0 || schema.contains("enum") ||
                           schema.value("format", "") == "date-time";
      EXPECT_TRUE(bounded) << path;
    }
    if (type == "integer") {
      EXPECT_TRUE(schema.contains("minimum")) << path;
      EXPECT_TRUE(schema.contains("maximum") || schema["format"] == "int64") << path;
    }
    if (type == "array") {
      EXPECT_GT(schema.value("maxItems", 0), 0) << path;
      EXPECT_TRUE(schema.contains("x-kubernetes-list-type")) << path;
    }
    if (schema.contains("additionalProperties")) EXPECT_GT(schema.value("maxProperties", 0), 0) << path;
  });
}

TEST(SchemaTest, EveryRuleSpeaksToAPerson) {
  int rules = 0;
  WalkAll([&rules](const Json& schema, const std::string& path, bool) {
    for (const Json& rule : schema.value("x-kubernetes-validations", Json::array())) {
      ++rules;
      const auto message = rule.value("message", "");
      EXPECT_GE(message.size(), 20U) << path;
      EXPECT_EQ(message.find('\n'), std::string::npos) << path;
      EXPECT_EQ(message.find("matches"), std::string::npos) << path;
    }
  });
  EXPECT_GE(rules, 40);
}

TEST(SchemaTest, TheKeysOfListMapsAreThere) {
  WalkAll([](const Json& schema, const std::string& path, bool) {
    for (const Json& key : schema.value("x-kubernetes-list-map-keys", Json::array())) {
      const Json& item = schema["items"];
      ASSERT_TRUE(item["properties"].contains(key.get<std::string>())) << path;
      const Json required = item.value("required", Json::array());
      EXPECT_TRUE(std::ranges::find(required, key) != required.end() ||
                  item["properties"][key.get<std::string>()].contains("default"))
          << path;
    }
  });
}

TEST(SchemaTest, APrinterColumnPointsAtAFieldThatIsThere) {
  for (const auto& definition : Definitions()) {
    for (const Json& column : definition.crd["spec"]["versions"][0]["additionalPrinterColumns"]) {
      std::string path = column["jsonPath"];
      if (path.starts_with(".metadata")) continue;
      Json at = SchemaIn(definition.crd);
      const std::size_t filter = path.find('[');
      if (filter != std::string::npos) path = path.substr(0, filter);
      for (std::size_t begin = 1; begin < path.size();) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        const std::string name = path.substr(begin, end - begin);
        ASSERT_TRUE(at["properties"].contains(name)) << path;
        at = at["properties"][name];
        begin = end + 1;
      }
    }
  }
}

// What the API server does when it fills in defaults.
void FillIn(const Json& schema, Json& value) {
  const Json properties = schema.value("properties", Json::object());
  if (value.is_object()) {
    for (const auto& [name, inner] : properties.items()) {
      if (!value.contains(name) && inner.contains("default")) value[name] = inner["default"];
      if (value.contains(name)) FillIn(inner, value[name]);
    }
  }
  if (value.is_array()) {
    for (Json& item : value) FillIn(schema["items"], item);
  }
}

template <class T>
void DefaultsAgree(const Json& object) {
  for (const auto& definition : Definitions()) {
    if (definition.crd["spec"]["names"]["kind"] != object["kind"]) continue;
    Json filled = object;
    FillIn(SchemaIn(definition.crd), filled);
    EXPECT_NE(filled, object);
    const auto by_us = T::Decode(object);
    const auto by_server = T::Decode(filled);
    ASSERT_TRUE(by_us) << by_us.error().message;
    ASSERT_TRUE(by_server) << by_server.error().message;
    EXPECT_TRUE(by_us->spec == by_server->spec) << filled;
    if constexpr (!std::is_same_v<T, Decision>) EXPECT_TRUE(by_us->status == by_server->status) << filled;
  }
}

TEST(SchemaTest, TheServersDefaultsAreOurs) {
  Json build = testing::GoodImageBuild();
  DefaultsAgree<ImageBuild>(build);
  build["spec"].erase("build");
  build["spec"]["output"] = {{"repository", "registry.example.com/a"}};
  DefaultsAgree<ImageBuild>(build);
  DefaultsAgree<ImageBuild>(testing::FullImageBuild());
  // Each part that has defaults of its own, with nothing said in it.
  build = testing::GoodImageBuild();
  build["spec"]["trigger"] = Json::parse(R"({"poll": {}, "baseImages": {}, "pullRequests": {},
    "webhook": {"secretRef": {"name": "hook"}}})");
  build["spec"]["tests"] = {{{"name", "unit"},
                             {"image", testing::kGoodImage},
                             {"matrix", Json::array({{{"name", "A"}, {"values", {"1"}}}})}}};
  build["spec"]["report"] = {{"apiUrl", "https://h"}, {"credentialsSecretRef", {{"name", "status"}}}};
  DefaultsAgree<ImageBuild>(build);
  Json decision = testing::GoodDecision();
  decision["spec"].erase("verb");
  DefaultsAgree<Decision>(decision);
  Json release = testing::GoodRelease();
  DefaultsAgree<Release>(release);
  release["spec"].erase("strategy");
  release["spec"].erase("smokeTests");
  DefaultsAgree<Release>(release);
  Json promotion = testing::GoodCanaryPromotion();
  DefaultsAgree<CanaryPromotion>(promotion);
  promotion["spec"].erase("steps");
  DefaultsAgree<CanaryPromotion>(promotion);
}

TEST(SchemaTest, TheTargetOfAPromotionCantChange) {
  const Json crd = Definitions()[2].crd;
  const Json target = SchemaIn(crd)["properties"]["spec"]["properties"]["target"];
  EXPECT_EQ(target["x-kubernetes-validations"][0]["rule"], "self == oldSelf");
}

// Reads YAML as kubectl does: a quoted scalar is a text, a plain one is what it looks like.
Json FromYaml(const YAML::Node& node) {
  if (node.IsMap()) {
    Json map = Json::object();
    for (const auto& entry : node) map[entry.first.Scalar()] = FromYaml(entry.second);
    return map;
  }
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) list.push_back(FromYaml(item));
    return list;
  }
  if (node.Tag() == "!") return node.Scalar();
  const Json parsed = Json::parse(node.Scalar(), nullptr, false);
  return parsed.is_number() || parsed.is_boolean() || parsed.is_null() ? parsed : Json(node.Scalar());
}

TEST(YamlTest, SaysWhatTheJsonSays) {
  for (const auto& definition : Definitions()) {
    const std::string yaml = ToYaml(definition.crd);
    EXPECT_EQ(FromYaml(YAML::Load(yaml)), definition.crd) << definition.name;
    EXPECT_EQ(ToYaml(definition.crd), yaml);
  }
}

TEST(YamlTest, QuotesWhatCouldBeReadAsSomethingElse) {
  EXPECT_EQ(
      ToYaml({{"a", "true"},
              {"b", "10m"},
              {"c", ""},
              {"d", "x: y"},
              {"e", "No"},
              {"f", "plain"},
              {"g", -1},
              {"h", true},
              {"i", Json::object()},
              {"j", Json::array()}}),
      "a: \"true\"\nb: \"10m\"\nc: \"\"\nd: \"x: y\"\ne: \"No\"\nf: plain\ng: -1\nh: true\ni: {}\nj: []\n");
}

}  // namespace
}  // namespace slipway::resources
