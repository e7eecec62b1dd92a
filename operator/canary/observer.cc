#include "canary/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "canary/check_report.h"
#include "canary/managed_fields.h"
#include "canary/manifests.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "resources/digest.h"
#include "resources/tolerant.h"

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

// Labels are anybody's: what a Deployment's ReplicaSets made has their name and its hash. A canary's pods
// have the labels of stable's.
bool IsPodOf(const kube::ObjectMeta& pod, const Deployment& stable) {
  const auto* owner = pod.Controller();
  const auto hash = pod.labels.find("pod-template-hash");
  return owner != nullptr && owner->kind == "ReplicaSet" && hash != pod.labels.end() &&
         owner->name == fmt::format("{}-{}", stable.meta.key.name, hash->second) &&
         Selects(stable.selector, pod.labels) && !pod.labels.contains(resources::kTrackLabel);
}

std::string StableSelector(const Deployment& stable) {
  std::string text = fmt::format("!{}", resources::kTrackLabel);
  for (const auto& [label, value] : stable.selector) text += fmt::format(",{}={}", label, value);
  return text;
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
  if (world->stable) {
    world->stable_pods = caches_.pods.Where([&](const resources::Pod& pod) {
      return pod.meta.key.ns == ns && IsPodOf(pod.meta, *world->stable);
    });
  }
  const auto digest = co_await ObserveStableDigest(world);
  if (!digest) co_return std::unexpected(digest.error());
  const auto budgets = co_await ObserveBudgets(world);
  if (!budgets) co_return std::unexpected(budgets.error());
  const auto canary = co_await ObserveCanary(world);
  if (!canary) co_return std::unexpected(canary.error());
  const auto job = co_await ObserveCheckJob(world);
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

// Only where the template names no digest do its pods say what runs: a tag can have moved since. They are
// listed live, and after the Deployment: in the cache may still be those of the template before.
awaitable<Result<>> Observer::ObserveStableDigest(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  if (UnderWay(promotion) || world->stable == nullptr || world->stable->selector.empty())
    co_return Result<>{};
  const Deployment& stable = *world->stable;
  const auto* container = TargetContainer(promotion.spec, stable);
  if (container == nullptr || !resources::DigestOf(container->image).empty()) co_return Result<>{};
  auto selector = StableSelector(stable);
  const auto pods = co_await ListPods(stable.meta.key.ns, std::move(selector));
  if (!pods) co_return std::unexpected(pods.error());
  std::map<std::string, int> counts;
  for (const auto& pod : *pods) {
    if (!pod->ready || !IsPodOf(pod->meta, stable)) continue;
    for (const auto& state : pod->containers) {
      if (state.name == container->name && !state.image_id.empty()) ++counts[state.image_id];
    }
  }
  // Of pods that differ none speaks for all.
  if (counts.size() == 1) world->stable_digest = counts.begin()->first;
  co_return Result<>{};
}

// Nothing but the preflight of a canary reads them: so they are listed when one is looked at, and never
// watched.
awaitable<Result<>> Observer::ObserveBudgets(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  const bool read = !UnderWay(promotion) && !promotion.meta.deleted && world->stable != nullptr &&
                    promotion.spec.strategy == resources::Strategy::kCanary;
  if (!read) co_return Result<>{};
  const kube::ListParams all;
  auto request = kube::List(kube::kPodDisruptionBudgets, promotion.meta.key.ns, all);
  const auto list = co_await api_.Call(std::move(request));
  if (!list) co_return std::unexpected(list.error());
  for (const auto& item : resources::ListAt(*list, "items")) {
    auto budget = resources::DisruptionBudget::Decode(item);
    if (budget) world->budgets.push_back(std::move(*budget));
  }
  co_return Result<>{};
}

// The recorded UID is what makes it ours. One that was made just before we died is not recorded: on the way
// back it is found by its name and our label, which admission keeps for us.
awaitable<Result<>> Observer::ObserveCanary(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  if (!UnderWay(promotion)) co_return Result<>{};
  auto live = co_await Read(kube::kDeployments, {promotion.meta.key.ns, CanaryName(promotion)});
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  auto decoded = Deployment::Decode(**live);
  if (!decoded) co_return std::unexpected(decoded.error());
  const auto& recorded = promotion.status.canary_uid;
  const bool ours =
      recorded ? decoded->meta.uid == *recorded : HasPromotionLabel(decoded->meta, promotion.meta.uid);
  if (!ours) co_return Result<>{};
  world->canary = std::make_shared<const Deployment>(std::move(*decoded));
  world->canary_json = std::move(**live);
  co_return Result<>{};
}

awaitable<Result<>> Observer::ObserveCheckJob(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  const auto* checks = ChecksUnderWay(promotion.status);
  if (!UnderWay(promotion) || checks == nullptr || !checks->job_uid) co_return Result<>{};
  const kube::Uid uid = *checks->job_uid;
  const kube::ObjectKey key{promotion.meta.key.ns, checks->job_name.value_or("")};
  auto job = co_await jobs_.Find(key, uid);
  if (!job) co_return std::unexpected(job.error());
  if (!*job) co_return Result<>{};
  auto pods = co_await jobs_.PodsOf((*job)->meta, (*job)->complete || (*job)->failed);
  if (!pods) co_return std::unexpected(pods.error());
  world->check_job = std::move(*job);
  world->check_pods = std::move(*pods);
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
  const std::string container =
      world.stable == nullptr ? std::string() : ContainerName(promotion, *world.stable);
  return {.promotion = promotion,
          .stable = world.stable.get(),
          .canary = world.canary.get(),
          .service = world.service.get(),
          .third_workloads = ThirdWorkloads(world),
          .canary_pods = world.canary_pods,
          .stable_digest = world.stable_digest,
          .check = Outcome(world),
          .autoscaler = AutoscalerOf(world),
          .budgets = world.budgets,
          .decisions = DecisionsAbout(promotion),
          .writers = WritersOf(world.stable_json, world.canary_json, container),
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

awaitable<Result<std::vector<PodPtr>>> Observer::ListPods(std::string ns, std::string selector) {
  kube::ListParams params;
  params.label_selector = std::move(selector);
  auto request = kube::List(kube::kPods, ns, params);
  const auto list = co_await api_.Call(std::move(request));
  if (!list) co_return std::unexpected(list.error());
  std::vector<PodPtr> pods;
  for (const auto& item : resources::ListAt(*list, "items")) {
    auto decoded = resources::Pod::Decode(item);
    if (decoded) pods.push_back(std::make_shared<const resources::Pod>(std::move(*decoded)));
  }
  co_return pods;
}

awaitable<Result<>> Observer::ReadPods(WorldPtr world) {
  const kube::ObjectMeta& promotion = world->promotion->meta;
  if (world->stable) {
    const Deployment& stable = *world->stable;
    auto selector = StableSelector(stable);
    auto pods = co_await ListPods(stable.meta.key.ns, std::move(selector));
    if (!pods) co_return std::unexpected(pods.error());
    std::erase_if(*pods, [&stable](const PodPtr& pod) { return !IsPodOf(pod->meta, stable); });
    world->stable_pods = std::move(*pods);
  }
  if (world->canary) {
    auto selector = fmt::format("{},{}={}", resources::kTrackLabel, kPromotionLabel, promotion.uid.value);
    auto pods = co_await ListPods(promotion.key.ns, std::move(selector));
    if (!pods) co_return std::unexpected(pods.error());
    world->canary_pods = std::move(*pods);
  }
  co_return Result<>{};
}

// It may name the Deployment by any version of its API.
std::optional<resources::Autoscaler> Observer::AutoscalerOf(const World& world) const {
  const auto& promotion = *world.promotion;
  const auto found = caches_.autoscalers.Where([&](const resources::Autoscaler& each) {
    return each.meta.key.ns == promotion.meta.key.ns && each.target_kind == kube::kDeployments.kind &&
           each.target_name == promotion.spec.target.deployment;
  });
  const auto first =
      std::ranges::min_element(found, {}, [](const auto& each) { return each->meta.key.name; });
  return first == found.end() ? std::nullopt : std::optional(**first);
}

std::vector<std::shared_ptr<const resources::Decision>> Observer::DecisionsAbout(
    const CanaryPromotion& promotion) const {
  const auto* owner = promotion.meta.Controller();
  const bool of_release = owner != nullptr && owner->kind == kube::kReleases.kind &&
                          owner->api_version == kube::ApiVersion(kube::kReleases);
  auto about = caches_.decisions.Where([&](const resources::Decision& decision) {
    const auto& target = decision.spec.target;
    const bool this_one = target.kind == kube::kCanaryPromotions.kind && target.uid == promotion.meta.uid;
    const bool its_release = of_release && target.kind == kube::kReleases.kind && target.uid == owner->uid;
    return decision.meta.key.ns == promotion.meta.key.ns && (this_one || its_release);
  });
  std::ranges::sort(about, {}, [](const auto& decision) {
    return std::pair(decision->meta.created, decision->meta.key.name);
  });
  return about;
}

std::optional<CheckOutcome> Observer::Outcome(const World& world) const {
  if (world.check_job == nullptr) return std::nullopt;
  return ReadOutcome(*world.check_job, world.check_pods, clock_.Now());
}

const resources::CheckRun* ChecksUnderWay(const resources::CanaryPromotionStatus& status) {
  const bool verifies = status.phase == resources::CanaryPhase::kVerifying || status.verification.job_uid;
  if (verifies) return &status.verification;
  return status.steps.empty() ? nullptr : &status.steps.back().checks;
}

}  // namespace slipway::canary
