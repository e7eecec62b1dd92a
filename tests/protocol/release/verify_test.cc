// The shell of a look at what an image has: its Job is made in the platform's namespace, once, and followed
// live; and where it can't be made the Release goes on.
#include <gmock/gmock.h>

#include <functional>

#include "protocol/release/world.h"
#include "supply/names.h"

namespace slipway::release {
namespace {

using testing::HasSubstr;

const resources::VerificationRecord& RecordOf(const resources::Release& release) {
  return *release.status.verification;
}

Json Condition(const char* type, const char* reason) {
  Json condition = {{"type", type}, {"status", "True"}, {"reason", reason}};
  return Json::array({std::move(condition)});
}

TEST_F(ReconcilerTest, PostsTheLooksJobInThePlatformsNamespaceAndRecordsItsUid) {
  Look();
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/platform/jobs"), 1U);
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/team/jobs"), 0U);
  const auto job = At("jobs", Names("jobs").at(0));
  EXPECT_EQ(job["metadata"]["namespace"], "platform");
  EXPECT_EQ(job["spec"]["template"]["spec"]["containers"][0]["image"], "tools.example/cosign@sha256:c");
  const supply::Owner owner{"Release", {"team", "shop"}, {"release-uid"}};
  EXPECT_EQ(supply::OwnerOf(*kube::DecodeMeta(job)), owner);
  EXPECT_EQ(RecordOf(Shop()).job, Names("jobs").at(0));
  EXPECT_EQ(RecordOf(Shop()).job_uid, kube::Uid{"made-1"});
  EXPECT_EQ(Ready().reason, "VerificationRunning");
  Settle();
  EXPECT_EQ(made_, 1);
  EXPECT_TRUE(Names("canarypromotions").empty());
}

TEST_F(ReconcilerTest, DeliversWhatTheLookPassed) {
  Look();
  At("jobs", Names("jobs").at(0))["status"]["conditions"] = Condition("Complete", "");
  Settle();
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
  const auto by = Shop().status.history.at(0).verified_by;
  ASSERT_TRUE(by);
  EXPECT_EQ(by->signer, "release");
  EXPECT_EQ(made_, 2);
}

// The cache has neither the Job nor the pod.
TEST_F(ReconcilerTest, ReadsLiveWhatTheLookFound) {
  Look();
  auto& job = At("jobs", Names("jobs").at(0));
  job["status"]["conditions"] = Condition("Failed", "BackoffLimitExceeded");
  Json pod = Json::parse(R"({
    "metadata": {"namespace": "platform", "uid": "pod-uid", "resourceVersion": "1",
                 "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"containers": [{"name": "signature"}]},
    "status": {"phase": "Failed", "containerStatuses": [{"name": "signature", "state": {"terminated": {
      "exitCode": 10, "reason": "Error", "message": "error during command execution: no signatures found"}}}]}})");
  pod["metadata"]["name"] = Names("jobs").at(0) + "-abcde";
  pod["metadata"]["labels"] = job["spec"]["template"]["metadata"]["labels"];
  pod["metadata"]["ownerReferences"] =
      Json::parse(R"([{"apiVersion": "batch/v1", "kind": "Job", "controller": true,
                                                        "uid": "made-1"}])");
  pod["metadata"]["ownerReferences"][0]["name"] = Names("jobs").at(0);
  Json other = pod;
  Put("pods", pod);
  other["metadata"]["name"] = "forged";
  other["metadata"]["labels"] = Json::object();
  other["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
  other["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 12;
  Put("pods", other);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "SignatureMissing");
  EXPECT_EQ(Sent(Verb::kGet, "/namespaces/platform/pods"), 1U);
  EXPECT_TRUE(Names("canarypromotions").empty());
}

TEST_F(ReconcilerTest, ALookWhoseJobIsGoneSaysNothingOfTheImage) {
  Look();
  At("jobs", Names("jobs").at(0))["metadata"]["uid"] = "another";
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "VerificationFailed");
  EXPECT_THAT(Ready().message, HasSubstr("was deleted"));
}

TEST_F(ReconcilerTest, LooksOnceThoughTheStatusIsLost) {
  Look(true);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(RecordOf(Shop()).job_uid, kube::Uid{"made-1"});
}

// Whose name it has says nothing of what it looks at: only a Job that is ours to the last field is believed.
TEST_F(ReconcilerTest, ALookOfAnotherTemplateIsNotTaken) {
  Look(true);
  auto& container = At("jobs", Names("jobs").at(0))["spec"]["template"]["spec"]["containers"][0];
  container["args"].back() = "registry.example.com/team/other@sha256:" + std::string(64, '9');
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(RecordOf(Shop()).job_uid);
  EXPECT_EQ(RecordOf(Shop()).outcome, "Failed");
  EXPECT_TRUE(Names("canarypromotions").empty());
}

TEST_F(ReconcilerTest, ALookThatIsNotOursIsNeitherTakenNorDeleted) {
  for (const char* label : {"slipway.dev/uid", "slipway.dev/role"}) {
    SCOPED_TRACE(label);
    Look(true);
    At("jobs", Names("jobs").at(0))["metadata"]["labels"][label] = "another";
    ASSERT_TRUE(Reconcile());
    EXPECT_FALSE(RecordOf(Shop()).job_uid);
    EXPECT_EQ(Ready().reason, "VerificationRunning") << "it is said with the next look at the Release";
    ASSERT_TRUE(Reconcile());
    EXPECT_EQ(Ready().reason, "VerificationFailed");
    EXPECT_THAT(Ready().message, HasSubstr("can't be made in namespace platform"));
    EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 0U);
    Forget("jobs", Names("jobs").at(0));
  }
}

TEST_F(ReconcilerTest, WhereTheLookIsForbiddenTheStatusIsWrittenAllTheSame) {
  auto answer = api_.on_call;
  api_.on_call = [answer](const kube::Request& request) -> Result<Json> {
    const bool look = request.verb == Verb::kPost && request.target.contains("/namespaces/platform/");
    if (look) return Fail(ErrorKind::kForbidden, "jobs is forbidden");
    return answer(request);
  };
  auto release = Made();
  release.spec.gates.signature = resources::SignatureGate{"release"};
  Put(release);
  ASSERT_TRUE(Reconcile());
  const auto outcome = Reconcile();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(Ready().reason, "VerificationFailed");
  EXPECT_THAT(Ready().message, HasSubstr("jobs is forbidden"));
  EXPECT_EQ(RecordOf(Shop()).outcome, "Failed");
  EXPECT_GE(outcome->recheck_after.value_or(Duration(0)), std::chrono::seconds(10));
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/platform/jobs"), 1U);
}

// A Job that looks for another Release, as the cache has it.
resources::Job LookOf(const supply::Owner& owner, int number) {
  resources::Job job;
  job.meta.key = {"platform", "look-" + std::to_string(number)};
  job.meta.uid = {"look-uid-" + std::to_string(number)};
  const Json labels = supply::Labels(owner, supply::kVerifyRole);
  for (const auto& [label, value] : labels.items()) job.meta.labels[label] = value.get<std::string>();
  job.meta.annotations[std::string(supply::kOwnerNameAnnotation)] = owner.key.name;
  return job;
}

struct Crowd {
  const char* name;
  std::function<void(resources::Job&)> alter;
  const char* kind = "Release";
  const char* ns = "another";
  const char* reason = "VerificationRunning";
};

TEST_F(ReconcilerTest, LooksOnlyWhereSoManyDoNotLookAlready) {
  const std::vector<Crowd> rows{
      {"of Releases", [](resources::Job&) {}, "Release", "another", "LookQueued"},
      {"of ImageBuilds", [](resources::Job&) {}, "ImageBuild"},
      {"ended", [](resources::Job& job) { job.complete = true; }},
      {"failed", [](resources::Job& job) { job.failed = true; }},
      {"elsewhere", [](resources::Job& job) { job.meta.key.ns = "another"; }},
      {"without a mark of ours", [](resources::Job& job) { job.meta.labels.clear(); }},
  };
  for (const auto& row : rows) {
    for (int i = 0; i < 40; ++i) {
      auto job = LookOf({row.kind, {row.ns, "web"}, {"uid"}}, i);
      jobs_.Erase(job.meta.key);
      jobs_.Erase({"another", job.meta.key.name});
      row.alter(job);
      jobs_.Put(std::move(job));
    }
    auto release = Made();
    release.spec.gates.signature = resources::SignatureGate{"release"};
    Put(release);
    ASSERT_TRUE(Reconcile());
    EXPECT_EQ(Ready().reason, row.reason) << row.name;
    EXPECT_EQ(Names("jobs").empty(), row.reason == std::string("LookQueued")) << row.name;
    if (!Names("jobs").empty()) Forget("jobs", Names("jobs").at(0));
  }
}

TEST_F(ReconcilerTest, LooksOnlyWhereItsNamespaceDoesNotLookAtSoManyAlready) {
  for (int i = 0; i < 10; ++i) jobs_.Put(LookOf({"Release", {"team", "web"}, {"uid"}}, i));
  auto release = Made();
  release.spec.gates.signature = resources::SignatureGate{"release"};
  Put(release);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "LookQueued");
  EXPECT_TRUE(Names("jobs").empty());
  jobs_.Erase({"platform", "look-3"});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Names("jobs").size(), 1U);
}

TEST_F(ReconcilerTest, WithoutCosignItSaysHowTheOperatorIsToBeStarted) {
  Reconciler bare{runtime::Shell{api_, applier_, recorder_, clock_, metrics_}, caches_};
  auto release = Made();
  release.spec.gates.signature = resources::SignatureGate{"release"};
  Put(release);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(loop_.Get(bare.Reconcile({"team", "shop"})));
  EXPECT_EQ(Ready().reason, "VerificationFailed");
  EXPECT_THAT(Ready().message, HasSubstr("--cosign-image"));
  EXPECT_EQ(made_, 0);
}

}  // namespace
}  // namespace slipway::release
