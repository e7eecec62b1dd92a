// A pull request is built as an ImageBuild of its own, which pushes nothing; a stranger's only once somebody
// who may has approved that very commit, and without any Secret but the token that reports to the forge.
#include "e2e/forge/fixture.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Names = std::set<std::string>;

constexpr const char* kRights = R"(
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: e2e-decides}
rules: [{apiGroups: [slipway.dev], resources: [decisions], verbs: [get, create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: e2e-approves}
rules: [{apiGroups: [slipway.dev], resources: [imagebuilds], verbs: [approve, reject]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: e2e-decides}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: e2e-decides}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: e2e-approves}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: e2e-approves}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]
)";

class PullRequest : public Forge {
 protected:
  static void SetUpTestSuite() {
    const auto busybox = Execute({SourcePath("hack/cluster"), "image", "busybox"});
    ASSERT_TRUE(busybox.ok()) << busybox.text;
    const std::string image = busybox.text.substr(0, busybox.text.find('\n'));
    Start("e2e-pull", R"(trigger: {webhook: {secretRef: {name: hook-key}}, pullRequests: {forks: Approve}}
  tests: [{name: unit, image: ")" +
                          image + R"(", command: [test, -f, Dockerfile]}]
  report:
    provider: Gitea
    apiUrl: http://forge.slipway.test:3000/api/v1
    credentialsSecretRef: {name: forge-token})");
    Apply(kNs, kRights);
  }

  static Output Decide(const std::string& user, const std::string& verb, json build, const std::string& sha) {
    const std::string name = build["metadata"]["name"];
    const std::string uid = build["metadata"]["uid"];
    return Kubectl({"-n", kNs, "create", "-f", "-", "--as=" + user},
                   "{apiVersion: slipway.dev/v1alpha1, kind: Decision, metadata: {name: " + user + "-" +
                       sha.substr(0, 12) + "}, spec: {verb: " + verb + ", actor: " + user + ", subject: '" +
                       sha + "', target: {kind: ImageBuild, name: " + name + ", uid: " + uid + "}}}");
  }

  static std::string NameOf(json build) { return build.value("/metadata/name"_json_pointer, ""); }

  static std::set<std::string> StagesOf(const json& run, const std::string& state) {
    std::set<std::string> names;
    for (const auto& stage : run.value("stages", json::array())) {
      if (stage["state"] == state) names.insert(stage["name"].get<std::string>());
    }
    return names;
  }

  // The roles of the Jobs that an ImageBuild has.
  static std::set<std::string> Roles(json build) {
    std::set<std::string> roles;
    for (const auto& job : Owned("jobs", build["metadata"]["uid"])) {
      roles.insert(job["metadata"]["labels"]["slipway.dev/role"].get<std::string>());
    }
    return roles;
  }

  static void WaitGone(json build) {
    EXPECT_TRUE(Eventually(seconds(30), NameOf(build) + " and its Jobs are gone", [&](std::string& seen) {
      seen = std::to_string(Owned("jobs", build["metadata"]["uid"]).size());
      return GetJson(kNs, "imagebuild", NameOf(build)).empty() && seen == "0";
    }));
  }

  // What was pushed by anybody, and the layers that trusted builds may take.
  static std::map<std::string, Names> Trusted() {
    auto images = Images("e2e-forge/");
    images.merge(Images("cache/e2e-forge/e2e-forge/trusted"));
    return images;
  }
  static std::size_t Untrusted() {
    std::size_t layers = 0;
    for (const auto& [name, tags] : Images("cache/e2e-forge/e2e-forge/pull-requests")) layers += tags.size();
    return layers;
  }
};

TEST_F(PullRequest, OfTheRepositoryIsBuiltAndToldButNotPushed) {
  const auto trusted = Trusted();
  const auto untrusted = Untrusted();
  ASSERT_EQ(trusted.count("e2e-forge/web"), 1U);
  const Pull pull = Propose("branch-pr");
  json child = WaitChild(pull);
  const auto owner = child["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["uid"], GetJson(kNs, "imagebuild", "web")["metadata"]["uid"]);
  EXPECT_EQ(owner["controller"], true);

  json run = WaitRun(NameOf(child), pull.sha, seconds(120));
  EXPECT_FALSE(run.contains("failure")) << run;
  EXPECT_EQ(StagesOf(run, "Succeeded"), (Names{"test", "source", "prepare", "build", "scan"})) << run;
  EXPECT_FALSE(run.contains("image")) << run;
  auto after = GetJson(kNs, "imagebuild", NameOf(child));
  EXPECT_NE(Condition(after, "Ready").value("message", "").find("it is not pushed"), std::string::npos);
  EXPECT_EQ(Trusted(), trusted);
  EXPECT_GT(Untrusted(), untrusted) << "its layers are kept nowhere";

  WaitStatus(pull.sha, "success slipway/web: run 1 passed", seconds(30));
  const auto statuses = Statuses(pull.sha);
  ASSERT_EQ(statuses.size(), 2U) << json(statuses);
  EXPECT_EQ(statuses[0], "pending slipway/web: run 1 is under way");

  // The repository's own code runs in these two.
  for (const auto& pod : PodsOf(child)) {
    EXPECT_EQ(SecretsOf(pod, "test"), Names{}) << pod["spec"];
    EXPECT_EQ(SecretsOf(pod, "build"), Names{}) << pod["spec"];
  }

  const std::string second = PushPull(pull);
  WaitRun(NameOf(child), second, seconds(120));
  EXPECT_EQ(Run(NameOf(child))["reason"], "NewCommit");
  WaitStatus(second, "success slipway/web: run 2 passed", seconds(30));
  EXPECT_EQ(Trusted(), trusted);
  EXPECT_EQ(Run("web")["number"], 1) << "the branch was not pushed to";

  Call({"close-pr", repository_, std::to_string(pull.number)});
  WaitGone(child);
}

TEST_F(PullRequest, OfAForkWaitsForItsApprovalAndGetsNoSecret) {
  const auto trusted = Trusted();
  const Pull pull = Propose("fork-pr");
  json child = WaitChild(pull);
  const std::string name = NameOf(child);
  WaitPhase(name, pull.sha, "AwaitingApproval", seconds(20));
  EXPECT_EQ(SecretsIn(GetJson(kNs, "imagebuild", name)["spec"]), Names{"forge-token"});
  EXPECT_TRUE(Statuses(pull.sha).empty()) << "nothing is said of a stranger's commit before";
  EXPECT_EQ(Roles(child), Names{});

  const auto refused = Decide("mallory", "Approve", child, pull.sha);
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.text.find("mallory may not approve ImageBuild " + name), std::string::npos)
      << refused.text;
  std::this_thread::sleep_for(seconds(2));
  EXPECT_EQ(Roles(child), Names{});

  const auto approved = Decide("alice", "Approve", child, pull.sha);
  ASSERT_TRUE(approved.ok()) << approved.text;
  json run = WaitRun(name, pull.sha, seconds(120));
  EXPECT_FALSE(run.contains("failure")) << run;
  EXPECT_EQ(run["approval"]["actor"], "alice");
  EXPECT_EQ(run["approval"]["decision"], "alice-" + pull.sha.substr(0, 12));
  WaitStatus(pull.sha, "success slipway/web: run 1 passed", seconds(30));
  EXPECT_EQ(Trusted(), trusted);

  std::set<std::string> roles;
  for (const auto& pod : PodsOf(child)) {
    const std::string role = pod["metadata"]["labels"]["slipway.dev/role"];
    roles.insert(role);
    EXPECT_EQ(SecretsIn(pod["spec"]), role == "report" ? Names{"forge-token"} : Names{}) << pod["spec"];
  }
  EXPECT_EQ(roles, (Names{"report", "test", "build"}));

  // What was approved is that commit, not whoever made it.
  const std::string second = PushPull(pull);
  WaitPhase(name, second, "AwaitingApproval", seconds(20));
  const auto rejected = Decide("alice", "Reject", child, second);
  ASSERT_TRUE(rejected.ok()) << rejected.text;
  json ended = WaitRun(name, second, seconds(20));
  EXPECT_EQ(ended["failure"]["reason"], "Rejected") << ended;
  EXPECT_NE(ended["failure"]["message"].dump().find("alice"), std::string::npos) << ended;
  for (auto job : ended["jobs"]) EXPECT_EQ(job["role"], "Report") << job;

  Call({"close-pr", repository_, std::to_string(pull.number)});
  WaitGone(child);
}

TEST_F(PullRequest, ACommitThatDoesNotBuildIsToldSoAndTheNextOneIsNot) {
  const std::string broken = Push("broken-dockerfile");
  json failed = WaitRun("web", broken, seconds(120));
  EXPECT_EQ(failed["failure"]["reason"], "DockerfileFailed") << failed;
  const std::string number = std::to_string(failed.value("number", 0));
  const std::string told = "failure slipway/web: run " + number + ": DockerfileFailed at build";
  WaitStatus(broken, told, seconds(30));

  const std::string mended = Push("good");
  json run = WaitRun("web", mended, seconds(120));
  EXPECT_FALSE(run.contains("failure")) << run;
  const std::string image = run.value("image", "");
  WaitStatus(mended,
             "success slipway/web: run " + std::to_string(run.value("number", 0)) + " is " +
                 image.substr(image.find('@') + 1),
             seconds(30));
  EXPECT_EQ(Statuses(broken).back(), told);
  for (const auto& status : Statuses(mended)) EXPECT_FALSE(status.starts_with("failure")) << status;
}

// The source is fetched before the forge goes away: what is left of the run needs it for nothing.
TEST_F(PullRequest, AForgeThatIsAwayHoldsNoRunUpAndThatItWasNotToldIsSaid) {
  const std::string uid = GetJson(kNs, "imagebuild", "web").value("/metadata/uid"_json_pointer, "");
  const std::string sha = Push("slow");
  ASSERT_TRUE(Eventually(seconds(60), "the source is there", [&](std::string& seen) {
    json run = Run("web");
    seen = run.dump();
    return run.value("/commit/sha"_json_pointer, "") == sha && StagesOf(run, "Succeeded").contains("source");
  }));
  const auto stopped = Execute({SourcePath("hack/cluster"), "stop", "forge"});
  EXPECT_TRUE(stopped.ok()) << stopped.text;
  json run = WaitRun("web", sha, seconds(120));
  EXPECT_FALSE(run.contains("failure")) << run;
  auto build = WaitReady(kNs, "imagebuild", "web", "True", seconds(5));
  EXPECT_EQ(build["status"]["latest"]["commit"], sha);
  EXPECT_TRUE(Eventually(seconds(60), "a warning that the forge was not told", [&](std::string& seen) {
    for (auto event : GetJson(kNs, "events")["items"]) {
      if (event.value("type", "") != "Warning" || event["involvedObject"]["uid"] != uid) continue;
      seen = event.value("reason", "") + ": " + event.value("message", "");
      if (seen.find("the status success was not told") != std::string::npos) return true;
    }
    return false;
  }));
  const auto started = Execute({SourcePath("hack/cluster"), "start", "forge"});
  ASSERT_TRUE(started.ok()) << started.text;
  EXPECT_EQ(Condition(GetJson(kNs, "imagebuild", "web"), "Ready").value("status", ""), "True");
}

}  // namespace
}  // namespace slipway::testing
