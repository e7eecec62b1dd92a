#include "supply/provenance.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "resources/common.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;
using resources::JobRole;

Json Pairs(const std::vector<resources::NameValue>& pairs) {
  Json object = Json::object();
  for (const auto& pair : pairs) object[pair.name] = pair.value;
  return object;
}

// All that whoever wrote the spec could choose, and that can change the image.
Json External(const ImageBuild& build, const BuildRun& run) {
  const auto& spec = build.spec;
  Json source = {{"url", spec.source.url}, {"contextDir", spec.source.context_dir}};
  if (!spec.source.revision.empty()) source["revision"] = spec.source.revision;
  if (!spec.source.semver.empty()) source["semver"] = spec.source.semver;
  if (!run.ref.empty()) source["ref"] = run.ref;
  if (spec.source.submodules) source["submodules"] = true;
  if (spec.source.depth) source["depth"] = *spec.source.depth;
  Json external = {{"source", std::move(source)},
                   {"dockerfile", spec.build.dockerfile},
                   {"repository", spec.output.repository}};
  if (!spec.build.target.empty()) external["target"] = spec.build.target;
  if (!spec.build.args.empty()) external["args"] = Pairs(spec.build.args);
  if (!spec.build.platforms.empty()) external["platforms"] = spec.build.platforms;
  if (!spec.output.labels.empty()) external["labels"] = spec.output.labels;
  return external;
}

// What a container's report takes of them, and the run's record: a Dockerfile that names more has more.
Json BasesListed(const BuildRun& run) {
  return {{"listed", run.bases.size()}, {"atMost", 8}, {"atMostBytes", 1536}};
}

// What the platform chose, and how to find the record.
Json Internal(const ImageBuild& build, const BuildRun& run) {
  Json internal = {{"namespace", build.meta.key.ns}, {"imageBuild", build.meta.key.name},
                   {"uid", build.meta.uid.value},    {"run", run.number},
                   {"reason", run.reason},           {"baseImages", BasesListed(run)}};
  if (run.approval) {
    internal["approval"] = {{"decision", run.approval->decision}, {"actor", run.approval->actor}};
  }
  return internal;
}

// "sha256:abc" as {"sha256": "abc"}.
Json DigestOf(const std::string& digest) {
  const auto colon = digest.find(':');
  if (colon == std::string::npos) return Json::object();
  return {{digest.substr(0, colon), digest.substr(colon + 1)}};
}

Json Resource(std::string uri, Json digest) {
  Json resource = {{"uri", std::move(uri)}};
  if (!digest.empty()) resource["digest"] = std::move(digest);
  return resource;
}

Json ByImage(const std::string& image) {
  const auto at = image.find('@');
  return Resource("oci://" + image.substr(0, at),
                  at == std::string::npos ? Json::object() : DigestOf(image.substr(at + 1)));
}

Json Dependencies(const ImageBuild& build, const BuildRun& run) {
  std::string uri = "git+" + build.spec.source.url;
  if (!run.ref.empty()) uri += "@" + run.ref;
  Json all = Json::array({Resource(std::move(uri), {{"gitCommit", run.commit->sha}})});
  for (const auto& base : run.bases) all.push_back(Resource("oci://" + base.image, DigestOf(base.digest)));
  return all;
}

Json Builder(const resources::Policy& policy, const ToolImages& tools) {
  Json builder = {{"id", policy.builder_id}};
  Json dependencies = Json::array();
  for (const std::string& tool : tools) dependencies.push_back(ByImage(tool));
  if (!dependencies.empty()) builder["builderDependencies"] = std::move(dependencies);
  return builder;
}

// From when it was let in until its image was there.
Json Metadata(const ImageBuild& build, const BuildRun& run) {
  Json metadata = {{"invocationId", fmt::format("{}/{}/{}/{}", build.meta.key.ns, build.meta.key.name,
                                                build.meta.uid.value, run.number)}};
  if (run.started) metadata["startedOn"] = FormatTime(*run.started);
  std::optional<TimePoint> built;
  for (const auto& job : run.jobs) {
    if (job.role == JobRole::kBuild || job.role == JobRole::kIndex) built = std::max(built, job.finished);
  }
  if (built) metadata["finishedOn"] = FormatTime(*built);
  return metadata;
}

}  // namespace

Json Provenance(const ImageBuild& build, const BuildRun& run, const resources::Policy& policy,
                const ToolImages& tools) {
  Json predicate;
  predicate["buildDefinition"] = {{"buildType", kBuildType},
                                  {"externalParameters", External(build, run)},
                                  {"internalParameters", Internal(build, run)},
                                  {"resolvedDependencies", Dependencies(build, run)}};
  predicate["runDetails"] = {{"builder", Builder(policy, tools)}, {"metadata", Metadata(build, run)}};
  return predicate;
}

}  // namespace slipway::supply
