#include "image_build/scan_outcome.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace slipway::image_build {
namespace {

using resources::ContainerState;
using resources::Failure;

Failure ScanError(const Scene& scene, const ContainerState& container, std::string_view what) {
  return FailureAt(scene, container, "ScanError",
                   fmt::format("the scan {}, so nothing is known of the image and it is not pushed; {}", what,
                               LogsOf(scene, container)));
}

// Trivy finds and does not judge: however it ends, but well, nothing is known of the image.
Failure TrivyFailure(const Scene& scene, const ContainerState& container) {
  const std::string_view words = container.message;
  if (words.contains("failed to download vulnerability DB") ||
      words.contains("failed to download artifact")) {
    return FailureAt(
        scene, container, "DatabaseUnavailable",
        fmt::format("the vulnerability database can't be had, so nothing is known of the image and it is not "
                    "pushed: {}",
                    Clip(LastLine(words), kQuoted)));
  }
  return ScanError(scene, container, fmt::format("ended with exit code {}", container.exit_code));
}

Failure FindingsFailure(const Scene& scene, const ContainerState& container,
                        const resources::Findings& found) {
  const auto& scan = scene.build.spec.scan;
  const std::string reason = found.expired.empty() ? "VulnerabilitiesFound" : "ExceptionExpired";
  return FailureAt(
      scene, container, reason,
      fmt::format("spec.scan.failOn: commit {} has {} {}vulnerabilities of severity {} or worse, and is not "
                  "pushed: {}{}; update what they are in, or its base image",
                  CommitOf(scene), found.closing, scan.ignore_unfixed ? "fixable " : "",
                  resources::ToString(scan.fail_on), supply::Listed(found.worst, kQuoted),
                  supply::Expired("spec.scan.exceptions", found.expired)));
}

Failure GateFailure(const Scene& scene, const ContainerState& container) {
  const auto& report = scene.reports.gate;
  const bool judged = report && report->findings;
  if (container.exit_code == kFindingsExit && judged && report->findings->closing > 0) {
    return FindingsFailure(scene, container, *report->findings);
  }
  if (container.exit_code == kStaleExit && judged) {
    const auto& database = report->findings->database;
    return FailureAt(
        scene, container, "DatabaseTooOld",
        fmt::format(
            "the vulnerability database is of {}, older than the platform's policy allows, so nothing "
            "is pushed: its mirror has to be brought up to date",
            database ? FormatTime(*database) : "an unknown day"));
  }
  if (container.exit_code == kAheadExit && judged) {
    const auto& database = report->findings->database;
    return FailureAt(
        scene, container, "DatabaseAhead",
        fmt::format("the vulnerability database is dated {}, in the future, so how old it is can't be told "
                    "and nothing is pushed: its mirror has to be mended, or the node's clock",
                    database ? FormatTime(*database) : "an unknown day"));
  }
  if (report && !report->reason.empty()) {
    return FailureAt(scene, container, report->reason,
                     fmt::format("the scan could not be judged, so the image is not pushed: {}",
                                 Clip(report->message, kQuoted)));
  }
  return ScanError(scene, container, fmt::format("was not judged: exit code {}", container.exit_code));
}

}  // namespace

Failure ScanFailure(const Scene& scene, const ContainerState& container) {
  return container.name == "gate" ? GateFailure(scene, container) : TrivyFailure(scene, container);
}

std::optional<Failure> BadGateReport(const Scene& scene, const ContainerState& container) {
  if (container.name != "gate" || !container.terminated || container.exit_code != 0) return std::nullopt;
  const auto& report = scene.reports.gate;
  if (!report || !report->findings)
    return ScanError(scene, container, "ended without a report that can be read");
  if (report->findings->closing == 0) return std::nullopt;
  return ScanError(scene, container, "passed and reported findings at once");
}

}  // namespace slipway::image_build
