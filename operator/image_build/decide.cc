#include "image_build/decide.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image_build/cause.h"
#include "image_build/course.h"
#include "image_build/history.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "image_build/tell.h"

namespace slipway::image_build {
namespace {

using resources::BuildPhase;
using resources::BuildRun;
using resources::Failure;
using resources::JobRole;
using resources::Readiness;
using resources::RunJob;
using resources::StageState;

std::string Told(const BuildRun& run) {
  return run.commit ? fmt::format("run {} of commit {}", run.number, ShortCommit(run.commit->sha))
                    : fmt::format("run {}", run.number);
}

class Decision {
 public:
  // Times are kept in whole seconds, as they are written: what is rendered from them is then the same after a
  // restart.
  Decision(const Seen& seen, TimePoint now)
      : seen_(seen), spec_(seen.build.spec), now_(std::chrono::floor<std::chrono::seconds>(now)) {
    plan_.status = seen.build.status;
    plan_.status.observed_generation = seen.build.meta.generation;
  }

  Plan Make() && {
    if (BuildRun* run = Open()) Advance(*run);
    if (BuildRun* run = Open()) CallOff(*run);
    return Close();
  }

  Plan Refuse(const Plan& planned, const StartJob& start, const std::string& difference) && {
    plan_.status = planned.status;
    const auto& key = seen_.build.meta.key;
    auto failure = Failed(
        "JobNameTaken",
        fmt::format("Job {} is there and is not of this run ({}): see who made it, delete it with: "
                    "kubectl -n {} delete job {}; then set annotation {} to a new value",
                    start.name, Clip(difference, 300), key.ns, start.name, resources::kRebuildAnnotation));
    if (start.role == JobRole::kReport) {
      plan_.notices.push_back({true, failure.reason, failure.message});
      Newest()->told = start.leg;
    } else if (BuildRun* run = Open()) {
      Fail(*run, std::move(failure));
    }
    return Close();
  }

 private:
  Plan Close() {
    Tell();
    if (Open() == nullptr) Rest();
    std::optional<Duration> next;
    auto old = Prune(spec_.history, plan_.status.runs, now_, next);
    std::ranges::move(old, std::back_inserter(plan_.removals));
    if (next) RecheckAfter(*next);
    RemoveStrays();
    Notify();
    return std::move(plan_);
  }

  BuildRun* Newest() { return plan_.status.runs.empty() ? nullptr : &plan_.status.runs.front(); }
  BuildRun* Open() { return Newest() != nullptr && !Newest()->finished ? Newest() : nullptr; }

  void Report(BuildPhase phase, Readiness readiness, std::string reason, std::string message) {
    plan_.status.phase = phase;
    resources::SetReadiness(plan_.status.conditions, readiness, std::move(reason),
                            Clip(std::move(message), 1000), seen_.build.meta.generation, now_);
  }
  void RecheckAfter(Duration d) {
    plan_.recheck_after = plan_.recheck_after ? std::min(*plan_.recheck_after, d) : d;
  }

  Failure Failed(std::string reason, std::string message) {
    return {CurrentStage(*Newest()), std::move(reason), Clip(std::move(message), 1000), "", ""};
  }

  // What keeps any Job from being made.
  std::optional<resources::Violation> Obstacle() const {
    return resources::Check(spec_, seen_.policy, seen_.build.meta.key.ns);
  }
  void ReportObstacle(const resources::Violation& violation) {
    Report(BuildPhase::kFailed, Readiness::kFailed, violation.reason, violation.message);
  }

  // ---- a run under way ----

  void Advance(BuildRun& run) {
    std::string detail;
    for (RunJob& job : run.jobs) {
      if (job.state != StageState::kRunning || job.role == JobRole::kReport) continue;
      const SeenJob& seen = SeenOf(job);
      Followed followed = Follow(seen_.build, run, job, seen, now_);
      if (followed.recheck_after) RecheckAfter(*followed.recheck_after);
      if (!followed.detail.empty()) detail = std::move(followed.detail);
      if (followed.failure) Break(run, job, followed);
    }
    JoinStages(run, BuildPods(run));
    if (FindJob(run, JobRole::kTest) != nullptr) SumTests(run, LegsOf(spec_.tests).size());
    if (NothingNew(run)) return Drop();
    const bool under_way = AnyRunning(run);
    if (run.failure && (!under_way || EndsAtOnce(spec_, run))) return Fail(run, *run.failure);
    if (Late(run) && under_way) return Fail(run, TimedOut(seen_.build, run));
    if (run.failure || !Proceed(run)) ReportProgress(run, detail);
  }

  // It was made to look again, and found what is built already.
  bool NothingNew(const BuildRun& run) const {
    const auto& runs = plan_.status.runs;
    if (run.reason != "NewCommit" || run.started || !run.commit || runs.size() < 2) return false;
    const BuildRun& before = runs[1];
    return before.key == run.key && before.commit && before.commit->sha == run.commit->sha;
  }

  // Without a trace but this: what made it look is known now.
  void Drop() {
    auto& runs = plan_.status.runs;
    for (const RunJob& job : runs.front().jobs) plan_.removals.push_back({job.name, job.uid});
    runs[1].seen_commit = runs[0].seen_commit;
    runs.erase(runs.begin());
    plan_.recheck_after.reset();
  }

  std::vector<BuildPod> BuildPods(const BuildRun& run) const {
    std::vector<BuildPod> pods;
    for (const RunJob& job : run.jobs) {
      if (job.role == JobRole::kBuild) pods.push_back({&job, SeenOf(job).pod});
    }
    return pods;
  }

  const SeenJob& SeenOf(const RunJob& job) const {
    static const SeenJob gone;
    const auto at = seen_.jobs.find(job.name);
    return at == seen_.jobs.end() ? gone : at->second;
  }

  // The first failure is the run's, unless it may pass and this one does not.
  void Break(BuildRun& run, RunJob& job, const Followed& followed) {
    job.state = StageState::kFailed;
    job.message = followed.failure->message;
    job.finished = now_;
    const bool graver = run.failure && MayPass(run.failure->reason) && !MayPass(followed.failure->reason);
    if (!run.failure || graver) run.failure = followed.failure;
    if (followed.remove) plan_.removals.push_back({job.name, job.uid});
  }

  bool Late(const BuildRun& run) const {
    return run.started && now_ - *run.started > spec_.build.timeout + kTimeoutGrace;
  }

  // True: what it waits for is said.
  bool Proceed(BuildRun& run) {
    if (run.commit && !run.started && !Begun(run)) return true;
    if (!Tagged(run)) return true;
    const Course course = CourseOf(seen_.build, run);
    if (!course.starts.empty()) {
      Launch(run, course.starts);
    } else if (course.done) {
      Succeed(run);
    }
    return course.done || !course.starts.empty();
  }

  // Approved, and let in.
  bool Begun(BuildRun& run) {
    if (spec_.require_approval && !run.approval && !Approved(run)) return false;
    if (spec_.suspend) {
      Report(BuildPhase::kSuspended, Readiness::kSuspended, "Suspended",
             fmt::format("spec.suspend is true: {} does not begin until it is false", Told(run)));
      return false;
    }
    if (const auto obstacle = Obstacle()) {
      ReportObstacle(*obstacle);
      RecheckAfter(kRecheck);
      return false;
    }
    if (!seen_.admitted) {
      Report(BuildPhase::kQueued, Readiness::kProgressing, "Queued",
             fmt::format("{} waits until other runs have ended", Told(run)));
      RecheckAfter(std::chrono::seconds(30));
      return false;
    }
    run.started = now_;
    ReportProgress(run, "it begins");
    return false;  // on record first
  }

  bool Approved(BuildRun& run) {
    const auto& meta = seen_.build.meta;
    if (const auto* ruling = RulingOn(seen_, run, now_)) {
      if (ruling->spec.verb == resources::Verb::kApprove) {
        run.approval = resources::Approval{ruling->meta.key.name, ruling->spec.actor};
        return true;
      }
      Fail(run, Failed("Rejected", fmt::format("{} rejected it in Decision {}: {}", ruling->spec.actor,
                                               ruling->meta.key.name, ruling->spec.reason)));
      return false;
    }
    Report(BuildPhase::kAwaitingApproval, Readiness::kWaiting, "AwaitingApproval",
           fmt::format(
               "{} waits for a Decision: make one with verb Approve, target {{kind: ImageBuild, name: {}, "
               "uid: {}}} and subject {}",
               Told(run), meta.key.name, meta.uid.value, run.commit->sha));
    return false;
  }

  // Found out before an hour of building.
  bool Tagged(BuildRun& run) {
    if (!spec_.output.push || !run.commit || FindJob(run, JobRole::kBuild) != nullptr) return true;
    const auto tags = RenderTagsBefore(spec_.output.tags, run);
    if (tags) return true;
    Fail(run, Failed("TagNotRendered", "spec.output.tags: " + tags.error().message));
    return false;
  }

  void Launch(BuildRun& run, const std::vector<StartJob>& starts) {
    if (Late(run)) return Fail(run, TimedOut(seen_.build, run));
    RecheckAfter(kRecheck);
    // Left open: it goes on when the policy is mended, unless its time is over before.
    if (const auto obstacle = Obstacle()) return ReportObstacle(*obstacle);
    ReportProgress(run, fmt::format("Job {} is made", starts.front().name));
    std::ranges::copy(starts, std::back_inserter(plan_.starts));
  }

  void ReportProgress(const BuildRun& run, const std::string& detail) {
    const std::string stage = CurrentStage(run);
    Report(PhaseOf(stage), Readiness::kProgressing, "Building",
           fmt::format("{}: stage {}{}{}", Told(run), stage, detail.empty() ? "" : "; ", detail));
  }

  // ---- ends ----

  void Succeed(BuildRun& run) {
    run.finished = now_;
    for (const RunJob& job : run.jobs) {
      if (job.role == JobRole::kReport || !job.finished) continue;
      run.finished =
          job.role == JobRole::kBuild || job.role == JobRole::kIndex ? *job.finished : *run.finished;
    }
    for (auto& stage : run.stages) {
      if (stage.state == StageState::kPending) stage.state = StageState::kSkipped;
    }
    if (!spec_.output.push) return;
    const auto* last = FindJob(run, spec_.build.platforms.empty() ? JobRole::kBuild : JobRole::kIndex);
    run.image = last->image;
    run.tags = RenderTags(spec_.output.tags, run).value_or(std::vector<std::string>{});
    plan_.status.latest = resources::LatestBuild{run.commit->sha, run.image, run.tags, run.finished};
  }

  void Fail(BuildRun& run, Failure failure) {
    if (auto* stage = FindStage(run, failure.stage)) {
      stage->state = StageState::kFailed;
      stage->message = failure.message;
      if (!stage->finished) stage->finished = now_;
    }
    run.failure = std::move(failure);
    run.finished = now_;
    std::erase_if(plan_.starts, [](const StartJob& start) { return start.role != JobRole::kReport; });
    plan_.recheck_after.reset();
    // What would go on must not push what has failed already.
    for (RunJob& job : run.jobs) {
      if (job.state != StageState::kRunning || job.role == JobRole::kReport) continue;
      job.state = StageState::kSkipped;
      job.message = "called off";
      job.finished = now_;
      plan_.removals.push_back({job.name, job.uid});
    }
  }

  void CallOff(BuildRun& run) {
    const auto cancel = seen_.build.meta.annotations.find(resources::kCancelAnnotation);
    if (cancel != seen_.build.meta.annotations.end() && cancel->second == std::to_string(run.number)) {
      return Fail(run, Failed(std::string(kCancelled),
                              fmt::format("{} was called off by annotation {}", Told(run), cancel->first)));
    }
    if (spec_.suspend) return;
    if (Outdated(seen_.build, run)) {
      return Fail(run, Failed(std::string(kSuperseded),
                              fmt::format("{} was called off: the spec changed (generation {})", Told(run),
                                          seen_.build.meta.generation)));
    }
    const bool waits = !run.started;
    const bool cancels = spec_.trigger.on_new_commit == resources::OnNewCommit::kCancel;
    const auto newer = Overtaken(seen_.build, run);
    if (!newer || (!waits && !cancels)) return;
    Fail(run, Failed(std::string(kSuperseded), fmt::format("{} was called off: {} is at {} now", Told(run),
                                                           run.ref, ShortCommit(newer->commit))));
  }

  // ---- no run under way ----

  void Rest() {
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
  resources::ImageBuild AsNow() const {
    resources::ImageBuild build = seen_.build;
    build.status = plan_.status;
    return build;
  }

  void ReportEnd(const BuildRun& run, const std::string& more) {
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

  void Begin(const Cause& cause) {
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
  void Tell() {
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
  bool Owed() {
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

  void GiveUp(RunJob& job, const Followed& followed) {
    job.state = StageState::kFailed;
    job.message = followed.failure->message;
    job.finished = now_;
    if (followed.remove) plan_.removals.push_back({job.name, job.uid});
    plan_.notices.push_back(
        {true, followed.failure->reason,
         fmt::format("spec.report: the status {} was not told: {}", job.leg, job.message)});
  }

  // Ours by their owner and in no record: made just before we died from a spec that is gone, or not by us.
  void RemoveStrays() {
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
  void Notify() {
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

  Notice NoticeOf(const resources::StageStatus& stage) {
    std::string took;
    if (stage.started && stage.finished && *stage.finished > *stage.started) {
      took = " after " + FormatDuration(*stage.finished - *stage.started);
    }
    return {false, "StageDone", fmt::format("{}: {} is done{}", Told(*Newest()), stage.name, took)};
  }

  const Seen& seen_;
  const resources::ImageBuildSpec& spec_;
  TimePoint now_;
  Plan plan_;
};

}  // namespace

Plan Decide(const Seen& seen, TimePoint now) {
  if (seen.build.meta.deleted) {  // its Jobs are owned, and go with it
    Plan nothing;
    nothing.status = seen.build.status;
    return nothing;
  }
  return Decision(seen, now).Make();
}

Plan NameTaken(const Seen& seen, const Plan& planned, const StartJob& start, const std::string& difference,
               TimePoint now) {
  return Decision(seen, now).Refuse(planned, start, difference);
}

}  // namespace slipway::image_build
