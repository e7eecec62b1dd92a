// The Job that attests is in another namespace: it is made, found and removed there, and nowhere else.
#include "protocol/image_build/world.h"
#include "supply/names.h"

namespace slipway::image_build {
namespace {

class AttestTest : public ReconcilerTest {
 protected:
  // Its image is pushed; the next decision makes the Job.
  void Push() {
    auto build = Made("app");
    build.spec.build.platforms.clear();
    build.spec.attest = resources::AttestSpec{"release", {}, true};
    resources::BuildRun run;
    run.number = 1;
    run.generation = 1;
    run.key = KeyOf(build);
    run.reason = "NewSpec";
    run.commit.emplace().sha = build.spec.source.revision;
    run.queued = run.started = clock_.now;
    for (const char* name : {"resolve", "source", "prepare", "build", "scan", "push"}) {
      run.stages.emplace_back().name = name;
      run.stages.back().state = resources::StageState::kSucceeded;
    }
    run.stages.emplace_back().name = "attest";
    run.jobs = {{.name = "app-build",
                 .uid = {"build"},
                 .role = resources::JobRole::kBuild,
                 .state = resources::StageState::kSucceeded,
                 .image = build.spec.output.repository + "@sha256:" + std::string(64, '1'),
                 .finished = clock_.now}};
    build.status.runs = {run};
    build.status.observed_generation = 1;
    builds_.Put(build);
  }

  // The Job is in the cache, and its pod, which ended well.
  void See() {
    auto job = *resources::Job::Decode(LastSent(Verb::kPost, "/jobs"));
    job.meta.uid = {"made-1"};
    job.meta.created = clock_.now;
    job.started = clock_.now;
    job.complete = true;
    job.finished = clock_.now;
    jobs_.Put(job);
    resources::Pod pod;
    pod.meta.key = {"keys", job.meta.key.name + "-abcde"};
    pod.meta.labels[std::string(resources::kJobLabel)] = job.meta.key.name;
    pod.meta.owners = {{"batch/v1", "Job", job.meta.key.name, {"made-1"}, true}};
    pod.phase = "Succeeded";
    pod.containers.push_back({.name = "sign", .terminated = true});
    pods_.Put(pod);
  }

  // Ours by what it says of itself, and in no record.
  void Stray(const std::string& ns, const std::string& uid) {
    resources::Job job;
    job.meta.key = {ns, "stray-" + uid};
    job.meta.uid = {uid};
    const Json labels = supply::Labels({std::string(kube::kImageBuilds.kind), {"team", "app"}, {"uid-app"}},
                                       supply::kAttestRole);
    for (const auto& [key, value] : labels.items()) job.meta.labels[key] = value.get<std::string>();
    job.meta.annotations[std::string(supply::kOwnerNameAnnotation)] = "app";
    jobs_.Put(job);
  }
};

TEST_F(AttestTest, IsMadeInThePlatformsNamespaceAndRecorded) {
  Push();
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(made_.size(), 1U);
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/keys/jobs"), 1U);
  const auto run = Build().status.runs.at(0);
  ASSERT_EQ(run.jobs.size(), 2U);
  EXPECT_EQ(run.jobs[1].role, resources::JobRole::kAttest);
  EXPECT_EQ(run.jobs[1].uid.value, "made-1");
  EXPECT_FALSE(run.finished);
  EXPECT_FALSE(Build().status.latest);
}

TEST_F(AttestTest, IsFoundThereAndEndsTheRun) {
  Push();
  ASSERT_TRUE(Reconcile());
  See();
  ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  EXPECT_FALSE(run.failure) << run.failure->message;
  ASSERT_TRUE(run.attestation);
  EXPECT_EQ(run.attestation->signer, "release");
  EXPECT_TRUE(Build().status.latest);
  EXPECT_EQ(Sent(Verb::kGet, "/jobs/"), 0U) << "it was in the cache";
}

TEST_F(AttestTest, OneThatIsGoneWasLookedForThere) {
  Push();
  ASSERT_TRUE(Reconcile());
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kGet, "/namespaces/keys/jobs/" + made_.at(0)), 1U);
  EXPECT_EQ(Build().status.runs.at(0).failure->reason, "JobVanished");
}

TEST_F(AttestTest, IsRemovedThereWithItsRun) {
  Push();
  ASSERT_TRUE(Reconcile());
  See();
  auto build = Build();
  build.meta.annotations[std::string(resources::kCancelAnnotation)] = "1";
  auto job = *jobs_.Get({"keys", made_.at(0)});
  job.complete = false;
  job.finished.reset();
  jobs_.Put(job);
  pods_.Erase({"keys", made_.at(0) + "-abcde"});
  builds_.Put(build);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Build().status.runs.at(0).failure->reason, "Cancelled");
  EXPECT_EQ(Sent(Verb::kDelete, "/namespaces/keys/jobs/" + made_.at(0)), 1U);
  EXPECT_EQ(Sent(Verb::kDelete, "/namespaces/team/"), 0U);
}

TEST_F(AttestTest, AStrayIsRemovedThereAndATenantsJobThatSaysTheSameIsNot) {
  Push();
  Stray("keys", "ours");
  Stray("team", "forged");
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kDelete, "/namespaces/keys/jobs/stray-ours"), 1U);
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 1U);
}

// Nobody has asked for it any more; and no owner reference takes it away.
TEST_F(AttestTest, EndsWithItsImageBuild) {
  Push();
  Stray("keys", "ours");
  Stray("team", "forged");
  builds_.Erase({"team", "app"});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kDelete, "/namespaces/keys/jobs/stray-ours"), 1U);
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 1U);
}

// The answer to its creation was lost, and before it was made again the policy got another Secret for the
// registry: the Job would be rendered otherwise now, and attests the same.
TEST_F(AttestTest, IsKnownAgainByWhatItWasAskedFor) {
  Push();
  ASSERT_TRUE(Reconcile());
  Json there = LastSent(Verb::kPost, "/namespaces/keys/jobs");
  there["metadata"]["uid"] = "made-before";
  there["metadata"]["resourceVersion"] = "7";
  Push();
  auto policies = *policies_.Get({"slipway-system", "policy"});
  policies.policy->registry_secret = "another";
  policies_.Put(policies);
  Taken(there);
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(Build().status.runs.at(0).jobs.size(), 2U);
  EXPECT_EQ(Build().status.runs.at(0).jobs[1].uid.value, "made-before");

  Push();
  there["metadata"]["annotations"]["slipway.dev/asked"] = "something else";
  Taken(there);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Build().status.runs.at(0).failure->reason, "JobNameTaken");
}

TEST_F(AttestTest, WithoutItsSignerNothingIsMade) {
  Push();
  auto policies = *policies_.Get({"slipway-system", "policy"});
  policies.policy->signers.clear();
  policies_.Put(policies);
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(made_.empty());
}

}  // namespace
}  // namespace slipway::image_build
