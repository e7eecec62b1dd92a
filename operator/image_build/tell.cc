#include "image_build/tell.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "image_build/history.h"
#include "image_build/outcome.h"
#include "image_build/stages.h"

namespace slipway::image_build {
namespace {

constexpr std::size_t kMostText = 140;  // GitHub's

bool OfTheAuthor(std::string_view reason) {
  static constexpr std::array<std::string_view, 9> kReasons{
      "TestFailed",           "TestTimeout",       "DockerfileFailed",
      "VulnerabilitiesFound", "ExceptionExpired",  "DockerfileNotFound",
      "ContextNotFound",      "DockerfileInvalid", "BuildOutOfMemory"};
  return std::ranges::find(kReasons, reason) != kReasons.end();
}

}  // namespace

std::string WantedStatus(const resources::ImageBuild& build, const resources::BuildRun& run) {
  if (!build.spec.report || !run.commit) return "";
  // A stranger's commit may be somebody else's too: nothing is said of it before a person let it in.
  if (build.spec.require_approval && !run.approval) return "";
  if (!run.finished) return "pending";
  if (!run.failure) return "success";
  const bool called_off = run.failure->reason == kSuperseded || run.failure->reason == kCancelled;
  if (called_off && run.told.empty()) return "";
  return OfTheAuthor(run.failure->reason) ? "failure" : "error";
}

std::string StatusText(const resources::BuildRun& run) {
  if (!run.finished) return fmt::format("run {} is under way", run.number);
  if (run.failure)
    return Clip(fmt::format("run {}: {} at {}", run.number, run.failure->reason, run.failure->stage),
                kMostText);
  const std::string digest = run.image.empty() ? "" : run.image.substr(run.image.find('@') + 1);
  return Clip(digest.empty() ? fmt::format("run {} passed", run.number)
                             : fmt::format("run {} is {}", run.number, digest),
              kMostText);
}

}  // namespace slipway::image_build
