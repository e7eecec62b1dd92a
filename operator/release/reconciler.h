// The shell of the Release controller: observes, asks Decide, renders and applies its effects, writes the
// status last. Holds no state of its own between calls.
#pragma once

#include "release/observer.h"
#include "runtime/shell.h"

namespace slipway::release {

class Reconciler {
 public:
  Reconciler(runtime::Shell shell, Caches caches, SupplyChain supply = {});
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);

 private:
  using ReleasePtr = World::Ptr<resources::Release>;

  kube::asio::awaitable<Result<Plan>> Carry(WorldPtr world, Plan plan);
  kube::asio::awaitable<Result<>> Remove(ReleasePtr release, std::vector<Removal> removals);
  kube::asio::awaitable<Result<>> RemoveCopy(WorldPtr world, std::string copy);
  // Why it can't be made, or counted as made; nullopt: it is there.
  kube::asio::awaitable<Result<std::optional<Hold>>> MakeCopies(WorldPtr world,
                                                                std::vector<resources::ConfigVersion> copies);
  kube::asio::awaitable<Result<>> MakeCopy(WorldPtr world, resources::ConfigVersion version);
  kube::asio::awaitable<Result<std::optional<Hold>>> CheckCopy(WorldPtr world,
                                                               resources::ConfigVersion version);
  kube::asio::awaitable<Result<kube::Uid>> Migrate(WorldPtr world, StartMigration start, std::string version);
  kube::asio::awaitable<Result<kube::Uid>> AdoptJob(ReleasePtr release, kube::ObjectKey key,
                                                    Result<runtime::Applied> found);
  // The record as it is to be written: with the Job's UID, or failed, where the API server refuses the Job
  // for good.
  kube::asio::awaitable<Result<resources::VerificationRecord>> Verify(WorldPtr world, StartVerification start,
                                                                      resources::VerificationRecord record);
  kube::asio::awaitable<Result<resources::ScanRecord>> Scan(WorldPtr world, StartScan start,
                                                            resources::ScanRecord record);
  kube::asio::awaitable<Result<resources::AttestationRecord>> Attest(WorldPtr world, StartAttestation start,
                                                                     resources::AttestationRecord record);
  kube::asio::awaitable<Result<Plan>> MakeLooks(WorldPtr world, Plan plan);
  kube::asio::awaitable<Result<kube::Uid>> StartPromotion(ReleasePtr release, Start start);
  kube::asio::awaitable<Result<kube::Uid>> AdoptPromotion(ReleasePtr release, Start start, Error taken);

  // A person reads in the condition what the API server refused, in its words.
  // `intended` may be nullptr: nothing was decided.
  kube::asio::awaitable<void> ReportRefusal(ReleasePtr release, std::shared_ptr<const Plan> intended,
                                            Error error);
  void Measure(const kube::ObjectKey& key, const std::optional<resources::ScanRecord>& scanned) const;
  kube::asio::awaitable<Result<>> WriteStatus(ReleasePtr release, resources::ReleaseStatus status);

  runtime::Shell shell_;
  SupplyChain supply_;
  Observer observer_;
};

}  // namespace slipway::release
