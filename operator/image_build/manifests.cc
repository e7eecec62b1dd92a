#include "image_build/manifests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "image_build/attest.h"
#include "image_build/builder.h"
#include "image_build/containers.h"
#include "image_build/names.h"
#include "jobs/disruption.h"
#include "resources/common.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;
using resources::JobRole;
using resources::NameRef;

constexpr int kSecretMode = 0440;
constexpr Duration kReportTime = std::chrono::minutes(1);
constexpr std::chrono::seconds kPodGrace{20};

Json Labels(const ImageBuild& build, std::string_view role) {
  return {{resources::kOwnerKindLabel, kube::kImageBuilds.kind},
          {resources::kOwnerNameLabel, LabelValue(build.meta.key.name)},
          {resources::kRoleLabel, role}};
}

// ---- volumes ----

Json Scratch(std::string_view name) { return {{"name", name}, {"emptyDir", Json::object()}}; }

// Credentials never touch a disk.
Json InMemory(std::string_view name) {
  Json volume = {{"name", name}};
  volume["emptyDir"] = {{"medium", "Memory"}, {"sizeLimit", "1Mi"}};
  return volume;
}

Json SecretVolume(std::string_view name, const NameRef& secret, bool docker_config) {
  Json source = {{"secretName", secret.name}, {"defaultMode", kSecretMode}};
  if (docker_config) {
    Json item = {{"key", ".dockerconfigjson"}, {"path", "config.json"}};
    source["items"] = Json::array({std::move(item)});
  }
  Json volume = {{"name", name}};
  volume["secret"] = std::move(source);
  return volume;
}

Json CaVolume(const NameRef& bundle) {
  Json item = {{"key", "ca.crt"}, {"path", "ca.crt"}};
  Json source = {{"name", bundle.name}, {"defaultMode", kSecretMode}};
  source["items"] = Json::array({std::move(item)});
  Json volume = {{"name", kCaBundle}};
  volume["configMap"] = std::move(source);
  return volume;
}

Json VexDocument(std::size_t index, const std::string& config_map) {
  Json item = {{"key", "openvex.json"}, {"path", "openvex.json"}};
  Json source = {{"name", config_map}, {"defaultMode", kSecretMode}};
  source["items"] = Json::array({std::move(item)});
  Json volume = {{"name", VexVolume(index)}};
  volume["configMap"] = std::move(source);
  return volume;
}

class Volumes {
 public:
  explicit Volumes(const ImageBuild& build) {
    list_ = Json::array({Scratch("tmp")});
    if (build.spec.ca_bundle_ref) list_.push_back(CaVolume(*build.spec.ca_bundle_ref));
  }
  Volumes& Add(Json volume) {
    list_.push_back(std::move(volume));
    return *this;
  }
  Volumes& Secret(std::string_view name, const std::optional<NameRef>& ref, bool docker_config) {
    if (ref) list_.push_back(SecretVolume(name, *ref, docker_config));
    return *this;
  }
  Json Take() && { return std::move(list_); }

 private:
  Json list_;
};

Json BuildVolumes(const ImageBuild& build) {
  const auto& spec = build.spec;
  Volumes volumes(build);
  volumes.Add(Scratch(kSourceVolume)).Add(Scratch(kImageVolume)).Add(Scratch(kToolsVolume));
  volumes.Add(InMemory(kDockerVolume)).Add(Scratch(kScanVolume)).Add(Scratch("scan-tmp"));
  for (std::size_t i = 0; i < spec.scan.vex.size(); ++i) volumes.Add(VexDocument(i, spec.scan.vex[i]));
  volumes.Secret(kGitCredentials, spec.source.credentials_secret_ref, false);
  volumes.Secret(kBaseCredentials, spec.build.base_credentials_secret_ref, true);
  if (spec.build.cache) volumes.Secret(kCacheCredentials, spec.build.cache->credentials_secret_ref, true);
  volumes.Secret(kPushCredentials, spec.output.credentials_secret_ref, true);
  return std::move(volumes).Take();
}

// ---- pods and Jobs ----

// One after the other: all but the last are init containers.
Json PodSpec(const Setting& setting, std::vector<Json> steps, Json volumes) {
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", setting.space.service_account}};
  pod["securityContext"]["fsGroup"] = kUser;
  pod["securityContext"]["seccompProfile"]["type"] = "RuntimeDefault";
  pod["volumes"] = std::move(volumes);
  pod["containers"] = Json::array({std::move(steps.back())});
  steps.pop_back();
  if (!steps.empty()) pod["initContainers"] = std::move(steps);
  return pod;
}

Json NodesOf(std::string_view platform) {
  std::string_view arch = platform.substr(platform.find('/') + 1);
  arch = arch.substr(0, arch.find('/'));
  return {{"kubernetes.io/os", "linux"}, {"kubernetes.io/arch", arch}};
}

struct JobShape {
  std::string_view role;
  Duration deadline;
  Json pod;
};

Json JobOf(const ImageBuild& build, const std::string& name, JobShape shape) {
  const kube::OwnerReference owner{kube::ApiVersion(kube::kImageBuilds), std::string(kube::kImageBuilds.kind),
                                   build.meta.key.name, build.meta.uid, true};
  Json job = {{"apiVersion", kube::ApiVersion(kube::kJobs)}, {"kind", kube::kJobs.kind}};
  job["metadata"] = {{"name", name}, {"namespace", build.meta.key.ns}};
  job["metadata"]["labels"] = Labels(build, shape.role);
  job["metadata"]["ownerReferences"] = Json::array({kube::ToJson(owner)});
  // The kubelet ends the pod, which stays with its logs; the Job's own deadline would delete it, and is for a
  // pod that never runs.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(shape.deadline).count();
  shape.pod["activeDeadlineSeconds"] = seconds;
  job["spec"] = {{"backoffLimit", 0}, {"activeDeadlineSeconds", seconds + kPodGrace.count()}};
  job["spec"]["podFailurePolicy"] = jobs::FailWhenDisrupted();
  job["spec"]["template"]["metadata"]["labels"] = Labels(build, shape.role);
  job["spec"]["template"]["metadata"]["labels"][std::string(resources::kJobLabel)] = name;
  job["spec"]["template"]["spec"] = std::move(shape.pod);
  return job;
}

// ---- one for each role ----

JobShape Resolve(const ImageBuild& build, const Setting& setting) {
  Volumes volumes(build);
  volumes.Secret(kGitCredentials, build.spec.source.credentials_secret_ref, false);
  return {"resolve", build.spec.build.timeout,
          PodSpec(setting, {ResolveContainer(build, setting)}, std::move(volumes).Take())};
}

JobShape Test(const ImageBuild& build, const BuildRun& run, const std::string& name, const Setting& setting) {
  const auto legs = LegsOf(build.spec.tests);
  const auto leg = std::ranges::find(legs, name, &Leg::name);
  Volumes volumes(build);
  volumes.Add(Scratch(kSourceVolume)).Add(Scratch("test-tmp"));
  volumes.Secret(kGitCredentials, build.spec.source.credentials_secret_ref, false);
  return {"test", leg->test->timeout,
          PodSpec(setting, {SourceContainer(build, run, setting, ""), TestContainer(build, run, *leg)},
                  std::move(volumes).Take())};
}

JobShape Build(const ImageBuild& build, const BuildRun& run, const std::string& platform,
               const Setting& setting) {
  std::vector<Json> steps{SourceContainer(build, run, setting, build.spec.build.dockerfile),
                          PrepareContainer(build, run, platform, setting),
                          Kaniko().Container({build, run, platform, setting})};
  for (auto& step : ScanContainers(build, setting)) steps.push_back(std::move(step));
  if (build.spec.output.push) steps.push_back(PushContainer(build, run, platform, setting));
  Json pod = PodSpec(setting, std::move(steps), BuildVolumes(build));
  if (!platform.empty()) pod["nodeSelector"] = NodesOf(platform);
  return {"build", TimeLeft(build, run), std::move(pod)};
}

JobShape Index(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  Volumes volumes(build);
  volumes.Secret(kPushCredentials, build.spec.output.credentials_secret_ref, true);
  return {"index", TimeLeft(build, run),
          PodSpec(setting, {IndexContainer(build, run, setting)}, std::move(volumes).Take())};
}

JobShape Report(const ImageBuild& build, const BuildRun& run, const std::string& state,
                const Setting& setting) {
  Volumes volumes(build);
  volumes.Secret(kReportCredentials, build.spec.report->credentials_secret_ref, false);
  return {"report", kReportTime,
          PodSpec(setting, {ReportContainer(build, run, state, setting)}, std::move(volumes).Take())};
}

JobShape ShapeOf(const ImageBuild& build, const BuildRun& run, const StartJob& start,
                 const Setting& setting) {
  switch (start.role) {
    case JobRole::kResolve:
      return Resolve(build, setting);
    case JobRole::kTest:
      return Test(build, run, start.leg, setting);
    case JobRole::kBuild:
      return Build(build, run, start.leg, setting);
    case JobRole::kIndex:
      return Index(build, run, setting);
    case JobRole::kReport:
    case JobRole::kAttest:
      break;
  }
  return Report(build, run, start.leg, setting);
}

}  // namespace

Json RenderJob(const ImageBuild& build, const BuildRun& run, const StartJob& start, const Setting& setting) {
  if (start.role == JobRole::kAttest) {
    return RenderAttestJob(build, run, start.name, setting).value_or(Json());
  }
  return JobOf(build, start.name, ShapeOf(build, run, start, setting));
}

}  // namespace slipway::image_build
