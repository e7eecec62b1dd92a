// One Secret for one use, and for no other.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "resources/policy.h"
#include "support/hostile.h"

namespace slipway::resources {
namespace {

NamespacePolicy TeamA() {
  auto policy = ParsePolicy(R"(
namespaces:
  team-a:
    repositories: [registry.example.com/]
    deployments: ["*"]
    secrets: [{name: git, use: source}, {name: base, use: base}, {name: layers, use: cache}, {name: push, use: output},
              {name: hook, use: webhook}, {name: status, use: report}, {name: db, use: migration},
              {name: key, use: migration}]
)");
  EXPECT_TRUE(policy) << policy.error().message;
  return policy ? *policy->For("team-a") : NamespacePolicy{};
}

ImageBuildSpec GoodBuild() { return ImageBuild::Decode(testing::GoodImageBuild())->spec; }

// "" or "field reason".
std::string Said(const std::optional<Violation>& violation) {
  return violation ? violation->field + " " + violation->reason : "";
}

struct Secrets {
  const char *source, *base, *cache, *output, *webhook, *report;
  const char* said;
};

ImageBuildSpec WithSecrets(const Secrets& row) {
  const auto ref = [](const char* name) {
    return name == nullptr ? std::nullopt : std::optional(NameRef{name});
  };
  auto spec = GoodBuild();
  spec.source.credentials_secret_ref = ref(row.source);
  spec.build.base_credentials_secret_ref = ref(row.base);
  spec.build.cache->credentials_secret_ref = ref(row.cache);
  spec.output.credentials_secret_ref = ref(row.output);
  if (row.webhook != nullptr) spec.trigger.webhook = WebhookTrigger{{row.webhook}};
  if (row.report != nullptr) {
    spec.report =
        ReportSpec{.api_url = "https://git.example.com/api", .credentials_secret_ref = {row.report}};
  }
  return spec;
}

TEST(CheckSecretsTest, ASecretIsGrantedForOneUse) {
  constexpr std::nullptr_t no = nullptr;
  const std::vector<Secrets> rows{
      {"git", "base", "layers", "push", "hook", "status", ""},
      {no, no, no, no, no, no, ""},
      {"other", no, no, no, no, no, "spec.source.git.credentialsSecretRef SecretNotAllowed"},
      {"push", no, no, no, no, no, "spec.source.git.credentialsSecretRef SecretNotAllowed"},
      {no, "push", no, no, no, no, "spec.build.baseCredentialsSecretRef SecretNotAllowed"},
      {no, no, "push", no, no, no, "spec.build.cache.credentialsSecretRef SecretNotAllowed"},
      {no, no, no, "git", no, no, "spec.output.credentialsSecretRef SecretNotAllowed"},
      {no, no, no, no, "push", no, "spec.trigger.webhook.secretRef SecretNotAllowed"},
      {no, no, no, no, "status", no, "spec.trigger.webhook.secretRef SecretNotAllowed"},
      {no, no, no, no, no, "git", "spec.report.credentialsSecretRef SecretNotAllowed"},
      {"db", no, no, no, no, no, "spec.source.git.credentialsSecretRef SecretNotAllowed"},
      {no, no, no, no, no, "hook", "spec.report.credentialsSecretRef SecretNotAllowed"},
      {"git", no, no, "git", no, no, "spec.output.credentialsSecretRef SecretInTwoUses"},
      {no, "push", no, "push", no, no, "spec.output.credentialsSecretRef SecretInTwoUses"},
      {no, "layers", "layers", no, no, no, "spec.build.cache.credentialsSecretRef SecretInTwoUses"},
      {"git", no, no, no, "git", no, "spec.trigger.webhook.secretRef SecretInTwoUses"},
      {no, no, no, "push", no, "push", "spec.report.credentialsSecretRef SecretInTwoUses"},
      {no, no, no, no, "hook", "hook", "spec.report.credentialsSecretRef SecretInTwoUses"},
  };
  const NamespacePolicy policy = TeamA();
  for (const Secrets& row : rows) {
    EXPECT_EQ(Said(Check(WithSecrets(row), &policy, "team-a")), row.said);
  }
}

TEST(CheckSecretsTest, AMigrationsSecretsAreGrantedForIt) {
  struct Row {
    std::vector<std::string> secrets;
    const char* said;
  };
  const std::vector<Row> rows{
      {{}, ""},
      {{"db"}, ""},
      {{"db", "key"}, ""},
      {{"push"}, "spec.migration.envFromSecrets[0] SecretNotAllowed"},
      {{"db", "git"}, "spec.migration.envFromSecrets[1] SecretNotAllowed"},
      {{"db", "key", "other"}, "spec.migration.envFromSecrets[2] SecretNotAllowed"},
      {{"../db"}, "spec.migration.envFromSecrets[0] InvalidSpec"},
  };
  const NamespacePolicy policy = TeamA();
  auto spec = Release::Decode(testing::GoodRelease())->spec;
  EXPECT_EQ(Said(Check(spec, "", &policy, "team-a")), "");
  for (const Row& row : rows) {
    spec.migration = Migration{.env_from_secrets = row.secrets};
    // Whether an image is known yet or not.
    EXPECT_EQ(Said(Check(spec, "", &policy, "team-a")), row.said);
    EXPECT_EQ(Said(Check(spec, testing::kGoodImage, &policy, "team-a")), row.said);
  }
  spec.migration = Migration{.env_from_secrets = {"mine"}};
  const auto violation = Check(spec, "", &policy, "team-a");
  ASSERT_TRUE(violation);
  EXPECT_NE(violation->message.find("{name: mine, use: migration}"), std::string::npos) << violation->message;
}

TEST(CheckSecretsTest, ARefusedSecretSaysWhatThePolicyWouldNeed) {
  auto spec = GoodBuild();
  spec.output.credentials_secret_ref = NameRef{"mine"};
  const NamespacePolicy policy = TeamA();
  const auto violation = Check(spec, &policy, "team-a");
  ASSERT_TRUE(violation);
  EXPECT_NE(violation->message.find("{name: mine, use: output}"), std::string::npos) << violation->message;
}

}  // namespace
}  // namespace slipway::resources
