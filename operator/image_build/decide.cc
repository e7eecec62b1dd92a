#include "image_build/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "image_build/names.h"
#include "image_build/startup.h"

namespace slipway::image_build {
namespace {

using resources::BuildPhase;
using resources::BuildRun;
using resources::Failure;
using resources::Readiness;
using resources::StageState;

BuildPhase PhaseOf(std::string_view stage) {
  if (stage == "resolve") return BuildPhase::kResolving;
  if (stage == "source") return BuildPhase::kCloning;
  if (stage == "build") return BuildPhase::kBuilding;
  if (stage == "scan") return BuildPhase::kScanning;
  return BuildPhase::kPushing;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool AnyContainerFailed(const resources::Pod& pod) {
  return std::ranges::any_of(pod.containers, [](const auto& c) { return c.terminated && c.exit_code != 0; });
}

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
    if (BuildRun* run = Open(); run != nullptr && Outdated(*run) && !spec_.suspend) Supersede(*run);
    return Close();
  }

  Plan Refuse(const Plan& planned, const std::string& difference) && {
    plan_.status = planned.status;
    const auto& key = seen_.build.meta.key;
    const auto& name = planned.start->name;
    Fail(*Open(),
         Failed("JobNameTaken",
                fmt::format("Job {} is there and is not of this run ({}): see who made it, delete it with: "
                            "kubectl -n {} delete job {}; then set annotation {} to a new value",
                            name, Clip(difference, 300), key.ns, name, kRebuildAnnotation)));
    return Close();
  }

 private:
  Plan Close() {
    if (Open() == nullptr) Rest();
    Prune();
    RemoveStrays();
    Notify();
    return std::move(plan_);
  }

  BuildRun* Newest() { return plan_.status.runs.empty() ? nullptr : &plan_.status.runs.front(); }
  BuildRun* Open() { return Newest() != nullptr && !Newest()->finished ? Newest() : nullptr; }

  // Made for something else than what is asked for now. A run of before there were keys goes by generation.
  bool Outdated(const BuildRun& run) const {
    return run.key.empty() ? run.generation != seen_.build.meta.generation : run.key != KeyOf(seen_.build);
  }

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

  // ---- what keeps any Job from being made ----

  std::optional<resources::Violation> Obstacle() const {
    if (auto violation = resources::Check(spec_, seen_.policy, seen_.build.meta.key.ns)) return violation;
    const auto& build = spec_.build;
    if (!build.cache || !build.cache->credentials_secret_ref || !build.base_credentials_secret_ref) {
      return std::nullopt;
    }
    return resources::Violation{
        "spec.build.cache.credentialsSecretRef", "TwoCredentials",
        "spec.build.cache.credentialsSecretRef: the build reads one file of registry credentials, and "
        "spec.build.baseCredentialsSecretRef names "
        "another: name one Secret that holds both registries, in one of the two fields"};
  }

  void ReportObstacle(const resources::Violation& violation) {
    Report(BuildPhase::kFailed, Readiness::kFailed, violation.reason, violation.message);
  }

  // ---- a run under way ----

  void Advance(BuildRun& run) {
    if (!run.commit && !run.resolve_job) return Launch(run, Role::kResolve);
    if (!run.commit) return Follow(run, seen_.resolve, Role::kResolve);
    if (!run.build_job) return Launch(run, Role::kBuild);
    Follow(run, seen_.image, Role::kBuild);
  }

  void Launch(BuildRun& run, Role role) {
    if (Late(run)) return Fail(run, TimedOut(seen_.build, run));
    RecheckAfter(kRecheck);
    // Left open: it goes on when the policy is mended, unless its time is over before.
    if (const auto obstacle = Obstacle()) return ReportObstacle(*obstacle);
    const auto& meta = seen_.build.meta;
    plan_.start = Start{
        role, role == Role::kResolve ? ResolveJobName(meta, run.number) : BuildJobName(meta, run.number)};
    ReportProgress(run, fmt::format("Job {} is made", plan_.start->name));
  }

  bool Late(const BuildRun& run) const {
    return run.started && now_ - *run.started > spec_.build.timeout + kTimeoutGrace;
  }

  void Follow(BuildRun& run, const SeenJob& seen, Role role) {
    if (seen.job == nullptr) return FailVanished(run, role);
    if (seen.pod != nullptr) Absorb(run, seen);
    const auto& job = *seen.job;
    if (job.failed && job.failed_reason == "DeadlineExceeded") return Fail(run, TimedOut(seen_.build, run));
    if (seen.pod != nullptr) {
      const Scene scene{seen_.build, run, *seen.pod, seen.reports};
      if (auto failure = FailureOf(scene, now_)) return FailAt(run, seen, std::move(*failure));
      if (auto failure = Missing(run, seen)) return FailAt(run, seen, std::move(*failure));
    }
    if (job.complete && seen.pod != nullptr) {
      return role == Role::kResolve ? Resolved(run, seen) : Pushed(run, seen);
    }
    if (job.complete || job.failed) return FollowEnded(run, seen);
    if (Late(run)) return FailAt(run, seen, TimedOut(seen_.build, run));
    if (seen.pod == nullptr) return FollowPodless(run, seen);
    const auto* stage = FindStage(run, CurrentStage(run));
    ReportProgress(
        run, stage == nullptr || stage->message.empty() ? "pod " + seen.pod->meta.key.name : stage->message);
    RecheckAfter(kRecheck);
  }

  void FailVanished(BuildRun& run, Role role) {
    const auto& ref = role == Role::kResolve ? run.resolve_job : run.build_job;
    Fail(run,
         Failed("JobVanished",
                fmt::format("Job {} (UID {}) was deleted before it ended, not by this ImageBuild; to build "
                            "again, set annotation {} to a new value",
                            ref->name, ref->uid.value, kRebuildAnnotation)));
  }

  // What is not there doesn't come by waiting, unlike a volume or a sandbox that failed once.
  std::optional<Failure> Missing(const BuildRun& run, const SeenJob& seen) const {
    if (!Stalled(*seen.pod, now_)) return std::nullopt;
    return SecretFailure(seen_.build, run, *seen.pod, seen.trouble);
  }

  void Absorb(BuildRun& run, const SeenJob& seen) {
    FollowStages(*seen.pod, run);
    // What it waits for stays with the stage: at the timeout, the pod is taken away.
    const bool ending = seen.job->complete || seen.job->failed || seen.pod->meta.deleted;
    auto* stage = FindStage(run, CurrentStage(run));
    if (stage != nullptr && !ending) stage->message = Waiting(*seen.pod, seen.trouble);
    if (seen.reports.scan) run.findings = seen.reports.scan;
    const auto& source = seen.reports.source;
    // The commit that is asked for stays; what the clone adds is who wrote it, and when.
    if (run.commit && source && Lower(source->commit.sha) == run.commit->sha) {
      const std::string sha = run.commit->sha;
      run.commit = source->commit;
      run.commit->sha = sha;
    }
  }

  void Resolved(BuildRun& run, const SeenJob& seen) {
    const auto& report = seen.reports.resolve;
    if (!report || report->commit.sha.empty()) {
      return Fail(run,
                  Failed("ResolveReportInvalid",
                         fmt::format("Job {} ended well and named no commit for spec.source.git.revision {}",
                                     seen.job->meta.key.name, spec_.source.revision)));
    }
    run.commit = report->commit;
    run.commit->sha = Lower(run.commit->sha);
    Launch(run, Role::kBuild);
  }

  void Pushed(BuildRun& run, const SeenJob& seen) {
    const auto& image = seen.reports.push;
    if (!seen.reports.scan) {
      return Fail(run, Failed("ScanError", "the scan left no report, so nothing is known of the image"));
    }
    if (!image || image->repository != spec_.output.repository) {
      return Fail(run,
                  Failed("PushReportInvalid",
                         fmt::format("the push ended well, but named {} instead of an image of {} by digest",
                                     image ? image->ToString() : "nothing", spec_.output.repository)));
    }
    run.image = image->ToString();
    run.tags = RenderTags(spec_.output.tags, run.commit->sha);
    run.finished = seen.job->finished.value_or(now_);
    plan_.status.latest = resources::LatestBuild{run.commit->sha, run.image, run.tags, run.finished};
  }

  // Ended, and the pod is not there to say how: it may not have arrived yet.
  void FollowEnded(BuildRun& run, const SeenJob& seen) {
    const auto& job = *seen.job;
    if (seen.pod == nullptr && now_ - job.finished.value_or(job.meta.created) < kPodPatience) {
      ReportProgress(run, "the Job has ended and its pod is not seen yet");
      return RecheckAfter(std::chrono::seconds(5));
    }
    Fail(run, Failed("PodVanished",
                     fmt::format("Job {} ended, and its pod was deleted before it could be read: {} {}",
                                 job.meta.key.name, job.failed_reason, Clip(job.failed_message, 300))));
  }

  void FollowPodless(BuildRun& run, const SeenJob& seen) {
    const auto& job = *seen.job;
    const auto* stage = FindStage(run, CurrentStage(run));
    const bool had_pod = stage != nullptr && (stage->started || !stage->message.empty());
    const bool overdue = now_ - job.started.value_or(job.meta.created) >= kPodPatience;
    if (overdue && !had_pod && job.active == 0) {
      return FailAt(
          run, seen,
          Failed("PodNotCreated",
                 fmt::format("no pod of Job {} could be made: {}", job.meta.key.name,
                             seen.trouble.empty() ? "no event says why" : Clip(seen.trouble, 600))));
    }
    ReportProgress(run, "waiting for a pod");
    RecheckAfter(kRecheck);
  }

  void ReportProgress(const BuildRun& run, const std::string& detail) {
    const std::string stage = CurrentStage(run);
    Report(PhaseOf(stage), Readiness::kProgressing, "Building",
           fmt::format("{}: stage {}; {}", Told(run), stage, detail));
  }

  // ---- ends ----

  void Fail(BuildRun& run, Failure failure) {
    if (auto* stage = FindStage(run, failure.stage)) {
      stage->state = StageState::kFailed;
      stage->message = failure.message;
      if (!stage->finished) stage->finished = now_;
    }
    run.failure = std::move(failure);
    run.finished = now_;
    plan_.start.reset();
    plan_.recheck_after.reset();
  }

  // A Job that would go on, or be tried again, must not push what has failed already. One whose pod has ended
  // stays, for its logs.
  void FailAt(BuildRun& run, const SeenJob& seen, Failure failure) {
    const bool ended = seen.job->complete || seen.job->failed;
    const bool ending = seen.pod != nullptr && (seen.pod->phase == "Failed" || AnyContainerFailed(*seen.pod));
    if (!ended && !ending) plan_.removals.push_back({seen.job->meta.key.name, seen.job->meta.uid});
    Fail(run, std::move(failure));
  }

  void Supersede(BuildRun& run) {
    Fail(run, Failed("Superseded", fmt::format("{} was called off: the spec changed (generation {})",
                                               Told(run), seen_.build.meta.generation)));
    RemoveJobs(run);
  }

  void RemoveJobs(const BuildRun& run) {
    for (const auto& ref : {run.resolve_job, run.build_job}) {
      if (ref) plan_.removals.push_back({ref->name, ref->uid});
    }
  }

  // ---- no run under way ----

  void Rest() {
    if (spec_.suspend) {
      return Report(BuildPhase::kSuspended, Readiness::kSuspended, "Suspended",
                    "spec.suspend is true: no run begins until it is false");
    }
    if (const auto obstacle = Obstacle()) return ReportObstacle(*obstacle);
    if (Newest() == nullptr || Outdated(*Newest())) return Begin();
    const BuildRun& run = *Newest();
    if (run.failure)
      return Report(BuildPhase::kFailed, Readiness::kFailed, run.failure->reason, run.failure->message);
    Report(BuildPhase::kSucceeded, Readiness::kReady, "Succeeded",
           fmt::format("commit {} is {}", run.commit ? ShortCommit(run.commit->sha) : "unknown", run.image));
  }

  void Begin() {
    const auto& meta = seen_.build.meta;
    BuildRun run;
    run.number = Newest() == nullptr ? 1 : Newest()->number + 1;
    run.reason = Newest() != nullptr && Newest()->generation == meta.generation ? "Rebuild" : "NewSpec";
    run.generation = meta.generation;
    run.key = KeyOf(seen_.build);
    run.started = now_;
    for (const char* name : {"resolve", "source", "build", "scan", "push"}) {
      run.stages.emplace_back().name = name;
    }
    if (IsCommit(spec_.source.revision)) {
      run.commit.emplace().sha = Lower(spec_.source.revision);
      run.stages.front().state = StageState::kSkipped;
    }
    plan_.status.runs.insert(plan_.status.runs.begin(), run);
    ReportProgress(run, fmt::format("begun for {} {}", spec_.source.url, spec_.source.revision));
    RecheckAfter(std::chrono::seconds(1));
  }

  // ---- after every decision ----

  void Prune() {
    int successes = 0;
    int failures = 0;
    std::vector<BuildRun> kept;
    for (auto& run : plan_.status.runs) {
      const bool newest = kept.empty();
      const bool room = !run.finished || (run.failure ? ++failures <= spec_.history.failed
                                                      : ++successes <= spec_.history.successful);
      if (newest || room) {
        kept.push_back(std::move(run));
      } else {
        RemoveJobs(run);
      }
    }
    plan_.status.runs = std::move(kept);
  }

  // Ours by their owner and in no record: made just before we died from a spec that is gone, or not by us.
  void RemoveStrays() {
    for (const auto& job : seen_.owned) {
      const bool planned = plan_.start && plan_.start->name == job.name;
      const bool recorded = std::ranges::any_of(plan_.status.runs, [&](const BuildRun& run) {
        return (run.resolve_job && run.resolve_job->uid == job.uid) ||
               (run.build_job && run.build_job->uid == job.uid);
      });
      const bool listed =
          std::ranges::any_of(plan_.removals, [&](const OwnedJob& other) { return other.uid == job.uid; });
      if (!planned && !recorded && !listed) plan_.removals.push_back(job);
    }
  }

  void Notify() {
    const auto& old = seen_.build.status;
    const auto* before = resources::Find(old.conditions, "Ready");
    const auto* after = resources::Find(plan_.status.conditions, "Ready");
    if (after == nullptr) return;
    if (before != nullptr && before->reason == after->reason && old.phase == plan_.status.phase) return;
    const bool warning = after->status == resources::ConditionStatus::kFalse;
    plan_.notices.push_back({warning, after->reason, after->message});
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

Plan NameTaken(const Seen& seen, const Plan& planned, const std::string& difference, TimePoint now) {
  return Decision(seen, now).Refuse(planned, difference);
}

}  // namespace slipway::image_build
