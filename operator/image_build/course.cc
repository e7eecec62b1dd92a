#include "image_build/course.h"

#include <algorithm>

#include "image_build/attest.h"
#include "image_build/names.h"
#include "image_build/stages.h"

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::ImageBuild;
using resources::JobRole;
using resources::RunJob;
using resources::StageState;

Course CourseOf(const ImageBuild& build, const BuildRun& run, JobRole role,
                const std::vector<std::string>& legs) {
  Course course{.starts = {}, .done = true};
  for (const auto& leg : legs) {
    const RunJob* job = FindJob(run, role, leg);
    if (job == nullptr) course.starts.push_back({role, leg, JobName(build.meta, run.number, role, leg)});
    course.done = course.done && job != nullptr && job->state == StageState::kSucceeded;
  }
  return course;
}

std::vector<std::string> LegNames(const ImageBuild& build) {
  std::vector<std::string> names;
  for (const Leg& leg : LegsOf(build.spec.tests)) names.push_back(leg.name);
  return names;
}

}  // namespace

Course CourseOf(const ImageBuild& build, const BuildRun& run) {
  if (!run.commit) return CourseOf(build, run, JobRole::kResolve, {""});
  auto platforms = build.spec.build.platforms;
  if (platforms.empty()) platforms.emplace_back();
  Course course = CourseOf(build, run, JobRole::kTest, LegNames(build));
  if (course.done) course = CourseOf(build, run, JobRole::kBuild, platforms);
  const bool index = FindStage(run, "index") != nullptr;
  if (course.done && index) course = CourseOf(build, run, JobRole::kIndex, {""});
  const bool attest = FindStage(run, "attest") != nullptr;
  if (course.done && attest) course = CourseOf(build, run, JobRole::kAttest, {AttestLeg(run)});
  return course;
}

const RunJob* FindJob(const BuildRun& run, JobRole role, std::string_view leg) {
  const auto at = std::ranges::find_if(
      run.jobs, [&](const RunJob& job) { return job.role == role && (leg == "*" || job.leg == leg); });
  return at == run.jobs.end() ? nullptr : &*at;
}

std::string PushedImage(const resources::ImageBuildSpec& spec, const BuildRun& run) {
  const auto* last = FindJob(run, spec.build.platforms.empty() ? JobRole::kBuild : JobRole::kIndex);
  return last == nullptr ? "" : last->image;
}

bool AnyRunning(const BuildRun& run) {
  return std::ranges::any_of(run.jobs, [](const RunJob& job) {
    return job.state == StageState::kRunning && job.role != JobRole::kReport;
  });
}

bool EndsAtOnce(const resources::ImageBuildSpec& spec, const BuildRun& run) {
  if (run.failure->stage != "test") return true;
  return std::ranges::any_of(LegsOf(spec.tests), [&run](const Leg& leg) {
    const RunJob* job = FindJob(run, JobRole::kTest, leg.name);
    return leg.test->fail_fast && job != nullptr && job->state == StageState::kFailed;
  });
}

const resources::Decision* RulingOn(const Seen& seen, const BuildRun& run, TimePoint now) {
  const resources::Decision* ruling = nullptr;
  for (const auto& decision : seen.decisions) {
    if (!resources::Applies(*decision, kube::kImageBuilds, seen.build.meta, run.commit->sha, now)) continue;
    if (decision->spec.verb == resources::Verb::kReject) return decision.get();
    if (decision->spec.verb == resources::Verb::kApprove) ruling = decision.get();
  }
  return ruling;
}

}  // namespace slipway::image_build
