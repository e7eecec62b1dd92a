#include "image_build/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "image_build/decide.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "image_build/startup.h"
#include "jobs/pods.h"

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::Failure;
using resources::ImageBuild;
using resources::JobRole;
using resources::RunJob;
using resources::StageState;

bool AnyContainerFailed(const resources::Pod& pod) {
  return std::ranges::any_of(pod.containers, [](const auto& c) { return c.terminated && c.exit_code != 0; });
}

constexpr std::size_t kMostBases = 8;   // as the status holds
constexpr std::size_t kMostBorne = 64;  // as the spec has exceptions

void Unite(const std::vector<resources::BorneFinding>& from, std::vector<resources::BorneFinding>& into) {
  for (const auto& each : from) {
    const bool known = std::ranges::find(into, each) != into.end();
    if (!known && into.size() < kMostBorne) into.push_back(each);
  }
}

// Of several platforms, a run counts those of the one that is worst off; but what was borne or passed over of
// any of them was of the image, and no scan knew more than the oldest database.
resources::Findings OfAll(const std::optional<resources::Findings>& before, const resources::Findings& now) {
  if (!before) return now;
  const auto rank = [](const resources::Findings& f) {
    return std::tuple(f.closing, f.critical, f.high, f.medium, f.low, f.unknown);
  };
  resources::Findings all = rank(*before) > rank(now) ? *before : now;
  all.suppressed = std::max(before->suppressed, now.suppressed);
  all.accepted = before->accepted;
  all.expired = before->expired;
  Unite(now.accepted, all.accepted);
  Unite(now.expired, all.expired);
  all.database = now.database;
  if (before->database) all.database = std::min(*before->database, now.database.value_or(*before->database));
  return all;
}

resources::CacheUse MoreMissed(const std::optional<resources::CacheUse>& before,
                               const resources::CacheUse& now) {
  return before && before->misses > now.misses ? *before : now;
}

class Following {
 public:
  Following(const ImageBuild& build, BuildRun& run, RunJob& job, const SeenJob& seen, TimePoint now)
      : build_(build), run_(run), job_(job), seen_(seen), now_(now) {}

  Followed Make() && {
    if (seen_.job == nullptr) return std::move(*this).Vanished();
    if (!job_.started) job_.started = seen_.job->started;
    if (seen_.pod != nullptr) Absorb();
    if (auto failure = Broken()) {
      result_.failure = std::move(failure);
      result_.remove = !Over();
      return std::move(result_);
    }
    if (!seen_.job->complete && !seen_.job->failed) {
      UnderWay();
    } else if (seen_.job->complete && (!NeedsPod() || (seen_.pod != nullptr && jobs::HasEnded(*seen_.pod)))) {
      Complete();
    } else {
      Ended();
    }
    return std::move(result_);
  }

 private:
  Failure Failed(std::string reason, std::string message) const {
    return {Stage(), std::move(reason), Clip(std::move(message), 1000),
            seen_.pod == nullptr ? "" : seen_.pod->meta.key.name, ""};
  }

  // A report is of no stage: what it waits for is not said of one.
  std::string Stage() const {
    if (job_.role == JobRole::kTest) return "test";
    return job_.role == JobRole::kReport ? "report" : CurrentStage(run_);
  }

  // Its pod has to say what it did: that it ended well is not enough.
  bool NeedsPod() const {
    return job_.role == JobRole::kResolve || job_.role == JobRole::kBuild || job_.role == JobRole::kIndex;
  }

  // The Job would not go on, nor be tried again: it stays, for its logs.
  bool Over() const {
    if (seen_.job->complete || seen_.job->failed) return true;
    return seen_.pod != nullptr && (seen_.pod->phase == "Failed" || AnyContainerFailed(*seen_.pod));
  }

  Followed Vanished() && {
    result_.failure = Failed(
        "JobVanished", fmt::format("Job {} (UID {}) was deleted before it ended, not by this ImageBuild",
                                   job_.name, job_.uid.value));
    return std::move(result_);
  }

  void Absorb() {
    FollowStages(job_, *seen_.pod, run_);
    // What it waits for stays with the stage: at the timeout, the pod is taken away.
    const bool ending = seen_.job->complete || seen_.job->failed || seen_.pod->meta.deleted;
    auto* stage = FindStage(run_, Stage());
    if (stage != nullptr && !ending && job_.role != JobRole::kTest) {
      stage->message = Waiting(*seen_.pod, seen_.trouble);
    }
    const Reports& reports = seen_.reports;
    if (reports.source) TakeFacts(reports.source->commit);
    if (reports.gate && reports.gate->findings) run_.findings = OfAll(run_.findings, *reports.gate->findings);
    if (reports.prepare) TakeBases(reports.prepare->bases);
    if (reports.build && job_.role == JobRole::kBuild)
      run_.cache = MoreMissed(run_.cache, reports.build->cache);
  }

  // The commit that is asked for stays; what the clone adds is who wrote it, and when.
  void TakeFacts(const resources::CommitFacts& facts) {
    if (!run_.commit || LowerHex(facts.sha) != run_.commit->sha) return;
    const std::string sha = run_.commit->sha;
    run_.commit = facts;
    run_.commit->sha = sha;
  }

  // Of every platform: a tag may have moved between two of them.
  void TakeBases(const std::vector<resources::BaseImage>& bases) {
    for (const auto& base : bases) {
      const bool known = std::ranges::find(run_.bases, base) != run_.bases.end();
      if (!known && run_.bases.size() < kMostBases) run_.bases.push_back(base);
    }
  }

  // The pod says more than its Job, where it is there: a Job tells an eviction for whatever reason alike.
  std::optional<Failure> Broken() const {
    const auto& job = *seen_.job;
    if (seen_.pod != nullptr) {
      if (auto failure = FailureOf({build_, run_, job_, *seen_.pod, seen_.reports}, now_)) return failure;
    }
    if (job.failed && job.failed_reason == "DeadlineExceeded") return Overdue(build_, run_, job_);
    if (job.failed && job.failed_reason == "PodFailurePolicy") {
      return Failed("Evicted", fmt::format("the pod of Job {} was taken off its node: {}", job.meta.key.name,
                                           Clip(job.failed_message, 500)));
    }
    // What is not there doesn't come by waiting, unlike a volume or a sandbox that failed once.
    if (seen_.pod == nullptr || !Stalled(*seen_.pod, now_)) return std::nullopt;
    return SecretFailure(build_, run_, *seen_.pod, seen_.trouble);
  }

  void Complete() {
    if (job_.role == JobRole::kResolve) CompleteResolve();
    if (job_.role == JobRole::kBuild) CompleteBuild();
    if (job_.role == JobRole::kIndex) CompletePush(seen_.reports.index);
    if (job_.role == JobRole::kAttest) CompleteAttest();
    if (result_.failure) return;
    job_.state = StageState::kSucceeded;
    job_.finished = seen_.job->finished.value_or(now_);
  }

  void CompleteResolve() {
    const auto& report = seen_.reports.resolve;
    if (!report || report->commit.sha.empty()) {
      result_.failure =
          Failed("ResolveReportInvalid",
                 fmt::format("Job {} ended well and named no commit for spec.source.git.revision {}",
                             seen_.job->meta.key.name, build_.spec.source.Wanted()));
      return;
    }
    run_.commit = report->commit;
    run_.commit->sha = LowerHex(run_.commit->sha);
    run_.ref = report->ref;
  }

  // Whether its pod is still there or not.
  void CompleteAttest() {
    auto* stage = FindStage(run_, Stage());
    if (stage == nullptr || stage->state == StageState::kSucceeded) return;
    stage->state = StageState::kSucceeded;
    stage->finished = seen_.job->finished.value_or(now_);
    stage->message.clear();
  }

  void CompleteBuild() {
    if (!seen_.reports.gate || !seen_.reports.gate->findings) {
      result_.failure = Failed("ScanError", "the scan left no report, so nothing is known of the image");
      return;
    }
    if (build_.spec.output.push) CompletePush(seen_.reports.push);
  }

  void CompletePush(const std::optional<PushReport>& report) {
    const auto& repository = build_.spec.output.repository;
    const auto* image = report && report->image ? &*report->image : nullptr;
    if (image == nullptr || image->repository != repository) {
      result_.failure =
          Failed("PushReportInvalid",
                 fmt::format("the push ended well, but named {} instead of an image of {} by digest",
                             image ? image->ToString() : "nothing", repository));
      return;
    }
    job_.image = image->ToString();
  }

  // Ended, and the pod does not say how. One that goes on says nothing that may be recorded: what it reports
  // is read when it has ended.
  void Ended() {
    const auto& job = *seen_.job;
    const bool goes_on = seen_.pod != nullptr && !jobs::HasEnded(*seen_.pod);
    if (goes_on && now_ - job.finished.value_or(job.meta.created) < kPodPatience) {
      result_.detail = fmt::format("the Job has ended and its pod {} has not", seen_.pod->meta.key.name);
      result_.recheck_after = std::chrono::seconds(5);
      return;
    }
    result_.failure = Failed(
        "PodVanished", fmt::format("Job {} ended, and its pod was deleted before it could be read: {} {}",
                                   job.meta.key.name, job.failed_reason, Clip(job.failed_message, 300)));
  }

  void UnderWay() {
    result_.recheck_after = kRecheck;
    if (seen_.pod == nullptr) return WithoutPod();
    const auto* stage = FindStage(run_, Stage());
    result_.detail =
        stage == nullptr || stage->message.empty() ? "pod " + seen_.pod->meta.key.name : stage->message;
  }

  void WithoutPod() {
    const auto& job = *seen_.job;
    const auto* stage = FindStage(run_, Stage());
    const bool had_pod =
        job_.role != JobRole::kTest && stage != nullptr && (stage->started || !stage->message.empty());
    const bool overdue = now_ - job.started.value_or(job.meta.created) >= kPodPatience;
    result_.detail = "waiting for a pod";
    if (!overdue || had_pod || job.active != 0) return;
    const bool quota = seen_.trouble.contains("exceeded quota");
    result_.failure =
        Failed(quota ? "QuotaExceeded" : "PodNotCreated",
               fmt::format("no pod of Job {} could be made: {}", job.meta.key.name,
                           seen_.trouble.empty() ? "no event says why" : Clip(seen_.trouble, 600)));
    result_.remove = true;
  }

  const ImageBuild& build_;
  BuildRun& run_;
  RunJob& job_;
  const SeenJob& seen_;
  TimePoint now_;
  Followed result_;
};

}  // namespace

Followed Follow(const ImageBuild& build, BuildRun& run, RunJob& job, const SeenJob& seen, TimePoint now) {
  return Following(build, run, job, seen, now).Make();
}

}  // namespace slipway::image_build
