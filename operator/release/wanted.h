// What a Release asks for, before anything is done about it: which image, from which build, and whether it
// may go to its target at all. Pure.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "resources/digest.h"
#include "resources/image_build.h"
#include "resources/policy.h"
#include "resources/release.h"
#include "resources/workloads.h"

namespace slipway::release {

// Why a Release goes no further, in the words of its Ready condition.
struct Hold {
  resources::Readiness readiness = resources::Readiness::kWaiting;
  resources::ReleasePhase phase = resources::ReleasePhase::kPending;
  std::string reason;
  std::string message;
};

struct Wanted {
  std::string image;    // repository@sha256:…
  std::string version;  // what /version must answer; may be empty
  std::string commit;
  std::string image_build;
  int build_run = 0;
  std::optional<TimePoint> built;
  std::string from_release;               // namespace/name of the earlier environment
  std::optional<TimePoint> soaked_since;  // when it was verified there
  resources::DeliveryCause cause = resources::DeliveryCause::kNone;
  std::vector<resources::ConfigVersion> config_maps;
  resources::Strategy strategy = resources::Strategy::kCanary;
  bool fast = false;  // back to what was just good: Rolling, whatever the spec says
  resources::OnFailure on_failure = resources::OnFailure::kRestore;
  std::string key;  // hash of the image, of its ConfigMaps, of how it is delivered, and of the retry mark
};

// A ConfigMap of spec.configMaps as it is now: what its copy is called; empty: there is no such ConfigMap.
struct ConfigSeen {
  std::string name;
  std::string copy;
};

// What a Release takes from elsewhere; nullptr: it is not there.
struct Sources {
  const resources::ImageBuild* build = nullptr;  // what spec.imageFrom.imageBuild names
  const resources::Release* release = nullptr;   // what spec.imageFrom.release names
  std::span<const ConfigSeen> config_maps;       // of each of spec.configMaps
};

// A person sets it to any new value to have a held digest delivered again.
inline constexpr std::string_view kRetryAnnotation = "slipway.dev/retry";

// What the spec asks for. Its on_failure is the spec's alone: see Decide for what breaking migrations change.
std::expected<Wanted, Hold> Resolve(const resources::Release& release, const Sources& sources);

// The key of `wanted`: two deliveries of one key are the same delivery. Nothing of status is in it, nor the
// commit that a build names: the same digest from another commit is the same delivery.
std::string KeyOf(const resources::Release& release, const Wanted& wanted);

// A key is a hash, and behind a dot, where the retry annotation is set, a hash of its value: what a person
// insists on is another delivery, but nothing else is asked for.
std::string MarkedKey(const resources::Release& release, std::string key);
std::string_view PlainKey(std::string_view key);
std::string_view MarkOf(std::string_view key);  // empty: it has none

// The CanaryPromotion's spec that delivers `wanted`. Every default is written out.
resources::CanaryPromotionSpec PromotionSpec(const resources::Release& release, const Wanted& wanted);

// What the target stands in the way with, if anything: it is not there, it has no such container, or it reads
// none of a ConfigMap that is to be versioned.
std::optional<Hold> CheckTarget(const resources::Release& release, const resources::Deployment* deployment);

// The image of the target's container as its template has it; the target must have passed CheckTarget.
std::string ImageOf(const resources::Release& release, const resources::Deployment& deployment);

// Whether the target's template has what is wanted: its image, and of each ConfigMap the wanted copy.
bool Runs(const resources::Release& release, const resources::Deployment& deployment, const Wanted& wanted);

// Whether it names the wanted copies wherever it names their ConfigMaps.
bool ReadsCopies(const resources::Deployment& deployment,
                 const std::vector<resources::ConfigVersion>& config_maps);

// What a delivery delivers, from its entry in the history: without `on_failure`, which is not in it.
Wanted WantedOf(const resources::Delivery& delivery);

using resources::DigestOf;
using resources::SameDigest;
// "repo@sha256:…" and "repo:tag@sha256:…" name the same image.
bool SameImage(std::string_view a, std::string_view b);

}  // namespace slipway::release
