// Pods that start no container, and what the events about them are taken for.
#include "image_build/startup.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "image_build/events.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using Json = nlohmann::json;

const std::string kNoSecret =
    R"(MountVolume.SetUp failed for volume "git-credentials" : secret "git-secret" not found)";
const std::string kSummary =
    "Unable to attach or mount volumes: unmounted volumes=[git-credentials], unattached volumes=[], failed "
    "to process volumes=[]: timed out waiting for the condition";

// Credentials everywhere.
World WithSecrets() {
  World world;
  auto& spec = world.build.spec;
  spec.source.credentials_secret_ref = resources::NameRef{"git-secret"};
  spec.build.base_credentials_secret_ref = resources::NameRef{"base-secret"};
  spec.build.cache = resources::CacheSpec{"registry.example.com/team/cache", std::chrono::hours(1),
                                          resources::NameRef{"cache-secret"}};
  spec.output.credentials_secret_ref = resources::NameRef{"push-secret"};
  world.policy->secrets = {{"git-secret", resources::SecretUse::kSource},
                           {"base-secret", resources::SecretUse::kBase},
                           {"cache-secret", resources::SecretUse::kCache},
                           {"push-secret", resources::SecretUse::kOutput}};
  return world;
}

// The resolve pod was made, and none of its containers begins.
World Stalling(const std::string& note) {
  World world = WithSecrets();
  world.build.spec.ca_bundle_ref = resources::NameRef{"authorities"};
  auto& pod = world.Resolving({Stuck("resolve", "ContainerCreating")});
  pod.phase = "Pending";
  world.trouble = note;
  world.now = pod.meta.created + kPodPatience;
  return world;
}

struct NoteCase {
  std::string name;
  std::string note;
  std::string reason;  // empty: waited for
  std::string begins;
  std::vector<std::string> words;
};

TEST(NoteOfAPod, IsTheReasonOnlyWhereWaitingDoesNotHelp) {
  const std::vector<NoteCase> cases{
      {"a Secret of one field",
       kNoSecret,
       "SecretNotFound",
       "spec.source.git.credentialsSecretRef: Secret git-secret is not in namespace team: create it",
       {resources::kRebuildAnnotation.data()}},
      {"a Secret for base images",
       R"(MountVolume.SetUp failed for volume "base-credentials" : secret "base-secret" not found)",
       "SecretNotFound",
       "spec.build.baseCredentialsSecretRef: Secret base-secret is not in",
       {}},
      {"a Secret whose volume has another name",
       R"(MountVolume.SetUp failed for volume "source-credentials" : secret "git-secret" not found)",
       "SecretNotFound",
       "spec.source.git.credentialsSecretRef: Secret git-secret is not in",
       {}},
      {"a Secret that no field names",
       R"(MountVolume.SetUp failed for volume "injected" : secret "foreign" not found)",
       "SecretNotFound",
       "pod app-resolve-",
       {"Secret foreign is not in namespace team"}},
      {"a Secret that a container needs",
       R"(Error: secret "git-secret" not found)",
       "SecretNotFound",
       "spec.source.git.credentialsSecretRef: ",
       {}},
      {"a key of the push credentials",
       R"(MountVolume.SetUp failed for volume "push-credentials" : references non-existent secret key: )"
       ".dockerconfigjson",
       "SecretKeyMissing",
       "spec.output.credentialsSecretRef: Secret push-secret in namespace team has no key .dockerconfigjson",
       {resources::kRebuildAnnotation.data()}},
      {"a key of the build's credentials",
       R"(MountVolume.SetUp failed for volume "base-credentials" : references non-existent secret key: )"
       ".dockerconfigjson",
       "SecretKeyMissing",
       "spec.build.baseCredentialsSecretRef: Secret base-secret in",
       {}},
      {"a key of a volume that is not ours",
       R"(MountVolume.SetUp failed for volume "x" : references non-existent secret key: .dockerconfigjson)",
       "SecretKeyMissing",
       "pod app-resolve-",
       {"volume x", ".dockerconfigjson"}},
      {"a cache that lags",
       R"(MountVolume.SetUp failed for volume "git-credentials" : failed to sync secret cache: timed out )"
       "waiting for the condition",
       "",
       "",
       {"failed to sync secret cache"}},
      {"a Secret that the kubelet does not know yet",
       R"(MountVolume.SetUp failed for volume "git-credentials" : object "team"/"git-secret" not registered)",
       "",
       "",
       {"not registered"}},
      {"the bundle of authorities",
       R"(MountVolume.SetUp failed for volume "ca-bundle" : configmap "authorities" not found)",
       "ConfigMapNotFound",
       "spec.caBundleRef: ConfigMap authorities is not in namespace team: create it",
       {resources::kRebuildAnnotation.data()}},
      {"a key of the bundle",
       R"(MountVolume.SetUp failed for volume "ca-bundle" : configmap references non-existent config key: ca.crt)",
       "ConfigMapKeyMissing",
       "spec.caBundleRef: ConfigMap authorities in namespace team has no key ca.crt: add it",
       {resources::kRebuildAnnotation.data()}},
      {"a Secret of the cache",
       R"(MountVolume.SetUp failed for volume "cache-credentials" : secret "cache-secret" not found)",
       "SecretNotFound",
       "spec.build.cache.credentialsSecretRef: Secret cache-secret is not in",
       {}},
      {"the summary", kSummary, "", "", {"unmounted volumes=[git-credentials]"}},
      {"a sandbox",
       "Failed to create pod sandbox: rpc error: code = Unknown desc = no network",
       "",
       "",
       {"no network"}},
      {"nothing", "", "", "", {"ContainerCreating"}},
  };
  for (const auto& one : cases) {
    const World world = Stalling(one.note);
    const auto plan = world.Decide();
    const std::string message = Message(plan);
    EXPECT_EQ(Reason(plan), one.reason.empty() ? "Building" : one.reason) << one.name;
    EXPECT_TRUE(message.starts_with(one.begins)) << one.name << ": " << message;
    for (const auto& word : one.words) EXPECT_TRUE(message.contains(word)) << one.name << ": " << message;
    EXPECT_EQ(plan.removals.size(), one.reason.empty() ? 0U : 1U)
        << one.name << ": a Job whose pod starts later would go on with what has failed";
    EXPECT_EQ(plan.recheck_after.has_value(), one.reason.empty()) << one.name;
  }
}

TEST(NoteOfAPod, OfTheBuildNamesItsStageAndItsPod) {
  World world = WithSecrets();
  world.Building({Stuck("source", "PodInitializing"), Stuck("push", "PodInitializing")});
  world.trouble =
      R"(MountVolume.SetUp failed for volume "push-credentials" : secret "push-secret" not found)";
  world.now = kNow + kPodPatience;
  const auto plan = world.Decide();
  const auto& failure = plan.status.runs[0].failure;
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->reason, "SecretNotFound");
  EXPECT_EQ(failure->stage, "source");
  EXPECT_EQ(failure->pod, world.PodOf(JobRole::kBuild).meta.key.name);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].uid.value, "job-Build");
}

TEST(NoteOfAPod, CountsOnlyForOneThatStalls) {
  struct Case {
    std::string name;
    bool stalls;
    std::function<void(World&)> change;
  };
  const std::vector<Case> cases{
      {"as it is", true, [](World&) {}},
      {"young", false, [](World& w) { w.now -= std::chrono::seconds(1); }},
      {"going", false, [](World& w) { w.PodOf(JobRole::kResolve).meta.deleted = w.now; }},
      {"running", false, [](World& w) { w.PodOf(JobRole::kResolve).containers[0] = Running("resolve"); }},
      {"ended", false, [](World& w) { w.PodOf(JobRole::kResolve).containers[0] = Ended("resolve"); }},
      {"without a word of its containers", true,
       [](World& w) { w.PodOf(JobRole::kResolve).containers.clear(); }},
  };
  for (const auto& one : cases) {
    World world = Stalling(kNoSecret);
    one.change(world);
    EXPECT_EQ(Stalled(world.PodOf(JobRole::kResolve), world.now), one.stalls) << one.name;
    EXPECT_EQ(Reason(world.Decide()) == "SecretNotFound", one.stalls) << one.name;
  }
}

TEST(Timeout, TellsWhatAPodThatNeverStartedWaitedFor) {
  World world = Stalling("Failed to create pod sandbox: no network");
  world.Store(world.Decide());
  world.trouble.clear();
  // The Job's controller takes the pod away first, and says afterwards why.
  world.PodOf(JobRole::kResolve).meta.deleted = world.now;
  world.Store(world.Decide());
  world.pods.clear();
  world.JobOf(JobRole::kResolve).active = 0;
  world.Store(world.Decide());
  EXPECT_EQ(Reason(world.Decide()), "Building") << Message(world.Decide());
  world.JobOf(JobRole::kResolve).failed = true;
  world.JobOf(JobRole::kResolve).failed_reason = "DeadlineExceeded";
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_TRUE(Message(plan).starts_with("spec.build.timeout: ")) << Message(plan);
  EXPECT_TRUE(Message(plan).contains("ContainerCreating: Failed to create pod sandbox: no network"))
      << Message(plan);
}

TEST(Timeout, SeenFirstAfterwardsStillTellsTheNote) {
  World world = WithSecrets();
  world.Building({Stuck("source", "PodInitializing")}).phase = "Pending";
  world.trouble = "Failed to create pod sandbox: no network";
  world.now = kNow + std::chrono::minutes(31);
  const auto plan = world.Decide();
  EXPECT_EQ(Reason(plan), "BuildTimeout");
  EXPECT_TRUE(Message(plan).contains("no network")) << Message(plan);
  EXPECT_EQ(plan.removals.size(), 1U);
}

TEST(Timeout, OfAPodWithoutANodeTellsTheSchedulersWords) {
  World world = WithSecrets();
  world.Building({Stuck("source", "PodInitializing")}).phase = "Pending";
  world.PodOf(JobRole::kBuild).scheduled = false;
  world.PodOf(JobRole::kBuild).unschedulable = "0/1 nodes are available: 1 Insufficient cpu.";
  world.now = kNow + std::chrono::minutes(31);
  EXPECT_TRUE(Message(world.Decide()).contains("Insufficient cpu")) << Message(world.Decide());
}

TEST(WhatAStageWaitedFor, IsForgottenWhenItRuns) {
  World world = Stalling("Failed to create pod sandbox: no network");
  world.Store(world.Decide());
  EXPECT_TRUE(FindStage(world.Run(), "resolve")->message.contains("no network"));
  world.PodOf(JobRole::kResolve).containers[0] = Running("resolve");
  world.Store(world.Decide());
  EXPECT_EQ(FindStage(world.Run(), "resolve")->message, "");
}

// Else the build Job's pod, which may never come, would pass for one that was there.
TEST(WhatAStageWaitedFor, IsNotOfThePodOfTheStageBeforeIt) {
  World world;
  world.Resolving({Ended("resolve", 0, R"({"sha":")" + kSha + "\"}")});
  const auto plan = world.Decide();
  for (const auto& stage : plan.status.runs[0].stages) EXPECT_EQ(stage.message, "") << stage.name;
}

// ---- the events themselves ----

Json EventAt(const std::string& second, const std::string& reason, const std::string& note) {
  Json event = {{"reason", reason}, {"note", note}};
  event["metadata"] = {{"name", "e"}, {"namespace", "team"}, {"creationTimestamp", "2026-01-01T00:00:00Z"}};
  event["deprecatedLastTimestamp"] = "2026-01-01T00:00:" + second + "Z";
  return event;
}

Json ListOf(std::vector<Json> events) {
  Json list;
  list["items"] = std::move(events);
  return list;
}

TEST(NewestNote, IsTheOneThatWasSeenLast) {
  Json series = EventAt("05", "FailedMount", "in a series");
  series["series"] = {{"count", 3}, {"lastObservedTime", "2026-01-01T00:00:50.000000Z"}};
  struct Case {
    std::string name;
    Json list;
    std::string note;
  };
  const std::vector<Case> cases{
      {"of two", ListOf({EventAt("20", "FailedMount", "new"), EventAt("10", "FailedMount", "old")}), "new"},
      {"of two, the other way round",
       ListOf({EventAt("10", "FailedMount", "old"), EventAt("20", "FailedCreatePodSandBox", "new")}), "new"},
      {"a series goes by its last time", ListOf({series, EventAt("40", "Failed", "single")}), "in a series"},
      {"other reasons don't count", ListOf({EventAt("20", "Pulling", "no"), EventAt("10", "Failed", "yes")}),
       "yes"},
      {"the summary is the last resort",
       ListOf({EventAt("40", "FailedMount", kSummary), EventAt("10", "FailedMount", kNoSecret)}), kNoSecret},
      {"the summary alone", ListOf({EventAt("40", "FailedMount", kSummary)}), kSummary},
      {"none", ListOf({}), ""},
      {"no list", Json::object(), ""},
      {"odd ones are passed over",
       ListOf({Json(3), Json::object(), {{"reason", "Failed"}, {"note", 7}}, EventAt("01", "Failed", "it")}),
       "it"},
  };
  for (const auto& one : cases) EXPECT_EQ(NewestNote(one.list, kPodTroubles), one.note) << one.name;
}

TEST(NewestNote, OfAJobIsAboutItsPodsCreation) {
  const auto list = ListOf({EventAt("10", "FailedCreate", "exceeded quota"),
                            EventAt("20", "SuccessfulCreate", "Created pod"), EventAt("30", "Failed", "x")});
  EXPECT_EQ(NewestNote(list, kJobTroubles), "exceeded quota");
}

}  // namespace
}  // namespace slipway::image_build
