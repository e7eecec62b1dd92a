// Bad input ends in a condition that names the field and the mend.
#include "support/story.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

class Refusal : public Story {
 protected:
  Refusal() : Story("e2e-refusal") {}

  // Applies the ImageBuild with these fields and waits until it is refused or failed; its Ready condition.
  nlohmann::json Fails(const std::string& url, const std::string& revision, const std::string& repository) {
    Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: ImageBuild
metadata: {name: web}
spec:
  source: {git: {url: ")" +
                   url + R"(", revision: ")" + revision + R"("}}
  output: {repository: ")" +
                   repository + R"("}
)");
    return Condition(WaitReady(ns_, "imagebuild", "web", "False", seconds(120)), "Ready");
  }

  std::string Url() const { return "http://git.slipway.test:8090/" + repository_ + ".git"; }
  std::string Repository() const { return "registry.slipway.test:5000/" + ns_ + "/web"; }
};

void Says(const nlohmann::json& condition, const std::string& reason, const std::vector<std::string>& words) {
  EXPECT_EQ(condition.value("reason", ""), reason) << condition;
  for (const auto& word : words) {
    EXPECT_NE(condition.value("message", "").find(word), std::string::npos)
        << word << " is not in " << condition;
  }
}

TEST_F(Refusal, AnUnreachableGitHost) {
  Says(Fails("http://nowhere.slipway.test:8090/x.git", "main", Repository()), "GitHostUnreachable",
       {"spec.source.git.url", "nowhere.slipway.test"});
}

TEST_F(Refusal, AMissingRevision) {
  Says(Fails(Url(), "no-such-branch", Repository()), "RevisionNotFound",
       {"spec.source.git.revision", "no-such-branch"});
}

TEST_F(Refusal, ADockerfileThatFails) {
  const std::string commit = Push("broken-dockerfile");
  Says(Fails(Url(), commit, Repository()), "DockerfileFailed", {"spec.build.dockerfile", "kubectl", "logs"});
}

TEST_F(Refusal, ARegistryThatRefuses) {
  // Allowed by policy, answered by nobody.
  Says(Fails(Url(), "main", "registry.slipway.test:5999/" + ns_ + "/web"), "RegistryUnreachable",
       {"spec.output.repository", "registry.slipway.test:5999"});
}

TEST_F(Refusal, ARegistryThatThePolicyDoesNotAllow) {
  Says(Fails(Url(), "main", "elsewhere.example.com/team/web"), "RegistryNotAllowed",
       {"spec.output.repository", "elsewhere.example.com/team/web"});
}

TEST_F(Refusal, AHighFindingIsNeverPushed) {
  const std::string commit = Push("vulnerable");
  Says(Fails(Url(), commit, Repository()), "VulnerabilitiesFound", {"CVE-"});
  const auto build = GetJson(ns_, "imagebuild", "web");
  EXPECT_GT(build["status"]["runs"][0]["findings"].value("high", 0), 0);
  const auto tags = Execute({"crane", "ls", "--insecure", Repository()});
  EXPECT_EQ(tags.text.find(commit), std::string::npos) << tags.text;
}

TEST_F(Refusal, AReleaseOfAnUnknownDeployment) {
  BuildAndWait("main");
  Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: Release
metadata: {name: web}
spec: {imageFrom: {imageBuild: web}, target: {deployment: nobody, service: web}}
)");
  Says(Condition(WaitReady(ns_, "release", "web", "False", seconds(60)), "Ready"), "TargetNotFound",
       {"spec.target.deployment", "nobody"});
}

TEST_F(Refusal, ATagWhereADigestBelongs) {
  for (const std::string kind : {"Release", "CanaryPromotion"}) {
    const auto refused = Kubectl({"-n", ns_, "apply", "-f", "-"}, R"(
apiVersion: slipway.dev/v1alpha1
kind: )" + kind + R"(
metadata: {name: tagged}
spec: {image: "registry.slipway.test:5000/team/web:v1", target: {deployment: web, service: web}}
)");
    EXPECT_FALSE(refused.ok());
    EXPECT_NE(refused.text.find("spec.image"), std::string::npos) << refused.text;
    EXPECT_NE(refused.text.find("digest"), std::string::npos) << refused.text;
  }
}

// The ImageBuild `web` of the private repository of this story, with the Secret git-credentials.
class PrivateRepository : public Refusal {
 protected:
  // Nobody's Secret is left over, neither from before nor for the next one.
  void SetUp() override {
    Refusal::SetUp();
    Forget();
  }
  void TearDown() override {
    Refusal::TearDown();
    Forget();
  }

  // A private repository whose main has one good commit.
  void CreatePrivate() {
    repository_ = "private/" + ns_;
    const auto created = Execute({SourcePath("hack/testbed/sample-repo"), "create", repository_});
    ASSERT_TRUE(created.ok()) << created.text;
  }

  void Keep(const std::string& password) {
    Apply(ns_, R"(
apiVersion: v1
kind: Secret
metadata: {name: git-credentials}
type: kubernetes.io/basic-auth
stringData: {username: slipway, password: )" +
                   password + "}\n");
  }

  void BuildWithSecret() {
    Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: ImageBuild
metadata: {name: web}
spec:
  source: {git: {url: ")" +
                   Url() + R"(", revision: main, credentialsSecretRef: {name: git-credentials}}}
  build: {timeout: 5m}
  output: {repository: ")" +
                   Repository() + R"("}
)");
  }

  nlohmann::json Refused() {
    return Condition(WaitReady(ns_, "imagebuild", "web", "False", seconds(120)), "Ready");
  }

 private:
  void Forget() {
    const auto gone = Kubectl({"-n", ns_, "delete", "secret", "git-credentials", "--ignore-not-found"});
    EXPECT_TRUE(gone.ok()) << gone.text;
  }
};

TEST_F(PrivateRepository, ASecretThatIsNotThere) {
  BuildWithSecret();
  Says(Refused(), "SecretNotFound", {"spec.source.git.credentialsSecretRef", "git-credentials", ns_});
  // Else its pod would start as soon as there is such a Secret.
  EXPECT_TRUE(Eventually(seconds(30), "no Job is left", [this](std::string& seen) {
    const auto jobs = GetJson(ns_, "jobs").value("items", nlohmann::json::array());
    seen = std::to_string(jobs.size()) + " Jobs";
    return jobs.empty();
  }));
}

TEST_F(PrivateRepository, APrivateRepositoryWithItsSecret) {
  ASSERT_NO_FATAL_FAILURE(CreatePrivate());
  Keep("testbed");
  BuildWithSecret();
  const auto build = WaitReady(ns_, "imagebuild", "web", "True", seconds(180));
  EXPECT_NE(build["status"]["latest"].value("image", "").find(Repository() + "@sha256:"), std::string::npos)
      << build;
}

TEST_F(PrivateRepository, AWrongPassword) {
  ASSERT_NO_FATAL_FAILURE(CreatePrivate());
  Keep("not-the-one");
  BuildWithSecret();
  const auto refused = Refused();
  Says(refused, "GitAuthFailed", {"spec.source.git.credentialsSecretRef", "git-credentials"});
  EXPECT_EQ(refused.dump().find("not-the-one"), std::string::npos) << "a password is never told";
}

}  // namespace
}  // namespace slipway::testing
