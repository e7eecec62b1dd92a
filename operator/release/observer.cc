#include "release/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "release/attest.h"
#include "release/migration_job.h"
#include "release/scan_gate.h"

namespace slipway::release {

using kube::Json;
using kube::asio::awaitable;
using resources::CanaryPromotion;
using resources::Job;
using resources::Release;

namespace {

bool About(const resources::Decision& decision, const Release& release) {
  const auto& target = decision.spec.target;
  return decision.meta.key.ns == release.meta.key.ns && target.kind == kube::kReleases.kind &&
         target.name == release.meta.key.name && target.uid == release.meta.uid;
}

// The scans and verifications of Releases that have not ended.
LooksRunning LooksIn(const runtime::Store<Job>& jobs, const std::string& supply_ns, const std::string& ns) {
  LooksRunning looks;
  if (supply_ns.empty()) return looks;
  for (const auto& job : jobs.Where([&supply_ns](const Job& each) {
         return each.meta.key.ns == supply_ns && !each.complete && !each.failed;
       })) {
    const auto owner = supply::OwnerOf(job->meta);
    if (!owner || owner->kind != kube::kReleases.kind) continue;
    ++looks.all;
    if (owner->key.ns == ns) ++looks.of_namespace;
  }
  return looks;
}

Hold SourceIsACopy(const std::string& name) {
  return {
      resources::Readiness::kWaiting, resources::ReleasePhase::kBlocked, "ConfigMapIsACopy",
      fmt::format("spec.configMaps names {}, which is a copy that a Release made of a ConfigMap: name the "
                  "ConfigMap that it was made of",
                  name)};
}

bool DeliveryOpen(const Release& release) {
  return !release.status.history.empty() && !release.status.history.front().finished;
}

}  // namespace

awaitable<Result<WorldPtr>> Observer::Observe(World::Ptr<Release> release) {
  auto world = std::make_shared<World>();
  world->release = release;
  const std::string& ns = release->meta.key.ns;
  if (const auto& from = release->spec.image_from) {
    if (from->release) {
      const auto& ref = *from->release;
      world->source = caches_.releases.Get({ref.ns.empty() ? ns : ref.ns, ref.name});
    } else {
      world->build = caches_.builds.Get({ns, from->image_build});
    }
  }
  world->policies = caches_.policies.Get(caches_.policy_key);
  world->promotions = caches_.promotions.OwnedBy(release->meta.uid);
  world->busy_with = BusyWith(*release, caches_.releases.All());
  world->decisions = caches_.decisions.Where(
      [&release](const resources::Decision& decision) { return About(decision, *release); });
  std::ranges::sort(world->decisions, {}, [](const auto& decision) {
    return std::pair(decision->meta.created, decision->meta.key.name);
  });
  const auto open = co_await FindOpen(world);
  if (!open) co_return std::unexpected(open.error());
  const auto target = co_await FindTarget(world);
  if (!target) co_return std::unexpected(target.error());
  const auto migration = co_await FindMigration(world);
  if (!migration) co_return std::unexpected(migration.error());
  const auto verification = co_await FindVerification(world);
  if (!verification) co_return std::unexpected(verification.error());
  const auto scans = co_await FindScans(world);
  if (!scans) co_return std::unexpected(scans.error());
  const auto attestation = co_await FindAttestation(world);
  if (!attestation) co_return std::unexpected(attestation.error());
  const auto configs = co_await ReadConfigMaps(world);
  if (!configs) co_return std::unexpected(configs.error());
  co_return world;
}

Seen Observer::SeenIn(const World& world) const {
  Seen seen{.release = *world.release,
            .build = world.build.get(),
            .source = world.source.get(),
            .deployment = world.deployment.get(),
            .policy = world.Policy(),
            .platform = world.Platform(),
            .promotions = world.promotions,
            .busy_with = world.busy_with,
            .decisions = world.decisions,
            .migration = world.migration,
            .verification = world.verification,
            .scan = world.scan,
            .rescan = world.rescan,
            .attestation = world.attestation,
            .other_attestation = world.other_attestation,
            .chain = !supply_ns_.empty(),
            .looks = LooksIn(caches_.jobs, supply_ns_, world.release->meta.key.ns),
            .config_maps = world.config_maps};
  return seen;
}

awaitable<Result<std::optional<Json>>> Observer::Read(kube::ApiResource resource, kube::ObjectKey key) {
  auto request = kube::Get(resource, key);
  auto live = co_await api_.Call(std::move(request));
  if (!live && live.error().kind == ErrorKind::kNotFound) co_return std::optional<Json>();
  if (!live) co_return std::unexpected(live.error());
  co_return std::optional<Json>(std::move(*live));
}

std::string Observer::OtherMigration(const Release& release, const std::string& name) const {
  for (const auto& job : caches_.jobs.OwnedBy(release.meta.uid)) {
    const bool under_way = !job->complete && !job->failed;
    if (under_way && job->meta.key.name != name && IsMigrationJobOf(release, job->meta)) {
      return job->meta.key.name;
    }
  }
  return {};
}

awaitable<Result<>> Observer::FindOpen(WorldPtr world) {
  const Release& release = *world->release;
  if (!DeliveryOpen(release) || !release.status.history.front().promotion_uid) co_return Result<>{};
  const kube::ObjectKey key{release.meta.key.ns, release.status.history.front().promotion};
  const kube::Uid uid = *release.status.history.front().promotion_uid;
  world->open = caches_.promotions.Get(key);
  if (world->open && world->open->meta.uid == uid) co_return Result<>{};
  // Right after its creation the cache does not have it yet, and to take it for gone would end the delivery.
  world->open = nullptr;
  const auto live = co_await Read(kube::kCanaryPromotions, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  auto decoded = CanaryPromotion::Decode(**live);
  if (!decoded) co_return std::unexpected(decoded.error());
  if (decoded->meta.uid != uid) co_return Result<>{};
  world->open = std::make_shared<const CanaryPromotion>(std::move(*decoded));
  world->promotions.push_back(world->open);
  co_return Result<>{};
}

awaitable<Result<>> Observer::FindTarget(WorldPtr world) {
  const Release& release = *world->release;
  const kube::ObjectKey key{release.meta.key.ns, release.spec.target.deployment};
  world->deployment = caches_.deployments.Get(key);
  if (CacheServes(release, world->deployment.get(), world->promotions)) co_return Result<>{};
  world->deployment = nullptr;
  const auto live = co_await Read(kube::kDeployments, key);
  if (!live) co_return std::unexpected(live.error());
  if (!*live) co_return Result<>{};
  auto decoded = resources::Deployment::Decode(**live);
  if (!decoded) co_return std::unexpected(decoded.error());
  world->deployment = std::make_shared<const resources::Deployment>(std::move(*decoded));
  co_return Result<>{};
}

awaitable<Result<>> Observer::FindMigration(WorldPtr world) {
  const Release& release = *world->release;
  if (!DeliveryOpen(release)) co_return Result<>{};
  const auto& record = release.status.history.front().migration;
  if (!record || !record->job_uid || !record->outcome.empty()) co_return Result<>{};
  const kube::ObjectKey key{release.meta.key.ns, record->job};
  const auto job = co_await jobs_.Find(key, *record->job_uid);
  if (!job) co_return std::unexpected(job.error());
  if (!*job) {
    world->migration = OutcomeOf(nullptr, nullptr);
    co_return Result<>{};
  }
  const auto pods = co_await jobs_.PodsOf((*job)->meta, (*job)->failed);
  if (!pods) co_return std::unexpected(pods.error());
  const jobs::PodPtr pod = jobs::NewestPod((*job)->meta, *pods);
  world->migration = OutcomeOf(job->get(), pod.get());
  co_return Result<>{};
}

awaitable<Result<>> Observer::FindVerification(WorldPtr world) {
  const auto& record = world->release->status.verification;
  if (!record || !record->job_uid || !record->outcome.empty()) co_return Result<>{};
  const auto seen = co_await FindLook(record->job, *record->job_uid, false);
  if (!seen) co_return std::unexpected(seen.error());
  world->verification = supply::OutcomeOfVerify(seen->job.get(), seen->pod.get());
  co_return Result<>{};
}

awaitable<Result<>> Observer::FindScans(WorldPtr world) {
  const auto& status = world->release->status;
  auto scan = co_await FindScan(status.scan);
  if (!scan) co_return std::unexpected(scan.error());
  world->scan = std::move(*scan);
  auto rescan = co_await FindScan(status.rescan);
  if (!rescan) co_return std::unexpected(rescan.error());
  world->rescan = std::move(*rescan);
  co_return Result<>{};
}

awaitable<Result<std::optional<supply::ScanOutcome>>> Observer::FindScan(
    std::optional<resources::ScanRecord> record) {
  if (!record || !UnderWay(*record)) co_return std::optional<supply::ScanOutcome>();
  const auto seen = co_await FindLook(record->job, *record->job_uid, true);
  if (!seen) co_return std::unexpected(seen.error());
  co_return std::optional(supply::OutcomeOfScan(seen->job.get(), seen->pod.get()));
}

awaitable<Result<>> Observer::FindAttestation(WorldPtr world) {
  const Release& release = *world->release;
  const auto* delivery = Judged(release);
  if (release.spec.attest && delivery != nullptr) {
    world->other_attestation = OtherAttestation(release, resources::DigestOf(delivery->image));
  }
  const auto& record = release.status.attestation;
  if (!record || !UnderWay(*record)) co_return Result<>{};
  const auto seen = co_await FindLook(record->job, *record->job_uid, false);
  if (!seen) co_return std::unexpected(seen.error());
  world->attestation = supply::OutcomeOfAttest(seen->job.get(), seen->pod.get());
  co_return Result<>{};
}

std::string Observer::OtherAttestation(const Release& release, std::string_view digest) const {
  const auto& record = release.status.attestation;
  const auto attests = [&](const Job& job) {
    if (job.complete || job.failed || job.meta.key.ns != supply_ns_) return false;
    if (record && record->job_uid == job.meta.uid) return false;
    const auto about = job.meta.annotations.find(supply::kDigestAnnotation);
    return about != job.meta.annotations.end() && about->second == digest;
  };
  const auto others = caches_.jobs.Where(attests);
  return others.empty() ? std::string() : others.front()->meta.key.name;
}

awaitable<Result<Observer::LookSeen>> Observer::FindLook(std::string job, kube::Uid uid, bool whole) {
  LookSeen seen;
  // An operator that was started without the namespace knows of none.
  if (supply_ns_.empty()) co_return seen;
  kube::ObjectKey key{supply_ns_, std::move(job)};
  const auto found = co_await jobs_.Find(std::move(key), std::move(uid));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return seen;
  seen.job = *found;
  const bool ended = seen.job->failed || (whole && seen.job->complete);
  const auto pods = co_await jobs_.PodsOf(seen.job->meta, ended);
  if (!pods) co_return std::unexpected(pods.error());
  seen.pod = jobs::NewestPod(seen.job->meta, *pods);
  co_return seen;
}

awaitable<Result<>> Observer::ReadConfigMaps(WorldPtr world) {
  const Release& release = *world->release;
  for (const auto& name : release.spec.config_maps) {
    const auto live = co_await Read(kube::kConfigMaps, {release.meta.key.ns, name});
    if (!live) co_return std::unexpected(live.error());
    ConfigSeen seen{name, {}};
    const auto meta = *live ? kube::DecodeMeta(**live) : Fail(ErrorKind::kNotFound, "no such ConfigMap");
    if (meta && IsConfigCopy(*meta)) {
      // What is under way is followed to its end all the same.
      if (!DeliveryOpen(release)) world->hold = SourceIsACopy(name);
    } else if (meta) {
      ConfigContent content = ContentOf(**live);
      seen.copy = CopyName(release, name, content);
      world->contents.emplace(seen.copy, std::move(content));
    }
    world->config_maps.push_back(std::move(seen));
  }
  co_return Result<>{};
}

}  // namespace slipway::release
