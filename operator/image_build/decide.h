// What to do about one ImageBuild: a pure function of what was seen and the time.
//
// A run is written down first, without a Job; the next decision starts its Job, whose name follows from the
// object's UID and the run's number. So a run whose spec changed while its Job was made is superseded under
// its own number, and never meets the next one's name. No result counts before the Job's UID is in the
// status, and none of a Job with another UID.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/notice.h"
#include "image_build/outcome.h"
#include "resources/policy.h"

namespace slipway::image_build {

// The Job of the newest run under the UID that its status holds.
struct SeenJob {
  const resources::Job* job = nullptr;  // nullptr: gone; the API server was asked, not only the cache
  const resources::Pod* pod = nullptr;  // controlled by that Job
  Reports reports;                      // of that pod
  // What the newest Event says of why no pod of it could be made or, where there is one that starts nothing,
  // of that pod.
  std::string trouble;
};

// Controlled by this ImageBuild, whatever made it.
struct OwnedJob {
  std::string name;
  kube::Uid uid;
};

struct Seen {
  const resources::ImageBuild& build;
  const resources::NamespacePolicy* policy = nullptr;
  SeenJob resolve;
  SeenJob image;
  std::vector<OwnedJob> owned;
};

enum class Role : std::uint8_t { kResolve, kBuild };

struct Start {
  Role role = Role::kBuild;
  std::string name;
};

struct Plan {
  resources::ImageBuildStatus status;
  // Of the newest run. Its UID belongs into status.runs[0] before the status is written.
  std::optional<Start> start;
  std::vector<OwnedJob> removals;
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

// Another Job has the name that `planned` wants to start one under: the run ends failed.
Plan NameTaken(const Seen& seen, const Plan& planned, const std::string& difference, TimePoint now);

// A new value builds the same again.
inline constexpr std::string_view kRebuildAnnotation = "slipway.dev/rebuild";

// What a run is made for: all of the spec that can change its outcome, and the annotation's value.
std::string KeyOf(const resources::ImageBuild& build);

// What is left of spec.build.timeout for the build Job, after the revision was resolved.
Duration TimeLeft(const resources::ImageBuild& build, const resources::BuildRun& run);

inline constexpr Duration kPodPatience = std::chrono::seconds(60);  // a Job without a pod, or a pod unseen
inline constexpr Duration kRecheck = std::chrono::seconds(10);
inline constexpr Duration kTimeoutGrace = std::chrono::seconds(30);  // the Job's own deadline comes first

}  // namespace slipway::image_build
