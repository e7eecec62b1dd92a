#include "supply/job.h"

#include <fmt/format.h>

#include "jobs/disruption.h"
#include "resources/common.h"
#include "runtime/containers.h"

namespace slipway::supply {
namespace {

using kube::Json;
using runtime::Mount;
using runtime::Variable;

constexpr int kSecretMode = 0440;
constexpr std::chrono::seconds kPodGrace{20};
// After its end: no owner's deletion takes it away. Of looks there may be many.
constexpr int kStaysSeconds = 3600;
constexpr int kLookStaysSeconds = 600;

std::string Annotation(std::string_view file) { return fmt::format("slipway.dev/input.{}", file); }

Json Scratch(std::string_view name, std::string_view limit) {
  Json volume = {{"name", name}};
  volume["emptyDir"] = {{"sizeLimit", limit}};
  return volume;
}

Json InputVolume(const std::vector<Input>& inputs) {
  Json items = Json::array();
  for (const Input& input : inputs) {
    Json item = {{"path", input.file}};
    item["fieldRef"] = {{"fieldPath", fmt::format("metadata.annotations['{}']", Annotation(input.file))}};
    items.push_back(std::move(item));
  }
  Json volume = {{"name", kInputVolume}};
  volume["downwardAPI"] = {{"items", std::move(items)}};
  return volume;
}

Json DockerVolume(const std::string& secret) {
  Json item = {{"key", ".dockerconfigjson"}, {"path", "config.json"}};
  Json volume = {{"name", kDockerVolume}};
  volume["secret"] = {
      {"secretName", secret}, {"defaultMode", kSecretMode}, {"items", Json::array({std::move(item)})}};
  return volume;
}

Json CaVolume(const std::string& config_map) {
  Json item = {{"key", "ca.crt"}, {"path", "ca.crt"}};
  Json volume = {{"name", kCaVolume}};
  volume["configMap"] = {{"name", config_map}, {"items", Json::array({std::move(item)})}};
  return volume;
}

Json PodSpec(JobShape& shape, const Setting& setting) {
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", shape.service_account}};
  pod["securityContext"] = runtime::RestrictedPod();
  pod["securityContext"]["fsGroup"] = runtime::kUser;
  Json volumes = Json::array({Scratch("tmp", "1Gi")});
  if (!shape.inputs.empty()) volumes.push_back(InputVolume(shape.inputs));
  if (!setting.policy.registry_secret.empty()) {
    volumes.push_back(DockerVolume(setting.policy.registry_secret));
  }
  if (!setting.policy.ca_bundle.empty()) volumes.push_back(CaVolume(setting.policy.ca_bundle));
  for (Json& volume : shape.volumes) volumes.push_back(std::move(volume));
  pod["volumes"] = std::move(volumes);
  if (!shape.before.empty()) pod["initContainers"] = std::move(shape.before);
  pod["containers"] = std::move(shape.containers);
  return pod;
}

Json Plain(std::string_view name, const std::string& image, Json args) {
  Json container = {{"name", name}, {"image", image}, {"workingDir", "/tmp"}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["securityContext"] = runtime::Restricted();
  container["terminationMessagePolicy"] = "FallbackToLogsOnError";
  container["volumeMounts"] = Json::array({Mount("tmp", "/tmp", false)});
  return container;
}

Json Container(std::string_view name, const std::string& image, const Setting& setting, Json args) {
  Json container = Plain(name, image, std::move(args));
  if (!setting.policy.registry_secret.empty()) {
    container["env"].push_back(Variable("DOCKER_CONFIG", kDockerFolder));
    container["volumeMounts"].push_back(Mount(kDockerVolume, kDockerFolder, true));
  }
  if (!setting.policy.ca_bundle.empty()) {
    // Beside those of the image: Go reads every one of these folders, and its usual file.
    container["env"].push_back(Variable("SSL_CERT_DIR", fmt::format("/etc/ssl/certs:{}", kCaFolder)));
    container["volumeMounts"].push_back(Mount(kCaVolume, kCaFolder, true));
  }
  return container;
}

Json Resources(std::string_view cpu, std::string_view memory, std::string_view most) {
  Json resources = runtime::Requests(cpu, memory);
  resources["limits"] = {{"memory", most}};
  return resources;
}

}  // namespace

std::string InputPath(std::string_view file) { return fmt::format("{}/{}", kInputFolder, file); }

Json RenderJob(const Owner& owner, JobShape shape, const Setting& setting) {
  Json job = {{"apiVersion", kube::ApiVersion(kube::kJobs)}, {"kind", kube::kJobs.kind}};
  job["metadata"] = {{"name", shape.name}, {"namespace", setting.ns}};
  job["metadata"]["labels"] = Labels(owner, shape.role);
  job["metadata"]["annotations"] = {{kOwnerNameAnnotation, owner.key.name}};
  // The kubelet ends the pod, which stays with its last words; the Job's own deadline would delete it.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(shape.deadline).count();
  job["spec"] = {{"backoffLimit", 0},
                 {"activeDeadlineSeconds", seconds + kPodGrace.count()},
                 {"ttlSecondsAfterFinished", shape.role == kAttestRole ? kStaysSeconds : kLookStaysSeconds}};
  job["spec"]["podFailurePolicy"] = jobs::FailWhenDisrupted();
  Json& pod = job["spec"]["template"];
  pod["metadata"]["labels"] = Labels(owner, shape.role);
  pod["metadata"]["labels"][std::string(resources::kJobLabel)] = shape.name;
  pod["metadata"]["annotations"] = {{kOwnerNameAnnotation, owner.key.name}};
  for (const Input& input : shape.inputs) pod["metadata"]["annotations"][Annotation(input.file)] = input.text;
  pod["spec"] = PodSpec(shape, setting);
  pod["spec"]["activeDeadlineSeconds"] = seconds;
  return job;
}

Json CosignContainer(std::string_view name, const Setting& setting, Json args) {
  Json container = Container(name, setting.tools.cosign_image, setting, std::move(args));
  container["resources"] = Resources("20m", "64Mi", "512Mi");
  return container;
}

Json TrivyContainer(std::string_view name, const Setting& setting, Json args) {
  Json container = Container(name, setting.tools.trivy_image, setting, std::move(args));
  container["resources"] = Resources("50m", "256Mi", "2Gi");
  return container;
}

Json RunnerContainer(std::string_view name, const Setting& setting, Json args) {
  args.push_back(runtime::Option("report", runtime::kReportPath));
  Json container = Plain(name, setting.tools.runner_image, std::move(args));
  container["resources"] = Resources("20m", "64Mi", "256Mi");
  return container;
}

void GiveInputs(Json& container) {
  container["volumeMounts"].push_back(Mount(kInputVolume, kInputFolder, true));
}

void AddRegistryFlags(const Setting& setting, std::string_view image, Json& args) {
  if (!setting.policy.Insecure(image)) return;
  args.push_back("--allow-http-registry");
  args.push_back("--allow-insecure-registry");
}

}  // namespace slipway::supply
