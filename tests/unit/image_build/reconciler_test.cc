// The shell against a scripted API server: what it asks, how often, and what it tells of a refusal.
#include "image_build/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/runtime/scripted_api.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kForbidden =
    R"(jobs.batch "x" is forbidden: User "slipway" cannot get resource "jobs" in API group "batch")";

// A resolve Job whose pod can't mount its Secret.
class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    clock_.now = kNow;
    world_.build.spec.source.credentials_secret_ref = resources::NameRef{"git-secret"};
    world_.policy->secrets = {{"git-secret", resources::SecretUse::kSource}};
    world_.Resolving({Stuck("resolve", "ContainerCreating")}).phase = "Pending";
    world_.build.meta.resource_version = {"7"};
    api_.on_call = [this](const kube::Request& request) { return Answer(request); };
  }

  void Stored(bool job = true) {
    const auto owned = [](kube::ObjectMeta& meta, std::string kind, const kube::ObjectMeta& owner) {
      meta.owners = {{"v1", std::move(kind), owner.key.name, owner.uid, true}};
    };
    owned(world_.resolve_job->meta, "ImageBuild", world_.build.meta);
    owned(world_.resolve_pod->meta, "Job", world_.resolve_job->meta);
    world_.resolve_pod->meta.labels[std::string(resources::kJobLabel)] = world_.resolve_job->meta.key.name;
    builds_.Put(world_.build);
    if (job) jobs_.Put(*world_.resolve_job);
    pods_.Put(*world_.resolve_pod);
    resources::PolicyMap policies;
    policies.meta.key = {"slipway-system", "policy"};
    policies.policy = resources::Policy{};
    policies.policy->namespaces["team"] = *world_.policy;
    policies_.Put(policies);
  }

  Result<Json> Answer(const kube::Request& request) {
    if (request.target.contains("/events")) return events_;
    if (request.target.contains("/jobs/") && request.verb == kube::Verb::kGet) return job_;
    Json build;
    build["metadata"] = {
        {"name", "app"}, {"namespace", "team"}, {"uid", "build-uid"}, {"resourceVersion", "7"}};
    return build;
  }

  Result<runtime::Outcome> Reconcile() { return loop_.Get(reconciler_.Reconcile({"team", "app"})); }

  std::vector<kube::Request> Sent(kube::Verb verb, const std::string& part) const {
    std::vector<kube::Request> sent;
    std::ranges::copy_if(api_.requests, std::back_inserter(sent), [&](const kube::Request& request) {
      return request.verb == verb && request.target.contains(part);
    });
    return sent;
  }
  // Of the status that was written last.
  Json Ready() const {
    const auto writes = Sent(kube::Verb::kPatch, "/status");
    if (writes.empty()) return Json::object();
    const Json conditions = Json::parse(writes.back().body)["status"]["conditions"];
    for (const auto& condition : conditions) {
      if (condition["type"] == "Ready") return condition;
    }
    return Json::object();
  }

  static Json Events(const std::string& note) {
    Json event = {{"reason", "FailedMount"}, {"note", note}};
    event["metadata"] = {{"name", "e"}, {"namespace", "team"}, {"creationTimestamp", "2026-01-01T00:00:00Z"}};
    Json list;
    list["items"] = Json::array({std::move(event)});
    return list;
  }

  World world_;
  Result<Json> events_ = Events("not yet");
  Result<Json> job_ = Fail(ErrorKind::kNotFound, "no such Job");

  runtime::Loop loop_;
  runtime::HandWoundClock clock_;
  runtime::ScriptedApi api_;
  runtime::Applier applier_{api_};
  runtime::EventRecorder recorder_{loop_.executor(), api_, clock_, "pod_1"};
  telemetry::Metrics metrics_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Store<resources::Job> jobs_;
  runtime::Store<resources::Pod> pods_;
  runtime::Store<resources::PolicyMap> policies_;
  Reconciler reconciler_{runtime::Shell{api_, applier_, recorder_, clock_, metrics_},
                         Caches{builds_, jobs_, pods_, policies_, {"slipway-system", "policy"}}, Tools{}};
};

TEST_F(ReconcilerTest, AsksForTheEventsOfThePodOnceInFiveSeconds) {
  Stored();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(kube::Verb::kGet, "/events").size(), 0U) << "a young pod is only waited for";
  clock_.Advance(kPodPatience);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Reconcile());
  ASSERT_EQ(Sent(kube::Verb::kGet, "/events").size(), 1U);
  EXPECT_THAT(Sent(kube::Verb::kGet, "/events")[0].target, HasSubstr("resolve-uid-pod"));
  EXPECT_THAT(Ready()["message"].get<std::string>(), HasSubstr("ContainerCreating: not yet"));
  clock_.Advance(std::chrono::seconds(4));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(kube::Verb::kGet, "/events").size(), 1U);
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(kube::Verb::kGet, "/events").size(), 2U);
}

TEST_F(ReconcilerTest, EventsThatCantBeReadAreNotAskedForMoreOften) {
  Stored();
  events_ = Fail(ErrorKind::kForbidden, "cannot list resource \"events\"");
  clock_.Advance(kPodPatience);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(kube::Verb::kGet, "/events").size(), 1U);
  EXPECT_THAT(Ready()["message"].get<std::string>(), HasSubstr("cannot list resource \"events\""));
}

TEST_F(ReconcilerTest, AMissingSecretEndsTheRunAndItsJob) {
  Stored();
  events_ =
      Events(R"(MountVolume.SetUp failed for volume "git-credentials" : secret "git-secret" not found)");
  clock_.Advance(kPodPatience);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready()["reason"], "SecretNotFound");
  EXPECT_THAT(Ready()["message"].get<std::string>(),
              StartsWith("spec.source.git.credentialsSecretRef: Secret git-secret is not in namespace team"));
  ASSERT_EQ(Sent(kube::Verb::kDelete, "/jobs/").size(), 1U);
  EXPECT_EQ(Json::parse(Sent(kube::Verb::kDelete, "/jobs/")[0].body)["preconditions"]["uid"], "resolve-uid");
}

TEST_F(ReconcilerTest, ARefusedReadIsToldInTheServersWords) {
  Stored(false);
  job_ = Fail(ErrorKind::kForbidden, kForbidden);
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(Ready()["reason"], "Forbidden");
  EXPECT_THAT(Ready()["message"].get<std::string>(), HasSubstr("cannot get resource \"jobs\""));
}

TEST_F(ReconcilerTest, AReadThatIsTriedAgainByItselfIsNotTold) {
  for (const auto kind : {ErrorKind::kThrottled, ErrorKind::kUnauthorized, ErrorKind::kConflict}) {
    Stored(false);
    job_ = Fail(kind, "later");
    ASSERT_FALSE(Reconcile());
    EXPECT_TRUE(Sent(kube::Verb::kPatch, "/status").empty()) << ToString(kind);
  }
}

TEST_F(ReconcilerTest, AJobThatIsGoneFromTheServerTooEndsTheRun) {
  Stored(false);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready()["reason"], "JobVanished");
}

}  // namespace
}  // namespace slipway::image_build
