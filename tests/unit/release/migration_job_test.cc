// The Job of a migration: all of it as it is sent, whether it is known again, and what its end means.
#include "release/migration_job.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::release {
namespace {

using kube::Json;
using resources::ContainerState;
using resources::Job;
using resources::Pod;
using State = MigrationOutcome::State;

const std::string kImage = "registry.example.com/team/shop@sha256:" + std::string(64, 'a');

resources::Release Shop() {
  resources::Release release;
  release.meta.key = {"team", "shop"};
  release.meta.uid = {"release-uid"};
  release.spec.migration.emplace();
  release.spec.migration->command = {"/shop", "-c", "echo $(date) $$"};
  release.spec.migration->args = {"migrate", "--to=$(VERSION)"};
  release.spec.migration->env = {{"PGHOST", "db.team.svc"}, {"PRICE", "5$(HOME)"}};
  release.spec.migration->env_from_secrets = {"shop-db", "shop-key"};
  release.spec.migration->timeout = std::chrono::minutes(2);
  return release;
}

Json Rendered(const resources::Release& release = Shop()) {
  return RenderMigrationJob(release, {"shop-migrate-1", kImage}, "v1.4.2", "builder");
}

kube::ObjectMeta Live(const Json& rendered) {
  Json live = rendered;
  live["metadata"]["uid"] = "job-uid";
  return kube::DecodeMeta(live).value();
}

TEST(MigrationJob, IsSentLikeThis) {
  auto expected = Json::parse(R"json({
    "apiVersion": "batch/v1", "kind": "Job",
    "metadata": {
      "name": "shop-migrate-1", "namespace": "team",
      "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop", "slipway.dev/role": "migration",
                 "slipway.dev/release": "release-uid"},
      "ownerReferences": [{"apiVersion": "slipway.dev/v1alpha1", "kind": "Release", "name": "shop",
                           "uid": "release-uid", "controller": true}]},
    "spec": {
      "backoffLimit": 0, "activeDeadlineSeconds": 140, "ttlSecondsAfterFinished": 604800,
      "podFailurePolicy": {"rules": [
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
      "template": {
        "metadata": {"labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop",
                                "slipway.dev/role": "migration", "slipway.dev/job": "shop-migrate-1"}},
        "spec": {
          "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
          "serviceAccountName": "builder", "activeDeadlineSeconds": 120,
          "securityContext": {"fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
          "volumes": [{"name": "tmp", "emptyDir": {}}],
          "containers": [{
            "name": "migrate",
            "command": ["/shop", "-c", "echo $$(date) $$$$"],
            "args": ["migrate", "--to=$$(VERSION)"],
            "env": [{"name": "HOME", "value": "/tmp"}, {"name": "PGHOST", "value": "db.team.svc"},
                    {"name": "PRICE", "value": "5$$(HOME)"}, {"name": "SLIPWAY_IMAGE"},
                    {"name": "SLIPWAY_VERSION", "value": "v1.4.2"}],
            "envFrom": [{"secretRef": {"name": "shop-db"}}, {"secretRef": {"name": "shop-key"}}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "allowPrivilegeEscalation": false,
                                "capabilities": {"drop": ["ALL"]}},
            "terminationMessagePolicy": "File",
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}]}}}})json");
  auto& container = expected["spec"]["template"]["spec"]["containers"][0];
  container["image"] = kImage;
  container["env"][3]["value"] = kImage;
  EXPECT_EQ(Rendered(), expected);
}

TEST(MigrationJob, WithNothingSaidRunsTheImagesOwnProgram) {
  auto release = Shop();
  release.spec.migration = resources::Migration{};
  const auto container = Rendered(release)["spec"]["template"]["spec"]["containers"][0];
  for (const char* absent : {"command", "args", "envFrom"})
    EXPECT_FALSE(container.contains(absent)) << absent;
  EXPECT_EQ(Rendered(release)["spec"]["template"]["spec"]["activeDeadlineSeconds"], 600);
}

TEST(MigrationJob, IsKnownAgainByOwnerAndLabel) {
  const auto release = Shop();
  const auto rendered = Rendered();
  EXPECT_TRUE(IsMigrationJobOf(release, Live(rendered)));

  auto other = release;
  other.spec.migration->args = {"migrate", "down"};
  EXPECT_TRUE(IsMigrationJobOf(release, Live(Rendered(other))));

  auto unlabelled = rendered;
  unlabelled["metadata"]["labels"].erase("slipway.dev/release");
  EXPECT_FALSE(IsMigrationJobOf(release, Live(unlabelled)));
  auto ownerless = rendered;
  ownerless["metadata"].erase("ownerReferences");
  EXPECT_FALSE(IsMigrationJobOf(release, Live(ownerless)));
  auto again = release;
  again.meta.uid = {"another-uid"};
  EXPECT_FALSE(IsMigrationJobOf(again, Live(rendered)));
}

// ---- what came of it ----

Job Failed(const std::string& reason, const std::string& message = "Job has failed") {
  Job job;
  job.meta.key = {"team", "shop-migrate-1"};
  job.meta.uid = {"job-uid"};
  job.failed = true;
  job.failed_reason = reason;
  job.failed_message = message;
  return job;
}

Pod APod(ContainerState container = {}) {
  Pod pod;
  pod.meta.key = {"team", "shop-migrate-1-abcde"};
  pod.meta.labels[std::string(resources::kJobLabel)] = "shop-migrate-1";
  pod.meta.owners = {{"batch/v1", "Job", "shop-migrate-1", {"job-uid"}, true}};
  pod.phase = "Failed";
  pod.scheduled = true;
  container.name = "migrate";
  pod.containers = {std::move(container)};
  return pod;
}

ContainerState Exited(int code, const std::string& reason = "Error") {
  return {.terminated = true, .exit_code = code, .reason = reason, .message = "password is hunter2"};
}

TEST(MigrationOutcomeTest, FollowsTheJob) {
  Job job = Failed("");
  job.failed = false;
  EXPECT_EQ(OutcomeOf(nullptr, nullptr).state, State::kGone);
  EXPECT_EQ(OutcomeOf(&job, nullptr).state, State::kRunning);
  EXPECT_EQ(OutcomeOf(&job, nullptr).message, "");
  job.complete = true;
  EXPECT_EQ(OutcomeOf(&job, nullptr).state, State::kSucceeded);
}

struct Fall {
  const char* what;
  Job job;
  std::optional<Pod> pod;
  std::vector<const char*> words;
};

TEST(MigrationOutcomeTest, SaysHowItFailedAndWhereTheLogIs) {
  const char* logs = "kubectl -n team logs shop-migrate-1-abcde -c migrate";
  Pod evicted = APod();
  evicted.reason = "Evicted";
  evicted.message = "Pod ephemeral local storage usage exceeds the total limit";
  Pod late = APod(Exited(137));
  late.reason = "DeadlineExceeded";
  Pod stuck = APod({.reason = "ImagePullBackOff", .message = "manifest unknown"});
  stuck.reason = "DeadlineExceeded";
  const std::vector<Fall> rows{
      {"exit code", Failed("BackoffLimitExceeded"), APod(Exited(3)), {"exit code 3 (Error)", logs}},
      {"memory", Failed("BackoffLimitExceeded"), APod(Exited(137, "OOMKilled")), {"used more memory"}},
      {"no program",
       Failed("BackoffLimitExceeded"),
       APod({.terminated = true, .exit_code = 128, .reason = "StartError", .message = "exec: not found"}),
       {"can't be started: exec: not found", "spec.migration.command"}},
      {"evicted", Failed("BackoffLimitExceeded"), evicted, {"the node ended pod", "ephemeral local storage"}},
      {"late", Failed("BackoffLimitExceeded"), late, {"spec.migration.timeout", logs}},
      {"never begun",
       Failed("DeadlineExceeded"),
       stuck,
       {"spec.migration.timeout", "ImagePullBackOff: manifest unknown"}},
      {"late, no pod", Failed("DeadlineExceeded"), std::nullopt, {"spec.migration.timeout"}},
      {"no pod", Failed("BackoffLimitExceeded"), std::nullopt, {"BackoffLimitExceeded", "its pod is gone"}},
  };
  for (const auto& row : rows) {
    const auto outcome = OutcomeOf(&row.job, row.pod ? &*row.pod : nullptr);
    EXPECT_EQ(outcome.state, State::kFailed) << row.what;
    EXPECT_TRUE(outcome.message.starts_with("migration Job shop-migrate-1: ")) << outcome.message;
    for (const char* word : row.words)
      EXPECT_TRUE(outcome.message.contains(word)) << row.what << ": " << outcome.message;
    EXPECT_FALSE(outcome.message.contains("hunter2")) << row.what;
  }
}

TEST(MigrationOutcomeTest, OneThatWasCutShortIsAsGoodAsGone) {
  const Job job = Failed("PodFailurePolicy", "Pod team/x has condition DisruptionTarget");
  EXPECT_TRUE(CutShort(job));
  const Pod pod = APod(Exited(143));
  const auto outcome = OutcomeOf(&job, &pod);
  EXPECT_EQ(outcome.state, State::kGone);
  EXPECT_TRUE(outcome.message.contains("taken off its node")) << outcome.message;
  EXPECT_FALSE(CutShort(Failed("BackoffLimitExceeded")));
}

TEST(MigrationOutcomeTest, SaysWhatAPodWaitsFor) {
  Job job = Failed("");
  job.failed = false;
  Pod pod = APod({.reason = "CreateContainerConfigError", .message = "secret \"shop-db\" not found"});
  EXPECT_TRUE(OutcomeOf(&job, &pod).message.contains("secret \"shop-db\" not found"));
  pod = APod({.reason = "ContainerCreating"});
  EXPECT_EQ(OutcomeOf(&job, &pod).message, "");
  pod.scheduled = false;
  pod.unschedulable = "0/3 nodes are available";
  EXPECT_TRUE(OutcomeOf(&job, &pod).message.contains("0/3 nodes are available"));
}

}  // namespace
}  // namespace slipway::release
