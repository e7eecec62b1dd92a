#include "canary/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "canary/manifests.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "canary/wording.h"
#include "runtime/refusal.h"

namespace slipway::canary {

using kube::Json;
using kube::asio::awaitable;
using resources::CanaryPromotion;
using resources::Deployment;

Reconciler::Reconciler(runtime::Shell shell, Caches caches, std::string runner_image)
    : shell_(shell),
      observer_(shell.api, std::move(caches), shell.clock),
      runner_image_(std::move(runner_image)) {}

awaitable<Result<runtime::Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const PromotionPtr promotion = observer_.Find(key);
  if (promotion == nullptr) co_return runtime::Outcome{};
  auto world = co_await observer_.Observe(promotion);
  if (!world) {
    co_await ReportRefusal(promotion, world.error());
    co_return std::unexpected(world.error());
  }
  Seen seen = observer_.SeenIn(**world);
  seen.cannot_ask = WhyNoScene(**world);
  Plan plan = Decide(seen, shell_.clock.Now());
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
  shell_.events.Tell({kube::kCanaryPromotions, promotion->meta.key, promotion->meta.uid}, "Promote",
                     plan.notices);
  co_return runtime::Outcome{plan.recheck_after};
}

// ---- what is done ----

// Nothing is done from an old copy of the promotion: the cache may be behind our own last write.
awaitable<Result<>> Reconciler::Carry(WorldPtr world, std::vector<Effect> effects) {
  const auto current = co_await shell_.applier.StillAsSeen(kube::kCanaryPromotions, world->promotion->meta);
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
  if (auto* claim = std::get_if<Claim>(&effect)) done = co_await ApplyClaim(world, claim->force);
  if (std::holds_alternative<Unclaim>(effect)) done = co_await LetGo(world->stable);
  if (auto* make = std::get_if<CreateCanary>(&effect)) done = co_await Make(world, *make);
  if (auto* job = std::get_if<CreateCheckJob>(&effect)) done = co_await Make(world, std::move(*job));
  if (std::holds_alternative<DeleteCanary>(effect)) done = co_await Delete(world->canary);
  if (auto* scale = std::get_if<ScaleCanary>(&effect)) {
    auto body = RenderReplicas(world->canary->meta, scale->replicas);
    done = co_await Apply(world->canary->meta.key, std::move(body));
  }
  if (auto* write = std::get_if<WriteStable>(&effect)) {
    auto body = RenderStable(*world->promotion, world->stable_json,
                             ContainerName(*world->promotion, *world->stable), *write);
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

// What a decision has to know before it asks.
std::string Reconciler::WhyNoScene(const World& world) const {
  using resources::CanaryPhase;
  const CanaryPhase phase = world.promotion->status.phase;
  const bool verifies = phase == CanaryPhase::kVerifying;
  if (!verifies && phase != CanaryPhase::kHolding && phase != CanaryPhase::kTesting) return {};
  const auto scene = SceneOf(world, verifies ? kVerification : 0);
  return scene ? std::string() : scene.error().message;
}

namespace {

// Only what the pods read was changed: canary and stable answer the same version.
bool SameImage(const CanaryPromotion& promotion) {
  const auto wanted = resources::ParseImageRef(promotion.spec.image);
  const auto& baseline = promotion.status.baseline;
  if (!wanted || !baseline) return false;
  const auto is = [&](const std::string& image) {
    const auto named = resources::ParseImageRef(image);
    return named && named->digest == wanted->digest;
  };
  return is(baseline->image) || is(baseline->stable_digest);
}

std::string WhyNobodyToAsk(const std::vector<PodPtr>& pods, const CanaryPromotion& promotion,
                           const std::string& container) {
  std::string why = fmt::format("no ready pod is seen to run {}", promotion.spec.image);
  for (const auto& pod : pods) {
    if (RunsImage(*pod, container, promotion.spec.image) != Runs::kAnother) continue;
    for (const auto& state : pod->containers) {
      if (!state.init && state.name == container)
        return why + fmt::format("; pod {} runs {}", pod->meta.key.name, state.image_id);
    }
  }
  return why;
}

}  // namespace

// A step asks the canary, and beside it stable; the verification asks stable, which runs the new image now.
// Which of the two a pod is, its labels say; what it runs, its imageID.
Result<CheckScene> Reconciler::SceneOf(const World& world, int step) const {
  const CanaryPromotion& promotion = *world.promotion;
  const auto* policy = resources::PolicyFor(world.policy.get(), promotion.meta.key.ns);
  const bool verifies = step == kVerification;
  const auto asked = verifies ? world.stable : world.canary;
  const auto gone = [](std::string what) { return Fail(ErrorKind::kConflict, std::move(what)); };
  if (policy == nullptr)
    return gone(fmt::format("there is no policy for namespace {}", promotion.meta.key.ns));
  if (world.service == nullptr)
    return gone(fmt::format("there is no Service {}", promotion.spec.target.service));
  if (world.stable == nullptr || asked == nullptr) return gone("the Deployment to ask has gone");
  const std::string container = ContainerName(promotion, *world.stable);
  const auto& image = promotion.spec.image;
  CheckScene scene{.service = *world.service,
                   .port = TargetPort(*world.service, *asked).value_or(world.service->port),
                   .service_account = policy->service_account,
                   .runner_image = runner_image_};
  const auto& candidates = verifies ? world.stable_pods : world.canary_pods;
  scene.pods = Choose(candidates, {container, image, Runs::kAnother});
  if (!verifies) {
    const int canary = world.canary->ready_replicas;
    const int all = canary + world.stable->ready_replicas;
    scene.others = Choose(world.stable_pods, {container, image, std::nullopt});
    scene.tells_apart = !SameImage(promotion);
    scene.canary_share = all == 0 || !scene.tells_apart ? 0 : static_cast<double>(canary) / all;
  }
  // They are there, by their Deployment: the cache has yet to see them.
  if (scene.pods.empty()) return gone(WhyNobodyToAsk(candidates, promotion, container));
  return scene;
}

awaitable<Result<>> Reconciler::Make(WorldPtr world, CreateCheckJob effect) {
  const auto read = co_await observer_.ReadPods(world);
  if (!read) co_return std::unexpected(read.error());
  const auto scene = SceneOf(*world, effect.step);
  if (!scene) co_return std::unexpected(scene.error());
  Json job = RenderCheckJob(*world->promotion, effect, *scene);
  const kube::ObjectKey key{world->promotion->meta.key.ns, job["metadata"]["name"].get<std::string>()};
  auto& status = world->status;
  auto& checks = effect.step == kVerification ? status.verification : status.steps.back().checks;
  checks.job_name = key.name;
  runtime::Create create{kube::kJobs, std::move(job)};
  const auto made = co_await shell_.applier.Run(std::move(create));
  if (made) {
    checks.job_uid = made->uid;
    co_return Result<>{};
  }
  if (made.error().kind != ErrorKind::kAlreadyExists) co_return std::unexpected(made.error());
  const auto adopted = co_await Adopt(world->promotion, key, made.error());
  if (!adopted) co_return std::unexpected(adopted.error());
  checks.job_uid = *adopted;
  co_return Result<>{};
}

// Made by us just before we died, when other pods of the canary were there to be asked: it counts. Our label
// tells it from a forged one, for admission keeps that for us.
awaitable<Result<kube::Uid>> Reconciler::Adopt(PromotionPtr promotion, kube::ObjectKey key, Error taken) {
  const auto live = co_await observer_.Read(kube::kJobs, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Fail(ErrorKind::kConflict, "the check's Job went: to be decided again");
  const auto meta = kube::DecodeMeta(**live);
  if (!meta) co_return std::unexpected(meta.error());
  const auto* owner = meta->Controller();
  const auto label = meta->labels.find(kPromotionLabel);
  const bool ours = owner != nullptr && owner->uid == promotion->meta.uid && label != meta->labels.end() &&
                    label->second == promotion->meta.uid.value && !meta->deleted;
  if (!ours) co_return std::unexpected(std::move(taken));
  co_return meta->uid;
}

awaitable<Result<>> Reconciler::Apply(kube::ObjectKey key, Json body) {
  runtime::Apply apply{.resource = kube::kDeployments, .key = std::move(key), .body = std::move(body)};
  const auto done = co_await shell_.applier.Run(std::move(apply));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::ApplyClaim(WorldPtr world, bool force) {
  const kube::Uid uid = world->promotion->meta.uid;
  runtime::Apply apply{.resource = kube::kDeployments,
                       .key = world->stable->meta.key,
                       .body = RenderClaim(world->stable->meta, uid),
                       .force = force,
                       .manager = ClaimManager(uid)};
  const auto done = co_await shell_.applier.Run(std::move(apply));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::LetGo(World::Ptr<Deployment> stable) {
  if (stable == nullptr) co_return Result<>{};
  auto request = kube::MergePatch(kube::kDeployments, stable->meta.key, RenderUnclaim(stable->meta));
  const auto done = co_await shell_.api.Call(std::move(request));
  if (!done && done.error().kind != ErrorKind::kNotFound) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<>> Reconciler::Delete(World::Ptr<Deployment> canary) {
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
                          Clipped(std::string(kServerRefused) + error.message), promotion->meta.generation,
                          shell_.clock.Now());
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

}  // namespace slipway::canary
