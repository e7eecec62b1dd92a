// The operator's insides: wiring.cc puts them together, and wiring_changes.cc says who is told of what.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "canary/reconciler.h"
#include "honoured.h"
#include "image_build/trigger_reconciler.h"
#include "refusals.h"
#include "release/reconciler.h"
#include "runtime/elector.h"
#include "watches.h"
#include "wiring.h"

namespace slipway {

class Operator::Impl {
 public:
  Impl(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics, OperatorOptions options);
  asio::awaitable<bool> Run();

 private:
  using Reconcile = runtime::Controller::Reconcile;

  void ReportBlind(const kube::ApiResource& resource, const kube::ObjectKey& key);

  void WireNamespace(NamespaceWatch& watch);
  void WireSupply(kube::Api& api);
  void JobChanged(const resources::Job& job);
  void PodChanged(const resources::Pod& pod);
  void TargetChanged(const std::string& ns, const std::string& deployment);
  void ServiceChanged(const resources::Service& service);
  void PromotionChanged(const resources::CanaryPromotion& promotion);
  void BuildChanged(const resources::ImageBuild& build);
  void ReleaseChanged(const resources::Release& release);
  void DecisionChanged(const resources::Decision& decision);
  void EnqueueAll();
  bool NamespaceSynced(const std::string& ns) const;
  bool SourceSynced(const kube::ObjectKey& release) const;
  bool SupplySynced(const kube::ApiResource& resource, const kube::ObjectKey& key) const;
  std::string NotReadyBecause() const;
  Reconcile Gated(kube::ApiResource resource, Reconcile reconcile);
  template <class T>
  void ReportUndecodable(runtime::Informer<T>& informer, kube::ApiResource resource);
  asio::awaitable<void> Lead();

  asio::any_io_executor executor_;
  telemetry::Metrics& metrics_;
  OperatorOptions options_;
  SystemClock clock_;
  Stores stores_;
  runtime::Applier applier_;
  runtime::EventRecorder events_;
  runtime::Shell shell_;
  runtime::Informer<resources::PolicyMap> policy_;
  HonouredDecisions honoured_;
  std::vector<std::unique_ptr<NamespaceWatch>> watches_;
  std::unique_ptr<SupplyWatch> supply_;  // nullptr: nothing is signed or verified
  image_build::Reconciler build_reconciler_;
  image_build::TriggerReconciler trigger_reconciler_;
  canary::Reconciler canary_reconciler_;
  release::Reconciler release_reconciler_;
  runtime::Controller builds_;
  runtime::Controller triggers_;  // its keys are {namespace, ""}
  runtime::Controller promotions_;
  runtime::Controller releases_;
  telemetry::HealthServer health_;
  runtime::Elector elector_;
  TaskGroup tasks_;

  // Objects that can't be read, and what was said of each: said once, until they or the reason change.
  std::map<std::pair<std::string, kube::ObjectKey>, std::string> refused_;
  std::map<std::pair<std::string, kube::ObjectKey>, std::string> blind_;
  Refusals refusals_;
};

}  // namespace slipway
