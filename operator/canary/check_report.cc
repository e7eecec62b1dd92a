#include "canary/check_report.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::canary {
namespace {

using resources::ContainerState;
using resources::Pod;
using resources::Verdict;

// A registry that is down for a moment is asked again by the kubelet.
constexpr Duration kPullPatience = std::chrono::seconds(30);
constexpr std::size_t kMessageBytes = 800;

CheckOutcome Ended(Verdict verdict, std::string reason, std::string message) {
  CheckOutcome outcome{.running = false};
  outcome.result.verdict = verdict;
  outcome.result.reason = std::move(reason);
  outcome.result.message = Clip(std::move(message), kMessageBytes);
  return outcome;
}

CheckOutcome Broken(std::string message) { return Ended(Verdict::kError, "CheckError", std::move(message)); }

std::string Logs(const Pod& pod) {
  return fmt::format("read `kubectl -n {} logs {}`", pod.meta.key.ns, pod.meta.key.name);
}

const ContainerState* CheckContainer(const Pod& pod) {
  for (const auto& container : pod.containers) {
    if (!container.init && (container.name == kRunnerContainer || container.name == kProgramContainer)) {
      return &container;
    }
  }
  return nullptr;
}

// ---- the runner ----

std::optional<Verdict> VerdictOf(int exit_code) {
  switch (exit_code) {
    case 0:
      return Verdict::kPassed;
    case 10:
      return Verdict::kFailed;
    case 11:
      return Verdict::kInconclusive;
    default:
      return std::nullopt;
  }
}

CheckOutcome JudgeRunner(const Pod& pod, const ContainerState& runner) {
  const auto verdict = VerdictOf(runner.exit_code);
  if (!verdict) {
    const std::string cause = CauseIn(runner.message);
    const std::string& why = cause.empty() ? runner.reason : cause;
    return Broken(fmt::format("the check in pod {} ended with exit code {}{}{}; {}", pod.meta.key.name,
                              runner.exit_code, why.empty() ? "" : ": ", why, Logs(pod)));
  }
  auto result = ParseReport(runner.message);
  if (!result)
    return Broken(fmt::format("the report of pod {} can't be read; {}", pod.meta.key.name, Logs(pod)));
  if (result->verdict != *verdict) {
    return Broken(fmt::format("the report of pod {} says other than its exit code {}; {}", pod.meta.key.name,
                              runner.exit_code, Logs(pod)));
  }
  CheckOutcome outcome{.running = false, .result = std::move(*result)};
  outcome.result.finished = runner.finished;
  return outcome;
}

// ---- a program of the user's ----

// Why its end says nothing about what it checked; empty: it ended by itself.
std::string EndedFromOutside(const resources::Job& job, const Pod& pod, const ContainerState& program) {
  if (job.failed_reason == "DeadlineExceeded") return "it took longer than its timeout";
  if (job.failed_reason == "PodFailurePolicy") return "the cluster took its pod away";
  if (!pod.reason.empty()) return fmt::format("{}: {}", pod.reason, pod.message);
  if (pod.meta.deleted) return "its pod was deleted";
  // As the kubelet calls an end of the program's own; others are OOMKilled, StartError and such.
  const bool own = program.reason.empty() || program.reason == "Completed" || program.reason == "Error";
  return own ? std::string() : program.reason;
}

CheckOutcome JudgeProgram(const resources::Job& job, const Pod& pod, const ContainerState& program) {
  if (const std::string why = EndedFromOutside(job, pod, program); !why.empty()) {
    return Broken(fmt::format("the program in pod {} did not come to its end: {}; {}", pod.meta.key.name, why,
                              Logs(pod)));
  }
  const bool passed = program.exit_code == 0;
  if (passed && job.failed)
    return Broken(fmt::format("Job {} failed, though its program passed", job.meta.key.name));
  auto outcome = passed ? Ended(Verdict::kPassed, "Passed", "the program ended with exit code 0")
                        : Ended(Verdict::kFailed, "CheckFailed",
                                fmt::format("the program in pod {} ended with exit code {}; {}",
                                            pod.meta.key.name, program.exit_code, Logs(pod)));
  outcome.result.finished = program.finished;
  return outcome;
}

// ---- pods that never got so far ----

// Why the container does not run, in the kubelet's or the scheduler's words; empty: nothing is the matter.
std::string WhyNotStarted(const Pod& pod, const ContainerState* container) {
  if (!pod.unschedulable.empty()) return pod.unschedulable;
  const bool waits = container != nullptr && !container->running && !container->reason.empty() &&
                     container->reason != "ContainerCreating" && container->reason != "PodInitializing";
  if (waits) return fmt::format("{}: {}", container->reason, container->message);
  return pod.reason.empty() ? std::string() : fmt::format("{}: {}", pod.reason, pod.message);
}

bool CannotPull(const Pod& pod, const ContainerState* container, TimePoint now) {
  if (container == nullptr) return false;
  if (container->reason == "InvalidImageName" || container->reason == "ErrImageNeverPull") return true;
  const bool pulls = container->reason == "ErrImagePull" || container->reason == "ImagePullBackOff";
  return pulls && now - pod.meta.created > kPullPatience;
}

}  // namespace

CheckOutcome ReadOutcome(const resources::Job& job, const std::vector<std::shared_ptr<const Pod>>& pods,
                         TimePoint now) {
  std::string why;
  for (const auto& pod : pods) {
    if (!resources::IsPodOf(*pod, job.meta)) continue;
    const auto* container = CheckContainer(*pod);
    if (container != nullptr && container->terminated) {
      return container->name == kProgramContainer ? JudgeProgram(job, *pod, *container)
                                                  : JudgeRunner(*pod, *container);
    }
    if (const std::string matter = WhyNotStarted(*pod, container); !matter.empty()) {
      why = fmt::format("pod {}: {}", pod->meta.key.name, matter);
    }
    if (pod->phase == "Failed" || CannotPull(*pod, container, now)) {
      return Broken(why.empty() ? fmt::format("pod {} failed without a result", pod->meta.key.name) : why);
    }
  }
  if (!job.failed && !job.complete) return {};
  if (job.complete) return Broken(fmt::format("Job {} ended, and its pod is gone", job.meta.key.name));
  const std::string& told = job.failed_message.empty() ? job.failed_reason : job.failed_message;
  return Broken(fmt::format("Job {} failed without a result: {}{}{}", job.meta.key.name, told,
                            why.empty() ? "" : "; ", why));
}

}  // namespace slipway::canary
