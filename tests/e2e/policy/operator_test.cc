// What the running operator refuses by the platform's policy, as hack/install has it for e2e-policy:
// repositories below its own name, two Secrets, each for one use.
#include <gtest/gtest.h>

#include "support/kubectl.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

constexpr const char* kWatched = "e2e-policy";
constexpr const char* kRegistry = "registry.slipway.test:5000";

class PolicyOfThePlatform : public ::testing::Test {
 protected:
  void SetUp() override { Clear(); }
  void TearDown() override { Clear(); }

  static void Clear() {
    const auto gone = Kubectl(
        {"-n", kWatched, "delete", "imagebuilds,releases,canarypromotions,jobs", "--all", "--timeout=60s"});
    ASSERT_TRUE(gone.ok()) << gone.text;
  }

  // Applies the ImageBuild and waits until it is refused: nothing may have been started for it.
  static void Refuses(const std::string& url, const std::string& secrets_of_source, const std::string& output,
                      const std::string& reason, const std::vector<std::string>& words) {
    Apply(kWatched,
          "{apiVersion: slipway.dev/v1alpha1, kind: ImageBuild, metadata: {name: web}, spec: {source: {git: "
          "{url: '" +
              url + "', revision: main" + secrets_of_source + "}}, output: {" + output + "}}}");
    const auto build = WaitReady(kWatched, "imagebuild", "web", "False", seconds(30));
    Says(build, reason, words);
    EXPECT_EQ(GetJson(kWatched, "jobs")["items"].size(), 0U);
  }

  static void Says(const nlohmann::json& object, const std::string& reason,
                   const std::vector<std::string>& words) {
    const auto ready = Condition(object, "Ready");
    EXPECT_EQ(ready.value("reason", ""), reason) << ready;
    EXPECT_EQ(Condition(object, "Stalled").value("status", ""), "True");
    const std::string& field = words.front();
    EXPECT_EQ(ready.value("message", "").find(field + ": " + field), std::string::npos) << "twice: " << ready;
    for (const auto& word : words) {
      EXPECT_NE(ready.value("message", "").find(word), std::string::npos) << word << " is not in " << ready;
    }
  }

  static std::string Own() { return std::string("repository: '") + kRegistry + "/" + kWatched + "/web'"; }
  static constexpr const char* kUrl = "http://git.slipway.test:8090/e2e-policy.git";
};

TEST_F(PolicyOfThePlatform, ARepositoryOfOthers) {
  Refuses(kUrl, "", "repository: elsewhere.example.com/team/web", "RegistryNotAllowed",
          {"spec.output.repository", "elsewhere.example.com/team/web", kWatched, "ask the platform team"});
}

TEST_F(PolicyOfThePlatform, ARepositoryThatOnlyBeginsAlike) {
  Refuses(kUrl, "", std::string("repository: '") + kRegistry + "/" + kWatched + "-evil/web'",
          "RegistryNotAllowed", {"spec.output.repository", "e2e-policy-evil"});
}

TEST_F(PolicyOfThePlatform, ASourceOfOthers) {
  Refuses("https://git.elsewhere.example.com/a.git", "", Own(), "GitUrlNotAllowed", {"spec.source.git.url"});
}

TEST_F(PolicyOfThePlatform, ASecretThatIsNotGranted) {
  Refuses(kUrl, "", Own() + ", credentialsSecretRef: {name: somebody-elses}", "SecretNotAllowed",
          {"spec.output.credentialsSecretRef", "somebody-elses", "use output"});
}

TEST_F(PolicyOfThePlatform, ASecretThatIsGrantedForAnotherUse) {
  Refuses(kUrl, ", credentialsSecretRef: {name: push-credentials}", Own(), "SecretNotAllowed",
          {"spec.source.git.credentialsSecretRef", "push-credentials", "use source"});
}

TEST_F(PolicyOfThePlatform, AnImageOfOthersIsNotDelivered) {
  const std::string image = "elsewhere.example.com/team/web@sha256:" + std::string(64, 'a');
  Apply(kWatched, "{apiVersion: slipway.dev/v1alpha1, kind: Release, metadata: {name: web}, spec: {image: '" +
                      image + "', target: {deployment: web, service: web}}}");
  Says(WaitReady(kWatched, "release", "web", "False", seconds(30)), "RegistryNotAllowed",
       {"spec.image", "elsewhere.example.com/team/web"});
  EXPECT_EQ(GetJson(kWatched, "canarypromotions")["items"].size(), 0U);
}

TEST_F(PolicyOfThePlatform, NothingIsDeliveredFromACache) {
  const std::string image = std::string(kRegistry) + "/cache/" + kWatched + "@sha256:" + std::string(64, 'a');
  Apply(kWatched,
        "{apiVersion: slipway.dev/v1alpha1, kind: CanaryPromotion, metadata: {name: web}, spec: {image: '" +
            image + "', target: {deployment: web, service: web}}}");
  Says(WaitReady(kWatched, "canarypromotion", "web", "False", seconds(30)), "CacheNotDeliverable",
       {"spec.image"});
}

}  // namespace
}  // namespace slipway::testing
