// The shell of the Release controller against an API server that keeps what it is sent. The fixture is one
// operator with Release "shop" in namespace "team", which follows an image of its own, and whose target runs
// another one. The cache has of Releases what the server is sent, at once; of Jobs and promotions nothing; of
// its target what a test says.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "protocol/runtime/scripted_api.h"
#include "release/reconciler.h"

namespace slipway::release {

using kube::Json;
using kube::Verb;

inline const std::string kDigest = "@sha256:" + std::string(64, 'a');
inline const std::string kOldImage = "registry.example.com/team/shop@sha256:" + std::string(64, '0');
inline const std::string kNewImage = "registry.example.com/team/shop" + kDigest;

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest();

  resources::Release Made() const;
  void Migrates(resources::Release& release) const;
  // Puts it into the cache and at the server.
  void Put(resources::Release release);
  resources::Release Shop() const { return *releases_.Get({"team", "shop"}); }
  resources::Condition Ready() const { return *resources::Find(Shop().status.conditions, "Ready"); }
  // The target as the cache has it; the server's runs kOldImage.
  void SeeInCache(const std::string& image);
  // A ConfigMap at the server.
  void Have(const std::string& name, const std::string& value);
  // Of this kind (plural), at the server, in the order of their names.
  std::vector<std::string> Names(const std::string& plural) const;
  Json& At(const std::string& plural, const std::string& name) { return objects_.at(plural + "/" + name); }
  void Put(const std::string& plural, const Json& object) {
    objects_[plural + "/" + object["metadata"].value("name", "")] = object;
  }
  void Forget(const std::string& plural, const std::string& name) { objects_.erase(plural + "/" + name); }

  Result<runtime::Outcome> Reconcile() { return loop_.Get(reconciler_.Reconcile({"team", "shop"})); }
  // The migration's Job is made, and the status that would say so is lost.
  void LoseTheJobsRecord();
  // Its image must be signed, and the Job that looks is made; it is recorded, if the status is not lost.
  void Look(bool lose_status = false);
  // It must be scanned, and the Job that does so is made and recorded.
  void Scan();
  // The Job ended, and what its pod left is at the server.
  void EndScan(const std::string& job, int exit_code, const std::string& report);
  // Until it changes nothing any more, at most ten times; each must succeed.
  void Settle();
  // How many requests of this verb had `part` in their path.
  std::size_t Sent(Verb verb, const std::string& part) const;

  int lose_statuses_ = 0;  // so many writes of the status fail
  int made_ = 0;           // objects created
  std::string moved_;      // a Release of which the server has a newer version than the cache

  runtime::Loop loop_;
  runtime::HandWoundClock clock_;
  runtime::ScriptedApi api_;
  runtime::Applier applier_{api_};
  runtime::EventRecorder recorder_{loop_.executor(), api_, clock_, "pod_1"};
  telemetry::Metrics metrics_;
  runtime::Store<resources::Release> releases_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Store<resources::CanaryPromotion> promotions_;
  runtime::Store<resources::Deployment> deployments_;
  runtime::Store<resources::Decision> decisions_;
  runtime::Store<resources::Job> jobs_;
  runtime::Store<resources::Pod> pods_;
  runtime::Store<resources::PolicyMap> policies_;
  const Caches caches_{releases_,    builds_,    promotions_,
                       deployments_, decisions_, jobs_,
                       pods_,        policies_,  {"slipway-system", "policy"}};
  Reconciler reconciler_{runtime::Shell{api_, applier_, recorder_, clock_, metrics_}, caches_,
                         SupplyChain{{.cosign_image = "tools.example/cosign@sha256:c",
                                      .trivy_image = "tools.example/trivy@sha256:t",
                                      .trivy_db_repository = "mirror.example/trivy-db:2",
                                      .runner_image = "tools.example/runner@sha256:r"},
                                     "platform"}};

 private:
  static Json Web(const std::string& image);
  Result<Json> Answer(const kube::Request& request);
  Result<Json> Create(const std::string& plural, const kube::Request& request);
  Result<Json> WriteStatus(const kube::Request& request);

  std::map<std::string, Json> objects_;  // by "plural/name"
  int version_ = 1;
};

}  // namespace slipway::release
