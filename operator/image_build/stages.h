// The stages of a run: which it has, how its Jobs move them, where it is. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/image_build.h"
#include "resources/workloads.h"

namespace slipway::image_build {

// Those that the spec asks for, in order, all kPending.
std::vector<resources::StageStatus> StagesOf(const resources::ImageBuildSpec& spec);

// What the stage `attest` attests of a run, in this order; nothing, where it is not asked for.
std::vector<resources::Predicate> PredicatesOf(const resources::ImageBuildSpec& spec);

resources::StageStatus* FindStage(resources::BuildRun& run, std::string_view name);
const resources::StageStatus* FindStage(const resources::BuildRun& run, std::string_view name);

// The stage that is under way, or the first that did not begin; the last when all have ended.
std::string CurrentStage(const resources::BuildRun& run);

resources::BuildPhase PhaseOf(std::string_view stage);

// Sets the state and the times of the stages whose containers the pod of `job` has. Of several platforms'
// Jobs none alone says it: see JoinStages.
void FollowStages(const resources::RunJob& job, const resources::Pod& pod, resources::BuildRun& run);

struct BuildPod {
  const resources::RunJob* job = nullptr;
  const resources::Pod* pod = nullptr;  // nullptr: not there, or not looked at because the Job has ended
};
// With several platforms, a stage has ended when it has in each of their Jobs, which are all in `pods`.
void JoinStages(resources::BuildRun& run, const std::vector<BuildPod>& pods);

// The stage `test`, from the Jobs of its legs.
void SumTests(resources::BuildRun& run, std::size_t legs);

// Stages of the newest run that ended between the two statuses, with the state that they ended in.
std::vector<resources::StageStatus> EndedBetween(const resources::ImageBuildStatus& before,
                                                 const resources::ImageBuildStatus& after);

}  // namespace slipway::image_build
