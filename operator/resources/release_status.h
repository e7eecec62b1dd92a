// What became of a Release: status of resources/release.h, the record of each delivery in it.
#pragma once

#include "resources/release_attest.h"
#include "resources/release_spec.h"

namespace slipway::resources {

enum class ReleasePhase : std::uint8_t {
  kPending,
  kProgressing,
  kDelivered,
  kRolledBack,
  kBlocked,
  kSuspended
};

// Why a delivery was made.
enum class DeliveryCause : std::uint8_t { kNone, kSpec, kBuild, kRelease, kRollback, kRetry, kConfig };

// The Job that ran a digest's migration. Its outcome: "" (under way), Succeeded, Failed.
struct MigrationRecord {
  std::string image;
  Compatibility compatibility = Compatibility::kBackward;
  std::string job;
  std::optional<kube::Uid> job_uid;
  int runs = 0;  // Jobs that were made under that name, one after the other: each but the last was cut short
  std::string outcome;
  std::string message;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const MigrationRecord&) const = default;
};

// The Job that verifies what is wanted; one at a time, the newest. Its outcome: "" (under way), Passed,
// Refused (the image lacks something), Failed (nothing is known of the image).
struct VerificationRecord {
  std::string image;
  std::string key;  // hash of what is demanded, and behind a dot the retry mark
  std::string signer;
  std::vector<Predicate> predicates;
  std::vector<std::string> attested;  // of deliveries: "Canary in staging"
  std::string job;                    // in the supply chain's namespace
  std::optional<kube::Uid> job_uid;
  int runs = 0;  // Jobs that were made for this image and key
  std::string outcome;
  std::string reason;
  std::vector<std::string> missing;
  std::string message;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const VerificationRecord&) const = default;
};

// What a delivery's image was found to have before anything was changed for it.
struct VerifiedBy {
  std::string signer;
  std::vector<Predicate> predicates;
  std::vector<std::string> attested;  // of deliveries: "Canary in staging"
  std::string key;                    // hash of what was demanded
  std::optional<TimePoint> at;
  bool operator==(const VerifiedBy&) const = default;
};

// A step as it went.
struct StepRecord {
  int weight_wanted = 0, weight_got = 0;  // percent
  int canary_replicas = 0, stable_replicas = 0;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  std::string verdict;
  bool operator==(const StepRecord&) const = default;
};

// One delivery: the causal record. Later gates add their fields here.
struct Delivery {
  int number = 0;
  std::int64_t generation = 0;
  DeliveryCause cause = DeliveryCause::kNone;
  std::string image;
  std::string commit;  // or the version, where no build is known
  std::string image_build;
  int build_run = 0;
  std::optional<TimePoint> built;
  std::string from_release;               // namespace/name of the earlier environment
  std::optional<TimePoint> soaked_since;  // when it was verified there
  std::string deployment;                 // the target's
  std::string container;                  // as the spec named it; empty: the only one
  Strategy strategy = Strategy::kCanary;
  bool fast = false;      // back to what was just good: no steps
  std::string promotion;  // the CanaryPromotion's name
  std::optional<kube::Uid> promotion_uid;
  std::string previous_image;
  std::vector<DecisionRecord> decisions;  // approvals, rollback, retry; promote, abort, pause, resume
  std::optional<VerifiedBy> verified_by;
  std::optional<MigrationRecord> migration;
  std::vector<ConfigVersion> config_maps;  // the copies that its pods read
  std::vector<std::string> secrets;        // that the pod template names; never what is in them
  std::vector<StepRecord> steps;
  std::vector<CheckResult> checks;  // the latest, verification included
  std::string outcome;              // "", Promoted, Aborted, Superseded, RolledBack, AlreadyRunning
  std::string reason;               // of an outcome that is not a delivery: the promotion's, CamelCase
  std::string message;
  std::string key;  // hash of all that it was made from: a held digest is tried again when it changes
  int weight_wanted = 0;
  int weight_got = 0;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const Delivery&) const = default;
};

// In force until something else is wanted than what it was decided against.
struct RollbackRecord {
  std::string image;
  std::string instead_of;  // the key of what the spec asked for then, without the retry mark
  DecisionRecord decision;
  bool operator==(const RollbackRecord&) const = default;
};

struct ReleaseStatus {
  std::int64_t observed_generation = -1;
  Conditions conditions;
  ReleasePhase phase = ReleasePhase::kPending;
  std::string image;  // what is delivered now
  std::string commit;
  std::optional<TimePoint> verified;  // since when image is delivered and verified
  std::optional<RollbackRecord> rollback;
  std::optional<VerificationRecord> verification;
  std::optional<ScanRecord> scan;    // of what is wanted, at the gate
  std::optional<ScanRecord> rescan;  // of what is delivered now, on the policy's schedule
  std::optional<AttestationRecord> attestation;
  std::vector<MigrationRecord> migrations;    // the ledger, newest first: what ran, for which digest
  std::vector<DecisionRecord> decisions;      // that were followed or refused, oldest first
  std::optional<TimePoint> decisions_before;  // none that is not younger is taken up: their records are gone
  std::vector<Delivery> history;              // newest first
  bool operator==(const ReleaseStatus&) const = default;
};

}  // namespace slipway::resources
