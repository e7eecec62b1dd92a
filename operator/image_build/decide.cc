#include "image_build/decide.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image_build/attest.h"
#include "image_build/course.h"
#include "image_build/decision.h"
#include "image_build/history.h"
#include "image_build/names.h"
#include "image_build/stages.h"

namespace slipway::image_build {

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

Decision::Decision(const Seen& seen, TimePoint now)
    : seen_(seen), spec_(seen.build.spec), now_(std::chrono::floor<std::chrono::seconds>(now)) {
  plan_.status = seen.build.status;
  plan_.status.observed_generation = seen.build.meta.generation;
}

Plan Decision::Make() && {
  if (BuildRun* run = Open()) Supersede(*run);
  if (BuildRun* run = Open()) Advance(*run);
  if (BuildRun* run = Open()) CallOff(*run);
  return Close();
}

// Where images are signed, the platform team alone can look.
Failure Decision::OfTakenName(const StartJob& start, const std::string& difference) {
  const bool apart = start.role == JobRole::kAttest;
  return Failed("JobNameTaken",
                fmt::format("Job {} is there and is not of this run ({}): {}, delete it with: "
                            "kubectl -n {} delete job {}; then set annotation {} to a new value",
                            start.name, Clip(difference, 300),
                            apart ? "ask the platform team to see who made it, and, if nobody needs it"
                                  : "see who made it",
                            apart ? seen_.supply_namespace : seen_.build.meta.key.ns, start.name,
                            resources::kRebuildAnnotation));
}

Plan Decision::Refuse(const Plan& planned, const StartJob& start, const std::string& difference) && {
  plan_.status = planned.status;
  auto failure = OfTakenName(start, difference);
  if (start.role == JobRole::kReport) {
    plan_.notices.push_back({true, failure.reason, failure.message});
    Newest()->told = start.leg;
  } else if (BuildRun* run = Open()) {
    Fail(*run, std::move(failure));
  }
  return Close();
}

Plan Decision::Close() {
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

void Decision::Report(BuildPhase phase, Readiness readiness, std::string reason, std::string message) {
  plan_.status.phase = phase;
  resources::SetReadiness(plan_.status.conditions, readiness, std::move(reason),
                          Clip(std::move(message), 1000), seen_.build.meta.generation, now_);
}

void Decision::RecheckAfter(Duration d) {
  plan_.recheck_after = plan_.recheck_after ? std::min(*plan_.recheck_after, d) : d;
}

Failure Decision::Failed(std::string reason, std::string message) {
  return {CurrentStage(*Newest()), std::move(reason), Clip(std::move(message), 1000), "", ""};
}

// What keeps any Job from being made.
std::optional<resources::Violation> Decision::Obstacle() const {
  if (auto violation = resources::Check(spec_, seen_.policy, seen_.build.meta.key.ns)) return violation;
  if (auto violation = resources::CheckTerms(spec_, seen_.policy, now_)) return violation;
  if (!spec_.attest || !seen_.supply_namespace.empty()) return std::nullopt;
  return resources::Violation{
      "spec.attest", "AttestUnavailable",
      "spec.attest: this operator does not sign: the platform team has to run it with "
      "--cosign-image and --supply-chain-namespace"};
}

void Decision::ReportObstacle(const resources::Violation& violation) {
  Report(BuildPhase::kFailed, Readiness::kFailed, violation.reason, violation.message);
}

// ---- a run under way ----

void Decision::Advance(BuildRun& run) {
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
bool Decision::NothingNew(const BuildRun& run) const {
  const auto& runs = plan_.status.runs;
  if (run.reason != "NewCommit" || run.started || !run.commit || runs.size() < 2) return false;
  const BuildRun& before = runs[1];
  return before.key == run.key && before.commit && before.commit->sha == run.commit->sha;
}

// Without a trace but this: what made it look is known now.
void Decision::Drop() {
  auto& runs = plan_.status.runs;
  for (const RunJob& job : runs.front().jobs) plan_.removals.push_back(OwnedOf(job));
  runs[1].seen_commit = runs[0].seen_commit;
  runs.erase(runs.begin());
  plan_.recheck_after.reset();
}

std::vector<BuildPod> Decision::BuildPods(const BuildRun& run) const {
  std::vector<BuildPod> pods;
  for (const RunJob& job : run.jobs) {
    if (job.role == JobRole::kBuild) pods.push_back({&job, SeenOf(job).pod});
  }
  return pods;
}

const SeenJob& Decision::SeenOf(const RunJob& job) const {
  static const SeenJob gone;
  const auto at = seen_.jobs.find(job.name);
  return at == seen_.jobs.end() ? gone : at->second;
}

// The first failure is the run's, unless it may pass and this one does not.
void Decision::Break(BuildRun& run, RunJob& job, const Followed& followed) {
  job.state = StageState::kFailed;
  job.message = followed.failure->message;
  job.finished = now_;
  if (AttestsAgain(run, job, *followed.failure)) return AttestAgain(run, job);
  const bool graver = run.failure && MayPass(run.failure->reason) && !MayPass(followed.failure->reason);
  if (!run.failure || graver) run.failure = followed.failure;
  if (followed.remove) plan_.removals.push_back(OwnedOf(job));
}

// Its Job has ended, and stays for its logs until the run goes.
void Decision::AttestAgain(BuildRun& run, const RunJob& job) {
  auto* stage = FindStage(run, "attest");
  if (stage == nullptr) return;
  stage->state = StageState::kPending;
  stage->finished.reset();
  stage->message = "another Job attests anew: " + job.message;
}

bool Decision::Late(const BuildRun& run) const {
  return run.started && now_ - *run.started > spec_.build.timeout + kTimeoutGrace;
}

// True: what it waits for is said.
bool Decision::Proceed(BuildRun& run) {
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
bool Decision::Begun(BuildRun& run) {
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

bool Decision::Approved(BuildRun& run) {
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
  Report(
      BuildPhase::kAwaitingApproval, Readiness::kWaiting, "AwaitingApproval",
      fmt::format("{} waits for a Decision: make one with verb Approve, target {{kind: ImageBuild, name: {}, "
                  "uid: {}}} and subject {}",
                  Told(run), meta.key.name, meta.uid.value, run.commit->sha));
  return false;
}

// Found out before an hour of building.
bool Decision::Tagged(BuildRun& run) {
  if (!spec_.output.push || !run.commit || FindJob(run, JobRole::kBuild) != nullptr) return true;
  const auto tags = RenderTagsBefore(spec_.output.tags, run);
  if (tags) return true;
  Fail(run, Failed("TagNotRendered", "spec.output.tags: " + tags.error().message));
  return false;
}

void Decision::Launch(BuildRun& run, const std::vector<StartJob>& starts) {
  if (Late(run)) return Fail(run, TimedOut(seen_.build, run));
  RecheckAfter(kRecheck);
  // Left open: it goes on when the policy is mended, unless its time is over before.
  if (const auto obstacle = Obstacle()) return ReportObstacle(*obstacle);
  if (auto large = TooLargeToAttest(seen_.build, run)) {
    return Fail(run, Failed("AttestationTooLarge", *std::move(large)));
  }
  ReportProgress(run, fmt::format("Job {} is made", starts.front().name));
  std::ranges::copy(starts, std::back_inserter(plan_.starts));
}

void Decision::ReportProgress(const BuildRun& run, const std::string& detail) {
  const std::string stage = CurrentStage(run);
  Report(PhaseOf(stage), Readiness::kProgressing, "Building",
         fmt::format("{}: stage {}{}{}", Told(run), stage, detail.empty() ? "" : "; ", detail));
}

// ---- ends ----

void Decision::Succeed(BuildRun& run) {
  run.finished = now_;
  for (const RunJob& job : run.jobs) {
    if (job.role == JobRole::kReport || !job.finished) continue;
    const bool last =
        job.role == JobRole::kBuild || job.role == JobRole::kIndex || job.role == JobRole::kAttest;
    run.finished = last ? *job.finished : *run.finished;
  }
  for (auto& stage : run.stages) {
    if (stage.state == StageState::kPending) stage.state = StageState::kSkipped;
  }
  if (!spec_.output.push) return;
  run.image = PushedImage(spec_, run);
  if (spec_.attest && FindStage(run, "attest") != nullptr) {
    run.attestation = resources::Attestation{spec_.attest->signer, PredicatesOf(spec_)};
  }
  run.tags = RenderTags(spec_.output.tags, run).value_or(std::vector<std::string>{});
  plan_.status.latest = resources::LatestBuild{run.commit->sha, run.image, run.tags, run.finished};
}

void Decision::Fail(BuildRun& run, Failure failure) {
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
    plan_.removals.push_back(OwnedOf(job));
  }
}

// Its Jobs are judged, and what is said of it is signed, by the spec that it was made from, or not at all:
// suspended or not, and before anything of it is looked at.
void Decision::Supersede(BuildRun& run) {
  if (!Outdated(seen_.build, run)) return;
  Fail(run,
       Failed(std::string(kSuperseded), fmt::format("{} was called off: the spec changed (generation {})",
                                                    Told(run), seen_.build.meta.generation)));
}

void Decision::CallOff(BuildRun& run) {
  const auto cancel = seen_.build.meta.annotations.find(resources::kCancelAnnotation);
  if (cancel != seen_.build.meta.annotations.end() && cancel->second == std::to_string(run.number)) {
    return Fail(run, Failed(std::string(kCancelled),
                            fmt::format("{} was called off by annotation {}", Told(run), cancel->first)));
  }
  if (spec_.suspend) return;
  const bool waits = !run.started;
  const bool cancels = spec_.trigger.on_new_commit == resources::OnNewCommit::kCancel;
  const auto newer = Overtaken(seen_.build, run);
  if (!newer || (!waits && !cancels)) return;
  Fail(run, Failed(std::string(kSuperseded), fmt::format("{} was called off: {} is at {} now", Told(run),
                                                         run.ref, ShortCommit(newer->commit))));
}

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
