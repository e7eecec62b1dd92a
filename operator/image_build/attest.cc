#include "image_build/attest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "image_build/course.h"
#include "image_build/stages.h"
#include "supply/attest_job.h"
#include "supply/predicates.h"
#include "supply/provenance.h"

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::ImageBuild;
using resources::Predicate;
using resources::RunJob;

bool IsSbom(Predicate predicate) {
  return predicate == Predicate::kSpdx || predicate == Predicate::kCycloneDx;
}

kube::Json Content(Predicate predicate, const ImageBuild& build, const BuildRun& run,
                   const Setting& setting) {
  const Tools& tools = setting.tools;
  if (predicate == Predicate::kTests) return supply::TestsPredicate(build, run);
  if (predicate == Predicate::kScan) {
    return supply::ScanPredicate(build, run, setting.policy.builder_id, tools.trivy_image);
  }
  return supply::Provenance(build, run, setting.policy,
                            {tools.runner_image, tools.kaniko_image, tools.trivy_image, tools.cosign_image});
}

// The API server takes 256 KiB of annotations. What is not known before the build (bases, findings) and what
// the platform adds (its tools, its builder's id) take less than the rest.
constexpr std::size_t kMostInput = 192UL * 1024;

std::size_t SizeOf(const kube::Json& json) {
  return json.dump(-1, ' ', false, kube::Json::error_handler_t::replace).size();
}

// What of it the spec makes large.
struct Share {
  std::string_view field;
  std::size_t bytes = 0;
};

Share LargestOf(const kube::Json& provenance, std::size_t tests) {
  const auto& external = provenance.at("buildDefinition").at("externalParameters");
  Share largest{"spec.tests", tests};
  for (const auto& [name, field] :
       {std::pair("args", "spec.build.args"), std::pair("labels", "spec.output.labels"),
        std::pair("platforms", "spec.build.platforms")}) {
    const std::size_t bytes = external.contains(name) ? SizeOf(external.at(name)) : 0;
    if (bytes > largest.bytes) largest = {field, bytes};
  }
  return largest;
}

// What tells this run's statement from those of others about the same image. The provenance's invocationId
// would, but cosign 2.6 writes it under another name.
kube::Json MarkOf(Predicate predicate, const kube::Json& content) {
  kube::Json mark;
  if (predicate == Predicate::kProvenance) {
    const auto& internal = content.at("buildDefinition").at("internalParameters");
    mark["buildDefinition"]["internalParameters"] = {{"uid", internal.at("uid")},
                                                     {"run", internal.at("run")}};
  } else if (predicate == Predicate::kScan) {
    mark["invocation"]["event_id"] = content.at("invocation").at("event_id");
  } else {
    mark["commit"] = content.at("commit");
    mark["result"] = content.at("result");
  }
  return mark;
}

bool IsAttest(const RunJob& job) { return job.role == resources::JobRole::kAttest; }

std::string Text(const kube::Json& object, const kube::Json::json_pointer& at) {
  const auto value = object.value(at, kube::Json());
  return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace

std::optional<std::string> TooLargeToAttest(const ImageBuild& build, const BuildRun& run) {
  if (!build.spec.attest || !run.commit) return std::nullopt;
  const kube::Json provenance = supply::Provenance(build, run, {}, {});
  const std::size_t tests = SizeOf(supply::TestsPredicate(build, run));
  const std::size_t all = SizeOf(provenance) + tests + SizeOf(supply::ScanPredicate(build, run, "", ""));
  if (all <= kMostInput) return std::nullopt;
  const Share largest = LargestOf(provenance, tests);
  return fmt::format(
      "spec.attest: what is to be attested of the image takes {} KiB, and at most {} KiB are taken: {} is {} "
      "KiB of it; make it smaller, for example by a file of the repository",
      all / 1024, kMostInput / 1024, largest.field, largest.bytes / 1024);
}

supply::Owner OwnerOf(const ImageBuild& build) {
  return {std::string(kube::kImageBuilds.kind), build.meta.key, build.meta.uid};
}

std::optional<kube::Json> RenderAttestJob(const ImageBuild& build, const BuildRun& run,
                                          const std::string& name, const Setting& setting) {
  if (!build.spec.attest) return std::nullopt;
  const auto* signer = setting.policy.FindSigner(build.spec.attest->signer);
  if (signer == nullptr) return std::nullopt;
  supply::AttestRequest request{.name = name,
                                .owner = OwnerOf(build),
                                .image = PushedImage(build.spec, run),
                                .signer = *signer,
                                .sboms = {},
                                .statements = {}};
  // Not that of the node where the Job happens to run.
  if (!build.spec.build.platforms.empty()) request.platform = build.spec.build.platforms.front();
  for (const Predicate predicate : PredicatesOf(build.spec)) {
    if (IsSbom(predicate)) {
      request.sboms.push_back(predicate);
    } else {
      kube::Json content = Content(predicate, build, run, setting);
      kube::Json mark = MarkOf(predicate, content);
      request.statements.push_back({predicate, std::move(content), std::move(mark)});
    }
  }
  const Tools& tools = setting.tools;
  return supply::RenderAttestJob(request,
                                 {{tools.cosign_image, tools.trivy_image, tools.trivy_java_db_repository},
                                  setting.policy,
                                  setting.supply_namespace});
}

std::string AttestLeg(const BuildRun& run) {
  const auto failed = std::ranges::count_if(run.jobs, [](const RunJob& job) {
    return IsAttest(job) && job.state == resources::StageState::kFailed;
  });
  return failed == 0 ? "" : std::to_string(failed + 1);
}

bool AttestsAgain(const BuildRun& run, const RunJob& job, const resources::Failure& failure) {
  if (!IsAttest(job) || failure.reason != "AttestationLost") return false;
  return std::ranges::count_if(run.jobs, IsAttest) < kMostAttestJobs;
}

bool AskedForTheSame(const kube::Json& rendered, const kube::Json& live) {
  const auto same = [&](const std::string& map, std::string_view name) {
    const auto at = kube::Json::json_pointer("/metadata/" + map) / std::string(name);
    return !Text(rendered, at).empty() && Text(rendered, at) == Text(live, at);
  };
  return same("labels", resources::kRoleLabel) && same("labels", supply::kOwnerUidLabel) &&
         same("annotations", supply::kAskedAnnotation);
}

}  // namespace slipway::image_build
