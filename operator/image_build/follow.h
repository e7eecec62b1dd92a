// What one Job of a run says to it: how far its stages are, what they found, why it failed. Pure.
#pragma once

#include <optional>
#include <string>

#include "image_build/outcome.h"

namespace slipway::image_build {

// A Job of the newest run under the UID that its status holds.
struct SeenJob {
  const resources::Job* job = nullptr;  // nullptr: gone; the API server was asked, not only the cache
  const resources::Pod* pod =
      nullptr;      // controlled by that Job; once that has ended: as the API server has it
  Reports reports;  // of that pod
  // What the newest Event says of why no pod of it could be made or, where there is one that starts nothing,
  // of that pod.
  std::string trouble;
};

struct Followed {
  std::optional<resources::Failure> failure;
  bool remove = false;  // it failed, and would go on or be tried again
  std::string detail;   // what it waits for, while it is under way
  std::optional<Duration> recheck_after;
};

// Writes into `job`, and into the run's stages and findings, what is known now. A Job that ended well is
// kSucceeded after it.
Followed Follow(const resources::ImageBuild& build, resources::BuildRun& run, resources::RunJob& job,
                const SeenJob& seen, TimePoint now);

inline constexpr Duration kPodPatience = std::chrono::seconds(60);  // a Job without a pod, or a pod unseen

}  // namespace slipway::image_build
