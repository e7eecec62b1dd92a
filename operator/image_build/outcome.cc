#include "image_build/outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "image_build/names.h"

namespace slipway::image_build {
namespace {

using resources::ContainerState;
using resources::Failure;
using resources::StageState;

constexpr std::size_t kQuoted = 500;  // of somebody else's words

bool Failed(const ContainerState& container) { return container.terminated && container.exit_code != 0; }

Failure At(const Scene& scene, const ContainerState& container, std::string reason, std::string message) {
  return {std::string(StageOf(container.name)), std::move(reason), Clip(std::move(message), 1000),
          scene.pod.meta.key.name, container.name};
}

std::string Logs(const Scene& scene, const ContainerState& container) {
  return fmt::format("read its log with: kubectl -n {} logs {} -c {}", scene.pod.meta.key.ns,
                     scene.pod.meta.key.name, container.name);
}

std::string CommitOf(const Scene& scene) {
  return scene.run.commit ? ShortCommit(scene.run.commit->sha) : std::string("unknown");
}

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
      return {"RevisionNotFound", "spec.source.git.revision", fmt::format("{} of {}", git.revision, git.url),
              "the repository has no such revision"};
    case kRepositoryNotFound:
      return {"RepositoryNotFound", "spec.source.git.url", git.url, "there is no such repository"};
    case kNotInRepository:
      return NotInRepository(scene, report);
    default:
      return {"GitFailed", "spec.source.git", fmt::format("{} of {}", git.revision, git.url),
              fmt::format("fetching it ended with exit code {}; {}", container.exit_code,
                          Logs(scene, container))};
  }
}

Failure GitFailure(const Scene& scene, const ContainerState& container) {
  const auto& report = container.name == "resolve" ? scene.reports.resolve : scene.reports.source;
  auto cause = CauseOf(scene, container, report);
  return At(scene, container, std::move(cause.reason),
            fmt::format("{}: {}: {}", cause.field, cause.subject, Words(report, std::move(cause.otherwise))));
}

// ---- build, scan, push ----

Failure BuildFailure(const Scene& scene, const ContainerState& container) {
  const auto& build = scene.build.spec.build;
  return At(scene, container, "DockerfileFailed",
            fmt::format("spec.build.dockerfile: the build of {} at commit {} ended with exit code {}; {}",
                        build.dockerfile, CommitOf(scene), container.exit_code, Logs(scene, container)));
}

Failure ScanError(const Scene& scene, const ContainerState& container, std::string_view what) {
  return At(scene, container, "ScanError",
            fmt::format("the scan {}, so nothing is known of the image and it is not pushed; {}", what,
                        Logs(scene, container)));
}

Failure ScanFailure(const Scene& scene, const ContainerState& container) {
  if (container.exit_code != kFindingsExit) {
    return ScanError(scene, container, fmt::format("ended with exit code {}", container.exit_code));
  }
  const auto& scan = scene.build.spec.scan;
  std::string found = "vulnerabilities";
  if (const auto& findings = scene.reports.scan; findings && Total(*findings) > 0) {
    found = fmt::format("vulnerabilities ({}): {}", Counts(*findings),
                        Clip(fmt::format("{}", fmt::join(findings->worst, "; ")), kQuoted));
  }
  return At(scene, container, "VulnerabilitiesFound",
            fmt::format("spec.scan.failOn: commit {} has {}{} of severity {} or worse, and is not pushed; {}",
                        CommitOf(scene), scan.ignore_unfixed ? "fixable " : "", found,
                        resources::ToString(scan.fail_on), "update what they are in, or its base image"));
}

bool HasAny(std::string_view text, std::initializer_list<std::string_view> needles) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::any_of(needles, [&lower](std::string_view needle) { return lower.contains(needle); });
}

// Crane logs each try, and the error last.
std::string LastWords(const ContainerState& container) {
  std::string text = container.message;
  if (const auto error = text.rfind("Error: "); error != std::string::npos) text.erase(0, error);
  if (text.size() > kQuoted) text.erase(0, text.size() - kQuoted);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

Failure PushFailure(const Scene& scene, const ContainerState& container) {
  const auto& output = scene.build.spec.output;
  const std::string words = LastWords(container);
  if (HasAny(words,
             {"unauthorized", "denied:", "status code 401", "status code 403", "401 unauth", "403 forb"})) {
    return At(scene, container, "RegistryDenied",
              fmt::format("spec.output.credentialsSecretRef: {} refused to take {} with {}: {}",
                          Host(output.repository), output.repository,
                          output.credentials_secret_ref ? "Secret " + output.credentials_secret_ref->name
                                                        : std::string("no credentials"),
                          words));
  }
  if (HasAny(words, {"no such host", "connection refused", "i/o timeout", "dial tcp", "no route to host"})) {
    return At(scene, container, "RegistryUnreachable",
              fmt::format("spec.output.repository: {} can't be reached: {}", Host(output.repository), words));
  }
  return At(scene, container, "PushFailed",
            fmt::format("spec.output.repository: the push to {} ended with exit code {}: {}; {}",
                        output.repository, container.exit_code, words, Logs(scene, container)));
}

Failure OutOfMemory(const Scene& scene, const ContainerState& container) {
  if (container.name != "build") {
    return At(scene, container, "OutOfMemory",
              fmt::format("container {} was killed: it used more memory than the node or its limit gives it",
                          container.name));
  }
  const auto& limits = scene.build.spec.build.resources.limits;
  const auto memory = limits.find("memory");
  return At(
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

std::optional<Failure> PodFailure(const Scene& scene) {
  const auto& pod = scene.pod;
  if (pod.phase != "Failed" || pod.reason.empty()) return std::nullopt;
  const std::string stage = CurrentStage(scene.run);
  if (pod.reason == "DeadlineExceeded") return TimedOut(scene.build, scene.run);
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
    return At(scene, container, "PodCannotStart",
              fmt::format("container {} of pod {} can't start: {}: {}", container.name,
                          scene.pod.meta.key.name, container.reason, Clip(container.message, kQuoted)));
  }
  return std::nullopt;
}

std::optional<Failure> BadScanReport(const Scene& scene, const ContainerState& container) {
  if (container.name != "scan" || !container.terminated || container.exit_code != 0) return std::nullopt;
  if (!scene.reports.scan) return ScanError(scene, container, "ended without a report that can be read");
  if (Total(*scene.reports.scan) == 0) return std::nullopt;
  return ScanError(scene, container, "passed and reported findings at once");
}

StageState StateOf(const ContainerState& container) {
  if (container.terminated) return container.exit_code == 0 ? StageState::kSucceeded : StageState::kFailed;
  return container.running ? StageState::kRunning : StageState::kPending;
}

// A stage of several containers runs until its last one has ended.
StageState Joined(StageState before, StageState next) {
  if (before == StageState::kFailed || next == StageState::kFailed) return StageState::kFailed;
  return before == next ? next : StageState::kRunning;
}

}  // namespace

std::string_view StageOf(std::string_view container) {
  if (container.starts_with("tag-")) return "push";
  static constexpr std::array<std::string_view, 5> kStages{"resolve", "source", "build", "scan", "push"};
  const auto* const at = std::ranges::find(kStages, container);
  return at == kStages.end() ? std::string_view() : *at;
}

std::optional<Failure> FailureOf(const Scene& scene, TimePoint now) {
  // What a pod's containers say while it is taken away is about that: the Job's condition will tell why.
  if (scene.pod.meta.deleted) return std::nullopt;
  for (const auto& container : scene.pod.containers) {
    if (scene.pod.reason.empty() && Failed(container)) return FailureOfContainer(scene, container);
    if (auto bad = BadScanReport(scene, container)) return bad;
  }
  if (auto failure = PodFailure(scene)) return failure;
  return StuckStart(scene, now);
}

std::optional<Failure> FailureOfContainer(const Scene& scene, const ContainerState& container) {
  if (!Failed(container)) return std::nullopt;
  if (container.reason == "OOMKilled") return OutOfMemory(scene, container);
  const auto stage = StageOf(container.name);
  if (stage == "resolve" || stage == "source") return GitFailure(scene, container);
  if (stage == "build") return BuildFailure(scene, container);
  if (stage == "scan") return ScanFailure(scene, container);
  return PushFailure(scene, container);
}

void FollowStages(const resources::Pod& pod, resources::BuildRun& run) {
  const resources::StageStatus* seen = nullptr;
  for (const auto& container : pod.containers) {
    auto* stage = FindStage(run, StageOf(container.name));
    if (stage == nullptr) continue;
    const bool more = stage == seen;
    stage->state = more ? Joined(stage->state, StateOf(container)) : StateOf(container);
    if (!more) stage->started = container.started;
    if (stage->state == StageState::kRunning || stage->state == StageState::kSucceeded)
      stage->message.clear();
    stage->finished = container.finished;
    seen = stage;
  }
}

resources::StageStatus* FindStage(resources::BuildRun& run, std::string_view name) {
  const auto at = std::ranges::find(run.stages, name, &resources::StageStatus::name);
  return at == run.stages.end() ? nullptr : &*at;
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

Failure TimedOut(const resources::ImageBuild& build, const resources::BuildRun& run) {
  const std::string stage = CurrentStage(run);
  const auto at = std::ranges::find(run.stages, stage, &resources::StageStatus::name);
  const bool waited = at != run.stages.end() && !at->message.empty();
  return {stage, "BuildTimeout",
          fmt::format("spec.build.timeout: run {} was not done after {}; it was at stage {}{}", run.number,
                      FormatDuration(build.spec.build.timeout), stage, waited ? "; " + at->message : ""),
          "", ""};
}

std::string CurrentStage(const resources::BuildRun& run) {
  for (const auto& stage : run.stages) {
    if (stage.state != StageState::kSucceeded && stage.state != StageState::kSkipped) return stage.name;
  }
  return "push";
}

}  // namespace slipway::image_build
