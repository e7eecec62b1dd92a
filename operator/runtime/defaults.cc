#include "runtime/defaults.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace slipway::runtime {
namespace {

using Json = nlohmann::json;

// A default of k8s.io/kubernetes/pkg/apis/{core,batch,apps}/v1/defaults.go: `value` is the compact JSON.
struct Default {
  std::string_view scope;
  std::string_view key;
  std::string_view value;
};

constexpr Default kDefaults[] = {
    {"job", "parallelism", "1"},
    {"job", "backoffLimit", "6"},
    {"job", "completionMode", R"("NonIndexed")"},
    {"job", "suspend", "false"},
    {"job", "manualSelector", "false"},
    {"job.podFailurePolicy.rules[].onPodConditions[]", "status", R"("True")"},
    {"deployment", "replicas", "1"},
    {"deployment", "revisionHistoryLimit", "10"},
    {"deployment", "progressDeadlineSeconds", "600"},
    {"deployment", "strategy",
     R"({"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"})"},
    {"deployment.strategy", "rollingUpdate", R"({"maxSurge":"25%","maxUnavailable":"25%"})"},
    {"deployment.strategy", "type", R"("RollingUpdate")"},
    {"deployment.strategy.rollingUpdate", "maxSurge", R"("25%")"},
    {"deployment.strategy.rollingUpdate", "maxUnavailable", R"("25%")"},
    {"pod", "restartPolicy", R"("Always")"},
    {"pod", "dnsPolicy", R"("ClusterFirst")"},
    {"pod", "schedulerName", R"("default-scheduler")"},
    {"pod", "terminationGracePeriodSeconds", "30"},
    {"pod", "securityContext", "{}"},
    {"pod.containers[]", "terminationMessagePath", R"("/dev/termination-log")"},
    {"pod.containers[]", "terminationMessagePolicy", R"("File")"},
    {"pod.containers[]", "resources", "{}"},
    {"pod.containers[].ports[]", "protocol", R"("TCP")"},
    {"pod.containers[].securityContext", "procMount", R"("Default")"},
    {"pod.containers[].env[].valueFrom.fieldRef", "apiVersion", R"("v1")"},
    {"pod.containers[].env[].valueFrom.resourceFieldRef", "divisor", R"("0")"},
    {"pod.containers[].probe", "timeoutSeconds", "1"},
    {"pod.containers[].probe", "periodSeconds", "10"},
    {"pod.containers[].probe", "successThreshold", "1"},
    {"pod.containers[].probe", "failureThreshold", "3"},
    {"pod.containers[].probe.httpGet", "path", R"("/")"},
    {"pod.containers[].probe.httpGet", "scheme", R"("HTTP")"},
    {"pod.containers[].probe.grpc", "service", R"("")"},
    {"pod.containers[].hook.httpGet", "path", R"("/")"},
    {"pod.containers[].hook.httpGet", "scheme", R"("HTTP")"},
    {"pod.volumes[].secret", "defaultMode", "420"},
    {"pod.volumes[].configMap", "defaultMode", "420"},
    {"pod.volumes[].projected", "defaultMode", "420"},
    {"pod.volumes[].downwardAPI", "defaultMode", "420"},
    {"pod.volumes[].hostPath", "type", R"("")"},
    {"pod.volumes[].downwardAPI.items[].fieldRef", "apiVersion", R"("v1")"},
    {"pod.volumes[].downwardAPI.items[].resourceFieldRef", "divisor", R"("0")"},
    {"pod.volumes[].projected.sources[].downwardAPI.items[].fieldRef", "apiVersion", R"("v1")"},
    {"pod.volumes[].projected.sources[].downwardAPI.items[].resourceFieldRef", "divisor", R"("0")"},
    {"pod.volumes[].projected.sources[].serviceAccountToken", "expirationSeconds", "3600"},
    {"pod.volumes[].ephemeral.volumeClaimTemplate", "metadata", "{}"},
    {"pod.volumes[].ephemeral.volumeClaimTemplate.spec", "volumeMode", R"("Filesystem")"},
};

// Set by the API server on every object, or about deletion.
constexpr std::array<std::string_view, 9> kServerMetadata = {"uid",
                                                             "resourceVersion",
                                                             "generation",
                                                             "creationTimestamp",
                                                             "managedFields",
                                                             "deletionTimestamp",
                                                             "deletionGracePeriodSeconds",
                                                             "selfLink",
                                                             "generateName"};

template <std::size_t N>
bool OneOf(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string Text(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool IsJob(const Place& place) { return Text(place.rendered_root, "kind") == "Job"; }
bool IsDeployment(const Place& place) { return Text(place.rendered_root, "kind") == "Deployment"; }

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// The pattern in the table's terms; empty where no default is known.
std::string ScopeOf(const Place& place) {
  constexpr std::string_view kPodSpec = "spec.template.spec";
  const bool job = IsJob(place);
  if (!job && !IsDeployment(place)) return {};
  std::string scope(place.pattern);
  if (!scope.starts_with(kPodSpec)) {
    if (!scope.starts_with("spec") || scope.starts_with("spec.template")) return {};
    return scope.replace(0, 4, job ? "job" : "deployment");
  }
  scope.replace(0, kPodSpec.size(), "pod");
  ReplaceAll(scope, "pod.initContainers[]", "pod.containers[]");
  for (const auto* probe : {".livenessProbe", ".readinessProbe", ".startupProbe"}) {
    ReplaceAll(scope, probe, ".probe");
  }
  for (const auto* hook : {".lifecycle.postStart", ".lifecycle.preStop"}) ReplaceAll(scope, hook, ".hook");
  return scope;
}

bool InTable(std::string_view scope, std::string_view key, const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return std::ranges::any_of(
      kDefaults, [&](const Default& d) { return d.scope == scope && d.key == key && d.value == text; });
}

// Always for ":latest" and for no tag at all, unless a digest names the image.
std::string_view DefaultPullPolicy(const std::string& image) {
  if (image.find('@') != std::string::npos) return "IfNotPresent";
  const auto slash = image.rfind('/');
  const auto colon = image.rfind(':');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  return !tagged || image.substr(colon) == ":latest" ? "Always" : "IfNotPresent";
}

const Json& MetadataOf(const Json& object) {
  static const Json kNone = Json::object();
  const auto it = object.find("metadata");
  return it == object.end() ? kNone : *it;
}

// batch/v1 strategy.go, generateSelector: each label names this very Job.
bool IsJobControllerLabel(const Place& place, std::string_view key, const Json& value) {
  if (!IsJob(place) || !value.is_string()) return false;
  const Json& metadata = MetadataOf(place.live_root);
  if (key == "controller-uid" || key == "batch.kubernetes.io/controller-uid") {
    return value == Text(metadata, "uid");
  }
  if (key == "job-name" || key == "batch.kubernetes.io/job-name") return value == Text(metadata, "name");
  return false;
}

// batch/v1 defaults.go: a Job without labels gets its template's.
bool IsTemplateLabel(const Place& place, std::string_view key, const Json& value) {
  if (!IsJob(place) || !place.rendered.empty()) return false;
  static const Json::json_pointer kLabels("/spec/template/metadata/labels");
  if (!place.rendered_root.contains(kLabels)) return false;
  const Json& labels = place.rendered_root.at(kLabels);
  const auto it = labels.find(std::string(key));
  return it != labels.end() && *it == value;
}

bool IsControllerAnnotation(const Place& place, std::string_view key, const Json& value) {
  if (IsJob(place)) return key == "batch.kubernetes.io/job-tracking" && value == "";
  return IsDeployment(place) && key == "deployment.kubernetes.io/revision" && value.is_string();
}

bool IsJobSelector(const Place& place, const Json& value) {
  const std::string uid = Text(MetadataOf(place.live_root), "uid");
  const Json today = {{"matchLabels", {{"batch.kubernetes.io/controller-uid", uid}}}};
  const Json before_1_27 = {{"matchLabels", {{"controller-uid", uid}}}};
  return value == today || value == before_1_27;
}

// Defaults that depend on what stands beside them.
bool IsDependentDefault(const Place& place, std::string_view scope, std::string_view key, const Json& value) {
  if (scope == "pod" && key == "serviceAccount") {
    return value == Text(place.rendered, "serviceAccountName") && value != "";
  }
  if (scope == "pod.containers[]" && key == "imagePullPolicy") {
    return value == DefaultPullPolicy(Text(place.rendered, "image"));
  }
  if (scope != "job") return false;
  if (key == "selector") return IsJobSelector(place, value);
  if (key == "completions") return value == 1 && !place.rendered.contains("parallelism");
  if (key == "podReplacementPolicy") {
    return value == (place.rendered.contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
  }
  return false;
}

bool IsServerMetadata(std::string_view key, const Json& value) {
  if (OneOf(kServerMetadata, key)) return true;
  if (key != "finalizers" || !value.is_array()) return false;
  // What a delete with that propagation sets.
  return std::ranges::all_of(
      value, [](const Json& name) { return name == "foregroundDeletion" || name == "orphan"; });
}

}  // namespace

bool AddedByKubernetes(const Place& place, std::string_view key, const Json& value) {
  if (place.pattern.empty()) return key == "status";
  if (place.pattern == "metadata") return IsServerMetadata(key, value);
  if (place.pattern == "metadata.annotations") return IsControllerAnnotation(place, key, value);
  if (place.pattern == "metadata.labels") {
    return IsJobControllerLabel(place, key, value) || IsTemplateLabel(place, key, value);
  }
  if (place.pattern == "spec.template.metadata.labels") return IsJobControllerLabel(place, key, value);
  const std::string scope = ScopeOf(place);
  return !scope.empty() && (InTable(scope, key, value) || IsDependentDefault(place, scope, key, value));
}

bool DroppedByKubernetes(std::string_view key, const Json& value) {
  // Plain bools and ints: absent means zero. automountServiceAccountToken, runAsUser, backoffLimit and their
  // like are pointers, where absent means something else: they are not here.
  static constexpr std::array<std::string_view, 11> kPlain = {
      "readOnly", "hostNetwork",         "hostPID",        "hostIPC", "stdin", "stdinOnce", "tty", "paused",
      "hostPort", "initialDelaySeconds", "minReadySeconds"};
  static constexpr std::array<std::string_view, 5> kMaps = {"labels", "annotations", "limits", "requests",
                                                            "nodeSelector"};
  if (value.is_null() || value == "") return true;
  if (value.is_array()) return value.empty();
  if (value.is_object()) return value.empty() && OneOf(kMaps, key);
  return OneOf(kPlain, key) && (value == false || value == 0);
}

}  // namespace slipway::runtime
