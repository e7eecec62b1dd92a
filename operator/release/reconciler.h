// The shell of the Release controller: reads the caches, asks Decide, renders and applies its effects, writes
// the status last. Holds no state of its own between calls.
#pragma once

#include "release/decide.h"
#include "resources/image_build.h"
#include "resources/policy.h"
#include "resources/release.h"
#include "resources/workloads.h"
#include "runtime/shell.h"
#include "runtime/store.h"

namespace slipway::release {

struct Caches {
  const runtime::Store<resources::Release>& releases;
  const runtime::Store<resources::ImageBuild>& builds;
  const runtime::Store<resources::CanaryPromotion>& promotions;
  const runtime::Store<resources::Deployment>& deployments;
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
};

class Reconciler {
 public:
  Reconciler(runtime::Shell shell, Caches caches);
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);

 private:
  using ReleasePtr = runtime::Store<resources::Release>::Ptr;
  using PromotionPtr = runtime::Store<resources::CanaryPromotion>::Ptr;

  // Whether the promotion that history[0] holds open is there, whatever the cache says: nullptr when it is
  // gone.
  kube::asio::awaitable<Result<PromotionPtr>> OpenPromotion(ReleasePtr release);
  kube::asio::awaitable<Result<PromotionPtr>> Read(kube::ObjectKey key);
  Plan DecideFrom(const ReleasePtr& release, const PromotionPtr& open) const;
  kube::asio::awaitable<Result<Plan>> Carry(ReleasePtr release, Plan plan);
  kube::asio::awaitable<Result<kube::Uid>> StartPromotion(ReleasePtr release, Start start);
  kube::asio::awaitable<Result<kube::Uid>> Adopt(ReleasePtr release, Start start, Error taken);
  // A person reads in the condition what the API server refused, in its words.
  kube::asio::awaitable<void> ReportRefusal(ReleasePtr release, Error error);
  kube::asio::awaitable<Result<>> WriteStatus(ReleasePtr release, resources::ReleaseStatus status);

  runtime::Shell shell_;
  Caches caches_;
};

}  // namespace slipway::release
