// What an ImageBuild's decision sees, with everything in order, for a test to put one thing out of order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image_build/decide.h"

namespace slipway::image_build {

using resources::BuildPhase;
using resources::BuildRun;
using resources::ContainerState;
using resources::ImageBuild;
using resources::Job;
using resources::Pod;
using resources::StageState;

inline const TimePoint kNow = TimePoint(std::chrono::hours(24 * 365 * 50));
inline const std::string kSha(40, 'a');
inline const std::string kRepository = "registry.example.com/team/app";
inline const std::string kImage = kRepository + "@sha256:" + std::string(64, '1');

ContainerState Ended(const std::string& name, int exit_code = 0, const std::string& message = "");
ContainerState Running(const std::string& name);
ContainerState Stuck(const std::string& name, const std::string& reason);

struct World {
  World();

  ImageBuild build;  // of branch main; no run yet
  std::optional<resources::NamespacePolicy> policy;
  std::optional<Job> resolve_job, image_job;
  std::optional<Pod> resolve_pod, image_pod;
  std::string trouble;
  std::vector<OwnedJob> owned;
  TimePoint now = kNow;

  Plan Decide() const;
  Plan NameTaken(const Plan& planned, const std::string& difference) const;
  Seen AsSeen() const;
  // The status of `plan` is what is stored from now on.
  void Store(const Plan& plan) { build.status = plan.status; }
  BuildRun& Run() { return build.status.runs.front(); }

  // A run under way whose resolve Job, or build Job, is recorded and there, with a pod of these containers.
  Pod& Resolving(std::vector<ContainerState> containers = {Running("resolve")});
  Pod& Building(std::vector<ContainerState> containers = {Running("source")});
  // The build Job is complete, and all is well.
  void Pushed();
  // The newest run ended.
  BuildRun& Over(bool success, int number = 1);
};

// The reason and the message of Ready.
std::string Reason(const Plan& plan);
std::string Message(const Plan& plan);

}  // namespace slipway::image_build
