#include "image_build/outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "image_build/names.h"
#include "image_build/scan_outcome.h"
#include "image_build/stages.h"
#include "supply/attest_outcome.h"

namespace slipway::image_build {
namespace {

using resources::ContainerState;
using resources::Failure;
using resources::JobRole;

bool Failed(const ContainerState& container) { return container.terminated && container.exit_code != 0; }

std::string Host(std::string_view repository) {
  return std::string(repository.substr(0, repository.find('/')));
}

// ---- resolve and source ----

// The runner's own words, or ours where it left none.
std::string Words(const std::optional<GitReport>& report, std::string otherwise) {
  return report && !report->message.empty() ? Clip(report->message, kQuoted) : std::move(otherwise);
}

// What one of the runner's exit codes is about.
struct GitCause {
  std::string reason;
  std::string field;
  std::string subject;
  std::string otherwise;
};

GitCause NotInRepository(const Scene& scene, const std::optional<GitReport>& report) {
  const bool dockerfile = report && report->reason == "DockerfileNotFound";
  const auto& spec = scene.build.spec;
  return {dockerfile ? "DockerfileNotFound" : "ContextNotFound",
          dockerfile ? "spec.build.dockerfile" : "spec.source.git.contextDir",
          fmt::format("{} at commit {}", dockerfile ? spec.build.dockerfile : spec.source.context_dir,
                      CommitOf(scene)),
          "it is not in the repository"};
}

GitCause CauseOf(const Scene& scene, const ContainerState& container,
                 const std::optional<GitReport>& report) {
  const auto& git = scene.build.spec.source;
  const auto& secret = git.credentials_secret_ref;
  switch (container.exit_code) {
    case kHostUnreachable:
      return {"GitHostUnreachable", "spec.source.git.url", git.url, "its host can't be reached"};
    case kAuthFailed:
      return {"GitAuthFailed", "spec.source.git.credentialsSecretRef",
              fmt::format("{} with {}", git.url, secret ? "Secret " + secret->name : "no credentials named"),
              "the git host does not accept the credentials"};
    case kRevisionNotFound:
      return {"RevisionNotFound", git.semver.empty() ? "spec.source.git.revision" : "spec.source.git.semver",
              fmt::format("{} of {}", git.Wanted(), git.url), "the repository has no such revision"};
    case kRepositoryNotFound:
      return {"RepositoryNotFound", "spec.source.git.url", git.url, "there is no such repository"};
    case kHostKeyUnknown:
      return {"HostKeyUnknown", "spec.source.git.credentialsSecretRef",
              fmt::format("{} with {}", git.url, secret ? "Secret " + secret->name : "no credentials named"),
              "its key known_hosts does not have the host's key"};
    case kCertificateUntrusted:
      return {"CertificateUntrusted", "spec.caBundleRef", git.url,
              "its certificate is not of a trusted authority"};
    case kNotInRepository:
      return NotInRepository(scene, report);
    default:
      return {"GitFailed", "spec.source.git", fmt::format("{} of {}", git.Wanted(), git.url),
              fmt::format("fetching it ended with exit code {}; {}", container.exit_code,
                          LogsOf(scene, container))};
  }
}

Failure GitFailure(const Scene& scene, const ContainerState& container) {
  const auto& report = container.name == "resolve" ? scene.reports.resolve : scene.reports.source;
  auto cause = CauseOf(scene, container, report);
  return FailureAt(
      scene, container, std::move(cause.reason),
      fmt::format("{}: {}: {}", cause.field, cause.subject, Words(report, std::move(cause.otherwise))));
}

// ---- build, scan, push ----

// What the entrypoint made of Kaniko's own last words.
Failure BuildFailure(const Scene& scene, const ContainerState& container) {
  const auto& build = scene.build.spec.build;
  const std::string what = scene.reports.build ? scene.reports.build->failure : "";
  const auto told = [&](std::string_view reason, std::string_view field, std::string_view words) {
    return FailureAt(scene, container, std::string(reason),
                     fmt::format("{}: the build of {} at commit {} {}; {}", field, build.dockerfile,
                                 CommitOf(scene), words, LogsOf(scene, container)));
  };
  if (what == "BaseImageNotFound")
    return told(what, "spec.build.dockerfile", "names an image that is not there");
  if (what == "RegistryDenied") {
    return told(what, "spec.build.baseCredentialsSecretRef",
                "was refused by the registry of an image or of its cache");
  }
  if (what == "RegistryUnavailable") return told(what, "spec.build", "was given up: a registry failed");
  if (what == "DiskFull") {
    return told(what, "spec.build.resources.limits.ephemeral-storage", "ran out of disk");
  }
  return told("DockerfileFailed", "spec.build.dockerfile",
              fmt::format("ended with exit code {}", container.exit_code));
}

Failure PrepareFailure(const Scene& scene, const ContainerState& container) {
  const auto& report = scene.reports.prepare;
  if (!report || report->reason.empty()) {
    return FailureAt(
        scene, container, "PrepareFailed",
        fmt::format("spec.build: looking up the base images of {} ended with exit code {}; {}",
                    scene.build.spec.build.dockerfile, container.exit_code, LogsOf(scene, container)));
  }
  std::string_view field = "spec.build.dockerfile";
  if (report->reason == "BaseImageDenied") field = "spec.build.baseCredentialsSecretRef";
  if (report->reason == "CertificateUntrusted") field = "spec.caBundleRef";
  return FailureAt(scene, container, report->reason,
                   fmt::format("{}: {}", field, Clip(report->message, kQuoted)));
}

Failure TestFailure(const Scene& scene, const ContainerState& container) {
  return FailureAt(scene, container, "TestFailed",
                   fmt::format("spec.tests: {} at commit {} ended with exit code {}; {}", scene.job.leg,
                               CommitOf(scene), container.exit_code, LogsOf(scene, container)));
}

// Of push and of index: the runner says what is the matter.
Failure PushFailure(const Scene& scene, const ContainerState& container) {
  const auto& output = scene.build.spec.output;
  const auto& report = container.name == "index" ? scene.reports.index : scene.reports.push;
  if (!report || report->reason.empty()) {
    return FailureAt(scene, container, "PushFailed",
                     fmt::format("spec.output.repository: the push to {} ended with exit code {}; {}",
                                 output.repository, container.exit_code, LogsOf(scene, container)));
  }
  std::string_view field = "spec.output.repository";
  if (report->reason == "TagTaken") field = "spec.output.tags";
  if (report->reason.starts_with("ImageTar")) field = "spec.build.dockerfile";
  if (report->reason == "CertificateUntrusted") field = "spec.caBundleRef";
  std::string message = Clip(report->message, kQuoted);
  if (report->reason == "RegistryDenied") {
    field = "spec.output.credentialsSecretRef";
    message = fmt::format("{} refused to take {} with {}: {}", Host(output.repository), output.repository,
                          output.credentials_secret_ref ? "Secret " + output.credentials_secret_ref->name
                                                        : std::string("no credentials"),
                          message);
  }
  return FailureAt(scene, container, report->reason, fmt::format("{}: {}", field, message));
}

Failure ReportFailure(const Scene& scene, const ContainerState& container) {
  const auto& report = scene.reports.report;
  return FailureAt(scene, container, report && !report->reason.empty() ? report->reason : "ReportFailed",
                   report && !report->message.empty()
                       ? Clip(report->message, kQuoted)
                       : fmt::format("ended with exit code {}", container.exit_code));
}

// The image is there, unsigned: who verifies it finds that out.
Failure AttestFailure(const Scene& scene, const ContainerState& container) {
  auto trouble = supply::TroubleOf(container);
  const auto& spec = scene.build.spec;
  return FailureAt(
      scene, container, std::move(trouble.reason),
      fmt::format("spec.attest: {} can't be signed with {}: {}; {}", spec.output.repository,
                  spec.attest ? spec.attest->signer : "", trouble.words, LogsOf(scene, container)));
}

Failure OutOfMemory(const Scene& scene, const ContainerState& container) {
  if (container.name != "build") {
    return FailureAt(
        scene, container, "OutOfMemory",
        fmt::format("container {} was killed: it used more memory than the node or its limit gives it",
                    container.name));
  }
  const auto& limits = scene.build.spec.build.resources.limits;
  const auto memory = limits.find("memory");
  return FailureAt(
      scene, container, "BuildOutOfMemory",
      fmt::format("spec.build.resources.limits.memory: the build of {} was killed because it used more "
                  "than {}: give it more",
                  scene.build.spec.build.dockerfile,
                  memory == limits.end() ? std::string("the node has (there is no limit)") : memory->second));
}

// ---- the pod ----

bool CannotStart(const ContainerState& container) {
  static constexpr std::array<std::string_view, 7> kReasons{
      "ErrImagePull",         "ImagePullBackOff",  "InvalidImageName", "CreateContainerConfigError",
      "CreateContainerError", "RunContainerError", "ErrImageNeverPull"};
  return !container.running && !container.terminated &&
         std::ranges::find(kReasons, container.reason) != kReasons.end();
}

bool HasAny(std::string_view text, std::initializer_list<std::string_view> needles) {
  return std::ranges::any_of(needles, [text](std::string_view needle) { return text.contains(needle); });
}

std::optional<Failure> PodFailure(const Scene& scene) {
  const auto& pod = scene.pod;
  if (pod.phase != "Failed" || pod.reason.empty()) return std::nullopt;
  const std::string stage = scene.job.role == JobRole::kTest ? "test" : CurrentStage(scene.run);
  if (pod.reason == "DeadlineExceeded") return Overdue(scene.build, scene.run, scene.job);
  // What the pod itself used up it would use up again.
  const bool storage = HasAny(pod.message, {"exceeds the total limit of containers", "exceeds the limit",
                                            "exceeded its local ephemeral storage limit"});
  if (pod.reason == "Evicted" && storage) {
    const std::string_view field = scene.job.role == JobRole::kTest ? "spec.tests" : "spec.build";
    return Failure{stage, "DiskFull",
                   fmt::format("{}.resources.limits.ephemeral-storage: the node ended pod {}: {}", field,
                               pod.meta.key.name, Clip(pod.message, kQuoted)),
                   pod.meta.key.name, ""};
  }
  const std::string reason = pod.reason == "Evicted" ? "Evicted" : "PodFailed";
  return Failure{stage, reason,
                 fmt::format("the node ended pod {}: {}: {}", pod.meta.key.name, Clip(pod.reason, 60),
                             Clip(pod.message, kQuoted)),
                 pod.meta.key.name, ""};
}

// Its turn came when the one before it ended.
std::optional<Failure> StuckStart(const Scene& scene, TimePoint now) {
  TimePoint since = scene.pod.meta.created;
  for (const auto& container : scene.pod.containers) {
    if (container.finished) since = std::max(since, *container.finished);
    if (!CannotStart(container) || now - since < kStartPatience) continue;
    const bool pull = container.reason.contains("ImagePull") || container.reason == "InvalidImageName";
    return FailureAt(
        scene, container, pull ? "ImagePullFailed" : "PodCannotStart",
        fmt::format("container {} of pod {} can't start: {}: {}", container.name, scene.pod.meta.key.name,
                    container.reason, Clip(container.message, kQuoted)));
  }
  return std::nullopt;
}

}  // namespace

std::string_view StageOf(JobRole role, std::string_view container) {
  if (role == JobRole::kAttest) return "attest";
  if (role == JobRole::kTest) return "test";
  if (role == JobRole::kReport) return "report";
  if (container == "sarif" || container == "gate") return "scan";
  static constexpr std::array<std::string_view, 7> kStages{"resolve", "source", "prepare", "build",
                                                           "scan",    "push",   "index"};
  const auto* const at = std::ranges::find(kStages, container);
  return at == kStages.end() ? std::string_view() : *at;
}

std::optional<Failure> FailureOf(const Scene& scene, TimePoint now) {
  // What a pod's containers say while it is taken away is about that: the Job's condition will tell why.
  if (scene.pod.meta.deleted) return std::nullopt;
  for (const auto& container : scene.pod.containers) {
    if (scene.pod.reason.empty() && Failed(container)) return FailureOfContainer(scene, container);
    if (auto bad = BadGateReport(scene, container)) return bad;
  }
  if (auto failure = PodFailure(scene)) return failure;
  return StuckStart(scene, now);
}

std::optional<Failure> FailureOfContainer(const Scene& scene, const ContainerState& container) {
  if (!Failed(container)) return std::nullopt;
  if (container.reason == "OOMKilled") return OutOfMemory(scene, container);
  if (scene.job.role == JobRole::kReport) return ReportFailure(scene, container);
  if (scene.job.role == JobRole::kAttest) return AttestFailure(scene, container);
  if (container.name == "test") return TestFailure(scene, container);
  if (container.name == "resolve" || container.name == "source") return GitFailure(scene, container);
  if (container.name == "prepare") return PrepareFailure(scene, container);
  if (container.name == "build") return BuildFailure(scene, container);
  if (container.name == "scan" || container.name == "sarif" || container.name == "gate") {
    return ScanFailure(scene, container);
  }
  return PushFailure(scene, container);
}

bool MayPass(std::string_view reason) {
  static constexpr std::array<std::string_view, 10> kReasons{"Evicted",
                                                             "PodVanished",
                                                             "JobVanished",
                                                             "GitHostUnreachable",
                                                             "RegistryUnreachable",
                                                             "RegistryUnavailable",
                                                             "PodFailed",
                                                             "PodNotCreated",
                                                             "QuotaExceeded",
                                                             "DatabaseUnavailable"};
  return std::ranges::find(kReasons, reason) != kReasons.end();
}

int Total(const resources::Findings& f) { return f.critical + f.high + f.medium + f.low + f.unknown; }

std::string Counts(const resources::Findings& f) {
  std::vector<std::string> parts;
  const auto add = [&parts](int count, std::string_view severity) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, severity));
  };
  add(f.critical, "critical");
  add(f.high, "high");
  add(f.medium, "medium");
  add(f.low, "low");
  add(f.unknown, "unknown");
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

Failure Overdue(const resources::ImageBuild& build, const resources::BuildRun& run,
                const resources::RunJob& job) {
  if (job.role == JobRole::kReport) {
    return {"report", "ReportTimeout", fmt::format("Job {} was not done within its time", job.name), "", ""};
  }
  if (job.role == JobRole::kAttest) {
    const std::string most = FormatDuration(supply::kAttestDeadline);
    return {"attest", "AttestFailed",
            fmt::format("spec.attest: Job {} was not done within {}", job.name, most), "", ""};
  }
  if (job.role != JobRole::kTest) return TimedOut(build, run);
  return {"test", "TestTimeout", fmt::format("spec.tests: {} was not done within its timeout", job.leg), "",
          ""};
}

Failure TimedOut(const resources::ImageBuild& build, const resources::BuildRun& run) {
  const std::string stage = CurrentStage(run);
  const auto at = std::ranges::find(run.stages, stage, &resources::StageStatus::name);
  const bool waited = at != run.stages.end() && !at->message.empty();
  return {stage, "BuildTimeout",
          fmt::format("spec.build.timeout: run {} was not done after {}; it was at stage {}{}", run.number,
                      FormatDuration(build.spec.build.timeout), stage, waited ? "; " + at->message : ""),
          "", ""};
}

}  // namespace slipway::image_build
