// What to do about one ImageBuild: a pure function of what was seen and the time.
//
// A run goes resolve → approval → admission → tests → build → index → attest; what is not asked for is
// skipped. It is written down first, without a Job; the next decision starts its Jobs, whose names follow
// from the object's UID, the run's number and their legs. So a run whose spec changed while a Job was made is
// superseded under its own number, and never meets the next one's names. No result counts before the Job's
// UID is in the status, and none of a Job with another UID.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/notice.h"
#include "image_build/follow.h"
#include "resources/decision.h"
#include "resources/observed.h"
#include "resources/policy.h"

namespace slipway::image_build {

// Controlled by this ImageBuild, whatever made it.
struct OwnedJob {
  std::string name;
  kube::Uid uid;
  bool apart = false;  // in the supply chain's namespace
};
inline OwnedJob OwnedOf(const resources::RunJob& job) {
  return {job.name, job.uid, job.role == resources::JobRole::kAttest};
}

struct Seen {
  const resources::ImageBuild& build;
  const resources::NamespacePolicy* policy = nullptr;
  std::map<std::string, SeenJob> jobs;  // by name: those of the newest run that are not known to have ended
  std::vector<OwnedJob> owned;
  std::vector<std::shared_ptr<const resources::Decision>> decisions;  // of its namespace, about it
  bool admitted = false;         // the newest run's turn has come (queue.h)
  std::string supply_namespace;  // where it attests; empty: this operator does not
};

struct StartJob {
  resources::JobRole role = resources::JobRole::kBuild;
  std::string leg;  // as in resources::RunJob
  std::string name;
};

struct Plan {
  resources::ImageBuildStatus status;
  // Of the newest run. Their UIDs belong into its jobs before the status is written.
  std::vector<StartJob> starts;
  std::vector<OwnedJob> removals;
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

// Another Job has the name that `start` of `planned` wants: the run ends failed.
Plan NameTaken(const Seen& seen, const Plan& planned, const StartJob& start, const std::string& difference,
               TimePoint now);

// What a run is made for: all of the spec that can change its outcome, and the rebuild annotation's value.
std::string KeyOf(const resources::ImageBuild& build);

// What is left of spec.build.timeout for the build Jobs, after the tests.
Duration TimeLeft(const resources::ImageBuild& build, const resources::BuildRun& run);

inline constexpr Duration kRecheck = std::chrono::seconds(10);
inline constexpr Duration kTimeoutGrace = std::chrono::seconds(30);  // the Job's own deadline comes first

}  // namespace slipway::image_build
