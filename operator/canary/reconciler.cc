#include "canary/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "canary/arithmetic.h"
#include "canary/manifests.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/smoke_report.h"
#include "canary/wording.h"
#include "runtime/refusal.h"

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

std::string ContainerName(const CanaryPromotion& promotion, const Deployment& stable) {
  const auto* container = TargetContainer(promotion.spec, stable);
  return container == nullptr ? promotion.spec.target.container : container->name;
}

}  // namespace

Reconciler::Reconciler(runtime::Shell shell, Caches caches, std::string runner_image)
    : shell_(shell), caches_(std::move(caches)), runner_image_(std::move(runner_image)) {}

awaitable<Result<runtime::Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const PromotionPtr promotion = caches_.promotions.Get(key);
  if (promotion == nullptr) co_return runtime::Outcome{};
  auto world = co_await Observe(promotion);
  if (!world) co_return std::unexpected(world.error());
  Plan plan = DecideFrom(**world);
  (*world)->status = std::move(plan.status);
  if (!plan.effects.empty()) {
    const auto carried = co_await Carry(*world, std::move(plan.effects));
    if (!carried) {
      co_await ReportRefusal(promotion, carried.error());
      co_return std::unexpected(carried.error());
    }
  }
  const auto written = co_await WriteStatus(*world);
  if (!written) co_return std::unexpected(written.error());
  Tell(*promotion, plan.notices);
  co_return runtime::Outcome{plan.recheck_after};
}

// ---- what is seen ----

awaitable<Result<Reconciler::WorldPtr>> Reconciler::Observe(PromotionPtr promotion) {
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
  if (!stable) co_return std::unexpected(stable.error());
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

// The recorded UID is what makes it ours. One that was made just before we died is not recorded: on the way
// back it is found by its name and our label, which admission keeps for us.
awaitable<Result<>> Reconciler::ObserveCanary(WorldPtr world) {
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
awaitable<Result<>> Reconciler::ObserveSmokeJob(WorldPtr world) {
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

awaitable<Result<std::optional<Json>>> Reconciler::Read(kube::ApiResource resource, kube::ObjectKey key) {
  auto request = kube::Get(resource, key);
  auto live = co_await shell_.api.Call(std::move(request));
  if (live) co_return std::optional<Json>(std::move(*live));
  if (live.error().kind == ErrorKind::kNotFound) co_return std::optional<Json>();
  co_return std::unexpected(live.error());
}

Plan Reconciler::DecideFrom(const World& world) const {
  const CanaryPromotion& promotion = *world.promotion;
  const auto* policy = resources::PolicyFor(world.policy.get(), promotion.meta.key.ns);
  Seen seen{.promotion = promotion,
            .stable = world.stable.get(),
            .canary = world.canary.get(),
            .service = world.service.get(),
            .third_workloads = ThirdWorkloads(world),
            .canary_pods = world.canary_pods,
            .stable_digest = StableDigest(world),
            .smoke = Outcome(world),
            .busy_with = BusyWith(world),
            .violation = resources::Check(promotion, policy)};
  return Decide(seen, shell_.clock.Now());
}

std::vector<std::string> Reconciler::ThirdWorkloads(const World& world) const {
  std::vector<std::string> names;
  if (world.service == nullptr) return names;
  const auto& key = world.promotion->meta.key;
  for (const auto& other : caches_.deployments.All()) {
    const bool third = other->meta.key.ns == key.ns &&
                       other->meta.key.name != world.promotion->spec.target.deployment &&
                       !other->template_labels.contains(std::string(resources::kTrackLabel)) &&
                       Selects(world.service->selector, other->template_labels);
    if (third) names.push_back("Deployment " + other->meta.key.name);
  }
  std::ranges::sort(names);
  return names;
}

// A claim is believed only while its promotion is under way: the annotation alone can come back with an old
// ReplicaSet's by `kubectl rollout undo`.
std::string Reconciler::BusyWith(const World& world) const {
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
std::string Reconciler::StableDigest(const World& world) const {
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

std::optional<SmokeOutcome> Reconciler::Outcome(const World& world) const {
  if (world.smoke_job == nullptr) return std::nullopt;
  return ReadOutcome(*world.smoke_job, caches_.pods.OwnedBy(world.smoke_job->meta.uid));
}

// ---- what is done ----

// Nothing is done from an old copy of the promotion: the cache may be behind our own last write.
awaitable<Result<>> Reconciler::StillAsSeen(PromotionPtr promotion) {
  const auto live = co_await Read(kube::kCanaryPromotions, promotion->meta.key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Fail(ErrorKind::kConflict, "the CanaryPromotion is gone: to be decided again");
  const auto meta = kube::DecodeMeta(**live);
  if (!meta) co_return std::unexpected(meta.error());
  const bool same =
      meta->uid == promotion->meta.uid && meta->resource_version == promotion->meta.resource_version;
  if (same) co_return Result<>{};
  co_return Fail(ErrorKind::kConflict, "the CanaryPromotion has changed meanwhile: to be decided again");
}

awaitable<Result<>> Reconciler::Carry(WorldPtr world, std::vector<Effect> effects) {
  const auto current = co_await StillAsSeen(world->promotion);
  if (!current) co_return std::unexpected(current.error());
  for (auto& effect : effects) {
    const auto done = co_await Carry(world, std::move(effect));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::Carry(WorldPtr world, Effect effect) {
  Result<> done;
  if (std::holds_alternative<AddFinalizer>(effect)) done = co_await PatchFinalizer(world, true);
  if (std::holds_alternative<RemoveFinalizer>(effect)) done = co_await PatchFinalizer(world, false);
  if (auto* claim = std::get_if<Claim>(&effect)) done = co_await ApplyClaim(world, true, claim->force);
  if (std::holds_alternative<Unclaim>(effect)) done = co_await ApplyClaim(world, false, true);
  if (auto* make = std::get_if<CreateCanary>(&effect)) done = co_await Make(world, *make);
  if (auto* job = std::get_if<CreateSmokeJob>(&effect)) done = co_await Make(world, std::move(*job));
  if (std::holds_alternative<DeleteCanary>(effect)) done = co_await Delete(world->canary);
  if (auto* scale = std::get_if<ScaleCanary>(&effect)) {
    auto body = RenderReplicas(world->canary->meta, scale->replicas);
    done = co_await Apply(world->canary->meta.key, std::move(body));
  }
  if (auto* write = std::get_if<WriteStable>(&effect)) {
    const bool with_replicas =
        world->promotion->spec.capacity == resources::Capacity::kSplit || OwnsReplicas(world->stable_json);
    auto body = RenderStable(world->stable->meta, ContainerName(*world->promotion, *world->stable), *write,
                             with_replicas);
    done = co_await Apply(world->stable->meta.key, std::move(body));
  }
  co_return done;
}

awaitable<Result<>> Reconciler::PatchFinalizer(WorldPtr world, bool present) {
  const auto& meta = world->promotion->meta;
  Json finalizers = Json::array();
  for (const auto& each : meta.finalizers) {
    if (each != resources::kFinalizer) finalizers.push_back(each);
  }
  if (present) finalizers.push_back(resources::kFinalizer);
  Json metadata = {{"uid", meta.uid.value}, {"resourceVersion", world->resource_version.value}};
  metadata["finalizers"] = std::move(finalizers);
  Json patch;
  patch["metadata"] = std::move(metadata);
  auto request = kube::MergePatch(kube::kCanaryPromotions, meta.key, patch);
  const auto answer = co_await shell_.api.Call(std::move(request));
  const bool gone = !answer && answer.error().kind == ErrorKind::kNotFound;
  if (gone && !present) co_return Result<>{};
  if (!answer) co_return std::unexpected(answer.error());
  const auto now = kube::DecodeMeta(*answer);
  if (!now) co_return std::unexpected(now.error());
  world->resource_version = now->resource_version;
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::Make(WorldPtr world, CreateCanary effect) {
  runtime::Create create{kube::kDeployments,
                         RenderCanary(*world->promotion, world->stable_json,
                                      ContainerName(*world->promotion, *world->stable), effect.replicas)};
  auto made = co_await shell_.applier.Run(std::move(create));
  if (!made) co_return std::unexpected(made.error());
  world->status.canary_uid = made->uid;
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::Make(WorldPtr world, CreateSmokeJob effect) {
  const auto* policy = resources::PolicyFor(world->policy.get(), world->promotion->meta.key.ns);
  const bool whole = policy != nullptr && world->service != nullptr && world->canary != nullptr;
  if (!whole) co_return Fail(ErrorKind::kConflict, "what the smoke test asks has gone: to be decided again");
  const int canary = world->canary->ready_replicas;
  const int all = canary + world->stable->ready_replicas;
  ProbeTarget target{.service = *world->service,
                     .canary = *world->canary,
                     .pods = world->canary_pods,
                     .canary_share = all == 0 ? 0 : static_cast<double>(canary) / all,
                     .service_account = policy->service_account,
                     .runner_image = runner_image_};
  std::ranges::sort(target.pods, {}, [](const auto& pod) { return pod->meta.key.name; });
  runtime::Create create{kube::kJobs, RenderSmokeJob(*world->promotion, effect, target)};
  const kube::ObjectKey key{world->promotion->meta.key.ns,
                            SmokeJobName(*world->promotion, effect.step, effect.test.name)};
  auto made = co_await shell_.applier.Run(std::move(create));
  if (!made && made.error().kind == ErrorKind::kAlreadyExists) {
    const auto cleared = co_await ClearStaleJob(world->promotion, key, made.error());
    co_return cleared;
  }
  if (!made) co_return std::unexpected(made.error());
  world->status.steps.back().smoke_job_uid = made->uid;
  co_return Result<>{};
}

// Made by us just before we died, for pods that are not there any more: it is made anew. Our label tells it
// from a forged one, for admission keeps that for us.
awaitable<Result<>> Reconciler::ClearStaleJob(PromotionPtr promotion, kube::ObjectKey key, Error taken) {
  const auto live = co_await Read(kube::kJobs, key);
  if (!live) co_return std::unexpected(live.error());
  const auto meta = *live ? kube::DecodeMeta(**live) : Result<kube::ObjectMeta>{};
  if (!meta) co_return std::unexpected(meta.error());
  const auto* owner = meta->Controller();
  const bool ours =
      HasPromotionLabel(*meta, promotion->meta.uid) && owner != nullptr && owner->uid == promotion->meta.uid;
  if (*live && !ours) co_return std::unexpected(std::move(taken));
  if (*live) {
    runtime::Delete removal{kube::kJobs, key, {meta->uid, {}}};
    const auto done = co_await shell_.applier.Run(std::move(removal));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Fail(ErrorKind::kConflict,
                 "a smoke test's Job of an earlier attempt was cleared: to be decided again");
}

awaitable<Result<>> Reconciler::Apply(kube::ObjectKey key, Json body) {
  runtime::Apply apply{.resource = kube::kDeployments, .key = std::move(key), .body = std::move(body)};
  const auto done = co_await shell_.applier.Run(std::move(apply));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::ApplyClaim(WorldPtr world, bool claimed, bool force) {
  if (world->stable == nullptr) co_return Result<>{};
  const kube::Uid uid = world->promotion->meta.uid;
  runtime::Apply apply{.resource = kube::kDeployments,
                       .key = world->stable->meta.key,
                       .body = RenderClaim(world->stable->meta, claimed ? uid : kube::Uid{}),
                       .force = force,
                       .manager = ClaimManager(uid)};
  const auto done = co_await shell_.applier.Run(std::move(apply));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::Delete(Ptr<Deployment> canary) {
  if (canary == nullptr) co_return Result<>{};
  runtime::Delete removal{kube::kDeployments, canary->meta.key, {canary->meta.uid, {}}};
  const auto done = co_await shell_.applier.Run(std::move(removal));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

// ---- what is said ----

awaitable<void> Reconciler::ReportRefusal(PromotionPtr promotion, Error error) {
  if (runtime::PassesByItself(error)) co_return;
  auto world = std::make_shared<World>();
  world->promotion = promotion;
  world->resource_version = promotion->meta.resource_version;
  world->status = promotion->status;
  world->status.observed_generation = promotion->meta.generation;
  resources::SetReadiness(world->status.conditions, resources::Readiness::kWaiting, runtime::ReasonOf(error),
                          Clipped("the API server refused what this promotion needs: " + error.message),
                          promotion->meta.generation, shell_.clock.Now());
  const auto written = co_await WriteStatus(world);
  if (!written) log::warn("promotion {}: {}", kube::ToString(promotion->meta.key), written.error().message);
}

awaitable<Result<>> Reconciler::WriteStatus(WorldPtr world) {
  const CanaryPromotion& promotion = *world->promotion;
  if (world->status == promotion.status) co_return Result<>{};
  auto body = resources::EncodeStatus(world->status);
  const auto written =
      co_await shell_.applier.WriteStatus(kube::kCanaryPromotions, promotion.meta.key, promotion.meta.uid,
                                          world->resource_version, std::move(body));
  const bool gone = !written && written.error().kind == ErrorKind::kNotFound && promotion.meta.deleted;
  if (!written && !gone) co_return std::unexpected(written.error());
  co_return Result<>{};
}

void Reconciler::Tell(const CanaryPromotion& promotion, const std::vector<Notice>& notices) {
  for (const auto& notice : notices) {
    runtime::Event event{notice.warning ? runtime::EventType::kWarning : runtime::EventType::kNormal,
                         notice.reason, "Promote", notice.note};
    shell_.events.Record({kube::kCanaryPromotions, promotion.meta.key, promotion.meta.uid}, std::move(event));
    log::info("promotion {}: {}: {}", kube::ToString(promotion.meta.key), notice.reason,
              log::Quoted(notice.note));
  }
}

}  // namespace slipway::canary
