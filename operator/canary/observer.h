// What one decision about a CanaryPromotion is made from: the caches, and read live what it would be wrong to
// have of yesterday: its two Deployments, and whatever the cache does not have.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "canary/decide.h"
#include "canary/pods.h"
#include "jobs/find.h"
#include "kube/api.h"
#include "resources/canary_promotion.h"
#include "resources/policy.h"
#include "resources/workloads.h"
#include "runtime/store.h"

namespace slipway::canary {

struct Caches {
  const runtime::Store<resources::CanaryPromotion>& promotions;
  const runtime::Store<resources::Deployment>& deployments;
  const runtime::Store<resources::Service>& services;
  const runtime::Store<resources::Job>& jobs;
  const runtime::Store<resources::Pod>& pods;
  const runtime::Store<resources::Decision>& decisions;
  const runtime::Store<resources::Autoscaler>& autoscalers;
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
};

using PromotionPtr = runtime::Store<resources::CanaryPromotion>::Ptr;

// Kept for the effects of the decision.
struct World {
  template <class T>
  using Ptr = typename runtime::Store<T>::Ptr;

  PromotionPtr promotion;
  Ptr<resources::PolicyMap> policy;
  kube::Json stable_json;  // live, with managedFields; null: not there
  kube::Json canary_json;
  Ptr<resources::Deployment> stable;
  Ptr<resources::Deployment> canary;
  std::string stable_digest;                         // see Seen
  std::vector<resources::DisruptionBudget> budgets;  // see Seen
  Ptr<resources::Service> service;
  Ptr<resources::Job> check_job;  // that the status records
  std::vector<Ptr<resources::Pod>> check_pods;
  std::vector<Ptr<resources::Pod>> canary_pods;
  std::vector<Ptr<resources::Pod>> stable_pods;  // that stable's own ReplicaSets made
  resources::CanaryPromotionStatus status;       // that will be written: effects fill in what they made
  kube::ResourceVersion resource_version;        // of the promotion, as of our last write
};
using WorldPtr = std::shared_ptr<World>;  // held by every coroutine that reads or fills it

// The checks under way: those of the current step, or the verification. nullptr: there are none yet.
const resources::CheckRun* ChecksUnderWay(const resources::CanaryPromotionStatus& status);

class Observer {
 public:
  Observer(kube::Api& api, Caches caches, const Clock& clock)
      : api_(api), caches_(std::move(caches)), jobs_(api, caches_.jobs, caches_.pods), clock_(clock) {}

  // nullptr when it is gone.
  PromotionPtr Find(const kube::ObjectKey& key) const { return caches_.promotions.Get(key); }
  kube::asio::awaitable<Result<WorldPtr>> Observe(PromotionPtr promotion);
  // It refers to `world`.
  Seen SeenIn(const World& world) const;
  // The pods of canary and stable anew, live: of Deployments that were read live, the cache may still have
  // the pods of before, at addresses where nobody answers any more.
  kube::asio::awaitable<Result<>> ReadPods(WorldPtr world);
  // Live, whatever the cache says; nullopt when it is not there.
  kube::asio::awaitable<Result<std::optional<kube::Json>>> Read(kube::ApiResource resource,
                                                                kube::ObjectKey key);

 private:
  // Whether the target could not be read because the whole namespace is being deleted.
  kube::asio::awaitable<bool> Ends(PromotionPtr promotion, Error why);
  kube::asio::awaitable<Result<>> ObserveStableDigest(WorldPtr world);
  kube::asio::awaitable<Result<std::vector<PodPtr>>> ListPods(std::string ns, std::string selector);
  kube::asio::awaitable<Result<>> ObserveBudgets(WorldPtr world);
  kube::asio::awaitable<Result<>> ObserveCanary(WorldPtr world);
  kube::asio::awaitable<Result<>> ObserveCheckJob(WorldPtr world);
  std::vector<std::string> ThirdWorkloads(const World& world) const;
  std::string BusyWith(const World& world) const;
  std::optional<CheckOutcome> Outcome(const World& world) const;
  std::optional<resources::Autoscaler> AutoscalerOf(const World& world) const;
  std::vector<std::shared_ptr<const resources::Decision>> DecisionsAbout(
      const resources::CanaryPromotion& promotion) const;

  kube::Api& api_;
  Caches caches_;
  jobs::Finder jobs_;
  const Clock& clock_;
};

}  // namespace slipway::canary
