// Keeps the poller and the webhook receiver of a namespace as its ImageBuilds need them (trigger_pods.h). Its
// keys are {namespace, ""}: all ImageBuilds of one namespace are looked at together.
#pragma once

#include <map>

#include "image_build/reconciler.h"
#include "image_build/trigger_pods.h"

namespace slipway::image_build {

struct TriggerCaches {
  const runtime::Store<resources::ImageBuild>& builds;
  const runtime::Store<resources::Deployment>& deployments;
  const runtime::Store<resources::Service>& services;
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
};

class TriggerReconciler {
 public:
  TriggerReconciler(runtime::Shell shell, TriggerCaches caches, Tools tools)
      : shell_(shell), caches_(std::move(caches)), tools_(std::move(tools)) {}
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);

 private:
  kube::asio::awaitable<Result<>> Keep(kube::ApiResource resource, kube::ObjectKey key, bool wanted,
                                       kube::Json body);
  kube::asio::awaitable<Result<>> Remove(kube::ApiResource resource, kube::ObjectKey key);
  // nullptr: not there.
  const kube::ObjectMeta* MetaOf(const kube::ApiResource& resource, const kube::ObjectKey& key) const;

  runtime::Shell shell_;
  TriggerCaches caches_;
  Tools tools_;
  std::map<std::pair<std::string, kube::ObjectKey>, std::string> applied_;  // what, as it was sent last
};

}  // namespace slipway::image_build
