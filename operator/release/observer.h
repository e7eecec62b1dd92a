// What one decision about a Release is made from: the caches, and read live what the cache does not have, and
// the ConfigMaps, which are not watched.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/find.h"
#include "kube/api.h"
#include "release/config_copies.h"
#include "release/decide.h"
#include "resources/decision.h"
#include "resources/image_build.h"
#include "resources/policy.h"
#include "resources/release.h"
#include "resources/workloads.h"
#include "runtime/store.h"
#include "supply/setting.h"

namespace slipway::release {

struct Caches {
  const runtime::Store<resources::Release>& releases;
  const runtime::Store<resources::ImageBuild>& builds;
  const runtime::Store<resources::CanaryPromotion>& promotions;
  const runtime::Store<resources::Deployment>& deployments;
  const runtime::Store<resources::Decision>& decisions;
  const runtime::Store<resources::Job>& jobs;
  const runtime::Store<resources::Pod>& pods;
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
};

// Where the Jobs run that look at images, and with what.
struct SupplyChain {
  supply::Tools tools;
  std::string ns = "slipway-supply-chain";  // empty: nothing is verified or scanned
};

// Kept for the effects of the decision.
struct World {
  template <class T>
  using Ptr = typename runtime::Store<T>::Ptr;

  Ptr<resources::Release> release;
  Ptr<resources::ImageBuild> build;
  Ptr<resources::Release> source;  // another namespace's only as far as the operator watches that
  Ptr<resources::Deployment> deployment;
  Ptr<resources::PolicyMap> policies;
  Ptr<resources::CanaryPromotion> open;  // the one that history[0] holds open, if it is there
  std::vector<Ptr<resources::CanaryPromotion>> promotions;
  std::string busy_with;
  std::vector<Ptr<resources::Decision>> decisions;
  std::optional<MigrationOutcome> migration;
  std::optional<supply::VerifyOutcome> verification;
  std::optional<supply::ScanOutcome> scan;
  std::optional<supply::ScanOutcome> rescan;
  std::optional<supply::AttestOutcome> attestation;
  std::string other_attestation;
  std::vector<ConfigSeen> config_maps;
  std::map<std::string, ConfigContent> contents;  // of the ConfigMaps, by their copies' names
  std::optional<Hold> hold;                       // why nothing is decided now

  // nullptr: there is none, or it can't be read.
  const resources::Policy* Platform() const {
    return policies && policies->policy ? &*policies->policy : nullptr;
  }
  const resources::NamespacePolicy* Policy() const {
    return resources::PolicyFor(policies.get(), release->meta.key.ns);
  }
};
using WorldPtr = std::shared_ptr<World>;  // held by every coroutine that reads or fills it

class Observer {
 public:
  Observer(kube::Api& api, Caches caches, std::string supply_ns)
      : api_(api),
        caches_(std::move(caches)),
        jobs_(api, caches_.jobs, caches_.pods),
        supply_ns_(std::move(supply_ns)) {}

  // nullptr when it is gone.
  World::Ptr<resources::Release> Find(const kube::ObjectKey& key) const { return caches_.releases.Get(key); }
  kube::asio::awaitable<Result<WorldPtr>> Observe(World::Ptr<resources::Release> release);
  // It refers to `world`.
  Seen SeenIn(const World& world) const;
  // Live, whatever the cache says; nullopt when it is not there.
  kube::asio::awaitable<Result<std::optional<kube::Json>>> Read(kube::ApiResource resource,
                                                                kube::ObjectKey key);
  // A migration of this Release that is still under way under another name; empty: none that the cache has.
  std::string OtherMigration(const resources::Release& release, const std::string& name) const;

 private:
  // The next seven fill in what may have to be read live.
  kube::asio::awaitable<Result<>> FindOpen(WorldPtr world);
  kube::asio::awaitable<Result<>> FindTarget(WorldPtr world);
  kube::asio::awaitable<Result<>> FindMigration(WorldPtr world);
  kube::asio::awaitable<Result<>> FindVerification(WorldPtr world);
  kube::asio::awaitable<Result<>> FindScans(WorldPtr world);
  kube::asio::awaitable<Result<>> FindAttestation(WorldPtr world);
  // Another Job than the recorded one that attests something of this digest now; empty: none that the cache
  // has.
  std::string OtherAttestation(const resources::Release& release, std::string_view digest) const;
  kube::asio::awaitable<Result<>> ReadConfigMaps(WorldPtr world);
  // A recorded Job of the supply chain's namespace: nullptr when there is none of this UID. With `whole`, its
  // pod is read live if it must have ended and was not seen to.
  struct LookSeen {
    World::Ptr<resources::Job> job;
    World::Ptr<resources::Pod> pod;
  };
  kube::asio::awaitable<Result<LookSeen>> FindLook(std::string job, kube::Uid uid, bool whole);
  // nullopt: the record names no Job that is under way.
  kube::asio::awaitable<Result<std::optional<supply::ScanOutcome>>> FindScan(
      std::optional<resources::ScanRecord> record);

  kube::Api& api_;
  Caches caches_;
  jobs::Finder jobs_;
  std::string supply_ns_;
};

}  // namespace slipway::release
