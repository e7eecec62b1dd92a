#include "image_build/trigger_reconciler.h"

#include "base/names.h"

namespace slipway::image_build {

using kube::ObjectKey;
using kube::asio::awaitable;
using runtime::Outcome;

namespace {

// Which of its specs is there. A Service has no generation; its version stands for it, for a status that
// would change it too comes only with a load balancer.
std::string VersionOf(const kube::ObjectMeta* there) {
  if (there == nullptr) return "";
  return there->uid.value + (there->generation > 0 ? "/" + std::to_string(there->generation)
                                                   : "@" + there->resource_version.value);
}

}  // namespace

awaitable<Result<Outcome>> TriggerReconciler::Reconcile(ObjectKey key) {
  const std::string ns = key.ns;
  const auto policies = caches_.policies.Get(caches_.policy_key);
  const auto* policy = resources::PolicyFor(policies.get(), ns);
  const auto builds =
      caches_.builds.Where([&ns](const resources::ImageBuild& build) { return build.meta.key.ns == ns; });
  const TriggerNeeds needs = NeedsOf(builds, policy);
  kube::Json poller;
  kube::Json receiver;
  if (policy != nullptr) {
    const Setting setting{tools_, *policies->policy, *policy};
    poller = RenderPoller(ns, needs, setting);
    receiver = RenderReceiver(ns, needs, setting);
  }
  const ObjectKey receiver_key{ns, std::string(kReceiver)};
  const auto polls =
      co_await Keep(kube::kDeployments, {ns, std::string(kPoller)}, needs.poll, std::move(poller));
  if (!polls) co_return std::unexpected(polls.error());
  const auto receives = co_await Keep(kube::kDeployments, receiver_key, needs.receive, std::move(receiver));
  if (!receives) co_return std::unexpected(receives.error());
  auto service = RenderReceiverService(ns);
  const auto serves = co_await Keep(kube::kServices, receiver_key, needs.receive, std::move(service));
  if (!serves) co_return std::unexpected(serves.error());
  co_return Outcome{};
}

// Applied again when what is wanted changed, when it is gone, and when somebody else changed it.
awaitable<Result<>> TriggerReconciler::Keep(kube::ApiResource resource, ObjectKey key, bool wanted,
                                            kube::Json body) {
  const std::pair<std::string, ObjectKey> id{std::string(resource.plural), key};
  const auto* there = MetaOf(resource, key);
  if (!wanted) {
    applied_.erase(id);
    if (there == nullptr || !there->labels.contains(resources::kRoleLabel)) co_return Result<>{};
    auto removed = co_await Remove(resource, key);
    co_return removed;
  }
  const std::string mark = Sha256Hex(body.dump()) + VersionOf(there);
  if (there != nullptr && applied_[id] == mark) co_return Result<>{};
  runtime::Apply effect{resource, key, std::move(body)};
  const auto applied = co_await shell_.applier.Run(std::move(effect));
  if (!applied) co_return std::unexpected(applied.error());
  applied_[id] = mark;
  co_return Result<>{};
}

awaitable<Result<>> TriggerReconciler::Remove(kube::ApiResource resource, ObjectKey key) {
  runtime::Delete effect{resource, key, {MetaOf(resource, key)->uid, {}}};
  const auto removed = co_await shell_.applier.Run(std::move(effect));
  if (!removed) co_return std::unexpected(removed.error());
  co_return Result<>{};
}

const kube::ObjectMeta* TriggerReconciler::MetaOf(const kube::ApiResource& resource,
                                                  const ObjectKey& key) const {
  if (resource == kube::kServices) {
    const auto service = caches_.services.Get(key);
    return service == nullptr ? nullptr : &service->meta;
  }
  const auto deployment = caches_.deployments.Get(key);
  return deployment == nullptr ? nullptr : &deployment->meta;
}

}  // namespace slipway::image_build
