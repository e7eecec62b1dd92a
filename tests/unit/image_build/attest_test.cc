// The stage `attest`: when it is made, what it is made of, and that without it nothing counts.
#include "image_build/attest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "image_build/course.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/manifests_world.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using resources::Predicate;

World Asking() {
  World world;
  world.build.spec.attest = resources::AttestSpec{"release", {resources::SbomFormat::kSpdx}, true};
  world.policy->signers = {"release"};
  return world;
}

// Its image is pushed, and the Job that attests it is there.
World Attesting(std::vector<ContainerState> containers = {Running("attest-scan")}) {
  World world = Asking();
  world.Pushed();
  world.Step();
  world.PodOf(JobRole::kAttest).containers = std::move(containers);
  return world;
}

std::vector<ContainerState> AllAttested() {
  return {Ended("sbom-spdx"), Ended("attest-scan"), Ended("attest-provenance"), Ended("attest-spdx"),
          Ended("sign")};
}

Strings StageNames(const resources::ImageBuildSpec& spec) {
  Strings names;
  for (const auto& stage : StagesOf(spec)) names.push_back(stage.name);
  return names;
}

TEST(Attest, IsTheLastStageWhereItIsAskedForAndPushed) {
  World world = Asking();
  EXPECT_EQ(StageNames(world.build.spec).back(), "attest");
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  EXPECT_EQ(StageNames(world.build.spec).back(), "attest");
  world.build.spec.attest.reset();
  EXPECT_EQ(StageNames(world.build.spec).back(), "index");
  world.build.spec.attest.emplace();
  world.build.spec.output.push = false;
  EXPECT_EQ(StageNames(world.build.spec).back(), "scan");
}

TEST(Attest, ComesAfterThePushAndBeforeTheRunIsASuccess) {
  World world = Asking();
  world.build.status.latest = resources::LatestBuild{"old", "old-image", {}, kNow};
  world.Pushed();
  auto plan = world.Step();
  ASSERT_EQ(plan.starts.size(), 1U);
  EXPECT_EQ(plan.starts[0].role, JobRole::kAttest);
  EXPECT_EQ(plan.starts[0].name, JobName(world.build.meta, 1, JobRole::kAttest));
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_EQ(plan.status.latest->image, "old-image");
  EXPECT_EQ(plan.status.phase, BuildPhase::kAttesting);
  EXPECT_FALSE(plan.status.runs[0].attestation);

  world.Finish(JobRole::kAttest, AllAttested());
  plan = world.Step();
  const auto& run = plan.status.runs[0];
  EXPECT_EQ(Reason(plan), "Succeeded");
  EXPECT_EQ(plan.status.latest->image, kImage);
  ASSERT_TRUE(run.attestation);
  EXPECT_EQ(run.attestation->signer, "release");
  EXPECT_EQ(run.attestation->predicates,
            (std::vector<Predicate>{Predicate::kScan, Predicate::kProvenance, Predicate::kSpdx}));
  EXPECT_EQ(run.finished, world.JobOf(JobRole::kAttest).finished);
  EXPECT_EQ(FindStage(run, "attest")->state, StageState::kSucceeded);
  EXPECT_TRUE(FindStage(run, "attest")->finished);
}

TEST(Attest, ComesAfterTheIndexOfSeveralPlatforms) {
  const std::string amd = kRepository + "@sha256:" + std::string(64, '3');
  World world = Asking();
  world.build.spec.build.platforms = {"linux/amd64"};
  world.Begun();
  world.Step();
  world.Finish(JobRole::kBuild, AllWell(amd), "linux/amd64");
  EXPECT_EQ(Started(world.Step(), JobRole::kAttest), Strings{});
  EXPECT_EQ(PushedImage(world.build.spec, world.Run()), "");
  world.Finish(JobRole::kIndex, {Ended("index", 0, PushedReport())});
  EXPECT_EQ(Started(world.Step(), JobRole::kAttest), Strings{""});
  EXPECT_EQ(PushedImage(world.build.spec, world.Run()), kImage) << "the index, and not one of its images";
}

TEST(Attest, ItsStageIsAllItsContainersTogether) {
  struct Row {
    std::vector<ContainerState> containers;
    StageState state;
  };
  const std::vector<Row> rows{
      {{Stuck("sbom-spdx", "PodInitializing"), Stuck("sign", "PodInitializing")}, StageState::kPending},
      {{Running("sbom-spdx"), Stuck("sign", "PodInitializing")}, StageState::kRunning},
      {{Ended("sbom-spdx"), Stuck("sign", "PodInitializing")}, StageState::kRunning},
      {{Ended("sbom-spdx"), Running("sign")}, StageState::kRunning},
      {{Ended("sbom-spdx"), Ended("sign")}, StageState::kSucceeded}};
  for (const Row& row : rows) {
    const auto plan = Attesting(row.containers).Decide();
    const auto* stage = FindStage(plan.status.runs[0], "attest");
    EXPECT_EQ(stage->state, row.state) << row.containers[0].name;
    EXPECT_FALSE(plan.status.runs[0].finished) << "the Job has not ended";
    EXPECT_EQ(stage->finished.has_value(), row.state == StageState::kSucceeded);
  }
}

TEST(Attest, AFailureLeavesTheLatestImageAndSaysWhatToRead) {
  struct Row {
    std::vector<ContainerState> containers;
    const char* reason;
    const char* words;
  };
  const std::vector<Row> rows{
      {{Ended("sbom-spdx", 1, "FATAL no such thing")}, "AttestFailed", "no such thing"},
      {{Ended("sbom-spdx"), Ended("sign", 1, "Error: PUT https://r: UNAUTHORIZED: no")},
       "RegistryDenied",
       "no; read"},
      {{Ended("attest-scan", 1, "Error: dial tcp 10.0.0.1:443: connect: connection refused")},
       "RegistryUnavailable",
       "connection refused"},
      {{Ended("sign", 1, "Error: reading key: decrypt: encrypted: decryption failed")},
       "AttestFailed",
       "decrypt"}};
  for (const Row& row : rows) {
    World world = Attesting(row.containers);
    world.build.spec.build.retries = 0;
    world.build.status.runs[0].key = KeyOf(world.build);
    world.JobOf(JobRole::kAttest).failed = true;
    const auto plan = world.Decide();
    const auto& failure = plan.status.runs[0].failure;
    ASSERT_TRUE(failure) << row.words;
    EXPECT_EQ(failure->stage, "attest");
    EXPECT_EQ(failure->reason, row.reason);
    EXPECT_EQ(failure->container, row.containers.back().name);
    EXPECT_TRUE(failure->message.starts_with("spec.attest: ")) << failure->message;
    EXPECT_TRUE(failure->message.contains(row.words)) << failure->message;
    EXPECT_TRUE(failure->message.contains("release")) << failure->message;
    EXPECT_FALSE(plan.status.latest);
    EXPECT_FALSE(plan.status.runs[0].attestation);
  }
}

TEST(Attest, IsNotTriedLongerThanItsTime) {
  World world = Attesting();
  world.JobOf(JobRole::kAttest).failed = true;
  world.JobOf(JobRole::kAttest).failed_reason = "DeadlineExceeded";
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "AttestFailed");
  EXPECT_TRUE(Message(plan).contains("10m")) << Message(plan);
}

TEST(Attest, ASignersSecretThatIsMissingIsNamed) {
  World world = Attesting({Stuck("sbom-spdx", "PodInitializing")});
  auto& pod = world.PodOf(JobRole::kAttest);
  pod.meta.key.ns = "keys";
  world.trouble = R"(MountVolume.SetUp failed for volume "signing-key" : secret "release-key" not found)";
  world.now = pod.meta.created + kPodPatience;
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "SecretNotFound");
  EXPECT_TRUE(Message(plan).contains("Secret release-key is not in namespace keys")) << Message(plan);
}

TEST(Attest, ItsJobIsRemovedWhereItIs) {
  World cancelled = Attesting();
  cancelled.Annotate(resources::kCancelAnnotation, "1");
  const auto plan = cancelled.Decide();
  ASSERT_EQ(plan.removals.size(), 1U) << "it would sign what was called off";
  EXPECT_EQ(plan.removals[0].uid.value, "job-Attest");
  EXPECT_TRUE(plan.removals[0].apart);

  World pruned = Attesting();
  pruned.Finish(JobRole::kAttest, AllAttested());
  pruned.Step();
  pruned.build.spec.history.ttl_after_success = std::chrono::seconds(1);
  pruned.now = kNow + std::chrono::hours(1);
  std::map<std::string, bool> apart;
  for (const auto& job : pruned.Decide().removals) apart[job.uid.value] = job.apart;
  EXPECT_EQ(apart, (std::map<std::string, bool>{
                       {"job-Attest", true}, {"job-Build", false}, {"job-Resolve", false}}));
}

TEST(Attest, AStrayOfItsIsRemovedAndWhatIsRecordedIsNot) {
  World world = Attesting();
  world.owned = {{"recorded", {"job-Attest"}, true}, {"stray", {"another"}, true}};
  const auto plan = world.Decide();
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "another");
  EXPECT_TRUE(plan.removals[0].apart);
}

TEST(Attest, NothingRunsWhereItMayNotBeSigned) {
  struct Row {
    std::function<void(World&)> spoil;
    const char* reason;
  };
  const std::vector<Row> rows{{[](World& w) { w.supply_namespace.clear(); }, "AttestUnavailable"},
                              {[](World& w) { w.policy->signers.clear(); }, "SignerNotAllowed"},
                              {[](World& w) {
                                 w.build.spec.attest->provenance = false;
                                 w.policy->minimum.attest = {Predicate::kProvenance};
                               },
                               "GateLoosened"},
                              {[](World& w) {
                                 w.build.spec.scan.exceptions = {{"CVE-2024-1", "", "2099-12-31", "no fix"}};
                                 w.policy->minimum.longest_exception = std::chrono::hours(24);
                               },
                               "GateLoosened"}};
  for (const Row& row : rows) {
    World world = Asking();
    row.spoil(world);
    const auto plan = world.Settle();
    EXPECT_EQ(Reason(plan), row.reason);
    EXPECT_TRUE(plan.status.runs.empty() || plan.status.runs[0].jobs.empty()) << row.reason;
  }
  World world;
  world.supply_namespace.clear();
  EXPECT_EQ(Reason(world.Step()), "Building") << "what asks for no signature needs none";
}

// 256 KiB of annotations are a pod's, and the image would be pushed and never signed. The CRD counts
// characters, which have four bytes here.
TEST(Attest, WhatIsTooLargeForItIsSaidBeforeAnythingIsBuilt) {
  std::string large;
  for (int i = 0; i < 1000; ++i) large += "\xf0\x9f\x98\x80";
  World world = Asking();
  World apart;  // of which nothing is attested
  for (World* each : {&world, &apart}) {
    for (int i = 0; i < 60; ++i) each->build.spec.build.args.push_back({"A" + std::to_string(i), large});
    each->Begun();
  }
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "AttestationTooLarge");
  EXPECT_TRUE(Message(plan).contains("spec.build.args is 2")) << Message(plan);
  EXPECT_EQ(Started(plan, JobRole::kBuild), Strings{});
  EXPECT_FALSE(MayPass("AttestationTooLarge"));
  EXPECT_EQ(Started(apart.Step(), JobRole::kBuild), Strings{""});
}

TEST(Attest, WhatIsTooLargeForItIsNamed) {
  World world = Asking();
  world.Begun();
  EXPECT_FALSE(TooLargeToAttest(world.build, world.Run()));
  for (int i = 0; i < 70; ++i)
    world.build.spec.output.labels["l" + std::to_string(i)] = std::string(3000, 'x');
  const auto large = TooLargeToAttest(world.build, world.Run());
  ASSERT_TRUE(large);
  EXPECT_TRUE(large->contains("spec.output.labels is 2")) << *large;
  world.build.spec.attest.reset();
  EXPECT_FALSE(TooLargeToAttest(world.build, world.Run()));
}

TEST(Attest, AJobThatIsNotOursIsNamedWithItsNamespace) {
  World world = Asking();
  world.Pushed();
  const auto planned = world.Decide();
  const auto plan = world.NameTaken(planned, "spec differs");
  EXPECT_EQ(Reason(plan), "JobNameTaken");
  EXPECT_TRUE(Message(plan).contains("kubectl -n keys delete job")) << Message(plan);
  EXPECT_TRUE(Message(plan).contains("ask the platform team")) << "whoever reads this may not look there";
}

TEST(Attest, APullRequestsBuildHasNone) {
  World world = Asking();
  const auto spec = PullSpec(world.build, {.number = 7, .commit = kSha, .ref = "refs/pull/7/head"});
  EXPECT_FALSE(spec.attest);
  EXPECT_FALSE(Validate(spec));
}

// ---- its Job ----

struct Job {
  Job() {
    tools.cosign_image = "cosign@sha256:1";
    rendered.world.build.spec.attest = resources::AttestSpec{
        "release", {resources::SbomFormat::kSpdx, resources::SbomFormat::kCycloneDx}, true};
    rendered.policy.signers["release"] = {
        .name = "release", .secret = "release-key", .public_key = "-----BEGIN PUBLIC KEY-----"};
    rendered.run.jobs = {{.name = "b", .role = JobRole::kBuild, .image = kImage}};
  }
  Json Render() const {
    const StartJob start{JobRole::kAttest, "", "app-attest"};
    return RenderJob(rendered.world.build, rendered.run, start,
                     {tools, rendered.policy, rendered.space, "keys"});
  }
  Tools tools = kTools;
  Rendered rendered;
};

TEST(AttestJob, IsInThePlatformsNamespaceAndSaysWhoseItIs) {
  const Job job;
  const Json body = job.Render();
  EXPECT_EQ(body["metadata"]["namespace"], "keys");
  EXPECT_EQ(body["metadata"]["name"], "app-attest");
  EXPECT_FALSE(body["metadata"].contains("ownerReferences"));
  EXPECT_EQ(supply::OwnerOf(*kube::DecodeMeta(body)), OwnerOf(job.rendered.world.build));
}

TEST(AttestJob, AttestsAllThatTheRunKnowsAndSignsWhatWasPushed) {
  const Job job;
  const Json body = job.Render();
  EXPECT_EQ(Names(body),
            (Strings{"sbom-spdx", "sbom-cyclonedx", "attest-tests", "attest-scan", "attest-provenance",
                     "attest-spdx", "attest-cyclonedx", "sign", "verify-signature", "verify-tests",
                     "verify-scan", "verify-provenance", "verify-spdx", "verify-cyclonedx"}));
  EXPECT_EQ(Step(body, "sign")["args"].back(), kImage);
  EXPECT_EQ(Step(body, "sign")["image"], "cosign@sha256:1");
  const auto& inputs = body["spec"]["template"]["metadata"]["annotations"];
  const Json provenance = Json::parse(inputs["slipway.dev/input.provenance.json"].get<std::string>());
  EXPECT_EQ(provenance["buildDefinition"]["externalParameters"]["source"]["url"], kUrl);
  EXPECT_EQ(provenance["runDetails"]["builder"]["id"], "https://slipway.dev/operator");
  const auto policy = [&](const std::string& name) {
    return inputs["slipway.dev/input." + name + ".cue"].get<std::string>();
  };
  const auto& run = job.rendered.run;
  const std::string uid = job.rendered.world.build.meta.uid.value;
  EXPECT_TRUE(
      policy("provenance")
          .contains(fmt::format(R"("internalParameters"!: {{"run"!: {}, "uid"!: "{}"}})", run.number, uid)))
      << policy("provenance");
  EXPECT_TRUE(policy("scan").contains(fmt::format(R"("event_id"!: "{}/{}")", uid, run.number)))
      << policy("scan");
  EXPECT_TRUE(policy("tests").contains(R"("result"!: "PASSED")")) << policy("tests");
  EXPECT_EQ(body, job.Render()) << "one that was made just before a crash is known again";
}

TEST(AttestJob, OfAnIndexListsItsFirstPlatform) {
  Job job;
  const auto has = [&](const std::string& arg) {
    const auto args = Step(job.Render(), "sbom-spdx")["args"].get<Strings>();
    return std::ranges::find(args, arg) != args.end();
  };
  EXPECT_FALSE(has("--platform=linux/arm64"));
  job.rendered.world.build.spec.build.platforms = {"linux/arm64", "linux/amd64"};
  job.rendered.run.jobs.push_back({.name = "i", .role = JobRole::kIndex, .image = kImage});
  EXPECT_TRUE(has("--platform=linux/arm64")) << "whatever the node of the Job's pod is";
  EXPECT_FALSE(has("--platform=linux/amd64"));
}

TEST(AttestJob, HasNothingThatTheTenantNamed) {
  const Job job;
  const std::string body = job.Render().dump();
  for (const char* theirs :
       {"\"git\"", "\"base\"", "\"cache\"", "\"out\"", "authorities", "\"token\"", "builder\""}) {
    EXPECT_FALSE(body.contains(std::string("secretName\":") + theirs)) << theirs;
  }
  EXPECT_FALSE(body.contains("authorities"));
  EXPECT_EQ(job.Render()["spec"]["template"]["spec"]["serviceAccountName"], "default");
}

TEST(AttestJob, NoOtherJobSeesTheSigner) {
  const Job job;
  for (const Json& other : job.rendered.All()) {
    EXPECT_FALSE(other.dump().contains("release-key")) << other["metadata"]["name"];
    EXPECT_NE(other["metadata"]["namespace"], "keys");
  }
}

TEST(AttestJob, IsNoneWithoutItsSigner) {
  Job job;
  job.rendered.policy.signers.clear();
  EXPECT_TRUE(job.Render().is_null());
}

}  // namespace
}  // namespace slipway::image_build
