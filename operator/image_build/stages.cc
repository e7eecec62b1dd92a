#include "image_build/stages.h"

#include <fmt/format.h>

#include <algorithm>

#include "image_build/outcome.h"

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::JobRole;
using resources::RunJob;
using resources::StageState;
using resources::StageStatus;

StageState StateOf(const resources::ContainerState& container) {
  if (container.terminated) return container.exit_code == 0 ? StageState::kSucceeded : StageState::kFailed;
  return container.running ? StageState::kRunning : StageState::kPending;
}

bool Ended(StageState state) { return state != StageState::kPending && state != StageState::kRunning; }

std::size_t BuildJobs(const BuildRun& run) {
  return static_cast<std::size_t>(
      std::ranges::count_if(run.jobs, [](const RunJob& job) { return job.role == JobRole::kBuild; }));
}

void Take(StageStatus& stage, const resources::ContainerState& container) {
  stage.state = StateOf(container);
  stage.started = container.started;
  stage.finished = container.finished;
}

void Join(StageStatus& stage, const std::vector<BuildPod>& pods) {
  std::size_t succeeded = 0;
  bool begun = false;
  bool failed = false;
  for (const auto& [job, pod] : pods) {
    auto state = job->state == StageState::kSucceeded ? StageState::kSucceeded : StageState::kPending;
    for (const auto& container :
         pod == nullptr ? std::vector<resources::ContainerState>{} : pod->containers) {
      if (container.name != stage.name) continue;
      state = StateOf(container);
      if (container.started)
        stage.started = std::min(stage.started.value_or(*container.started), *container.started);
      stage.finished = std::max(stage.finished, container.finished);
    }
    succeeded += state == StageState::kSucceeded ? 1 : 0;
    failed = failed || state == StageState::kFailed;
    begun = begun || state != StageState::kPending;
  }
  stage.state = failed                     ? StageState::kFailed
                : succeeded == pods.size() ? StageState::kSucceeded
                : begun                    ? StageState::kRunning
                                           : StageState::kPending;
  if (!Ended(stage.state)) stage.finished.reset();
}

}  // namespace

std::vector<StageStatus> StagesOf(const resources::ImageBuildSpec& spec) {
  std::vector<StageStatus> stages;
  const auto add = [&stages](std::string_view name, bool wanted = true) {
    if (wanted) stages.emplace_back().name = name;
  };
  add("resolve");
  add("test", !spec.tests.empty());
  for (const char* name : {"source", "prepare", "build", "scan"}) add(name);
  add("push", spec.output.push);
  add("index", spec.output.push && !spec.build.platforms.empty());
  return stages;
}

StageStatus* FindStage(BuildRun& run, std::string_view name) {
  const auto at = std::ranges::find(run.stages, name, &StageStatus::name);
  return at == run.stages.end() ? nullptr : &*at;
}

const StageStatus* FindStage(const BuildRun& run, std::string_view name) {
  const auto at = std::ranges::find(run.stages, name, &StageStatus::name);
  return at == run.stages.end() ? nullptr : &*at;
}

// The resolve container is done before its Job is, and what it found counts only then.
std::string CurrentStage(const BuildRun& run) {
  if (!run.commit && !run.stages.empty()) return run.stages.front().name;
  for (const auto& stage : run.stages) {
    if (stage.state != StageState::kSucceeded && stage.state != StageState::kSkipped) return stage.name;
  }
  return run.stages.empty() ? "push" : run.stages.back().name;
}

resources::BuildPhase PhaseOf(std::string_view stage) {
  using resources::BuildPhase;
  if (stage == "resolve") return BuildPhase::kResolving;
  if (stage == "test") return BuildPhase::kTesting;
  if (stage == "source") return BuildPhase::kCloning;
  if (stage == "prepare") return BuildPhase::kPreparing;
  if (stage == "build") return BuildPhase::kBuilding;
  if (stage == "scan") return BuildPhase::kScanning;
  return stage == "index" ? BuildPhase::kIndexing : BuildPhase::kPushing;
}

void FollowStages(const RunJob& job, const resources::Pod& pod, BuildRun& run) {
  if (job.role == JobRole::kTest || job.role == JobRole::kReport) return;
  if (job.role == JobRole::kBuild && BuildJobs(run) > 1) return;
  for (const auto& container : pod.containers) {
    auto* stage = FindStage(run, StageOf(job.role, container.name));
    if (stage == nullptr || stage->state == StageState::kFailed) continue;
    Take(*stage, container);
    if (stage->state == StageState::kRunning || stage->state == StageState::kSucceeded) {
      stage->message.clear();
    }
  }
}

void JoinStages(BuildRun& run, const std::vector<BuildPod>& pods) {
  if (pods.size() < 2) return;
  for (auto& stage : run.stages) {
    const bool of_build = StageOf(JobRole::kBuild, stage.name) == stage.name && stage.name != "resolve" &&
                          stage.name != "index" && stage.state != StageState::kFailed;
    if (!of_build) continue;
    Join(stage, pods);
    if (Ended(stage.state)) stage.message.clear();
  }
}

void SumTests(BuildRun& run, std::size_t legs) {
  auto* stage = FindStage(run, "test");
  if (stage == nullptr) return;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::optional<TimePoint> last;
  for (const auto& job : run.jobs) {
    if (job.role != JobRole::kTest) continue;
    if (job.started && (!stage->started || *job.started < *stage->started)) stage->started = job.started;
    passed += job.state == StageState::kSucceeded ? 1 : 0;
    failed += job.state == StageState::kFailed ? 1 : 0;
    last = std::max(last, job.finished);
  }
  stage->state = passed == legs            ? StageState::kSucceeded
                 : passed + failed == legs ? StageState::kFailed
                                           : StageState::kRunning;
  if (Ended(stage->state)) stage->finished = last;
  stage->message = fmt::format("{} of {} legs passed{}", passed, legs,
                               failed == 0 ? "" : fmt::format(", {} failed", failed));
}

std::vector<StageStatus> EndedBetween(const resources::ImageBuildStatus& before,
                                      const resources::ImageBuildStatus& after) {
  std::vector<StageStatus> ended;
  if (after.runs.empty()) return ended;
  const BuildRun& run = after.runs.front();
  const int number = before.runs.empty() ? 0 : before.runs.front().number;
  if (number > run.number) return ended;  // a run was dropped: this one's end is told already
  const bool same = number == run.number;
  for (const auto& stage : run.stages) {
    if (stage.state != StageState::kSucceeded && stage.state != StageState::kFailed) continue;
    const auto* earlier = same ? FindStage(before.runs.front(), stage.name) : nullptr;
    if (earlier == nullptr || !Ended(earlier->state)) ended.push_back(stage);
  }
  return ended;
}

}  // namespace slipway::image_build
