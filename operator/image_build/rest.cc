// What is done when no run is under way, and what follows every decision.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image_build/cause.h"
#include "image_build/course.h"
#include "image_build/decision.h"
#include "image_build/history.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "image_build/tell.h"

namespace slipway::image_build {

using resources::BuildPhase;
using resources::BuildRun;
using resources::JobRole;
using resources::Readiness;
using resources::RunJob;
using resources::StageState;

// ---- no run under way ----

void Decision::Rest() {
  if (spec_.suspend) {
    return Report(BuildPhase::kSuspended, Readiness::kSuspended, "Suspended",
                  "spec.suspend is true: no run begins until it is false");
  }
  if (const auto obstacle = Obstacle()) return ReportObstacle(*obstacle);
  const auto cause = NextCause(AsNow());
  const auto retry = RetryAt(AsNow());
  const bool owed = Owed();  // the forge is told of this run first
  const bool early = cause && cause->reason == "Retry" && retry && now_ < *retry;
  if (cause && !owed && !early) return Begin(*cause);
  if (early) RecheckAfter(*retry - now_);
  if (owed) RecheckAfter(std::chrono::seconds(1));
  ReportEnd(*Newest(), early ? fmt::format("; tried again in {}", FormatDuration(*retry - now_)) : "");
}

// The object with the status that is about to be written.
resources::ImageBuild Decision::AsNow() const {
  resources::ImageBuild build = seen_.build;
  build.status = plan_.status;
  return build;
}

void Decision::ReportEnd(const BuildRun& run, const std::string& more) {
  if (run.failure) {
    const bool called_off = run.failure->reason == kCancelled || run.failure->reason == kSuperseded;
    return Report(called_off ? BuildPhase::kCancelled : BuildPhase::kFailed,
                  more.empty() ? Readiness::kFailed : Readiness::kWaiting, run.failure->reason,
                  run.failure->message + more);
  }
  const std::string commit = run.commit ? ShortCommit(run.commit->sha) : "unknown";
  Report(BuildPhase::kSucceeded, Readiness::kReady, "Succeeded",
         run.image.empty() ? fmt::format("commit {} passed every gate; it is not pushed", commit)
                           : fmt::format("commit {} is {}", commit, run.image));
}

void Decision::Begin(const Cause& cause) {
  const auto& meta = seen_.build.meta;
  BuildRun run;
  run.number = Newest() == nullptr ? 1 : Newest()->number + 1;
  run.reason = cause.reason;
  run.cause = cause.text;
  run.attempt = cause.attempt;
  run.ref = cause.ref;
  run.generation = meta.generation;
  run.key = KeyOf(seen_.build);
  run.queued = now_;
  run.seen_commit = resources::MarkOf(meta, resources::kObservedCommitAnnotation);
  run.seen_bases = resources::MarkOf(meta, resources::kObservedBasesAnnotation);
  run.stages = StagesOf(spec_);
  if (!cause.commit.empty()) {
    run.commit.emplace().sha = cause.commit;
    run.stages.front().state = StageState::kSkipped;
  }
  plan_.status.runs.insert(plan_.status.runs.begin(), std::move(run));
  plan_.recheck_after = std::chrono::seconds(1);
  const BuildRun& begun = *Newest();
  if (begun.commit) {
    return Report(BuildPhase::kQueued, Readiness::kProgressing, "Queued",
                  fmt::format("{}: {}", Told(begun), cause.text));
  }
  ReportProgress(begun, fmt::format("begun for {} {}", spec_.source.url, spec_.source.Wanted()));
}

// ---- after every decision ----

// One status of the commit at a time, in order. What the forge refuses is given up: it gates nothing, but
// the next run waits until it is known to be.
void Decision::Tell() {
  BuildRun* run = Newest();
  if (run == nullptr) return;
  for (RunJob& job : run->jobs) {
    if (job.role != JobRole::kReport || job.state != StageState::kRunning) continue;
    const Followed followed = Follow(seen_.build, *run, job, SeenOf(job), now_);
    if (followed.recheck_after) RecheckAfter(*followed.recheck_after);
    if (!followed.failure && job.state == StageState::kRunning) return;
    if (followed.failure) GiveUp(job, followed);
    run->told = job.leg;
  }
  const std::string wanted = WantedStatus(seen_.build, *run);
  if (wanted.empty() || wanted == run->told) return;
  if (FindJob(*run, JobRole::kReport, wanted) != nullptr || Obstacle()) return;
  plan_.starts.push_back(
      {JobRole::kReport, wanted, JobName(seen_.build.meta, run->number, JobRole::kReport, wanted)});
}

// Whether the newest run has a status that is not told yet: two Jobs could overtake each other.
bool Decision::Owed() {
  const BuildRun* run = Newest();
  if (run == nullptr) return false;
  const bool telling = std::ranges::any_of(run->jobs, [](const RunJob& job) {
    return job.role == JobRole::kReport && job.state == StageState::kRunning;
  });
  if (telling) return true;
  const std::string wanted = WantedStatus(seen_.build, *run);
  return !wanted.empty() && wanted != run->told && FindJob(*run, JobRole::kReport, wanted) == nullptr &&
         !Obstacle();
}

void Decision::GiveUp(RunJob& job, const Followed& followed) {
  job.state = StageState::kFailed;
  job.message = followed.failure->message;
  job.finished = now_;
  if (followed.remove) plan_.removals.push_back(OwnedOf(job));
  plan_.notices.push_back({true, followed.failure->reason,
                           fmt::format("spec.report: the status {} was not told: {}", job.leg, job.message)});
}

// Ours by their owner and in no record: made just before we died from a spec that is gone, or not by us.
void Decision::RemoveStrays() {
  for (const auto& job : seen_.owned) {
    const bool planned =
        std::ranges::any_of(plan_.starts, [&job](const StartJob& start) { return start.name == job.name; });
    const bool recorded = std::ranges::any_of(plan_.status.runs, [&job](const BuildRun& run) {
      return std::ranges::any_of(run.jobs, [&job](const RunJob& other) { return other.uid == job.uid; });
    });
    const bool listed =
        std::ranges::any_of(plan_.removals, [&](const OwnedJob& other) { return other.uid == job.uid; });
    if (!planned && !recorded && !listed) plan_.removals.push_back(job);
  }
}

// An Event a stage, one for each run that begins, and one for how it ends or what holds it up.
void Decision::Notify() {
  const auto& old = seen_.build.status;
  for (const auto& stage : EndedBetween(old, plan_.status)) {
    if (stage.state == StageState::kSucceeded) plan_.notices.push_back(NoticeOf(stage));
  }
  const int before_run = old.runs.empty() ? 0 : old.runs.front().number;
  if (Newest() != nullptr && Newest()->number > before_run) {
    plan_.notices.push_back(
        {false, Newest()->reason, fmt::format("{}: {}", Told(*Newest()), Newest()->cause)});
  }
  const auto* before = resources::Find(old.conditions, "Ready");
  const auto* after = resources::Find(plan_.status.conditions, "Ready");
  if (after == nullptr || (before != nullptr && before->reason == after->reason)) return;
  if (after->reason == "Building" || after->reason == "Queued") return;
  plan_.notices.push_back(
      {after->status == resources::ConditionStatus::kFalse, after->reason, after->message});
}

Notice Decision::NoticeOf(const resources::StageStatus& stage) {
  std::string took;
  if (stage.started && stage.finished && *stage.finished > *stage.started) {
    took = " after " + FormatDuration(*stage.finished - *stage.started);
  }
  return {false, "StageDone", fmt::format("{}: {} is done{}", Told(*Newest()), stage.name, took)};
}

}  // namespace slipway::image_build
