// What to do about one Release: a pure function of what was seen and the time.
//
// A delivery is one CanaryPromotion, and the entry about it in status.history. Its name follows from the
// Release's UID and the delivery's number alone, so that two decisions made from different specs contend for
// one name, and there are never two promotions of a Release at once. An entry is open until its promotion
// ended; the next delivery begins when history[0] is closed. Nothing is deleted but by a UID that an earlier
// status holds: a decision made from a stale cache can't be written, and so deletes nothing.
#pragma once

#include <memory>
#include <vector>

#include "base/notice.h"
#include "release/wanted.h"
#include "supply/attest_outcome.h"
#include "supply/scan_job.h"
#include "supply/verify_job.h"

namespace slipway::release {

// What became of the recorded migration Job.
struct MigrationOutcome {
  enum class State : std::uint8_t { kRunning, kSucceeded, kFailed, kGone };
  State state = State::kRunning;
  std::string message;
};

// Jobs that look at images for Releases and have not ended.
struct LooksRunning {
  int all = 0;
  int of_namespace = 0;  // the Release's own
};

struct Seen {
  const resources::Release& release;
  const resources::ImageBuild* build = nullptr;       // what spec.imageFrom names
  const resources::Release* source = nullptr;         // what spec.imageFrom.release names
  const resources::Deployment* deployment = nullptr;  // the target
  const resources::NamespacePolicy* policy = nullptr;
  const resources::Policy* platform = nullptr;  // the whole, of which that is a part
  // Those whose controller is this Release. If the one that history[0] holds open is not among them, it is
  // gone: the shell asked the API server, not only its cache.
  std::vector<std::shared_ptr<const resources::CanaryPromotion>> promotions;
  std::string busy_with;  // an older Release on the same target; empty: none
  // Every Decision about this Release, whatever it says; oldest first.
  std::vector<std::shared_ptr<const resources::Decision>> decisions;
  std::optional<MigrationOutcome>
      migration;  // of the Job that history[0].migration records, while it is open
  // Of the Job that status.verification records, while it is under way.
  std::optional<supply::VerifyOutcome> verification;
  // Of the Jobs that status.scan and status.rescan record, while they are under way.
  std::optional<supply::ScanOutcome> scan;
  std::optional<supply::ScanOutcome> rescan;
  // Of the Job that status.attestation records, while it is under way.
  std::optional<supply::AttestOutcome> attestation;
  std::string other_attestation;  // another Job that attests something of the same digest; empty: none
  bool chain = true;              // there is a namespace for Jobs that look at images
  LooksRunning looks;
  std::vector<ConfigSeen> config_maps;  // of each of spec.configMaps
};

struct Start {
  std::string name;
  Wanted wanted;
};

// The Job that migrates. Its UID belongs into status.history[0].migration.job_uid before the status is
// written.
struct StartMigration {
  std::string name;
  std::string image;
};

// The Job that looks at what an image has. Its UID belongs into status.verification.job_uid before the status
// is written.
struct StartVerification {
  std::string name;
  std::string image;
  supply::Demands demands;
};

// The Job that scans an image. Its UID belongs into job_uid of the record in the status that it is for.
struct StartScan {
  std::string name;
  std::string image;
  supply::ScanRules rules;
};

// The Job that attests what became of a delivery. Its UID belongs into status.attestation.job_uid before the
// status is written.
struct StartAttestation {
  std::string name;
  resources::Delivery delivery;
  std::string environment;
  std::string signer;
};

struct Removal {
  std::string promotion;
  kube::Uid uid;
  kube::ResourceVersion resource_version;  // where it counts how far it is; empty: as it is
};

struct Plan {
  resources::ReleaseStatus status;
  // To be created; its UID belongs into status.history[0].promotion_uid before the status is written.
  std::optional<Start> start;
  std::optional<StartMigration> migration;
  std::optional<StartVerification> verification;
  std::optional<StartScan> scan;    // for status.scan
  std::optional<StartScan> rescan;  // for status.rescan
  std::optional<StartAttestation> attestation;
  std::vector<resources::ConfigVersion> copies;  // to be made before `start`, where they are not there
  std::vector<std::string> old_copies;           // to be deleted: no delivery that is kept names them
  std::vector<Removal> removals;
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

// Whether the target, as a cache has it, may be decided from. The informers are not in step: it may be older
// than what the last delivery did there, and to take that for the truth would end the next one before it
// began. False: it is to be read live.
bool CacheServes(const resources::Release& release, const resources::Deployment* cached,
                 const std::vector<std::shared_ptr<const resources::CanaryPromotion>>& promotions);

std::string PromotionName(const resources::Release& release, int number);

// The Release that this one waits for: the oldest (then by UID) of those on the same target, itself excepted.
// Empty: none.
std::string BusyWith(const resources::Release& release,
                     const std::vector<std::shared_ptr<const resources::Release>>& all);

}  // namespace slipway::release
