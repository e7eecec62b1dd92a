#include "release/reconciler.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "release/held.h"
#include "release/manifests.h"
#include "release/migration_job.h"
#include "runtime/refusal.h"

namespace slipway::release {

using kube::Json;
using kube::asio::awaitable;
using resources::CanaryPromotion;
using resources::ConfigVersion;
using resources::Readiness;
using resources::Release;
using resources::ReleasePhase;
using runtime::Outcome;

namespace {

Hold CopyTaken(const std::string& copy, const std::string& why) {
  return {Readiness::kWaiting, ReleasePhase::kBlocked, "ConfigCopyTaken",
          fmt::format("ConfigMap {} exists and does not count as this Release's copy: {}. Delete it, or find "
                      "out who made it",
                      copy, why)};
}

Hold CopyGone(const ConfigVersion& version) {
  return {Readiness::kWaiting, ReleasePhase::kBlocked, std::string(kConfigCopyGone),
          fmt::format("ConfigMap {}, the copy of {} that goes with this image, was deleted, and what was in "
                      "it is not known any more: choose another image to go back to",
                      version.copy, version.name)};
}

Hold OtherMigrationRuns(const std::string& job) {
  return {Readiness::kWaiting, ReleasePhase::kPending, "MigrationRunning",
          fmt::format("Job {} still migrates for another image: the next begins when it has ended", job)};
}

// Effects that have no precondition on the Release.
bool Writes(const Plan& plan) {
  return plan.start || plan.migration || plan.verification || plan.attestation || plan.scan || plan.rescan ||
         !plan.copies.empty() || !plan.old_copies.empty();
}

}  // namespace

Reconciler::Reconciler(runtime::Shell shell, Caches caches, SupplyChain supply)
    : shell_(shell), supply_(std::move(supply)), observer_(shell.api, std::move(caches), supply_.ns) {}

awaitable<Result<Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const ReleasePtr release = observer_.Find(key);
  if (release == nullptr) shell_.metrics.ReleaseForgotten(key.ns, key.name);
  if (release == nullptr || release->meta.deleted) co_return Outcome{};
  const auto world = co_await observer_.Observe(release);
  if (!world) {
    co_await ReportRefusal(release, nullptr, world.error());
    co_return std::unexpected(world.error());
  }
  Plan decided;
  if ((*world)->hold) {
    decided = HeldBy(*release, nullptr, *(*world)->hold, shell_.clock.Now());
  } else {
    decided = Decide(observer_.SeenIn(**world), shell_.clock.Now());
  }
  const auto intended = std::make_shared<const Plan>(std::move(decided));
  auto plan = co_await Carry(*world, *intended);
  if (!plan) {
    co_await ReportRefusal(release, intended, plan.error());
    co_return std::unexpected(plan.error());
  }
  const auto scanned = plan->status.rescan;
  const auto written = co_await WriteStatus(release, std::move(plan->status));
  if (!written) co_return std::unexpected(written.error());
  Measure(key, scanned);
  shell_.events.Tell({kube::kReleases, release->meta.key, release->meta.uid}, "Deliver", plan->notices);
  co_return Outcome{plan->recheck_after};
}

// ---- what is done ----

// A create has no precondition, and the cache may be older than our own last write: a promotion or a Job made
// from it could be one that has come and gone already, and an old copy could be in use again.
awaitable<Result<Plan>> Reconciler::Carry(WorldPtr world, Plan plan) {
  const auto removed = co_await Remove(world->release, plan.removals);
  if (!removed) co_return std::unexpected(removed.error());
  if (!Writes(plan)) co_return plan;
  const auto current = co_await shell_.applier.StillAsSeen(kube::kReleases, world->release->meta);
  if (!current) co_return std::unexpected(current.error());
  auto looked = co_await MakeLooks(world, std::move(plan));
  if (!looked) co_return std::unexpected(looked.error());
  plan = std::move(*looked);
  for (const auto& copy : plan.old_copies) {
    const auto done = co_await RemoveCopy(world, copy);
    if (!done) co_return std::unexpected(done.error());
  }
  const auto refused = co_await MakeCopies(world, plan.copies);
  if (!refused) co_return std::unexpected(refused.error());
  if (*refused) co_return HeldBy(*world->release, &plan, **refused, shell_.clock.Now());
  // One that we made before we died may be in no record: nothing begins beside it.
  const std::string ours = plan.migration ? plan.migration->name : std::string();
  const bool begins = plan.migration || plan.start;
  if (begins && world->source) {
    // What it has verified may have been taken back meanwhile, and what has begun here is not called off.
    const auto same = co_await shell_.applier.StillAsSeen(kube::kReleases, world->source->meta);
    if (!same) co_return std::unexpected(same.error());
  }
  const std::string other = begins ? observer_.OtherMigration(*world->release, ours) : std::string();
  if (!other.empty()) {
    co_return HeldBy(*world->release, &plan, OtherMigrationRuns(other), shell_.clock.Now());
  }
  if (plan.migration && !plan.status.history.empty() && plan.status.history.front().migration) {
    auto& entry = plan.status.history.front();
    auto uid = co_await Migrate(world, *plan.migration, entry.commit);
    if (!uid) co_return std::unexpected(uid.error());
    entry.migration->job_uid = std::move(*uid);
  }
  if (!plan.start) co_return plan;
  auto uid = co_await StartPromotion(world->release, *plan.start);
  if (!uid) co_return std::unexpected(uid.error());
  plan.status.history.front().promotion_uid = std::move(*uid);
  co_return plan;
}

awaitable<Result<>> Reconciler::Remove(ReleasePtr release, std::vector<Removal> removals) {
  for (const auto& removal : removals) {
    runtime::Delete effect{kube::kCanaryPromotions,
                           {release->meta.key.ns, removal.promotion},
                           {removal.uid, removal.resource_version}};
    const auto done = co_await shell_.applier.Run(std::move(effect));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<>{};
}

// ---- copies of ConfigMaps ----

awaitable<Result<>> Reconciler::RemoveCopy(WorldPtr world, std::string copy) {
  // Whatever history says: pods that name it could not start again.
  const auto& deployment = world->deployment;
  if (deployment && std::ranges::find(deployment->config_refs, copy) != deployment->config_refs.end()) {
    co_return Result<>{};
  }
  const kube::ObjectKey key{world->release->meta.key.ns, copy};
  const auto live = co_await observer_.Read(kube::kConfigMaps, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  const auto meta = kube::DecodeMeta(**live);
  if (!meta || meta->deleted || !IsCopyOf(*world->release, *meta)) co_return Result<>{};
  runtime::Delete effect{kube::kConfigMaps, key, {meta->uid, meta->resource_version}};
  const auto done = co_await shell_.applier.Run(std::move(effect));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

awaitable<Result<std::optional<Hold>>> Reconciler::MakeCopies(WorldPtr world,
                                                              std::vector<ConfigVersion> copies) {
  for (const auto& version : copies) {
    // Those of an earlier delivery are kept: what was in them is nowhere else.
    const bool known = world->contents.contains(version.copy) && world->deployment != nullptr;
    if (known) {
      const auto made = co_await MakeCopy(world, version);
      if (made) continue;
      if (made.error().kind != ErrorKind::kAlreadyExists) co_return std::unexpected(made.error());
    }
    auto refused = co_await CheckCopy(world, version);
    if (!refused) co_return std::unexpected(refused.error());
    if (*refused) co_return refused;
  }
  co_return std::optional<Hold>();
}

awaitable<Result<>> Reconciler::MakeCopy(WorldPtr world, ConfigVersion version) {
  runtime::Create effect{kube::kConfigMaps, RenderConfigCopy(*world->release, world->deployment->meta,
                                                             version.copy, world->contents.at(version.copy))};
  const auto made = co_await shell_.applier.Run(std::move(effect));
  if (!made) co_return std::unexpected(made.error());
  co_return Result<>{};
}

awaitable<Result<std::optional<Hold>>> Reconciler::CheckCopy(WorldPtr world, ConfigVersion version) {
  const auto live = co_await observer_.Read(kube::kConfigMaps, {world->release->meta.key.ns, version.copy});
  if (!live) co_return std::unexpected(live.error());
  const auto content = world->contents.find(version.copy);
  const bool known = content != world->contents.end();
  if (!*live && known) {
    co_return Fail(
        ErrorKind::kConflict,
        fmt::format("ConfigMap {} went while it was being looked at: to be decided again", version.copy));
  }
  if (!*live) co_return CopyGone(version);
  const auto* target = world->deployment ? &world->deployment->meta : nullptr;
  const auto why = WhyNotCopy(*world->release, target, version, known ? &content->second : nullptr, **live);
  if (why) co_return CopyTaken(version.copy, *why);
  co_return std::optional<Hold>();
}

// ---- the migration ----

awaitable<Result<kube::Uid>> Reconciler::Migrate(WorldPtr world, StartMigration start, std::string version) {
  const auto* policy = world->Policy();
  if (policy == nullptr || !world->release->spec.migration) {
    co_return Fail(ErrorKind::kConflict, "what the migration needs has gone: to be decided again");
  }
  Json rendered = RenderMigrationJob(*world->release, start, version, policy->service_account);
  const kube::ObjectKey key{world->release->meta.key.ns, start.name};
  runtime::Create effect{kube::kJobs, std::move(rendered)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (created && created->created) co_return created->uid;
  if (!created && created.error().kind != ErrorKind::kAlreadyExists) {
    co_return std::unexpected(created.error());
  }
  auto adopted = co_await AdoptJob(world->release, key, std::move(created));
  co_return adopted;
}

// Made by us just before we died. What it ran is known where it is ours to the last field, and there alone:
// else it is made again, whoever changed it; a migration is idempotent. Our label tells ours from a forged
// one, which is not ours to delete, for admission keeps it for us.
awaitable<Result<kube::Uid>> Reconciler::AdoptJob(ReleasePtr release, kube::ObjectKey key,
                                                  Result<runtime::Applied> found) {
  const auto live = co_await observer_.Read(kube::kJobs, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Fail(ErrorKind::kConflict, "Job " + key.name + " went: to be decided again");
  const auto job = resources::Job::Decode(**live);
  if (!job) co_return std::unexpected(job.error());
  const bool same = found && found->uid == job->meta.uid;
  if (same && !job->meta.deleted && !CutShort(*job)) co_return job->meta.uid;
  if (!IsMigrationJobOf(*release, job->meta)) {
    if (!found) co_return std::unexpected(std::move(found.error()));
    co_return Fail(ErrorKind::kConflict, "Job " + key.name + " is another now: to be decided again");
  }
  // In the foreground: the name is free when its pod is gone, and so two never run at once.
  runtime::Delete effect{kube::kJobs, key, {job->meta.uid, {}}, kube::Propagation::kForeground};
  const auto removed = co_await shell_.applier.Run(std::move(effect));
  if (!removed) co_return std::unexpected(removed.error());
  co_return Fail(ErrorKind::kConflict,
                 fmt::format("Job {} was {} and is going: to be decided again", key.name,
                             CutShort(*job) ? "cut short" : "made from an earlier spec, or changed since"));
}

// ---- the promotion ----

awaitable<Result<kube::Uid>> Reconciler::StartPromotion(ReleasePtr release, Start start) {
  runtime::Create effect{kube::kCanaryPromotions, RenderPromotion(*release, start)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (created) co_return created->uid;
  if (created.error().kind != ErrorKind::kAlreadyExists) co_return std::unexpected(created.error());
  auto adopted = co_await AdoptPromotion(release, std::move(start), std::move(created.error()));
  co_return adopted;
}

// Applier compares whole objects; ours may have a finalizer by now, or have lost it again at its end.
awaitable<Result<kube::Uid>> Reconciler::AdoptPromotion(ReleasePtr release, Start start, Error taken) {
  const auto live = co_await observer_.Read(kube::kCanaryPromotions, {release->meta.key.ns, start.name});
  if (!live) co_return std::unexpected(live.error());
  Result<CanaryPromotion> found = Fail(ErrorKind::kNotFound, "it is not there");
  if (*live) found = CanaryPromotion::Decode(**live);
  if (!found && *live) co_return std::unexpected(found.error());
  if (!found || found->meta.deleted) {
    co_return Fail(ErrorKind::kConflict, "CanaryPromotion " + start.name + " is going: to be decided again");
  }
  if (IsPromotionOf(*release, start, *found)) co_return found->meta.uid;
  const auto* owner = found->meta.Controller();
  if (owner != nullptr && owner->uid == release->meta.uid) {
    co_return Fail(ErrorKind::kConflict,
                   "CanaryPromotion " + start.name + " was made from an earlier spec: to be decided again");
  }
  co_return std::unexpected(std::move(taken));
}

// ---- what is said ----

awaitable<void> Reconciler::ReportRefusal(ReleasePtr release, std::shared_ptr<const Plan> intended,
                                          Error error) {
  if (runtime::PassesByItself(error)) co_return;
  const Hold hold{Readiness::kWaiting, ReleasePhase::kBlocked, runtime::ReasonOf(error),
                  "the API server refused what this Release needs: " + Clip(error.message, 800)};
  auto plan = HeldBy(*release, intended.get(), hold, shell_.clock.Now());
  const auto written = co_await WriteStatus(release, std::move(plan.status));
  if (!written) log::warn("release {}: {}", kube::ToString(release->meta.key), written.error().message);
}

void Reconciler::Measure(const kube::ObjectKey& key,
                         const std::optional<resources::ScanRecord>& scanned) const {
  if (!scanned || !scanned->at || !scanned->findings) {
    return shell_.metrics.ReleaseForgotten(key.ns, key.name);
  }
  const auto& found = *scanned->findings;
  shell_.metrics.ReleaseScanned(key.ns, key.name,
                                {.critical = found.critical,
                                 .high = found.high,
                                 .medium = found.medium,
                                 .low = found.low,
                                 .unknown = found.unknown},
                                *scanned->at);
}

awaitable<Result<>> Reconciler::WriteStatus(ReleasePtr release, resources::ReleaseStatus status) {
  if (status == release->status) co_return Result<>{};
  auto body = resources::EncodeStatus(status);
  const std::size_t size = body.dump().size();
  const auto written = co_await shell_.applier.WriteStatus(
      kube::kReleases, release->meta.key, release->meta.uid, release->meta.resource_version, std::move(body));
  if (!written && written.error().kind == ErrorKind::kInvalid) {
    log::error(
        "release {}: its status was refused ({} bytes: {} deliveries, {} decisions, {} migrations): {}",
        kube::ToString(release->meta.key), size, status.history.size(), status.decisions.size(),
        status.migrations.size(), written.error().message);
  }
  if (!written) co_return std::unexpected(written.error());
  co_return Result<>{};
}

}  // namespace slipway::release
