#include "canary/observer.h"

#include <algorithm>
#include <set>

#include "canary/manifests.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/smoke_report.h"

namespace slipway::canary {

using kube::Json;
using kube::asio::awaitable;
using resources::CanaryPromotion;
using resources::Deployment;

namespace {

bool Selects(const std::map<std::string, std::string>& selector, const auto& labels) {
  return !selector.empty() && std::ranges::all_of(selector, [&](const auto& pair) {
    const auto label = labels.find(pair.first);
    return label != labels.end() && label->second == pair.second;
  });
}

bool HasPromotionLabel(const kube::ObjectMeta& meta, const kube::Uid& promotion) {
  const auto label = meta.labels.find(kPromotionLabel);
  return label != meta.labels.end() && label->second == promotion.value;
}

// It waits for a change of its spec, and has nothing more to do.
bool AtRest(const CanaryPromotion& promotion) {
  return Ended(promotion.status.phase) && SpecHash(promotion.spec) == promotion.status.spec_hash;
}

bool UnderWay(const CanaryPromotion& promotion) {
  return promotion.status.baseline.has_value() && !Ended(promotion.status.phase);
}

}  // namespace

awaitable<Result<WorldPtr>> Observer::Observe(PromotionPtr promotion) {
  auto world = std::make_shared<World>();
  world->promotion = promotion;
  world->resource_version = promotion->meta.resource_version;
  world->policy = caches_.policies.Get(caches_.policy_key);
  const std::string& ns = promotion->meta.key.ns;
  world->service = caches_.services.Get({ns, promotion->spec.target.service});
  world->canary_pods = caches_.pods.Where([&](const resources::Pod& pod) {
    return pod.meta.key.ns == ns && HasPromotionLabel(pod.meta, promotion->meta.uid) &&
           pod.meta.labels.contains(resources::kTrackLabel);
  });
  if (AtRest(*promotion) && !promotion->meta.deleted) co_return world;
  auto stable = co_await Read(kube::kDeployments, {ns, promotion->spec.target.deployment});
  if (!stable) {
    const bool ending = co_await Ends(promotion, stable.error());
    if (ending) co_return world;
    co_return std::unexpected(stable.error());
  }
  if (*stable) {
    auto decoded = Deployment::Decode(**stable);
    if (!decoded) co_return std::unexpected(decoded.error());
    world->stable = std::make_shared<const Deployment>(std::move(*decoded));
    world->stable_json = std::move(**stable);
  }
  const auto canary = co_await ObserveCanary(world);
  if (!canary) co_return std::unexpected(canary.error());
  const auto job = co_await ObserveSmokeJob(world);
  if (!job) co_return std::unexpected(job.error());
  co_return world;
}

// With its namespace goes our right to its Deployments, and then they: there is nothing left to restore, and
// only our finalizer in the way.
awaitable<bool> Observer::Ends(PromotionPtr promotion, Error why) {
  if (!promotion->meta.deleted || why.kind != ErrorKind::kForbidden) co_return false;
  const auto live = co_await Read(kube::kNamespaces, {"", promotion->meta.key.ns});
  if (!live || !*live) co_return false;
  const auto meta = kube::DecodeMeta(**live);
  co_return meta && meta->deleted.has_value();
}

// The recorded UID is what makes it ours. One that was made just before we died is not recorded: on the way
// back it is found by its name and our label, which admission keeps for us.
awaitable<Result<>> Observer::ObserveCanary(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  if (!UnderWay(promotion)) co_return Result<>{};
  const auto live = co_await Read(kube::kDeployments, {promotion.meta.key.ns, CanaryName(promotion)});
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  auto decoded = Deployment::Decode(**live);
  if (!decoded) co_return std::unexpected(decoded.error());
  const auto& recorded = promotion.status.canary_uid;
  const bool ours =
      recorded ? decoded->meta.uid == *recorded : HasPromotionLabel(decoded->meta, promotion.meta.uid);
  if (ours) world->canary = std::make_shared<const Deployment>(std::move(*decoded));
  co_return Result<>{};
}

// Right after its creation the cache does not have it yet, and to take it for gone would end the promotion.
awaitable<Result<>> Observer::ObserveSmokeJob(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  const auto& steps = promotion.status.steps;
  if (!UnderWay(promotion) || steps.empty() || !steps.back().smoke_job_uid) co_return Result<>{};
  const kube::Uid uid = *steps.back().smoke_job_uid;
  const kube::ObjectKey key{promotion.meta.key.ns, steps.back().smoke_job_name.value_or("")};
  world->smoke_job = caches_.jobs.Get(key);
  if (world->smoke_job && world->smoke_job->meta.uid == uid) co_return Result<>{};
  world->smoke_job.reset();
  const auto live = co_await Read(kube::kJobs, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  auto decoded = resources::Job::Decode(**live);
  if (!decoded) co_return std::unexpected(decoded.error());
  if (decoded->meta.uid == uid)
    world->smoke_job = std::make_shared<const resources::Job>(std::move(*decoded));
  co_return Result<>{};
}

awaitable<Result<std::optional<Json>>> Observer::Read(kube::ApiResource resource, kube::ObjectKey key) {
  auto request = kube::Get(resource, key);
  auto live = co_await api_.Call(std::move(request));
  if (live) co_return std::optional<Json>(std::move(*live));
  if (live.error().kind == ErrorKind::kNotFound) co_return std::optional<Json>();
  co_return std::unexpected(live.error());
}

Seen Observer::SeenIn(const World& world) const {
  const CanaryPromotion& promotion = *world.promotion;
  const auto* policy = resources::PolicyFor(world.policy.get(), promotion.meta.key.ns);
  return {.promotion = promotion,
          .stable = world.stable.get(),
          .canary = world.canary.get(),
          .service = world.service.get(),
          .third_workloads = ThirdWorkloads(world),
          .canary_pods = world.canary_pods,
          .stable_digest = StableDigest(world),
          .smoke = Outcome(world),
          .busy_with = BusyWith(world),
          .violation = resources::Check(promotion, policy)};
}

// By their templates, so that one without pods is known too; and by pods that no Deployment made.
std::vector<std::string> Observer::ThirdWorkloads(const World& world) const {
  std::set<std::string> names;
  if (world.service == nullptr) return {};
  const auto& promotion = *world.promotion;
  const auto& selector = world.service->selector;
  for (const auto& other : caches_.deployments.All()) {
    const bool third = other->meta.key.ns == promotion.meta.key.ns &&
                       other->meta.key.name != promotion.spec.target.deployment &&
                       !HasPromotionLabel(other->meta, promotion.meta.uid) &&
                       Selects(selector, other->template_labels);
    if (third) names.insert("Deployment " + other->meta.key.name);
  }
  for (const auto& pod : caches_.pods.All()) {
    const auto* owner = pod->meta.Controller();
    const bool third = pod->meta.key.ns == promotion.meta.key.ns && !pod->meta.deleted &&
                       (owner == nullptr || owner->kind != "ReplicaSet") &&
                       Selects(selector, pod->meta.labels);
    if (third) names.insert(owner == nullptr ? "Pod " + pod->meta.key.name : owner->kind + " " + owner->name);
  }
  return {names.begin(), names.end()};
}

// A claim is believed only while its promotion is under way: the annotation alone can come back with an old
// ReplicaSet's by `kubectl rollout undo`.
std::string Observer::BusyWith(const World& world) const {
  const CanaryPromotion& promotion = *world.promotion;
  for (const auto& other : caches_.promotions.All()) {
    const bool rival = other->meta.key.ns == promotion.meta.key.ns && other->meta.uid != promotion.meta.uid &&
                       other->spec.target.deployment == promotion.spec.target.deployment && UnderWay(*other);
    // Of two that have begun, the one that has the claim goes on.
    const bool has_it = world.stable != nullptr && [&] {
      const auto claim = world.stable->meta.annotations.find(resources::kClaimAnnotation);
      return claim != world.stable->meta.annotations.end() && claim->second == other->meta.uid.value;
    }();
    if (rival && (has_it || !UnderWay(promotion))) return other->meta.key.name;
  }
  return {};
}

// What most of stable's pods run.
std::string Observer::StableDigest(const World& world) const {
  if (world.stable == nullptr || UnderWay(*world.promotion)) return {};
  const std::string container = ContainerName(*world.promotion, *world.stable);
  std::map<std::string, int> counts;
  for (const auto& pod : caches_.pods.Where([&](const resources::Pod& each) {
         return each.meta.key.ns == world.stable->meta.key.ns && each.ready &&
                Selects(world.stable->selector, each.meta.labels) &&
                !each.meta.labels.contains(resources::kTrackLabel);
       })) {
    for (const auto& state : pod->containers) {
      if (state.name == container && !state.image_id.empty()) ++counts[state.image_id];
    }
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& pair) { return pair.second; });
  return most == counts.end() ? std::string() : most->first;
}

std::optional<SmokeOutcome> Observer::Outcome(const World& world) const {
  if (world.smoke_job == nullptr) return std::nullopt;
  return ReadOutcome(*world.smoke_job, caches_.pods.OwnedBy(world.smoke_job->meta.uid), clock_.Now());
}

}  // namespace slipway::canary
