// The shell of the CanaryPromotion controller: reads the caches and the two Deployments, asks Decide, renders
// and applies its effects, writes the status last. Holds no state of its own between calls.
#pragma once

#include <nlohmann/json.hpp>

#include "canary/decide.h"
#include "resources/canary_promotion.h"
#include "resources/policy.h"
#include "resources/workloads.h"
#include "runtime/shell.h"
#include "runtime/store.h"

namespace slipway::canary {

struct Caches {
  const runtime::Store<resources::CanaryPromotion>& promotions;
  const runtime::Store<resources::Deployment>& deployments;
  const runtime::Store<resources::Service>& services;
  const runtime::Store<resources::Job>& jobs;
  const runtime::Store<resources::Pod>& pods;  // canary and smoke pods, and the pods of promoted targets
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
};

class Reconciler {
 public:
  Reconciler(runtime::Shell shell, Caches caches, std::string runner_image);
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);

 private:
  template <class T>
  using Ptr = typename runtime::Store<T>::Ptr;
  using PromotionPtr = Ptr<resources::CanaryPromotion>;

  // What one decision is made from, kept for its effects.
  struct World {
    PromotionPtr promotion;
    std::shared_ptr<const resources::PolicyMap> policy;
    kube::Json stable_json;  // live, with managedFields
    Ptr<resources::Deployment> stable;
    Ptr<resources::Deployment> canary;
    Ptr<resources::Service> service;
    Ptr<resources::Job> smoke_job;
    std::vector<Ptr<resources::Pod>> canary_pods;
    resources::CanaryPromotionStatus status;  // that will be written: effects fill in what they made
    kube::ResourceVersion resource_version;   // of the promotion, as of our last write
  };
  using WorldPtr = std::shared_ptr<World>;  // held by every coroutine that reads or fills it

  kube::asio::awaitable<Result<WorldPtr>> Observe(PromotionPtr promotion);
  kube::asio::awaitable<Result<>> ObserveCanary(WorldPtr world);
  kube::asio::awaitable<Result<>> ObserveSmokeJob(WorldPtr world);
  // Live, whatever the cache says; nullopt when it is not there.
  kube::asio::awaitable<Result<std::optional<kube::Json>>> Read(kube::ApiResource resource,
                                                                kube::ObjectKey key);
  Plan DecideFrom(const World& world) const;
  std::vector<std::string> ThirdWorkloads(const World& world) const;
  std::string BusyWith(const World& world) const;
  std::string StableDigest(const World& world) const;
  std::optional<SmokeOutcome> Outcome(const World& world) const;

  kube::asio::awaitable<Result<>> StillAsSeen(PromotionPtr promotion);
  kube::asio::awaitable<Result<>> Carry(WorldPtr world, std::vector<Effect> effects);
  kube::asio::awaitable<Result<>> Carry(WorldPtr world, Effect effect);
  kube::asio::awaitable<Result<>> PatchFinalizer(WorldPtr world, bool present);
  kube::asio::awaitable<Result<>> Make(WorldPtr world, CreateCanary effect);
  kube::asio::awaitable<Result<>> Make(WorldPtr world, CreateSmokeJob effect);
  kube::asio::awaitable<Result<>> ClearStaleJob(PromotionPtr promotion, kube::ObjectKey key, Error taken);
  kube::asio::awaitable<Result<>> Apply(kube::ObjectKey key, kube::Json body);
  kube::asio::awaitable<Result<>> ApplyClaim(WorldPtr world, bool claimed, bool force);
  kube::asio::awaitable<Result<>> Delete(Ptr<resources::Deployment> canary);

  kube::asio::awaitable<void> ReportRefusal(PromotionPtr promotion, Error error);
  kube::asio::awaitable<Result<>> WriteStatus(WorldPtr world);
  void Tell(const resources::CanaryPromotion& promotion, const std::vector<Notice>& notices);

  runtime::Shell shell_;
  Caches caches_;
  std::string runner_image_;
};

}  // namespace slipway::canary
