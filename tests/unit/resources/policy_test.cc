// The platform's policy: what is read of it, what it refuses, and that it fails closed.
#include "resources/policy.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/hostile.h"

namespace slipway::resources {
namespace {

constexpr const char* kPolicy = R"(
insecureRegistries: ["registry.test:5000"]
maxDatabaseAge: 48h
namespaces:
  team-a:
    repositories: [registry.example.com/team, registry.example.com/cache/]
    gitUrls: [https://git.example.com/team]
    secrets: [{name: git, use: source}, {name: base, use: base}, {name: layers, use: cache}, {name: push, use: output},
              {name: hook, use: webhook}, {name: status, use: report}, {name: db, use: migration}]
    serviceAccount: builder
    deployments: [web, api]
    maxConcurrentRuns: 4
    promotionsByReleaseOnly: true
  "*": {repositories: [registry.example.com/shared/]}
)";

Policy Parsed(const std::string& yaml) {
  auto policy = ParsePolicy(yaml);
  EXPECT_TRUE(policy) << policy.error().message;
  return policy.value_or(Policy{});
}

NamespacePolicy TeamA() { return *Parsed(kPolicy).For("team-a"); }

ImageBuildSpec GoodBuild() { return ImageBuild::Decode(testing::GoodImageBuild())->spec; }
CanaryPromotion GoodPromotion() { return *CanaryPromotion::Decode(testing::GoodCanaryPromotion()); }

// "" or "field reason".
std::string Said(const std::optional<Violation>& violation) {
  if (!violation) return "";
  EXPECT_TRUE(violation->message.starts_with(violation->field + ": ")) << violation->message;
  return violation->field + " " + violation->reason;
}

TEST(ParsePolicyTest, ReadsEveryField) {
  const Policy policy = Parsed(kPolicy);
  EXPECT_EQ(policy.insecure_registries, std::vector<std::string>{"registry.test:5000"});
  EXPECT_EQ(policy.max_database_age, std::chrono::hours(48));
  const NamespacePolicy* team = policy.For("team-a");
  ASSERT_NE(team, nullptr);
  EXPECT_EQ(team->repositories,
            (std::vector<std::string>{"registry.example.com/team", "registry.example.com/cache/"}));
  EXPECT_EQ(team->git_urls, std::vector<std::string>{"https://git.example.com/team"});
  ASSERT_EQ(team->secrets.size(), 7U);
  EXPECT_EQ(team->secrets[2].name, "layers");
  EXPECT_EQ(team->secrets[2].use, SecretUse::kCache);
  EXPECT_EQ(team->secrets[4].use, SecretUse::kWebhook);
  EXPECT_EQ(team->secrets[5].use, SecretUse::kReport);
  EXPECT_EQ(team->secrets[6].use, SecretUse::kMigration);
  EXPECT_EQ(team->max_concurrent_runs, 4);
  EXPECT_EQ(team->service_account, "builder");
  EXPECT_EQ(team->deployments, (std::vector<std::string>{"web", "api"}));
  EXPECT_TRUE(team->promotions_by_release_only);
}

TEST(ParsePolicyTest, TheStarIsForNamespacesThatAreNotNamed) {
  const Policy policy = Parsed(kPolicy);
  ASSERT_NE(policy.For("other"), nullptr);
  EXPECT_EQ(policy.For("other")->repositories, std::vector<std::string>{"registry.example.com/shared/"});
  EXPECT_EQ(policy.For("team-a")->repositories.size(), 2U);
  EXPECT_EQ(Parsed("namespaces: {team-a: {}}").For("other"), nullptr);
}

TEST(ParsePolicyTest, WhatIsNotSaidIsNotAllowed) {
  const Policy policy = Parsed("namespaces: {team-a: {}}");
  const NamespacePolicy* team = policy.For("team-a");
  ASSERT_NE(team, nullptr);
  EXPECT_TRUE(team->repositories.empty() && team->secrets.empty() && team->deployments.empty());
  EXPECT_EQ(team->service_account, "default");
  EXPECT_EQ(team->max_concurrent_runs, 0);
  EXPECT_EQ(Parsed("{}").For("team-a"), nullptr);
}

TEST(ParsePolicyTest, AnErrorNamesTheLineAndTheField) {
  struct Row {
    const char* yaml;
    std::vector<const char*> words;
  };
  const std::vector<Row> rows{
      {"", {"line 1", "is empty"}},
      {"[]", {"line 1", "must be a map"}},
      {"a: [", {"line ", "is not YAML"}},
      {"namespace: {}",
       {"line 1", "namespace: is not known",
        "namespaces, insecureRegistries, maxDatabaseAge, rescanInterval"}},
      {"namespaces: [a]", {"line 1", "namespaces: must be a map"}},
      {"namespaces:\n  A_B: {}", {"line 2", "namespaces.A_B", "lower-case"}},
      {"namespaces:\n  a:\n    repository: []",
       {"line 3", "namespaces.a.repository: is not known", "repositories"}},
      {"namespaces:\n  a:\n    repositories: x", {"line 3", "namespaces.a.repositories: must be a list"}},
      {"namespaces:\n  a:\n    repositories:\n    - x.io/a\n    - https://x.io/a",
       {"line 5", "namespaces.a.repositories[1]", "without scheme"}},
      {"namespaces:\n  a:\n    repositories: ['']", {"line 3", "namespaces.a.repositories[0]"}},
      {"namespaces:\n  a:\n    repositories: ['*']", {"line 3", "namespaces.a.repositories[0]"}},
      {"namespaces:\n  a:\n    gitUrls: ['https://']", {"line 3", "namespaces.a.gitUrls[0]", "whole host"}},
      {"namespaces:\n  a:\n    gitUrls: ['ssh://']", {"line 3", "namespaces.a.gitUrls[0]", "whole host"}},
      {"namespaces:\n  a:\n    gitUrls: ['ssh://git:pw@h/x']", {"line 3", "namespaces.a.gitUrls[0]"}},
      {"namespaces:\n  a:\n    gitUrls: ['git@h']", {"line 3", "namespaces.a.gitUrls[0]", "user@host:"}},
      {"namespaces:\n  a:\n    gitUrls: ['git@-h:']", {"line 3", "namespaces.a.gitUrls[0]"}},
      {"namespaces:\n  a:\n    gitUrls: ['git@h:../']", {"line 3", "namespaces.a.gitUrls[0]"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: 0", {"line 3", "maxConcurrentRuns", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: 1001", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: -1", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: 2x", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: ''", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: 99999999999", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    maxConcurrentRuns: [1]", {"line 3", "from 1 to 1000"}},
      {"namespaces:\n  a:\n    secrets: [{name: s}]", {"line 3", "secrets[0]", "both name and use"}},
      {"namespaces:\n  a:\n    secrets: [{use: base}]", {"line 3", "secrets[0]", "both name and use"}},
      {"namespaces:\n  a:\n    secrets: [{name: s, use: push}]",
       {"line 3", "secrets[0].use", "source, base, cache, output, webhook, report or migration"}},
      {"namespaces:\n  a:\n    secrets: [{name: s, use: base, key: k}]", {"secrets[0].key: is not known"}},
      {"namespaces:\n  a:\n    secrets: [{name: s, use: base}, {name: s, use: output}]",
       {"line 3", "secrets[1]", "one Secret has one use"}},
      {"namespaces:\n  a:\n    deployments: ['web*']", {"line 3", "namespaces.a.deployments[0]"}},
      {"namespaces:\n  a:\n    promotionsByReleaseOnly: maybe", {"line 3", "must be true or false"}},
      {"namespaces:\n  a: {}\n  a: {}", {"line 3", "namespaces.a: is there twice"}},
      {"maxDatabaseAge: 0s", {"line 1", "maxDatabaseAge", "must be a time such as 48h"}},
      {"maxDatabaseAge: -1h", {"line 1", "must be a time"}},
      {"maxDatabaseAge: [1h]", {"line 1", "must be a time"}},
      {"insecureRegistries: [http://x]", {"line 1", "insecureRegistries[0]", "host"}},
  };
  for (const Row& row : rows) {
    const auto policy = ParsePolicy(row.yaml);
    ASSERT_FALSE(policy) << row.yaml;
    EXPECT_EQ(policy.error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(policy.error().message.starts_with("policy.yaml line ")) << policy.error().message;
    for (const char* word : row.words) {
      EXPECT_NE(policy.error().message.find(word), std::string::npos)
          << word << " is not in: " << policy.error().message;
    }
  }
}

TEST(PolicyTest, OnlyANamedHostIsInsecure) {
  const Policy policy = Parsed(kPolicy);
  const std::vector<std::pair<const char*, bool>> rows{
      {"registry.test:5000/a/b", true},     {"registry.test:5000", true},
      {"registry.test/a", false},           {"registry.test:50000/a", false},
      {"evil/registry.test:5000/a", false}, {"registry.example.com/a", false},
      {"x.registry.test:5000/a", false},    {"", false}};
  for (const auto& [repository, insecure] : rows)
    EXPECT_EQ(policy.Insecure(repository), insecure) << repository;
}

TEST(PolicyMapTest, AMapWithoutAPolicyOrWithABadOneAllowsNothingAndSaysWhy) {
  const std::vector<std::pair<kube::Json, const char*>> rows{
      {nullptr, "has no key policy.yaml"},
      {{{"other.yaml", "namespaces: {}"}}, "has no key policy.yaml"},
      {{{"policy.yaml", "nonsense"}}, "policy.yaml line 1"},
      {{{"policy.yaml", ""}}, "is empty"}};
  for (const auto& [data, words] : rows) {
    const auto map =
        PolicyMap::Decode({{"metadata", {{"name", "slipway-policy"}, {"namespace", "s"}}}, {"data", data}});
    ASSERT_TRUE(map) << map.error().message;
    ASSERT_FALSE(map->policy) << data;
    EXPECT_NE(map->policy.error().message.find(words), std::string::npos) << map->policy.error().message;
  }
}

TEST(CheckTest, WithoutAPolicyNothingIsAllowed) {
  const std::string said = "metadata.namespace PolicyMissing";
  EXPECT_EQ(Said(Check(GoodBuild(), nullptr, "team-a")), said);
  EXPECT_EQ(
      Said(Check(Release::Decode(testing::GoodRelease())->spec, testing::kGoodImage, nullptr, "team-a")),
      said);
  EXPECT_EQ(Said(Check(GoodPromotion(), nullptr)), said);
  const auto violation = Check(GoodBuild(), nullptr, "team-a");
  EXPECT_NE(violation->message.find("team-a"), std::string::npos);
  EXPECT_NE(violation->message.find("policy.yaml"), std::string::npos);
}

TEST(CheckTest, ARepositoryIsUnderAPrefixOnlyAtASlash) {
  struct Row {
    const char* prefix;
    const char* repository;
    bool allowed;
  };
  const std::vector<Row> rows{
      {"registry.example.com/team", "registry.example.com/team", true},
      {"registry.example.com/team", "registry.example.com/team/app", true},
      {"registry.example.com/team", "registry.example.com/team-evil", false},
      {"registry.example.com/team", "registry.example.com/team-evil/app", false},
      {"registry.example.com/team", "registry.example.com/teams/app", false},
      {"registry.example.com/team/", "registry.example.com/team/app", true},
      {"registry.example.com/team/", "registry.example.com/team-evil/app", false},
      {"registry.example.com/team/", "registry.example.com/team", false},
      {"registry.example.com/team-", "registry.example.com/team-evil", false},
      {"registry.example.com", "registry.example.com/any/app", true},
      {"registry.example.com", "registry.example.com.evil.io/app", false},
      {"registry.example.com", "registry.example.com:5000/app", false},
      {"example.com", "registry.example.com/app", false},
  };
  for (const Row& row : rows) {
    auto spec = GoodBuild();
    spec.build.cache.reset();
    spec.output.repository = row.repository;
    NamespacePolicy policy;
    policy.repositories = {row.prefix};
    const std::string said = Said(Check(spec, &policy, "team-a"));
    EXPECT_EQ(said, row.allowed ? "" : "spec.output.repository RegistryNotAllowed")
        << row.prefix << " " << row.repository;
  }
}

TEST(CheckTest, ASourceIsUnderAPrefixOnlyAtASlash) {
  const std::vector<std::pair<const char*, bool>> rows{
      {"https://git.example.com/team/app.git", true},   {"https://git.example.com/team", true},
      {"https://git.example.com/team-evil/a", false},   {"http://git.example.com/team/app.git", false},
      {"https://git.example.com:444/team/a", false},    {"https://git.example.com.evil.io/team/a", false},
      {"https://evil.io/git.example.com/team/a", false}};
  const NamespacePolicy policy = TeamA();
  for (const auto& [url, allowed] : rows) {
    auto spec = GoodBuild();
    spec.source.url = url;
    EXPECT_EQ(Said(Check(spec, &policy, "team-a")), allowed ? "" : "spec.source.git.url GitUrlNotAllowed")
        << url;
  }
  NamespacePolicy any = policy;
  any.git_urls.clear();
  auto spec = GoodBuild();
  spec.source.url = "http://anywhere.example.org/x.git";
  EXPECT_EQ(Said(Check(spec, &any, "team-a")), "");
}

TEST(CheckTest, ASourceOverSshIsUnderAPrefixOnlyAtASlashOrAColon) {
  struct Row {
    const char* prefix;
    const char* url;
    bool allowed;
  };
  const std::vector<Row> rows{
      {"ssh://git@h/", "ssh://git@h/team/a", true},
      {"ssh://git@h", "ssh://git@h/team/a", true},
      {"ssh://git@h/team", "ssh://git@h/team/a", true},
      {"ssh://git@h/team", "ssh://git@h/team-evil/a", false},
      {"ssh://git@h/", "ssh://h/team/a", false},
      {"ssh://h/", "ssh://git@h/team/a", false},
      {"ssh://git@h", "ssh://git@h.evil.io/a", false},
      {"ssh://git@h", "ssh://git@h:2222/a", false},
      {"git@h:", "git@h:team/a.git", true},
      {"git@h:", "git@h:/srv/a.git", true},
      {"git@h:", "git@h.evil.io:team/a", false},
      {"git@h:", "other@h:team/a", false},
      {"git@h:", "ssh://git@h/team/a", false},
      {"git@h:team/", "git@h:team/a", true},
      {"git@h:team/", "git@h:team-evil/a", false},
      {"git@h:team/", "git@h:other/a", false},
      {"git@h:team/", "git@h:/team/a", false},
      {"git@h:team", "git@h:team/a", true},
      {"git@h:team", "git@h:teams/a", false},
      {"https://h/", "git@h:team/a", false},
  };
  for (const Row& row : rows) {
    // As it stands in a policy, so that the prefix is one that may be written there.
    const Policy policy =
        Parsed(std::string("namespaces: {a: {repositories: [registry.example.com/], gitUrls: ['") +
               row.prefix + "']}}");
    auto spec = GoodBuild();
    spec.source.url = row.url;
    EXPECT_EQ(Said(Check(spec, policy.For("a"), "a")),
              row.allowed ? "" : "spec.source.git.url GitUrlNotAllowed")
        << row.prefix << " " << row.url;
  }
}

TEST(CheckTest, ACacheMustBeAllowedToo) {
  auto spec = GoodBuild();
  spec.build.cache = CacheSpec{.repository = "registry.example.com/elsewhere/x"};
  const NamespacePolicy policy = TeamA();
  EXPECT_EQ(Said(Check(spec, &policy, "team-a")), "spec.build.cache.repository RegistryNotAllowed");
}

TEST(CheckTest, AReleaseIsHeldAgainstTargetAndImage) {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  struct Row {
    const char* deployment;
    std::string image;
    const char* said;
  };
  const std::vector<Row> rows{
      {"web", testing::kGoodImage, ""},
      {"web", "", ""},
      {"db", testing::kGoodImage, "spec.target.deployment DeploymentNotAllowed"},
      {"db", "", "spec.target.deployment DeploymentNotAllowed"},
      {"web", "registry.example.com/other/app" + digest, "spec.image RegistryNotAllowed"},
      {"web", "registry.example.com/team-evil" + digest, "spec.image RegistryNotAllowed"},
      {"web", "registry.example.com/cache/team" + digest, "spec.image CacheNotDeliverable"},
      {"web", "registry.example.com/team/cache/x" + digest, "spec.image CacheNotDeliverable"},
      {"web", "registry.example.com/team/cached" + digest, ""},
      {"web", "registry.example.com/team/app:v1", "spec.image ImageNotByDigest"},
  };
  const NamespacePolicy policy = TeamA();
  for (const Row& row : rows) {
    auto spec = Release::Decode(testing::GoodRelease())->spec;
    spec.target.deployment = row.deployment;
    EXPECT_EQ(Said(Check(spec, row.image, &policy, "team-a")), row.said)
        << row.deployment << " " << row.image;
  }
  auto follows = Release::Decode(testing::GoodRelease())->spec;
  follows.image.clear();
  follows.image_from = ImageFrom{"web", std::nullopt};
  EXPECT_EQ(Said(Check(follows, "x.io/a" + digest, &policy, "team-a")),
            "spec.imageFrom.imageBuild RegistryNotAllowed");
  follows.image_from = ImageFrom{"", ReleaseRef{"web", "staging"}};
  EXPECT_EQ(Said(Check(follows, "x.io/a" + digest, &policy, "team-a")),
            "spec.imageFrom.release RegistryNotAllowed");
}

// As those of an ImageBuild's tests: whatever image, as long as it can't move.
TEST(CheckTest, AChecksOwnImageMustBePinned) {
  const NamespacePolicy policy = TeamA();
  const std::string digest = "@sha256:" + std::string(64, 'a');
  const std::vector<std::pair<std::string, bool>> rows{
      {"tools.example.org/hey" + digest, true}, {"tools.example.org/hey:v1", false}, {"hey" + digest, false}};
  for (const auto& [image, allowed] : rows) {
    SmokeTest test;
    test.pod = PodCheck{.image = image};
    auto release = Release::Decode(testing::GoodRelease())->spec;
    release.smoke_tests = {test};
    EXPECT_EQ(Said(Check(release, "", &policy, "team-a")),
              allowed ? "" : "spec.smokeTests[0].pod.image InvalidSpec")
        << image;
    release.smoke_tests.clear();
    release.verification = {test};
    EXPECT_EQ(Said(Check(release, "", &policy, "team-a")),
              allowed ? "" : "spec.verification[0].pod.image InvalidSpec")
        << image;
    auto promotion = GoodPromotion().spec;
    promotion.verification = {test};
    EXPECT_EQ(Said(Check(promotion, &policy, "team-a")),
              allowed ? "" : "spec.verification[0].pod.image InvalidSpec")
        << image;
  }
}

TEST(CheckTest, TheStarStandsForEveryDeployment) {
  NamespacePolicy policy = TeamA();
  auto spec = GoodPromotion().spec;
  spec.target.deployment = "db";
  EXPECT_EQ(Said(Check(spec, &policy, "team-a")), "spec.target.deployment DeploymentNotAllowed");
  policy.deployments = {"*"};
  EXPECT_EQ(Said(Check(spec, &policy, "team-a")), "");
  policy.deployments = {};
  EXPECT_EQ(Said(Check(spec, &policy, "team-a")), "spec.target.deployment DeploymentNotAllowed");
}

TEST(CheckTest, WhereOnlyReleasesMayAPromotionByHandIsRefused) {
  NamespacePolicy policy = TeamA();
  const std::string refused = "metadata.ownerReferences PromotionNotAllowed";
  const auto owned = [](const char* api_version, const char* kind, bool controller) {
    auto object = testing::GoodCanaryPromotion();
    object["metadata"]["ownerReferences"] = {{{"apiVersion", api_version},
                                              {"kind", kind},
                                              {"name", "web"},
                                              {"uid", "u-9"},
                                              {"controller", controller}}};
    return *CanaryPromotion::Decode(object);
  };
  EXPECT_EQ(Said(Check(GoodPromotion(), &policy)), refused);
  EXPECT_EQ(Said(Check(owned("slipway.dev/v1alpha1", "Release", true), &policy)), "");
  EXPECT_EQ(Said(Check(owned("slipway.dev/v1alpha1", "Release", false), &policy)), refused);
  EXPECT_EQ(Said(Check(owned("slipway.dev/v1alpha1", "ImageBuild", true), &policy)), refused);
  EXPECT_EQ(Said(Check(owned("evil.dev/v1alpha1", "Release", true), &policy)), refused);
  policy.promotions_by_release_only = false;
  EXPECT_EQ(Said(Check(GoodPromotion(), &policy)), "");
}

TEST(CheckTest, WhatTheCrdWouldRefuseIsRefusedHereFirst) {
  auto spec = GoodBuild();
  spec.source.revision = "--upload-pack=x";
  EXPECT_EQ(Said(Check(spec, nullptr, "team-a")), "spec.source.git.revision InvalidSpec");
}

}  // namespace
}  // namespace slipway::resources
