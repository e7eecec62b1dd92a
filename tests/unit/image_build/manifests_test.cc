#include "image_build/manifests.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "image_build/containers.h"
#include "unit/image_build/manifests_world.h"

namespace slipway::image_build {
namespace {

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
  EXPECT_EQ(Names(rendered.Of(JobRole::kBuild)),
            (Strings{"source", "prepare", "build", "scan", "sarif", "gate", "push"}));
  EXPECT_EQ(Names(rendered.Of(JobRole::kIndex)), Strings{"index"});
  EXPECT_EQ(Names(rendered.Of(JobRole::kReport, "success")), Strings{"report"});
  rendered.world.build.spec.output.push = false;
  EXPECT_EQ(Names(rendered.Of(JobRole::kBuild)),
            (Strings{"source", "prepare", "build", "scan", "sarif", "gate"}));
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
      const bool speaks = step["name"] != "test" && step["name"] != "sarif" && step["name"] != "gate";
      EXPECT_EQ(Mounts(step, "ca-bundle"), speaks) << step["name"];
      // What it does not know ends it: of Trivy the environment says the same.
      const bool told = speaks && step["image"] == "runner@x";
      EXPECT_EQ(Has(step, "--ca=/ca/ca.crt"), told) << step["name"];
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
  EXPECT_TRUE(Has(Step(job, "scan"), "--ignorefile=/dev/null"));
  EXPECT_TRUE(Has(Step(job, "push"), "--tag=" + kSha));
  EXPECT_FALSE(Has(Step(job, "push"), "--move-tags"));
  EXPECT_TRUE(Has(Step(rendered.Of(JobRole::kIndex), "index"), "--manifest=" + kImage));
  const auto report = Step(rendered.Of(JobRole::kReport, "success"), "report");
  EXPECT_TRUE(Has(report, "--repository=team/app"));
  EXPECT_TRUE(Has(report, "--state=success"));
  EXPECT_TRUE(Has(report, "--context=slipway/app"));
}

Json Volume(const Json& job, const std::string& name) {
  for (const auto& volume : job["spec"]["template"]["spec"]["volumes"]) {
    if (volume["name"] == name) return volume;
  }
  return nullptr;
}

// Trivy finds, and does not judge: a severity, an ignore file or an exit code of its own would hide a finding
// from the gate.
TEST(Scan, LooksForEverythingAndLeavesTheJudgementToTheGate) {
  Rendered rendered;
  auto& scan = rendered.world.build.spec.scan;
  scan.fail_on = resources::Severity::kCritical;
  scan.exceptions = {{"CVE-2024-1", "zlib", "2027-01-31", "not $(REACHABLE) \"here\""}};
  scan.vex = {"ours", "theirs"};
  rendered.policy.max_database_age = std::chrono::hours(48);
  const auto job = rendered.Of(JobRole::kBuild);
  const auto trivy = Step(job, "scan");
  for (const char* flag : {"--severity", "--ignore-unfixed", "--exit-on-eol"}) {
    EXPECT_FALSE(trivy["args"].dump().contains(flag)) << flag;
  }
  for (const char* arg : {"--exit-code=0", "--vex=/vex-0/openvex.json", "--vex=/vex-1/openvex.json",
                          "--offline-scan", "--insecure", "--output=/scan/trivy.json"}) {
    EXPECT_TRUE(Has(trivy, arg)) << arg;
  }
  EXPECT_EQ(Volume(job, "vex-1")["configMap"]["name"], "theirs");
  const auto gate = Step(job, "gate");
  EXPECT_EQ(gate["image"], "runner@x");
  for (const char* arg : {"--fail-on=Critical", "--ignore-unfixed", "--max-database-age=48h",
                          "--database=/scan/cache/db/metadata.json"}) {
    EXPECT_TRUE(Has(gate, arg)) << arg << gate["args"];
  }
  EXPECT_TRUE(Has(gate, "--exception=" + Json{{"id", "CVE-2024-1"},
                                              {"package", "zlib"},
                                              {"expires", "2027-01-31"},
                                              {"reason", "not $$(REACHABLE) \"here\""}}
                                             .dump()))
      << gate["args"];
  scan.ignore_unfixed = false;
  EXPECT_TRUE(Has(Step(rendered.Of(JobRole::kBuild), "gate"), "--count-unfixed"));
}

TEST(Scan, OnlyTrivyWritesWhatTheGateReads) {
  const auto job = Rendered().Of(JobRole::kBuild);
  const std::map<std::string, bool> read_only{
      {"scan", false}, {"sarif", false}, {"gate", true}, {"push", true}};
  for (const auto& step : Steps(job)) {
    for (const auto& mount : step["volumeMounts"]) {
      if (mount["name"] != "scan") continue;
      const auto at = read_only.find(step["name"]);
      ASSERT_NE(at, read_only.end()) << step["name"];
      EXPECT_EQ(mount.value("readOnly", false), at->second) << step["name"];
    }
  }
}

// ---- what the API server makes of it ----

TEST(Bounds, ALimitWithoutARequestIsARequestToo) {
  EXPECT_EQ(Bounds({}), Json::object());
  EXPECT_EQ(Bounds({.requests = {{"cpu", "1"}}}), (Json{{"requests", {{"cpu", "1"}}}}));
  const Json both = Bounds({.requests = {{"cpu", "1"}}, .limits = {{"cpu", "2"}, {"memory", "1Gi"}}});
  EXPECT_EQ(both["requests"], (Json{{"cpu", "1"}, {"memory", "1Gi"}}));
  EXPECT_EQ(both["limits"], (Json{{"cpu", "2"}, {"memory", "1Gi"}}));
}

TEST(Bounds, AreThoseOfTheSpecWhereTheUsersCodeRuns) {
  Rendered rendered;
  rendered.world.build.spec.build.resources.limits = {{"memory", "4Gi"}};
  rendered.world.build.spec.tests[0].resources.requests = {{"cpu", "3"}};
  const auto job = rendered.Of(JobRole::kBuild);
  EXPECT_EQ(Step(job, "build")["resources"]["requests"]["memory"], "4Gi");
  EXPECT_EQ(Step(job, "scan")["resources"]["requests"]["memory"], "256Mi");
  EXPECT_EQ(Step(rendered.Of(JobRole::kTest, "unit OS=a"), "test")["resources"]["requests"]["cpu"], "3");
}

TEST(Volumes, AreOfTheSecretsThatTheSpecNames) {
  const auto job = Rendered().Of(JobRole::kBuild);
  const std::map<std::string, std::string> secrets{{"git-credentials", "git"},
                                                   {"base-credentials", "base"},
                                                   {"cache-credentials", "cache"},
                                                   {"push-credentials", "out"}};
  for (const auto& [volume, secret] : secrets) {
    const auto source = Volume(job, volume)["secret"];
    EXPECT_EQ(source["secretName"], secret);
    EXPECT_EQ(source["defaultMode"], 0440) << volume;
    const bool whole = volume == "git-credentials";  // user and password, or a key and the known hosts
    EXPECT_EQ(source.contains("items"), !whole) << volume;
    if (!whole) {
      EXPECT_EQ(source["items"], Json::array({{{"key", ".dockerconfigjson"}, {"path", "config.json"}}}));
    }
  }
  EXPECT_EQ(Volume(Rendered().Of(JobRole::kReport, "success"), "report-credentials")["secret"]["secretName"],
            "token");
  const auto bundle = Volume(job, "ca-bundle")["configMap"];
  EXPECT_EQ(bundle["name"], "authorities");
  EXPECT_EQ(bundle["items"], Json::array({{{"key", "ca.crt"}, {"path", "ca.crt"}}}));
  EXPECT_EQ(job["spec"]["template"]["spec"]["securityContext"]["fsGroup"], 65532);  // else 0440 is unreadable
}

TEST(Volumes, WithMergedCredentialsNeverTouchADisk) {
  const auto job = Rendered().Of(JobRole::kBuild);
  EXPECT_EQ(Volume(job, "docker-config")["emptyDir"]["medium"], "Memory");
  for (const char* name : {"tmp", "workspace", "image", "tools", "scan", "scan-tmp"}) {
    EXPECT_EQ(Volume(job, name)["emptyDir"], Json::object()) << name;
  }
}

// Each mount has its volume, and no volume is there without a mount: none of a Secret above all.
TEST(Volumes, AreThoseThatAreMounted) {
  for (const bool bare : {false, true}) {
    Rendered rendered;
    if (bare) {
      auto& spec = rendered.world.build.spec;
      spec.source.credentials_secret_ref.reset();
      spec.build.base_credentials_secret_ref.reset();
      spec.build.cache.reset();
      spec.output.credentials_secret_ref.reset();
      spec.ca_bundle_ref.reset();
    }
    for (const auto& job : rendered.All()) {
      std::set<std::string> mounted;
      std::set<std::string> there;
      for (const auto& step : Steps(job)) {
        for (const auto& mount : step["volumeMounts"]) mounted.insert(mount["name"]);
      }
      for (const auto& volume : job["spec"]["template"]["spec"]["volumes"]) there.insert(volume["name"]);
      EXPECT_EQ(mounted, there) << job["metadata"]["labels"];
    }
  }
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
