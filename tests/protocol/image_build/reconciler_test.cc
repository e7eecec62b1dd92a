// The shell against an API server that keeps what it is sent: which Jobs are made, recorded and refused.
#include "image_build/reconciler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/runtime/scripted_api.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using kube::Verb;

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    resources::PolicyMap policies;
    policies.meta.key = {"slipway-system", "policy"};
    policies.policy = resources::Policy{};
    policies.policy->namespaces["team"].repositories = {"registry.example.com/team/"};
    policies_.Put(policies);
    api_.on_call = [this](const kube::Request& request) { return Answer(request); };
  }

  // Of a full commit, for two platforms.
  void Add(const std::string& name) {
    resources::ImageBuild build;
    build.meta.key = {"team", name};
    build.meta.uid = {"uid-" + name};
    build.meta.resource_version = {"1"};
    build.meta.generation = 1;
    build.spec.source.url = "https://git.example.com/team/app.git";
    build.spec.source.revision = std::string(40, 'a');
    build.spec.output.repository = "registry.example.com/team/app";
    build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
    Put(build);
  }
  void Put(const resources::ImageBuild& build) { builds_.Put(build); }
  resources::ImageBuild Build(const std::string& name = "app") { return *builds_.Get({"team", name}); }

  Result<Json> Answer(const kube::Request& request) {
    if (request.verb == Verb::kPost && request.target.contains("/jobs")) return MakeJob(request);
    if (request.target.contains("/jobs/")) {
      return request.verb == Verb::kGet && !taken_.empty() ? Result<Json>(Foreign())
                                                           : Fail(ErrorKind::kNotFound, "no such Job");
    }
    if (request.verb == Verb::kPatch && request.target.contains("/status")) return WriteStatus(request);
    const std::string name = request.target.substr(request.target.rfind('/') + 1);
    Json answer;
    answer["metadata"] = {{"name", name}, {"namespace", "team"}, {"uid", "uid-" + name}};
    answer["metadata"]["resourceVersion"] = moved_ ? "99" : Build(name).meta.resource_version.value;
    return answer;
  }

  Result<Json> MakeJob(const kube::Request& request) {
    Json job = runtime::BodyOf(request);
    if (!taken_.empty() && made_.size() == 1) return Fail(ErrorKind::kAlreadyExists, "it is there");
    made_.push_back(job["metadata"]["name"]);
    job["metadata"]["uid"] = "made-" + std::to_string(made_.size());
    job["metadata"]["resourceVersion"] = "5";
    return job;
  }
  static Json Foreign() {
    Json job = {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"spec", Json::object()}};
    job["metadata"] = {{"name", "x"}, {"namespace", "team"}, {"uid", "foreign"}, {"resourceVersion", "5"}};
    return job;
  }

  Result<Json> WriteStatus(const kube::Request& request) {
    Json object = runtime::BodyOf(request);
    auto build = Build(object["metadata"]["name"]);
    object["spec"] = resources::EncodeSpec(build.spec);
    auto decoded = resources::ImageBuild::Decode(object);
    EXPECT_TRUE(decoded) << decoded.error().message;
    build.status = decoded->status;
    build.meta.resource_version = {std::to_string(++version_)};
    Put(build);
    object["metadata"]["resourceVersion"] = build.meta.resource_version.value;
    return object;
  }

  Result<runtime::Outcome> Reconcile(const std::string& name = "app") {
    return loop_.Get(reconciler_.Reconcile({"team", name}));
  }
  std::size_t Sent(Verb verb, const std::string& part) const {
    return static_cast<std::size_t>(std::ranges::count_if(api_.requests, [&](const kube::Request& request) {
      return request.verb == verb && request.target.contains(part);
    }));
  }

  std::vector<std::string> made_;
  std::string taken_;
  bool moved_ = false;
  int version_ = 1;
  std::vector<kube::ObjectKey> called_;

  runtime::Loop loop_;
  runtime::HandWoundClock clock_;
  runtime::ScriptedApi api_;
  runtime::Applier applier_{api_};
  runtime::EventRecorder recorder_{loop_.executor(), api_, clock_, "pod_1"};
  telemetry::Metrics metrics_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Store<resources::Job> jobs_;
  runtime::Store<resources::Pod> pods_;
  runtime::Store<resources::Decision> decisions_;
  runtime::Store<resources::PolicyMap> policies_;
  Reconciler reconciler_{runtime::Shell{api_, applier_, recorder_, clock_, metrics_},
                         Caches{builds_, jobs_, pods_, decisions_, policies_, {"slipway-system", "policy"}},
                         Tools{}, Concurrency{1, 1},
                         [this](kube::ObjectKey key) { called_.push_back(std::move(key)); }};
};

TEST_F(ReconcilerTest, RecordsTheUidOfEachJobItStarts) {
  Add("app");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  ASSERT_EQ(run.jobs.size(), 2U);
  EXPECT_EQ(run.jobs[0].uid.value, "made-1");
  EXPECT_EQ(run.jobs[1].uid.value, "made-2");
  EXPECT_EQ(run.jobs[1].leg, "linux/arm64");
  EXPECT_EQ(run.jobs[1].name, made_[1]);
}

TEST_F(ReconcilerTest, AForeignJobOnOneNameEndsTheRunAndTakesTheOthersAway) {
  Add("app");
  taken_ = "the second";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  ASSERT_TRUE(run.failure);
  EXPECT_EQ(run.failure->reason, "JobNameTaken");
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/" + made_.at(0)), 1U);
}

TEST_F(ReconcilerTest, MakesNoJobFromAnObjectThatHasMovedOn) {
  Add("app");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Reconcile());
  moved_ = true;
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(made_.empty());
}

TEST_F(ReconcilerTest, LetsTheNextInWhenTheFirstIsGone) {
  Add("app");
  Add("next");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile("next"));
  EXPECT_FALSE(Build("next").status.runs.at(0).started);
  called_.clear();
  builds_.Erase({"team", "app"});
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(called_.size(), 1U);
  EXPECT_EQ(called_[0].name, "next");
  ASSERT_TRUE(Reconcile("next"));
  EXPECT_TRUE(Build("next").status.runs.at(0).started);
}

}  // namespace
}  // namespace slipway::image_build
