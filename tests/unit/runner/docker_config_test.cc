#include "runner/docker_config.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

Json Merged(const DockerConfigs& configs) {
  const auto merged = MergeDockerConfigs(configs);
  if (!merged) return Json(merged.error());
  return Json::parse(*merged).at("auths");
}

TEST(DockerConfig, WithoutSecretsItIsEmpty) { EXPECT_EQ(Merged({}), Json::object()); }

TEST(DockerConfig, OnlyWhatARegistryIsAnsweredWithStays) {
  EXPECT_EQ(Merged({R"({"auths":{"a.b":{"auth":"QQ==","email":"x","username":1},"c.d":{"email":"y"},"e.f":3},
                       "credHelpers":{"a.b":"evil"},"credsStore":"evil","HttpHeaders":{"X":"y"}})",
                    std::nullopt, ""}),
            (Json{{"a.b", {{"auth", "QQ=="}}}}));
}

struct Row {
  std::string_view auths;     // of the cache's Secret
  std::string_view expected;  // the entry's username; empty: refused
};

TEST(DockerConfig, TheCachesEntryIsTheOneThatFitsBest) {
  constexpr auto kRows = std::to_array<Row>({
      {R"({"r.x:5000":{"username":"host"}})", "host"},
      {R"({"https://r.x:5000":{"username":"url"}})", "url"},
      {R"({"http://r.x:5000/v2/":{"username":"url"}})", "url"},
      {R"({"r.x:5000":{"username":"host"},"r.x:5000/team":{"username":"team"}})", "team"},
      {R"({"r.x:5000/team":{"username":"team"},"r.x:5000/team/cache":{"username":"own"}})", "own"},
      {R"({"r.x:5000/te":{"username":"other"}})", ""},
      {R"({"r.x:5000/team/cache/below":{"username":"other"}})", ""},
      {R"({"r.x":{"username":"other"}})", ""},
      {R"({})", ""},
  });
  for (const Row& row : kRows) {
    const Json found =
        Merged({std::nullopt, "{\"auths\":" + std::string(row.auths) + "}", "r.x:5000/team/cache"});
    if (row.expected.empty()) {
      EXPECT_TRUE(found.is_string()) << row.auths;
      continue;
    }
    // And nobody else gets it: neither the host nor its other repositories.
    EXPECT_EQ(found,
              (Json{{"r.x:5000", Json::object()}, {"r.x:5000/team/cache", {{"username", row.expected}}}}))
        << row.auths;
  }
}

TEST(DockerConfig, TheHubHasItsOwnKey) {
  EXPECT_EQ(Merged({std::nullopt, R"({"auths":{"https://index.docker.io/v1/":{"username":"u"}}})",
                    "docker.io/team/cache"}),
            (Json{{"index.docker.io/team/cache", {{"username", "u"}}}}));
}

TEST(DockerConfig, BaseEntriesStayBesideTheCaches) {
  EXPECT_EQ(Merged({R"({"auths":{"https://r.x/v1/":{"username":"base"}}})",
                    R"({"auths":{"r.x":{"username":"cache"}}})", "r.x/cache"}),
            (Json{{"https://r.x/v1/", {{"username", "base"}}}, {"r.x/cache", {{"username", "cache"}}}}));
}

TEST(DockerConfig, ErrorsHoldNothingOfTheSecret) {
  for (const char* text :
       {"", "hidden", "[\"hidden\"]", R"({"auths":["hidden"]})", R"({"auths":{"hidden":)"}) {
    const auto base = MergeDockerConfigs({text, std::nullopt, ""});
    ASSERT_FALSE(base) << text;
    EXPECT_EQ(base.error().find("hidden"), std::string::npos);
    EXPECT_FALSE(MergeDockerConfigs({std::nullopt, text, "r.x/cache"})) << text;
  }
}

}  // namespace
}  // namespace slipway::runner
