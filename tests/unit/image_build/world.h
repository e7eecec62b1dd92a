// What an ImageBuild's decision sees, with everything in order, for a test to put one thing out of order.
#pragma once

#include <map>
#include <memory>
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
using resources::JobRole;
using resources::Pod;
using resources::StageState;

inline const TimePoint kNow = TimePoint(std::chrono::hours(24 * 365 * 50));
inline const std::string kSha(40, 'a');
inline const std::string kOtherSha(40, 'b');
inline const std::string kUrl = "https://git.example.com/team/app.git";
inline const std::string kRepository = "registry.example.com/team/app";
inline const std::string kImage = kRepository + "@sha256:" + std::string(64, '1');
inline const std::string kClean =
    R"({"counts":{"CRITICAL":0,"HIGH":0,"LOW":0,"MEDIUM":0,"UNKNOWN":0},"closing":0,"suppressed":0,"used":[],)"
    R"("expired":[],"worst":[],"database":"2026-11-20T00:00:00Z"})";

ContainerState Ended(const std::string& name, int exit_code = 0, const std::string& message = "");
ContainerState Running(const std::string& name);
ContainerState Stuck(const std::string& name, const std::string& reason);

// What `resolve`, and what `push` and `index`, report of a success.
std::string FoundReport(const std::string& sha = kSha, const std::string& ref = "refs/heads/main");
std::string PushedReport(const std::string& image = kImage);
// The containers of a build Job that went well.
std::vector<ContainerState> AllWell(const std::string& image = kImage);

struct World {
  World();

  ImageBuild build;  // of branch main; no run yet
  std::optional<resources::NamespacePolicy> policy;
  std::map<std::string, Job> jobs;  // by name
  std::map<std::string, Pod> pods;  // by the name of their Job
  std::string trouble;
  std::vector<OwnedJob> owned;
  std::vector<resources::Decision> decisions;
  bool admitted = true;
  std::string supply_namespace = "keys";
  TimePoint now = kNow;

  Plan Decide() const;
  // Of the first start of `planned`.
  Plan NameTaken(const Plan& planned, const std::string& difference) const;
  Seen AsSeen() const;
  // The status of `plan` is what is stored from now on.
  void Store(const Plan& plan) { build.status = plan.status; }
  // Decides, and carries it out: what is started is there and on record, what is removed is gone. The UID of
  // a Job is "job-ROLE", with "/LEG" where it has one.
  Plan Step();
  // Step by step until nothing changes. The last plan.
  Plan Settle();
  BuildRun& Run() { return build.status.runs.at(0); }

  // Of the newest run, on record.
  resources::RunJob& Recorded(JobRole role, const std::string& leg = "");
  Job& JobOf(JobRole role, const std::string& leg = "");
  Pod& PodOf(JobRole role, const std::string& leg = "");
  // The pod has these containers, and the Job is complete.
  void Finish(JobRole role, std::vector<ContainerState> containers, const std::string& leg = "");

  // A run under way whose resolve Job, or build Job, is recorded and there, with a pod of these containers.
  Pod& Resolving(std::vector<ContainerState> containers = {Running("resolve")});
  Pod& Building(std::vector<ContainerState> containers = {Running("source")});
  // A run that knows its commit and has begun, whatever it does next.
  void Begun();
  // The build Job is complete, and all is well.
  void Pushed();
  // The newest run ended.
  BuildRun& Over(bool success, int number = 1);

  void Annotate(std::string_view name, const std::string& value);
  // The poller saw the spec's revision there, just now.
  void Saw(const std::string& commit);
  // A Decision about this object and commit.
  resources::Decision& Act(resources::Verb verb, const std::string& subject = kSha);
};

// The reason and the message of Ready.
std::string Reason(const Plan& plan);
std::string Message(const Plan& plan);

// The legs of what `plan` starts of this role.
std::vector<std::string> Started(const Plan& plan, JobRole role);

}  // namespace slipway::image_build
