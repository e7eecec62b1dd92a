#include "resources/workloads.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/names.h"
#include "resources/tolerant.h"

namespace slipway::resources {
namespace {

using kube::Json;

bool IsTrue(const Json& condition) { return TextAt(condition, "status") == "True"; }

// A part of a pod's status that belongs to one container: running, waiting or terminated.
void ReadState(const Json& state, ContainerState& container) {
  const Json& running = At(state, "running");
  const Json& waiting = At(state, "waiting");
  const Json& terminated = At(state, "terminated");
  container.running = running.is_object();
  container.terminated = terminated.is_object();
  container.started = TimeAt(container.terminated ? terminated : running, "startedAt");
  container.finished = TimeAt(terminated, "finishedAt");
  container.exit_code = IntAt(terminated, "exitCode");
  const Json& told = container.terminated ? terminated : waiting;
  container.reason = TextAt(told, "reason");
  container.message = TextAt(told, "message");
}

// "docker-pullable://" stands before the name in some runtimes' words.
std::string WithoutScheme(std::string image_id) {
  const std::size_t scheme = image_id.find("://");
  return scheme == std::string::npos ? image_id : image_id.substr(scheme + 3);
}

void ReadContainers(const Json& spec, const Json& status, bool init, std::vector<ContainerState>& out) {
  const Json& statuses = At(status, init ? "initContainerStatuses" : "containerStatuses");
  for (const Json& declared : ListAt(spec, init ? "initContainers" : "containers")) {
    ContainerState container{.name = TextAt(declared, "name"), .init = init};
    for (const Json& seen : Items(statuses)) {
      if (TextAt(seen, "name") != container.name) continue;
      container.ready = BoolAt(seen, "ready");
      container.restarts = IntAt(seen, "restartCount");
      container.image_id = WithoutScheme(TextAt(seen, "imageID"));
      ReadState(At(seen, "state"), container);
    }
    out.push_back(std::move(container));
  }
}

TemplateContainer ReadTemplateContainer(const Json& json) {
  TemplateContainer container{.name = TextAt(json, "name"), .image = TextAt(json, "image")};
  for (const Json& port : ListAt(json, "ports")) {
    container.ports.push_back({TextAt(port, "name"), IntAt(port, "containerPort")});
    container.host_port = container.host_port || IntAt(port, "hostPort") != 0;
  }
  container.has_readiness_probe = At(json, "readinessProbe").is_object();
  return container;
}

// ---- what a pod template names ----

struct References {
  std::set<std::string> configs;
  std::set<std::string> secrets;
};

void Name(std::set<std::string>& names, const Json& ref, const char* key = "name") {
  if (std::string name = TextAt(ref, key); !name.empty()) names.insert(std::move(name));
}

void ReadVolume(const Json& volume, References& refs) {
  Name(refs.configs, At(volume, "configMap"));
  Name(refs.secrets, At(volume, "secret"), "secretName");
  for (const Json& source : ListAt(At(volume, "projected"), "sources")) {
    Name(refs.configs, At(source, "configMap"));
    Name(refs.secrets, At(source, "secret"));
  }
  // Those of storage drivers.
  Name(refs.secrets, At(volume, "azureFile"), "secretName");
  Name(refs.secrets, At(At(volume, "csi"), "nodePublishSecretRef"));
  for (const char* driver : {"cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
    Name(refs.secrets, At(At(volume, driver), "secretRef"));
  }
}

void ReadEnvironment(const Json& container, References& refs) {
  for (const Json& variable : ListAt(container, "env")) {
    Name(refs.configs, At(At(variable, "valueFrom"), "configMapKeyRef"));
    Name(refs.secrets, At(At(variable, "valueFrom"), "secretKeyRef"));
  }
  for (const Json& source : ListAt(container, "envFrom")) {
    Name(refs.configs, At(source, "configMapRef"));
    Name(refs.secrets, At(source, "secretRef"));
  }
}

References ReadReferences(const Json& pod_spec) {
  References refs;
  for (const Json& volume : ListAt(pod_spec, "volumes")) ReadVolume(volume, refs);
  for (const char* list : {"initContainers", "containers"}) {
    for (const Json& container : ListAt(pod_spec, list)) ReadEnvironment(container, refs);
  }
  for (const Json& pull : ListAt(pod_spec, "imagePullSecrets")) Name(refs.secrets, pull);
  return refs;
}

void ReadTemplate(const Json& pod_template, Deployment& out) {
  out.template_labels = TextsAt(At(pod_template, "metadata"), "labels");
  const Json& spec = At(pod_template, "spec");
  for (const Json& container : ListAt(spec, "containers")) {
    out.containers.push_back(ReadTemplateContainer(container));
  }
  const Json& anti = At(At(spec, "affinity"), "podAntiAffinity");
  out.required_anti_affinity = !ListAt(anti, "requiredDuringSchedulingIgnoredDuringExecution").empty();
  for (const Json& volume : ListAt(spec, "volumes")) {
    const std::string claim = TextAt(At(volume, "persistentVolumeClaim"), "claimName");
    if (!claim.empty()) out.claims.push_back(claim);
  }
  const References refs = ReadReferences(spec);
  out.config_refs.assign(refs.configs.begin(), refs.configs.end());
  out.secret_refs.assign(refs.secrets.begin(), refs.secrets.end());
  // nlohmann's objects are sorted by key: the same template is the same text.
  constexpr std::size_t kHashBytes = 8;
  out.template_hash =
      ShortHash(pod_template.dump(-1, ' ', false, Json::error_handler_t::replace), kHashBytes);
}

}  // namespace

Result<Job> Job::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  Job job{.meta = *std::move(meta)};
  const Json& status = At(object, "status");
  job.active = IntAt(status, "active");
  job.started = TimeAt(status, "startTime");
  for (const Json& condition : ListAt(status, "conditions")) {
    const std::string type = TextAt(condition, "type");
    if (!IsTrue(condition) || (type != "Complete" && type != "Failed")) continue;
    job.finished = TimeAt(condition, "lastTransitionTime");
    if (type == "Complete") {
      job.complete = true;
    } else {
      job.failed = true;
      job.failed_reason = TextAt(condition, "reason");
      job.failed_message = TextAt(condition, "message");
    }
  }
  return job;
}

Result<Pod> Pod::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  Pod pod{.meta = *std::move(meta)};
  const Json& spec = At(object, "spec");
  const Json& status = At(object, "status");
  pod.phase = TextAt(status, "phase");
  pod.reason = TextAt(status, "reason");
  pod.message = TextAt(status, "message");
  pod.ip = TextAt(status, "podIP");
  pod.node = TextAt(spec, "nodeName");
  for (const Json& condition : ListAt(status, "conditions")) {
    const std::string type = TextAt(condition, "type");
    if (type == "Ready") pod.ready = IsTrue(condition);
    if (type != "PodScheduled") continue;
    pod.scheduled = IsTrue(condition);
    if (TextAt(condition, "status") == "False") pod.unschedulable = TextAt(condition, "message");
  }
  ReadContainers(spec, status, true, pod.containers);
  ReadContainers(spec, status, false, pod.containers);
  return pod;
}

bool IsPodOf(const Pod& pod, const kube::ObjectMeta& job) {
  const auto* owner = pod.meta.Controller();
  const auto label = pod.meta.labels.find(kJobLabel);
  return owner != nullptr && owner->uid == job.uid && pod.meta.key.ns == job.key.ns &&
         label != pod.meta.labels.end() && label->second == job.key.name;
}

Result<Deployment> Deployment::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  Deployment out{.meta = *std::move(meta)};
  const Json& spec = At(object, "spec");
  out.replicas = IntAt(spec, "replicas", 1);
  out.paused = BoolAt(spec, "paused");
  out.recreate = TextAt(At(spec, "strategy"), "type") == "Recreate";
  out.max_unavailable = IntOrTextAt(At(At(spec, "strategy"), "rollingUpdate"), "maxUnavailable");
  out.min_ready_seconds = IntAt(spec, "minReadySeconds");
  out.selector = TextsAt(At(spec, "selector"), "matchLabels");
  out.selector_expressions = !ListAt(At(spec, "selector"), "matchExpressions").empty();
  ReadTemplate(At(spec, "template"), out);

  const Json& status = At(object, "status");
  out.observed_generation = Int64At(status, "observedGeneration");
  out.status_replicas = IntAt(status, "replicas");
  out.updated_replicas = IntAt(status, "updatedReplicas");
  out.ready_replicas = IntAt(status, "readyReplicas");
  out.available_replicas = IntAt(status, "availableReplicas");
  out.progress_deadline_exceeded =
      std::ranges::any_of(ListAt(status, "conditions"), [](const Json& condition) {
        return TextAt(condition, "type") == "Progressing" &&
               TextAt(condition, "reason") == "ProgressDeadlineExceeded";
      });
  return out;
}

bool Deployment::RolledOut() const {
  return observed_generation >= meta.generation && updated_replicas >= replicas &&
         status_replicas <= updated_replicas && available_replicas >= updated_replicas;
}

Result<Autoscaler> Autoscaler::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  Autoscaler out{.meta = *std::move(meta)};
  const Json& spec = At(object, "spec");
  out.target_kind = TextAt(At(spec, "scaleTargetRef"), "kind");
  out.target_name = TextAt(At(spec, "scaleTargetRef"), "name");
  out.min_replicas = IntAt(spec, "minReplicas", 1);
  out.max_replicas = IntAt(spec, "maxReplicas", 1);
  return out;
}

Result<Service> Service::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  Service out{.meta = *std::move(meta)};
  const Json& spec = At(object, "spec");
  out.selector = TextsAt(spec, "selector");
  out.session_affinity = TextAt(spec, "sessionAffinity");
  out.external_name = TextAt(spec, "type") == "ExternalName";
  const Json& ports = ListAt(spec, "ports");
  if (!ports.empty()) {
    out.port = IntAt(ports.front(), "port");
    out.target_port = IntOrTextAt(ports.front(), "targetPort");
    if (out.target_port.empty() && out.port > 0) out.target_port = std::to_string(out.port);
  }
  return out;
}

}  // namespace slipway::resources
