#include "supply/predicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::supply {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;
using resources::JobRole;

void AddTimes(const std::optional<TimePoint>& started, const std::optional<TimePoint>& finished,
              std::string_view from, std::string_view until, Json& object) {
  if (started) object[std::string(from)] = FormatTime(*started);
  if (finished) object[std::string(until)] = FormatTime(*finished);
}

Json CommitOf(const BuildRun& run) { return {{"sha", run.commit->sha}}; }

// "unit GO=1.24" is of the test "unit".
std::string ImageOf(const ImageBuild& build, std::string_view leg) {
  const std::string_view name = leg.substr(0, leg.find(' '));
  const auto test = std::ranges::find(build.spec.tests, name, &resources::TestSpec::name);
  return test == build.spec.tests.end() ? "" : test->image;
}

Json Borne(const std::vector<resources::BorneFinding>& findings) {
  Json list = Json::array();
  for (const auto& finding : findings) {
    Json item = {{"id", finding.id}};
    if (finding.expires) item["expires"] = FormatTime(*finding.expires);
    list.push_back(std::move(item));
  }
  return list;
}

// All of the spec: the run keeps no more than ten of those that bore something.
Json Allowed(const resources::ScanSpec& scan) {
  Json list = Json::array();
  for (const auto& exception : scan.exceptions) {
    Json item = {{"id", exception.id}, {"expires", exception.expires + "T00:00:00Z"}};
    if (!exception.package.empty()) item["package"] = exception.package;
    list.push_back(std::move(item));
  }
  return list;
}

Json ResultOf(const ImageBuild& build, const BuildRun& run) {
  const auto& scan = build.spec.scan;
  Json result = {{"failOn", resources::ToString(scan.fail_on)},
                 {"ignoreUnfixed", scan.ignore_unfixed},
                 {"exceptions", Allowed(scan)}};
  // Of several, the counts are those of the one that is worst off; `accepted` is of all.
  if (!build.spec.build.platforms.empty()) result["platforms"] = build.spec.build.platforms;
  if (!run.findings) return result;
  const auto& found = *run.findings;
  result["counts"] = {{"critical", found.critical},
                      {"high", found.high},
                      {"medium", found.medium},
                      {"low", found.low},
                      {"unknown", found.unknown}};
  result["closing"] = found.closing;
  result["suppressed"] = found.suppressed;
  result["accepted"] = Borne(found.accepted);
  return result;
}

}  // namespace

Json TestsPredicate(const ImageBuild& build, const BuildRun& run) {
  Json tests = Json::array();
  bool passed = true;
  for (const auto& job : run.jobs) {
    if (job.role != JobRole::kTest) continue;
    const bool good = job.state == resources::StageState::kSucceeded;
    passed = passed && good;
    Json test = {{"name", job.leg}, {"result", good ? "PASSED" : "FAILED"}};
    if (const std::string image = ImageOf(build, job.leg); !image.empty()) test["image"] = image;
    AddTimes(job.started, job.finished, "startedOn", "finishedOn", test);
    tests.push_back(std::move(test));
  }
  return {{"result", passed ? "PASSED" : "FAILED"}, {"commit", CommitOf(run)}, {"tests", std::move(tests)}};
}

Json ScanPredicate(const ImageBuild& build, const BuildRun& run, const std::string& builder_id,
                   const std::string& scanner_image) {
  Json database = {{"uri", "trivy-db"}, {"version", ""}};
  if (run.findings && run.findings->database) database["version"] = FormatTime(*run.findings->database);
  Json predicate;
  predicate["invocation"] = {{"uri", build.spec.source.url},
                             {"event_id", fmt::format("{}/{}", build.meta.uid.value, run.number)},
                             {"builder.id", builder_id}};
  predicate["scanner"] = {{"uri", "oci://" + scanner_image},
                          {"version", ""},
                          {"db", std::move(database)},
                          {"result", ResultOf(build, run)}};
  // cosign takes no predicate without them.
  const auto stage = std::ranges::find(run.stages, "scan", &resources::StageStatus::name);
  const bool known = stage != run.stages.end();
  const TimePoint begun = run.started.value_or(TimePoint{});
  const TimePoint started = known ? stage->started.value_or(begun) : begun;
  const TimePoint finished = known ? stage->finished.value_or(started) : started;
  AddTimes(started, finished, "scanStartedOn", "scanFinishedOn", predicate["metadata"]);
  return predicate;
}

}  // namespace slipway::supply
