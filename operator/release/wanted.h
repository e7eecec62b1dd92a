// What a Release asks for, before anything is done about it: which image, from which build, and whether it
// may go to its target at all. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>

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
  std::string key;  // hash of the image, of how it is delivered, and of the retry mark
};

// A person sets it to any new value to have a held digest delivered again.
inline constexpr std::string_view kRetryAnnotation = "slipway.dev/retry";

// `build` is what spec.imageFrom names; nullptr when it is not there.
std::expected<Wanted, Hold> Resolve(const resources::Release& release, const resources::ImageBuild* build);

// The CanaryPromotion's spec that delivers `wanted`. Every default is written out.
resources::CanaryPromotionSpec PromotionSpec(const resources::Release& release, const Wanted& wanted);

// What the target stands in the way with, if anything: not there, or no such container.
std::optional<Hold> CheckTarget(const resources::Release& release, const resources::Deployment* deployment);

// The image of the target's container as its template has it; the target must have passed CheckTarget.
std::string ImageOf(const resources::Release& release, const resources::Deployment& deployment);

// "repo@sha256:…" and "repo:tag@sha256:…" name the same image.
bool SameImage(std::string_view a, std::string_view b);

}  // namespace slipway::release
