// What a Release's decision sees, with everything in order, for a test to put one thing out of order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "release/decide.h"

namespace slipway::release {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::Completion;
using resources::Delivery;
using resources::Deployment;
using resources::ImageBuild;
using resources::Release;

inline const TimePoint kNow = TimePoint(std::chrono::hours(24 * 365 * 50));
inline const kube::Uid kReleaseUid{"release-uid"};

// Digests that differ in their first character.
inline std::string Image(char c) { return "registry.example.com/team/web@sha256:" + std::string(64, c); }

struct World {
  World();

  Release release;  // follows ImageBuild "web", whose latest is Image('a')
  std::optional<ImageBuild> build;
  std::optional<Deployment> deployment;  // runs Image('0'), rolled out
  std::optional<resources::NamespacePolicy> policy;
  resources::Policy platform;  // has the signers "release" and "cloud"
  std::vector<CanaryPromotion> promotions;
  std::string busy_with;
  std::optional<Release> source;  // what spec.imageFrom.release names
  std::vector<resources::Decision> decisions;
  std::optional<MigrationOutcome> migration;
  std::optional<supply::VerifyOutcome> verification;
  std::optional<supply::ScanOutcome> scan;    // of what is wanted
  std::optional<supply::ScanOutcome> rescan;  // of what is delivered
  std::optional<supply::AttestOutcome> attestation;
  std::string other_attestation;
  LooksRunning looks;  // Jobs, at any image
  std::vector<ConfigSeen> config_maps;
  TimePoint now = kNow;

  Plan Decide() const;
  // It refers to this.
  Seen Sees() const;
  // Of `deployment`, as a cache.
  bool CacheServes() const;
  // What Resolve says; it must want something.
  Wanted Wants() const;

  void Build(char image, const std::string& commit, int run);
  void Run(char image, bool rolled_out = true);
  void Ask(char image);  // spec.image instead of the build

  // spec.imageFrom.release is staging/web, which verified Image(image) so long ago, and consents.
  void Follow(char image, Duration verified_ago);
  // A Decision about Image(subject)'s digest, made so long ago.
  resources::Decision& Decided(resources::Verb verb, char subject, const std::string& actor = "ann",
                               Duration ago = std::chrono::seconds(0));
  void Migrates(resources::Compatibility compatibility = resources::Compatibility::kBackward);
  // spec.gates.signature and attestations.
  void Demand(const std::string& signer, std::vector<resources::Predicate> predicates = {});
  // spec.configMaps is "web-config", which the target reads as `ref` and whose content is that of `copy`.
  void Configure(const std::string& copy, const std::string& ref);
  // A closed delivery of Image(image), in the record: nothing of what is wanted now.
  Delivery& Was(char image, const std::string& outcome, Duration ago);
  // The ledger's newest: delivery `number` migrated Image(image).
  resources::MigrationRecord& HasMigrated(
      char image, int number, resources::Compatibility compatibility = resources::Compatibility::kBackward);

  // history[0] is an open delivery of what is wanted now, and its promotion is there.
  CanaryPromotion& UnderWay(CanaryPhase phase = CanaryPhase::kHolding);
  // history[0] is a closed delivery of what is wanted now, as long ago as `ago`.
  Delivery& Ended(const std::string& outcome, Duration ago = std::chrono::hours(1));
  // The next promotion of what is wanted now, in no record.
  CanaryPromotion& Lost();
  CanaryPromotion Promotion(int number) const;
};

// What the shell fills in after it carried the plan out.
void Record(Plan& plan);
// Decides as the shell does: carried out, and written.
Plan Next(World& world);
std::string Digest(char c);
const resources::Condition& Ready(const Plan& plan);

void End(CanaryPromotion& promotion, Completion completion, const std::string& reason = "",
         const std::string& message = "");

}  // namespace slipway::release
