#include "image_build/manifests.h"

#include <gtest/gtest.h>

#include <set>

#include "image_build/names.h"
#include "image_build/report.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;

const Tools kTools{"runner@x",
                   "kaniko@x",
                   "trivy@x",
                   "crane@x",
                   "registry.test:5000/trivy-db:2",
                   "registry.test:5000/trivy-java-db:1"};

struct Rendered {
  Rendered() {
    world.Building();
    policy.insecure_registries = {"registry.test:5000"};
    space.service_account = "builder";
  }
  Json Build() const {
    return RenderBuildJob(world.build, world.build.status.runs.front(), {kTools, policy, space});
  }
  Json Resolve() const {
    return RenderResolveJob(world.build, world.build.status.runs.front(), {kTools, policy, space});
  }
  World world;
  resources::Policy policy;
  resources::NamespacePolicy space;
};

// The pod's containers in the order in which they run.
std::vector<Json> Steps(const Json& job) {
  const auto& pod = job["spec"]["template"]["spec"];
  std::vector<Json> steps;
  if (pod.contains("initContainers")) {
    for (const auto& container : pod["initContainers"]) steps.push_back(container);
  }
  for (const auto& container : pod["containers"]) steps.push_back(container);
  return steps;
}

Json Step(const Json& job, const std::string& name) {
  for (auto& container : Steps(job)) {
    if (container["name"] == name) return container;
  }
  ADD_FAILURE() << "no container " << name;
  return {};
}

std::vector<std::string> Names(const Json& job) {
  std::vector<std::string> names;
  for (const auto& container : Steps(job)) names.push_back(container["name"]);
  return names;
}

bool Has(const Json& container, const std::string& arg) {
  for (const auto& other : container["args"]) {
    if (other == arg) return true;
  }
  return false;
}

// "name:path", with ":ro" where it is read-only.
std::vector<std::string> Mounts(const Json& container) {
  std::vector<std::string> mounts;
  if (!container.contains("volumeMounts")) return mounts;
  for (const auto& mount : container["volumeMounts"]) {
    mounts.push_back(mount["name"].get<std::string>() + ":" + mount["mountPath"].get<std::string>() +
                     (mount.value("readOnly", false) ? ":ro" : ""));
  }
  return mounts;
}

using Strings = std::vector<std::string>;

TEST(BuildJob, IsOwnedNamedAndTriedOnce) {
  const auto job = Rendered().Build();
  EXPECT_EQ(job["metadata"]["name"], BuildJobName(World().build.meta, 1));
  EXPECT_EQ(job["metadata"]["namespace"], "team");
  EXPECT_EQ(job["metadata"]["ownerReferences"][0]["uid"], "build-uid");
  EXPECT_EQ(job["metadata"]["ownerReferences"][0]["controller"], true);
  EXPECT_EQ(job["spec"]["backoffLimit"], 0);
  EXPECT_FALSE(job["spec"].contains("ttlSecondsAfterFinished"));
  for (const auto& meta : {job["metadata"], job["spec"]["template"]["metadata"]}) {
    EXPECT_EQ(meta["labels"]["slipway.dev/kind"], "ImageBuild");
    EXPECT_EQ(meta["labels"]["slipway.dev/name"], "app");
    EXPECT_EQ(meta["labels"]["slipway.dev/role"], "build");
  }
}

TEST(BuildJob, IsTheSameWheneverItIsRendered) {
  Rendered rendered;
  const auto once = rendered.Build();
  rendered.world.now += std::chrono::hours(1);
  EXPECT_EQ(rendered.Build(), once);
}

TEST(BuildJob, HasTheTimeThatResolvingLeft) {
  Rendered rendered;
  auto& run = rendered.world.Run();
  run.started = kNow;
  run.stages[0].finished = kNow + std::chrono::minutes(1);
  EXPECT_EQ(rendered.Build()["spec"]["activeDeadlineSeconds"], 29 * 60);
}

TEST(BuildJob, RunsItsGatesInOrder) {
  EXPECT_EQ(Names(Rendered().Build()), (Strings{"source", "build", "scan", "push"}));
}

TEST(BuildJob, PushesFurtherTagsOneAfterTheOther) {
  Rendered rendered;
  rendered.world.build.spec.output.tags = {"{{commit}}", "main", "{{shortCommit}}"};
  const auto job = rendered.Build();
  EXPECT_EQ(Names(job), (Strings{"source", "build", "scan", "push", "tag-1", "tag-2"}));
  EXPECT_EQ(job["spec"]["template"]["spec"]["containers"].size(), 1U);
  EXPECT_EQ(Step(job, "push")["args"][2], kRepository + ":" + kSha);
  EXPECT_EQ(Step(job, "tag-1")["args"], Json::array({"tag", kRepository + ":" + kSha, "main"}));
  EXPECT_EQ(Step(job, "tag-2")["args"][2], "aaaaaaaaaaaa");
}

TEST(Pod, HasNoTokenAndNoMoreRightsThanItNeeds) {
  const auto job = Rendered().Build();
  const auto& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["serviceAccountName"], "builder");
  EXPECT_EQ(pod["enableServiceLinks"], false);
  EXPECT_EQ(pod["restartPolicy"], "Never");
  EXPECT_EQ(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
  for (const auto& step : Steps(job)) {
    const auto& context = step["securityContext"];
    EXPECT_EQ(context["allowPrivilegeEscalation"], false);
    EXPECT_EQ(context["capabilities"]["drop"], Json::array({"ALL"}));
    const bool build = step["name"] == "build";
    EXPECT_EQ(context["runAsUser"], build ? 0 : 65532);
    EXPECT_EQ(context.value("readOnlyRootFilesystem", false), !build) << step["name"];
    EXPECT_EQ(context.value("runAsNonRoot", false), !build) << step["name"];
    EXPECT_EQ(context["capabilities"].contains("add"), build) << step["name"];
  }
}

TEST(Mounts, GiveEachContainerWhatItNeedsAndNoMore) {
  const auto job = Rendered().Build();
  EXPECT_EQ(Mounts(Step(job, "source")), (Strings{"git-tmp:/tmp", "workspace:/workspace"}));
  EXPECT_EQ(Mounts(Step(job, "build")), (Strings{"workspace:/kaniko/workspace:ro", "image:/kaniko/image"}));
  EXPECT_EQ(Mounts(Step(job, "scan")), (Strings{"image:/image:ro", "scan-tmp:/tmp"}));
  EXPECT_EQ(Mounts(Step(job, "push")), (Strings{"image:/image:ro"}));
}

TEST(Mounts, EachSecretIsInItsOwnContainerOnly) {
  Rendered rendered;
  auto& spec = rendered.world.build.spec;
  spec.source.credentials_secret_ref = resources::NameRef{"git"};
  spec.build.base_credentials_secret_ref = resources::NameRef{"base"};
  spec.output.credentials_secret_ref = resources::NameRef{"out"};
  spec.output.tags = {"a", "b"};
  const auto job = rendered.Build();
  const std::map<std::string, Strings> holders{{"git-credentials", {"source"}},
                                               {"build-credentials", {"build"}},
                                               {"push-credentials", {"push", "tag-1"}}};
  for (const auto& [volume, expected] : holders) {
    Strings found;
    for (const auto& step : Steps(job)) {
      for (const auto& mount : Mounts(step)) {
        if (mount.starts_with(volume + ":")) found.push_back(step["name"]);
      }
    }
    EXPECT_EQ(found, expected) << volume;
  }
  EXPECT_TRUE(Has(Step(job, "source"), "--credentials=/credentials"));
  for (const auto& volume : job["spec"]["template"]["spec"]["volumes"]) {
    if (volume["name"] == "push-credentials") {
      EXPECT_EQ(volume["secret"]["secretName"], "out");
      EXPECT_EQ(volume["secret"]["items"][0]["path"], "config.json");
    }
  }
}

TEST(Mounts, CacheCredentialsAreTheBuildsWhenTheyAreTheOnlyOnes) {
  Rendered rendered;
  rendered.world.build.spec.build.cache = resources::CacheSpec{
      "registry.example.com/team/cache", std::chrono::hours(48), resources::NameRef{"c"}};
  const auto job = rendered.Build();
  EXPECT_EQ(Mounts(Step(job, "build")).back(), "build-credentials:/kaniko/.docker:ro");
  EXPECT_TRUE(Has(Step(job, "build"), "--cache-repo=registry.example.com/team/cache"));
  EXPECT_TRUE(Has(Step(job, "build"), "--cache-ttl=48h")) << Step(job, "build")["args"].dump();
}

TEST(KanikoArguments, BuildTheCommitIntoATarAndPushNothing) {
  Rendered rendered;
  auto& spec = rendered.world.build.spec;
  spec.source.context_dir = "./app/";
  spec.build.dockerfile = "docker/Dockerfile";
  spec.build.target = "final";
  spec.build.args = {{"NAME", "a $(HOME) b"}, {"GIT_COMMIT", "a lie"}};
  spec.output.labels = {{"team", "x"}, {"org.opencontainers.image.revision", "a lie"}};
  const auto build = Step(rendered.Build(), "build");
  for (const std::string arg :
       {"--context=dir:///kaniko/workspace/source/app",
        "--dockerfile=/kaniko/workspace/source/app/docker/Dockerfile", "--no-push",
        "--tar-path=/kaniko/image/image.tar", "--reproducible", "--target=final", "--label=team=x",
        "--label=org.opencontainers.image.source=https://git.example.com/team/app.git",
        "--insecure-registry=registry.test:5000", "--build-arg=NAME=a $$(HOME) b"}) {
    EXPECT_TRUE(Has(build, arg)) << arg;
  }
  EXPECT_TRUE(Has(build, "--build-arg=GIT_COMMIT=" + kSha));
  EXPECT_TRUE(Has(build, "--label=org.opencontainers.image.revision=" + kSha));
  EXPECT_TRUE(Has(build, "--destination=" + kRepository + ":" + kSha));
  EXPECT_FALSE(build["args"].dump().contains("a lie"));
}

TEST(KanikoArguments, OfTheRepositorysRootHaveNoDot) {
  const auto build = Step(Rendered().Build(), "build");
  EXPECT_TRUE(Has(build, "--context=dir:///kaniko/workspace/source"));
  EXPECT_TRUE(Has(build, "--dockerfile=/kaniko/workspace/source/Dockerfile"));
}

TEST(ScanArguments, NameTheGateAndNoFileOfTheRepository) {
  Rendered rendered;
  auto scan = Step(rendered.Build(), "scan");
  for (const std::string arg : {"--input=/image/image.tar", "--exit-code=10", "--severity=HIGH,CRITICAL",
                                "--ignore-unfixed", "--ignorefile=/dev/null", "--output=/dev/termination-log",
                                "--insecure", "--db-repository=registry.test:5000/trivy-db:2",
                                "--java-db-repository=registry.test:5000/trivy-java-db:1"}) {
    EXPECT_TRUE(Has(scan, arg)) << arg;
  }
  EXPECT_EQ(scan["workingDir"], "/tmp");
  rendered.world.build.spec.scan = {resources::Severity::kCritical, false};
  rendered.policy.insecure_registries.clear();
  scan = Step(rendered.Build(), "scan");
  EXPECT_TRUE(Has(scan, "--severity=CRITICAL"));
  EXPECT_FALSE(Has(scan, "--ignore-unfixed"));
  EXPECT_FALSE(Has(scan, "--insecure"));
}

TEST(Severities, AreTheLeastAndAllThatIsWorse) {
  EXPECT_EQ(SeveritiesFrom(resources::Severity::kLow), "LOW,MEDIUM,HIGH,CRITICAL");
  EXPECT_EQ(SeveritiesFrom(resources::Severity::kCritical), "CRITICAL");
}

TEST(PushArguments, ReportTheDigestAndSpeakPlainHttpOnlyWhereThePolicySaysSo) {
  Rendered rendered;
  auto push = Step(rendered.Build(), "push");
  EXPECT_EQ(push["args"], Json::array({"push", "/image/image.tar", kRepository + ":" + kSha,
                                       "--image-refs=/dev/termination-log"}));
  EXPECT_EQ(push["terminationMessagePolicy"], "FallbackToLogsOnError");
  rendered.policy.insecure_registries = {"registry.example.com"};
  EXPECT_TRUE(Has(Step(rendered.Build(), "push"), "--insecure"));
}

TEST(BuildResources, AreTheSpecsAndALimitIsARequestToo) {
  Rendered rendered;
  rendered.world.build.spec.build.resources = {{{"cpu", "1"}}, {{"cpu", "2"}, {"memory", "1Gi"}}};
  const auto resources = Step(rendered.Build(), "build")["resources"];
  EXPECT_EQ(resources["requests"], (Json{{"cpu", "1"}, {"memory", "1Gi"}}));
  EXPECT_EQ(resources["limits"], (Json{{"cpu", "2"}, {"memory", "1Gi"}}));
}

TEST(ResolveJob, AsksForTheRevisionInOneContainer) {
  const auto job = Rendered().Resolve();
  EXPECT_EQ(Names(job), Strings{"resolve"});
  EXPECT_EQ(job["metadata"]["name"], ResolveJobName(World().build.meta, 1));
  EXPECT_EQ(job["spec"]["template"]["metadata"]["labels"]["slipway.dev/role"], "resolve");
  EXPECT_EQ(Step(job, "resolve")["args"],
            Json::array({"resolve", "--url=https://git.example.com/team/app.git", "--revision=main",
                         "--report=/dev/termination-log"}));
}

TEST(JobNames, DifferByRunRoleAndObject) {
  World world;
  auto other = world.build.meta;
  other.uid = {"another"};
  const std::set<std::string> names{ResolveJobName(world.build.meta, 1), ResolveJobName(world.build.meta, 2),
                                    BuildJobName(world.build.meta, 1), ResolveJobName(other, 1)};
  EXPECT_EQ(names.size(), 4U);
}

}  // namespace
}  // namespace slipway::image_build
