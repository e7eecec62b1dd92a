#include "image_build/manifests.h"

#include <gtest/gtest.h>

#include <map>

#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::NameRef;
using Strings = std::vector<std::string>;

const Tools kTools{.runner_image = "runner@x",
                   .kaniko_image = "kaniko@x",
                   .trivy_image = "trivy@x",
                   .trivy_db_repository = "registry.test:5000/trivy-db:2",
                   .trivy_java_db_repository = "registry.test:5000/trivy-java-db:1"};

// Everything that a spec can ask for, with a Secret for each use.
struct Rendered {
  Rendered() {
    auto& spec = world.build.spec;
    spec.source.credentials_secret_ref = NameRef{"git"};
    spec.build.base_credentials_secret_ref = NameRef{"base"};
    spec.build.cache =
        resources::CacheSpec{"registry.example.com/team/cache", std::chrono::hours(48), NameRef{"cache"}};
    spec.output.credentials_secret_ref = NameRef{"out"};
    spec.report =
        resources::ReportSpec{.api_url = "https://api.example.com", .credentials_secret_ref = {"token"}};
    spec.ca_bundle_ref = NameRef{"authorities"};
    resources::TestSpec test{.name = "unit", .image = kImage, .command = {"go", "test"}};
    test.matrix = {{"OS", {"a"}}};
    spec.tests = {test};
    policy.insecure_registries = {"registry.test:5000"};
    space.service_account = "builder";
    run.number = 1;
    run.ref = "refs/heads/main";
    run.commit.emplace().sha = kSha;
  }
  Json Of(JobRole role, const std::string& leg = "") const {
    const StartJob start{role, leg, JobName(world.build.meta, 1, role, leg)};
    return RenderJob(world.build, run, start, {kTools, policy, space});
  }
  std::vector<Json> All() const {
    return {Of(JobRole::kResolve), Of(JobRole::kTest, "unit OS=a"),
            Of(JobRole::kBuild),   Of(JobRole::kBuild, "linux/arm64"),
            Of(JobRole::kIndex),   Of(JobRole::kReport, "success")};
  }
  World world;
  BuildRun run;
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

Strings Names(const Json& job) {
  Strings names;
  for (const auto& container : Steps(job)) names.push_back(container["name"]);
  return names;
}

bool Has(const Json& container, const std::string& arg) {
  const auto args = container.value("args", Strings{});
  return std::ranges::find(args, arg) != args.end();
}

bool Mounts(const Json& container, const std::string& volume) {
  for (const auto& mount : container.value("volumeMounts", Json::array())) {
    if (mount["name"] == volume) return true;
  }
  return false;
}

TEST(Jobs, AreOwnedTriedOnceAndToldFromEvictions) {
  for (const auto& job : Rendered().All()) {
    EXPECT_EQ(job["metadata"]["namespace"], "team");
    EXPECT_EQ(job["metadata"]["ownerReferences"][0]["uid"], "build-uid");
    EXPECT_EQ(job["metadata"]["ownerReferences"][0]["controller"], true);
    EXPECT_EQ(job["spec"]["backoffLimit"], 0);
    EXPECT_EQ(job["spec"]["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["type"], "DisruptionTarget");
    EXPECT_EQ(job["spec"]["template"]["metadata"]["labels"]["slipway.dev/job"], job["metadata"]["name"]);
    const auto& pod = job["spec"]["template"]["spec"];
    EXPECT_EQ(pod["automountServiceAccountToken"], false);
    EXPECT_EQ(pod["serviceAccountName"], "builder");
    EXPECT_EQ(pod["restartPolicy"], "Never");
  }
}

TEST(Jobs, RunTheirStepsInOrder) {
  Rendered rendered;
  EXPECT_EQ(Names(rendered.Of(JobRole::kResolve)), Strings{"resolve"});
  EXPECT_EQ(Names(rendered.Of(JobRole::kTest, "unit OS=a")), (Strings{"source", "test"}));
  EXPECT_EQ(Names(rendered.Of(JobRole::kBuild)), (Strings{"source", "prepare", "build", "scan", "push"}));
  EXPECT_EQ(Names(rendered.Of(JobRole::kIndex)), Strings{"index"});
  EXPECT_EQ(Names(rendered.Of(JobRole::kReport, "success")), Strings{"report"});
  rendered.world.build.spec.output.push = false;
  EXPECT_EQ(Names(rendered.Of(JobRole::kBuild)), (Strings{"source", "prepare", "build", "scan"}));
}

TEST(Containers, AreRestrictedButTheBuild) {
  for (const auto& job : Rendered().All()) {
    for (const auto& step : Steps(job)) {
      const auto& context = step["securityContext"];
      const bool build = step["name"] == "build";
      EXPECT_EQ(context["allowPrivilegeEscalation"], false);
      EXPECT_EQ(context["capabilities"]["drop"], Json::array({"ALL"}));
      EXPECT_EQ(context["runAsUser"], build ? 0 : 65532);
      EXPECT_EQ(context.value("runAsNonRoot", false), !build) << step["name"];
      EXPECT_EQ(context["capabilities"].contains("add"), build) << step["name"];
      EXPECT_EQ(context.value("readOnlyRootFilesystem", false), !build && step["name"] != "test");
    }
  }
}

TEST(Secrets, AreEachInTheContainersThatNeedThemOnly) {
  const std::map<std::string, Strings> holders{
      {"git-credentials", {"resolve", "source"}}, {"base-credentials", {"prepare"}},
      {"cache-credentials", {"prepare"}},         {"push-credentials", {"push", "index"}},
      {"report-credentials", {"report"}},         {"docker-config", {"prepare", "build"}}};
  for (const auto& job : Rendered().All()) {
    for (const auto& step : Steps(job)) {
      for (const auto& [volume, allowed] : holders) {
        const bool may = std::ranges::find(allowed, step["name"].get<std::string>()) != allowed.end();
        EXPECT_EQ(Mounts(step, volume), may) << volume << " in " << step["name"];
      }
      EXPECT_EQ(Mounts(step, "ca-bundle"), step["name"] != "test") << step["name"];
    }
  }
}

TEST(Platform, ChoosesItsNodesAndAStagingTag) {
  Rendered rendered;
  const auto job = rendered.Of(JobRole::kBuild, "linux/arm64");
  EXPECT_EQ(job["spec"]["template"]["spec"]["nodeSelector"],
            (Json{{"kubernetes.io/os", "linux"}, {"kubernetes.io/arch", "arm64"}}));
  EXPECT_TRUE(Has(Step(job, "push"), "--tag=slipway-aaaaaaaaaaaa-1-linux-arm64"));
  EXPECT_TRUE(Has(Step(job, "build"), "--custom-platform=linux/arm64"));
  EXPECT_FALSE(rendered.Of(JobRole::kBuild)["spec"]["template"]["spec"].contains("nodeSelector"));
}

TEST(Arguments, AreWhatTheProgramsTake) {
  Rendered rendered;
  auto& spec = rendered.world.build.spec;
  spec.build.args = {{"NAME", "a $(HOME) b"}, {"GIT_COMMIT", "a lie"}};
  spec.output.labels = {{"org.opencontainers.image.revision", "a lie"}};
  rendered.run.jobs = {{.role = JobRole::kBuild, .image = kImage}};
  const auto job = rendered.Of(JobRole::kBuild);
  EXPECT_TRUE(Has(Step(job, "source"), "--commit=" + kSha));
  EXPECT_TRUE(Has(Step(job, "source"), "--ref=refs/heads/main"));
  EXPECT_TRUE(Has(Step(job, "prepare"), "--cache-repository=registry.example.com/team/cache/team/trusted"));
  EXPECT_TRUE(Has(Step(job, "build"), "--build-arg=NAME=a $$(HOME) b"));
  EXPECT_TRUE(Has(Step(job, "build"), "--build-arg=GIT_COMMIT=" + kSha));
  EXPECT_TRUE(Has(Step(job, "build"), "--label=org.opencontainers.image.revision=" + kSha));
  EXPECT_TRUE(Has(Step(job, "build"), "--no-push"));
  EXPECT_FALSE(Step(job, "build")["args"].dump().contains("a lie"));
  EXPECT_TRUE(Has(Step(job, "scan"), "--severity=HIGH,CRITICAL"));
  EXPECT_TRUE(Has(Step(job, "scan"), "--ignorefile=/dev/null"));
  EXPECT_TRUE(Has(Step(job, "push"), "--tag=" + kSha));
  EXPECT_FALSE(Has(Step(job, "push"), "--move-tags"));
  EXPECT_TRUE(Has(Step(rendered.Of(JobRole::kIndex), "index"), "--manifest=" + kImage));
  const auto report = Step(rendered.Of(JobRole::kReport, "success"), "report");
  EXPECT_TRUE(Has(report, "--repository=team/app"));
  EXPECT_TRUE(Has(report, "--state=success"));
  EXPECT_TRUE(Has(report, "--context=slipway/app"));
}

resources::ObservedPull Pull(bool fork) {
  return {
      .number = 7, .commit = kOtherSha, .ref = "refs/pull/7/head", .fork = fork, .title = "t", .time = kNow};
}

TEST(PullSpec, HasNothingThatUnmergedCodeMustNotHave) {
  Rendered rendered;
  rendered.world.build.spec.trigger.pull_requests.emplace();
  for (const bool fork : {true, false}) {
    const auto spec = PullSpec(rendered.world.build, Pull(fork));
    EXPECT_EQ(spec.source.revision, "refs/pull/7/head");
    EXPECT_FALSE(spec.output.push);
    EXPECT_FALSE(spec.output.credentials_secret_ref);
    EXPECT_FALSE(spec.build.base_credentials_secret_ref);
    EXPECT_FALSE(spec.build.cache->credentials_secret_ref);
    EXPECT_EQ(spec.trigger, resources::TriggerSpec{});
    EXPECT_EQ(spec.require_approval, fork);
    EXPECT_EQ(spec.source.credentials_secret_ref.has_value(), !fork);
  }
}

TEST(PullBuild, IsKnownAgainAsItWasRendered) {
  Rendered rendered;
  auto json = RenderPullBuild(rendered.world.build, Pull(true));
  json["metadata"]["uid"] = "child";
  const auto child = resources::ImageBuild::Decode(json);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_TRUE(IsPullBuild(*child, rendered.world.build, Pull(true)));
  EXPECT_FALSE(IsPullBuild(*child, rendered.world.build, Pull(false)));
  auto moved = Pull(true);
  moved.commit = kSha;
  EXPECT_FALSE(IsPullBuild(*child, rendered.world.build, moved));
}

}  // namespace
}  // namespace slipway::image_build
