// The shell of the CanaryPromotion controller: observes, asks Decide, renders and applies its effects, writes
// the status last. Holds no state of its own between calls.
#pragma once

#include <nlohmann/json.hpp>

#include "canary/check_jobs.h"
#include "canary/observer.h"
#include "runtime/shell.h"

namespace slipway::canary {

class Reconciler {
 public:
  Reconciler(runtime::Shell shell, Caches caches, std::string runner_image);
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);

 private:
  kube::asio::awaitable<Result<>> Carry(WorldPtr world, std::vector<Effect> effects);
  kube::asio::awaitable<Result<>> Carry(WorldPtr world, Effect effect);
  kube::asio::awaitable<Result<>> PatchFinalizer(WorldPtr world, bool present);
  kube::asio::awaitable<Result<>> Make(WorldPtr world, CreateCanary effect);
  kube::asio::awaitable<Result<>> Make(WorldPtr world, CreateCheckJob effect);
  // What the check asks, as it is now; kConflict when that has gone.
  Result<CheckScene> SceneOf(const World& world, int step) const;
  // Why no check could be asked now; empty: one can, or none is due.
  std::string WhyNoScene(const World& world) const;
  kube::asio::awaitable<Result<kube::Uid>> Adopt(PromotionPtr promotion, kube::ObjectKey key, Error taken);
  kube::asio::awaitable<Result<>> Apply(kube::ObjectKey key, kube::Json body);
  kube::asio::awaitable<Result<>> ApplyClaim(WorldPtr world, bool force);
  kube::asio::awaitable<Result<>> LetGo(World::Ptr<resources::Deployment> stable);
  kube::asio::awaitable<Result<>> Delete(World::Ptr<resources::Deployment> canary);

  kube::asio::awaitable<void> ReportRefusal(PromotionPtr promotion, Error error);
  kube::asio::awaitable<Result<>> WriteStatus(WorldPtr world);

  runtime::Shell shell_;
  Observer observer_;
  std::string runner_image_;
};

}  // namespace slipway::canary
