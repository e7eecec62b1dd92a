// What the containers of a scan Job found: the gate's exit codes and report, and Trivy's last words (0.65).
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "supply/gate_report.h"
#include "supply/pods.h"
#include "supply/scan_job.h"

namespace slipway::supply {
namespace {

using resources::ContainerState;
using resources::Job;
using resources::Pod;
using State = ScanOutcome::State;

constexpr std::size_t kQuoted = 300;

ScanOutcome Failed(std::string message) { return {State::kFailed, {}, std::move(message), {}}; }

const ContainerState* Ended(const Pod& pod, std::string_view name) {
  const auto found = std::ranges::find(pod.containers, name, &ContainerState::name);
  return found == pod.containers.end() || !found->terminated ? nullptr : &*found;
}

// Trivy finds and does not judge: however it ends, but well, nothing is known of the image.
ScanOutcome OfTrivy(const ContainerState& trivy) {
  const std::string_view words = trivy.message;
  const std::string last = Clip(OneLine(LastLine(words)), kQuoted);
  if (words.contains("failed to download vulnerability DB") ||
      words.contains("failed to download artifact")) {
    return Failed(fmt::format("the vulnerability database can't be had: {}", last));
  }
  if (words.contains("unable to find the specified image")) {
    return Failed(fmt::format("the image can't be read: {}", last));
  }
  return Failed(fmt::format("the scanner ended with exit code {} ({}){}{}", trivy.exit_code, trivy.reason,
                            last.empty() ? "" : ": ", last));
}

ScanOutcome OfGate(const ContainerState& gate) {
  const auto report = ParseGateReport(gate.message);
  if (!report) {
    return Failed(
        fmt::format("what was found was not judged: the gate ended with exit code {} and no report "
                    "that can be read",
                    gate.exit_code));
  }
  if (!report->findings) {
    return Failed(fmt::format("what was found can't be judged: {}: {}", report->reason,
                              Clip(report->message, kQuoted)));
  }
  const bool closes = report->findings->closing > 0;
  if (gate.exit_code == 0 && !closes) return {State::kClean, report->findings, {}, {}};
  if (gate.exit_code == kFindingsExit && closes) return {State::kFound, report->findings, {}, {}};
  if (gate.exit_code == kStaleExit && !closes) return {State::kStale, report->findings, {}, {}};
  if (gate.exit_code == kAheadExit && !closes) {
    const auto& made = report->findings->database;
    return Failed(
        fmt::format("the vulnerability database is dated in the future ({}), so its age can't be told",
                    made ? FormatTime(*made) : "no day is said"));
  }
  return Failed(fmt::format("the gate's exit code {} and its report, of {} findings, contradict each other",
                            gate.exit_code, report->findings->closing));
}

ScanOutcome OutcomeOfEnded(const Job& job, const Pod* pod) {
  const ContainerState* gate = pod == nullptr ? nullptr : Ended(*pod, "gate");
  if (gate != nullptr) return OfGate(*gate);
  const ContainerState* trivy = pod == nullptr ? nullptr : Ended(*pod, "scan");
  const bool late = pod != nullptr && pod->reason == "DeadlineExceeded";
  if (trivy != nullptr && trivy->exit_code != 0 && !late) return OfTrivy(*trivy);
  if (job.failed) return Failed(WhyFailed(job, pod));
  return Failed(fmt::format("the pod of Job {} went before what it found was read", job.meta.key.name));
}

}  // namespace

ScanOutcome OutcomeOfScan(const Job* job, const Pod* pod) {
  if (job == nullptr) return Failed("its Job was deleted before its outcome was recorded");
  if (!job->complete && !job->failed) return {State::kRunning, {}, Waiting(pod), {}};
  ScanOutcome outcome = OutcomeOfEnded(*job, pod);
  outcome.finished = job->finished;
  return outcome;
}

}  // namespace slipway::supply
