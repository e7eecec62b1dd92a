// The shell of the ImageBuild controller against an API server that keeps what it is sent. Each fixture is
// one operator with namespace "team", whose policy allows its repository; the caches are what a test puts
// there, and what the server is sent of ImageBuilds.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "image_build/reconciler.h"
#include "protocol/runtime/scripted_api.h"

namespace slipway::image_build {

using kube::Json;
using kube::Verb;

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest();

  // Of a full commit, for two platforms.
  resources::ImageBuild Made(const std::string& name) const;
  void Add(const std::string& name) { builds_.Put(Made(name)); }
  // One Job, of one platform, is under way; the cache has not seen it.
  void Begin();
  // The cache has it, `age` after its creation, without a pod.
  void SeeJob(Duration age);
  // Its pod waits, with no container begun.
  void SeePod();
  resources::ImageBuild Build(const std::string& name = "app") const { return *builds_.Get({"team", name}); }
  // Of Ready.
  resources::Condition Ready() const { return *resources::Find(Build().status.conditions, "Ready"); }

  Result<runtime::Outcome> Reconcile(const std::string& name = "app") {
    return loop_.Get(reconciler_.Reconcile({"team", name}));
  }
  // How many requests of this verb had `part` in their path.
  std::size_t Sent(Verb verb, const std::string& part) const;
  // The body of the last of them.
  Json LastSent(Verb verb, const std::string& part) const;
  // From now on the server refuses such requests.
  void Refuse(Verb verb, const std::string& part) { refused_ = {verb, part}; }
  // This Job is there, of which the caches know nothing.
  void Taken(Json job) { there_ = std::move(job); }
  // The cache sees that it is complete, and the server has its pod as it ended.
  void Complete(Json pod);
  // An Event about whatever is asked of.
  void Happen(const std::string& reason, const std::string& note);

  std::vector<std::string> made_;  // names of Jobs
  bool taken_ = false;             // the second Job's name is somebody else's
  bool moved_ = false;             // the server has newer ImageBuilds than the cache
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
  Reconciler reconciler_{
      runtime::Shell{api_, applier_, recorder_, clock_, metrics_},
      Caches{builds_, jobs_, pods_, decisions_, policies_, {"slipway-system", "policy"}, "keys"},
      Tools{.cosign_image = "cosign@x"}, Concurrency{1, 1},
      [this](kube::ObjectKey key) { called_.push_back(std::move(key)); }};

 private:
  Result<Json> Answer(const kube::Request& request);
  bool IsThere(const std::string& job) const;
  Result<Json> MakeJob(const kube::Request& request);
  Result<Json> WriteStatus(const kube::Request& request);
  Result<Json> ApplyBuild(const kube::Request& request);

  std::optional<std::pair<Verb, std::string>> refused_;
  Json events_ = Json::array();
  Json pods_there_ = Json::array();
  Json there_;
  int version_ = 1;
};

}  // namespace slipway::image_build
