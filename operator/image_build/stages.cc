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

struct Progress {
  StageState state = StageState::kPending;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
};

// A stage may be several containers, one after the other: it has ended when the last has, or one failed.
Progress ProgressOf(const resources::Pod& pod, JobRole role, std::string_view stage) {
  Progress progress;
  std::size_t containers = 0;
  std::size_t succeeded = 0;
  bool failed = false;
  for (const auto& container : pod.containers) {
    if (StageOf(role, container.name) != stage) continue;
    const auto state = StateOf(container);
    ++containers;
    succeeded += state == StageState::kSucceeded ? 1 : 0;
    failed = failed || state == StageState::kFailed;
    if (container.started && (!progress.started || *container.started < *progress.started)) {
      progress.started = container.started;
    }
    progress.finished = std::max(progress.finished, container.finished);
    if (state != StageState::kPending) progress.state = StageState::kRunning;
  }
  if (containers > 0 && succeeded == containers) progress.state = StageState::kSucceeded;
  if (failed) progress.state = StageState::kFailed;
  if (!Ended(progress.state)) progress.finished.reset();
  return progress;
}

void Join(StageStatus& stage, const std::vector<BuildPod>& pods) {
  std::size_t succeeded = 0;
  bool begun = false;
  bool failed = false;
  for (const auto& [job, pod] : pods) {
    auto state = job->state == StageState::kSucceeded ? StageState::kSucceeded : StageState::kPending;
    if (pod != nullptr) {
      const auto progress = ProgressOf(*pod, JobRole::kBuild, stage.name);
      state = progress.state;
      if (progress.started) {
        stage.started = std::min(stage.started.value_or(*progress.started), *progress.started);
      }
      stage.finished = std::max(stage.finished, progress.finished);
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
  add("attest", spec.output.push && spec.attest);
  return stages;
}

std::vector<resources::Predicate> PredicatesOf(const resources::ImageBuildSpec& spec) {
  using resources::Predicate;
  std::vector<Predicate> predicates;
  if (!spec.attest) return predicates;
  if (!spec.tests.empty()) predicates.push_back(Predicate::kTests);
  predicates.push_back(Predicate::kScan);
  if (spec.attest->provenance) predicates.push_back(Predicate::kProvenance);
  for (const auto format : spec.attest->sbom) {
    predicates.push_back(format == resources::SbomFormat::kSpdx ? Predicate::kSpdx : Predicate::kCycloneDx);
  }
  return predicates;
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
  if (stage == "attest") return BuildPhase::kAttesting;
  return stage == "index" ? BuildPhase::kIndexing : BuildPhase::kPushing;
}

void FollowStages(const RunJob& job, const resources::Pod& pod, BuildRun& run) {
  if (job.role == JobRole::kTest || job.role == JobRole::kReport) return;
  if (job.role == JobRole::kBuild && BuildJobs(run) > 1) return;
  for (auto& stage : run.stages) {
    const bool here = std::ranges::any_of(pod.containers, [&](const resources::ContainerState& container) {
      return StageOf(job.role, container.name) == stage.name;
    });
    if (!here || stage.state == StageState::kFailed) continue;
    const auto progress = ProgressOf(pod, job.role, stage.name);
    stage.state = progress.state;
    stage.started = progress.started;
    stage.finished = progress.finished;
    if (stage.state == StageState::kRunning || stage.state == StageState::kSucceeded) stage.message.clear();
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
