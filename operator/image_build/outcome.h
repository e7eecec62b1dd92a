// What the containers of a run mean: exit codes and reports as stages, and the first failure in one sentence
// that says where to look. Pure; the reports were read from the termination messages before (report.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "resources/image_build.h"
#include "resources/workloads.h"

namespace slipway::image_build {

// What our runner says of a revision (`resolve`) or of a clone.
struct GitReport {
  resources::CommitFacts commit;
  std::string reason;  // of a failure: ContextNotFound, DockerfileNotFound, …
  std::string message;
};

// A report that is absent or doesn't parse is nullopt: never a success.
struct Reports {
  std::optional<GitReport> resolve;
  std::optional<GitReport> source;
  std::optional<resources::Findings> scan;
  std::optional<resources::ImageRef> push;
};

// What the runner's exit codes say.
enum GitExit : int {
  kHostUnreachable = 20,
  kAuthFailed = 21,
  kRevisionNotFound = 22,
  kNotInRepository = 23,  // the report says what
  kRepositoryNotFound = 24,
};
inline constexpr int kFindingsExit = 10;  // we tell Trivy to say so
inline constexpr Duration kStartPatience = std::chrono::minutes(2);

// A container of the run, and whom to tell about it.
struct Scene {
  const resources::ImageBuild& build;
  const resources::BuildRun& run;
  const resources::Pod& pod;
  const Reports& reports;
};

// The stage that a container is of: tag-1, tag-2, … belong to push. Empty: none of ours.
std::string_view StageOf(std::string_view container);

// Why the pod failed, or can't start; nullopt while nothing of it did.
std::optional<resources::Failure> FailureOf(const Scene& scene, TimePoint now);
// Of containers only.
std::optional<resources::Failure> FailureOfContainer(const Scene& scene,
                                                     const resources::ContainerState& container);

// Sets the state and the times of the stages whose containers the pod has.
void FollowStages(const resources::Pod& pod, resources::BuildRun& run);

resources::StageStatus* FindStage(resources::BuildRun& run, std::string_view name);

// "2 critical, 1 high"; "none".
std::string Counts(const resources::Findings& findings);
int Total(const resources::Findings& findings);

// The timeout's sentence is the same wherever it is found out.
resources::Failure TimedOut(const resources::ImageBuild& build, const resources::BuildRun& run);

// The stage that is under way, or the first that did not begin. "push" when all have ended.
std::string CurrentStage(const resources::BuildRun& run);

}  // namespace slipway::image_build
