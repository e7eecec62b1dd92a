#include "release/reconciler.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "release/delivery.h"
#include "release/manifests.h"
#include "runtime/refusal.h"

namespace slipway::release {

using kube::asio::awaitable;
using resources::CanaryPromotion;
using resources::Release;
using runtime::Outcome;

Reconciler::Reconciler(runtime::Shell shell, Caches caches) : shell_(shell), caches_(std::move(caches)) {}

awaitable<Result<Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const ReleasePtr release = caches_.releases.Get(key);
  if (release == nullptr || release->meta.deleted) co_return Outcome{};
  const auto open = co_await OpenPromotion(release);
  if (!open) {
    co_await ReportRefusal(release, open.error());
    co_return std::unexpected(open.error());
  }
  Plan decided = DecideFrom(release, *open);
  auto plan = co_await Carry(release, std::move(decided));
  if (!plan) {
    co_await ReportRefusal(release, plan.error());
    co_return std::unexpected(plan.error());
  }
  const auto written = co_await WriteStatus(release, std::move(plan->status));
  if (!written) co_return std::unexpected(written.error());
  shell_.events.Tell({kube::kReleases, release->meta.key, release->meta.uid}, "Deliver", plan->notices);
  co_return Outcome{plan->recheck_after};
}

awaitable<Result<Reconciler::PromotionPtr>> Reconciler::OpenPromotion(ReleasePtr release) {
  const auto& history = release->status.history;
  if (history.empty() || history.front().finished || !history.front().promotion_uid) co_return nullptr;
  const kube::ObjectKey key{release->meta.key.ns, history.front().promotion};
  const kube::Uid uid = *history.front().promotion_uid;
  PromotionPtr cached = caches_.promotions.Get(key);
  if (cached && cached->meta.uid == uid) co_return cached;
  // Right after its creation the cache does not have it yet, and to take it for gone would end the delivery.
  auto live = co_await Read(key);
  if (!live) co_return std::unexpected(live.error());
  if (*live && (*live)->meta.uid == uid) co_return live;
  co_return nullptr;
}

awaitable<Result<Reconciler::PromotionPtr>> Reconciler::Read(kube::ObjectKey key) {
  auto request = kube::Get(kube::kCanaryPromotions, key);
  const auto live = co_await shell_.api.Call(std::move(request));
  if (!live && live.error().kind == ErrorKind::kNotFound) co_return nullptr;
  if (!live) co_return std::unexpected(live.error());
  auto decoded = CanaryPromotion::Decode(*live);
  if (!decoded) co_return std::unexpected(decoded.error());
  co_return std::make_shared<const CanaryPromotion>(std::move(*decoded));
}

Plan Reconciler::DecideFrom(const ReleasePtr& release, const PromotionPtr& open) const {
  const std::string& ns = release->meta.key.ns;
  runtime::Store<resources::ImageBuild>::Ptr build;
  if (release->spec.image_from) build = caches_.builds.Get({ns, release->spec.image_from->image_build});
  const auto deployment = caches_.deployments.Get({ns, release->spec.target.deployment});
  const auto policy = caches_.policies.Get(caches_.policy_key);
  Seen seen{.release = *release,
            .build = build.get(),
            .deployment = deployment.get(),
            .policy = resources::PolicyFor(policy.get(), ns),
            .promotions = caches_.promotions.OwnedBy(release->meta.uid),
            .busy_with = BusyWith(*release, caches_.releases.All())};
  if (open) {
    std::erase_if(seen.promotions, [&](const auto& other) { return other->meta.uid == open->meta.uid; });
    seen.promotions.push_back(open);
  }
  return Decide(seen, shell_.clock.Now());
}

awaitable<Result<Plan>> Reconciler::Carry(ReleasePtr release, Plan plan) {
  for (const auto& removal : plan.removals) {
    runtime::Delete effect{
        kube::kCanaryPromotions, {release->meta.key.ns, removal.promotion}, {removal.uid, {}}};
    const auto done = co_await shell_.applier.Run(std::move(effect));
    if (!done) co_return std::unexpected(done.error());
  }
  if (!plan.start) co_return plan;
  auto uid = co_await StartPromotion(release, *plan.start);
  if (!uid) co_return std::unexpected(uid.error());
  plan.status.history.front().promotion_uid = std::move(*uid);
  co_return plan;
}

awaitable<Result<kube::Uid>> Reconciler::StartPromotion(ReleasePtr release, Start start) {
  // A create has no precondition, and the cache may be older than our own last write: a promotion made from
  // it could be one that has come and gone already.
  const auto current = co_await shell_.applier.StillAsSeen(kube::kReleases, release->meta);
  if (!current) co_return std::unexpected(current.error());
  runtime::Create effect{kube::kCanaryPromotions, RenderPromotion(*release, start)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (created) co_return created->uid;
  if (created.error().kind != ErrorKind::kAlreadyExists) co_return std::unexpected(created.error());
  auto adopted = co_await Adopt(release, std::move(start), std::move(created.error()));
  co_return adopted;
}

// Applier compares whole objects; ours may have a finalizer by now, or have lost it again at its end.
awaitable<Result<kube::Uid>> Reconciler::Adopt(ReleasePtr release, Start start, Error taken) {
  const auto live = co_await Read({release->meta.key.ns, start.name});
  if (!live) co_return std::unexpected(live.error());
  if (!*live || (*live)->meta.deleted) {
    co_return Fail(ErrorKind::kConflict, "CanaryPromotion " + start.name + " is going: to be decided again");
  }
  if (IsPromotionOf(*release, start, **live)) co_return (*live)->meta.uid;
  const auto* owner = (*live)->meta.Controller();
  if (owner != nullptr && owner->uid == release->meta.uid) {
    co_return Fail(ErrorKind::kConflict,
                   "CanaryPromotion " + start.name + " was made from an earlier spec: to be decided again");
  }
  co_return std::unexpected(std::move(taken));
}

awaitable<void> Reconciler::ReportRefusal(ReleasePtr release, Error error) {
  if (runtime::PassesByItself(error)) co_return;
  resources::ReleaseStatus status = release->status;
  status.observed_generation = release->meta.generation;
  status.phase = resources::ReleasePhase::kBlocked;
  resources::SetReadiness(status.conditions, resources::Readiness::kWaiting, runtime::ReasonOf(error),
                          "the API server refused what this Release needs: " + Clip(error.message, 800),
                          release->meta.generation, shell_.clock.Now());
  const auto written = co_await WriteStatus(release, std::move(status));
  if (!written) log::warn("release {}: {}", kube::ToString(release->meta.key), written.error().message);
}

awaitable<Result<>> Reconciler::WriteStatus(ReleasePtr release, resources::ReleaseStatus status) {
  if (status == release->status) co_return Result<>{};
  auto body = resources::EncodeStatus(status);
  const auto written = co_await shell_.applier.WriteStatus(
      kube::kReleases, release->meta.key, release->meta.uid, release->meta.resource_version, std::move(body));
  if (!written) co_return std::unexpected(written.error());
  co_return Result<>{};
}

}  // namespace slipway::release
