// What the operator knows of the cluster: the stores, and the watches that fill them.
#pragma once

#include <string>

#include "base/async.h"
#include "resources/canary_promotion.h"
#include "resources/decision.h"
#include "resources/image_build.h"
#include "resources/policy.h"
#include "resources/release.h"
#include "resources/workloads.h"
#include "runtime/informer.h"
#include "runtime/store.h"

namespace slipway {

struct Stores {
  runtime::Store<resources::ImageBuild> builds;
  runtime::Store<resources::Release> releases;
  runtime::Store<resources::CanaryPromotion> promotions;
  runtime::Store<resources::Decision> made;       // every Decision that there is
  runtime::Store<resources::Decision> decisions;  // those of them that count: see HonouredDecisions
  runtime::Store<resources::Job> jobs;
  runtime::Store<resources::Pod> pods;
  runtime::Store<resources::Deployment> deployments;
  runtime::Store<resources::Service> services;
  runtime::Store<resources::Autoscaler> autoscalers;
  runtime::Store<resources::PolicyMap> policies;
};

runtime::ReflectorOptions WatchingPolicy(const std::string& ns, const std::string& name);

// The watches of one namespace. A namespace whose watches are refused holds up nothing but itself.
struct NamespaceWatch {
  NamespaceWatch(kube::Api& api, const std::string& name, Stores& stores);

  bool synced() const;
  // Why it is not: each kind that was not listed yet, with what the API server says.
  std::string Missing() const;
  // The API server does not let us watch one of them.
  bool Refused() const;
  asio::awaitable<void> Run(asio::any_io_executor executor);

  // f(plural, informer) for each kind; `self` is a NamespaceWatch.
  template <class Self, class F>
  static void Each(Self& self, F&& f) {
    f("imagebuilds", self.builds);
    f("releases", self.releases);
    f("canarypromotions", self.promotions);
    f("decisions", self.decisions);
    f("jobs", self.jobs);
    f("pods", self.pods);
    f("deployments", self.deployments);
    f("services", self.services);
    f("horizontalpodautoscalers", self.autoscalers);
  }

  std::string ns;
  runtime::Informer<resources::ImageBuild> builds;
  runtime::Informer<resources::Release> releases;
  runtime::Informer<resources::CanaryPromotion> promotions;
  runtime::Informer<resources::Decision> decisions;
  runtime::Informer<resources::Job> jobs;
  runtime::Informer<resources::Pod> pods;
  runtime::Informer<resources::Deployment> deployments;
  runtime::Informer<resources::Service> services;
  runtime::Informer<resources::Autoscaler> autoscalers;
};

// The Jobs of the supply chain's namespace, and their pods. Refused, it holds up what signs or verifies.
struct SupplyWatch {
  SupplyWatch(kube::Api& api, const std::string& name, Stores& stores);

  bool synced() const { return jobs.synced() && pods.synced(); }
  std::string Missing() const;
  bool Refused() const;
  asio::awaitable<void> Run(asio::any_io_executor executor);

  std::string ns;
  runtime::Informer<resources::Job> jobs;
  runtime::Informer<resources::Pod> pods;
};

}  // namespace slipway
