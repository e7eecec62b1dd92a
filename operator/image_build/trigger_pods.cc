#include "image_build/trigger_pods.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/names.h"
#include "image_build/containers.h"
#include "resources/common.h"

namespace slipway::image_build {
namespace {

using kube::Json;

constexpr std::string_view kAccount = "slipway-trigger";
constexpr int kMode = 0440;

Json Labels(std::string_view name) {
  return {{"app.kubernetes.io/name", name},
          {"app.kubernetes.io/part-of", "slipway"},
          {resources::kRoleLabel, "trigger"}};
}

// With a label that admission keeps for us: nobody else's pod gets a share of the deliveries.
Json Selector(std::string_view name) {
  return {{"app.kubernetes.io/name", name}, {resources::kRoleLabel, "trigger"}};
}

// Volumes have names of their own, for those of Secrets may be longer.
std::string VolumeName(std::string_view kind, const std::string& name) {
  return ChildName(kind, "volume", name);
}

// What is not there yet holds nobody else's polling up.
Json FromSecret(const std::string& volume, const std::string& secret) {
  Json json = {{"name", volume}};
  json["secret"] = {{"secretName", secret}, {"defaultMode", kMode}, {"optional", true}};
  return json;
}

Json FromConfigMap(const std::string& volume, const std::string& name) {
  Json json = {{"name", volume}};
  json["configMap"] = {{"name", name}, {"defaultMode", kMode}, {"optional", true}};
  return json;
}

class Pod {
 public:
  Pod(std::string name, const Setting& setting, Json args) : name_(std::move(name)) {
    container_ = {{"name", "trigger"}, {"image", setting.tools.runner_image}};
    container_["args"] = std::move(args);
    container_["env"] = Json::array({Variable("HOME", "/tmp")});
    container_["resources"] = Requests("10m", "32Mi");
    container_["securityContext"] = Restricted();
    container_["volumeMounts"] = Json::array({Mount("tmp", "/tmp", false)});
    Json tmp = {{"name", "tmp"}};
    tmp["emptyDir"] = Json::object();
    volumes_ = Json::array({std::move(tmp)});
  }

  void MountSecret(std::string_view kind, const std::string& secret, const std::string& path) {
    Add(FromSecret(VolumeName(kind, secret + "/" + path), secret), path);
  }
  void MountConfigMap(const std::string& name, const std::string& path) {
    Add(FromConfigMap(VolumeName("ca", name), name), path);
  }
  void Listen(int port) {
    Json container_port = {{"name", "http"}, {"containerPort", port}, {"protocol", "TCP"}};
    container_["ports"] = Json::array({std::move(container_port)});
    container_["readinessProbe"]["httpGet"] = {{"path", "/healthz"}, {"port", "http"}};
  }

  Json Deployment(const std::string& ns) && {
    Json spec = {{"serviceAccountName", kAccount},
                 {"automountServiceAccountToken", true},
                 {"enableServiceLinks", false}};
    spec["securityContext"]["fsGroup"] = kUser;
    spec["securityContext"]["runAsNonRoot"] = true;
    spec["securityContext"]["seccompProfile"]["type"] = "RuntimeDefault";
    spec["volumes"] = std::move(volumes_);
    spec["containers"] = Json::array({std::move(container_)});
    Json deployment = {{"apiVersion", kube::ApiVersion(kube::kDeployments)},
                       {"kind", kube::kDeployments.kind}};
    deployment["metadata"] = {{"name", name_}, {"namespace", ns}};
    deployment["metadata"]["labels"] = Labels(name_);
    deployment["spec"]["replicas"] = 1;
    deployment["spec"]["selector"]["matchLabels"] = Selector(name_);
    deployment["spec"]["template"]["metadata"]["labels"] = Labels(name_);
    deployment["spec"]["template"]["spec"] = std::move(spec);
    return deployment;
  }

 private:
  void Add(Json volume, const std::string& path) {
    container_["volumeMounts"].push_back(Mount(volume["name"].get<std::string>(), path, true));
    volumes_.push_back(std::move(volume));
  }

  std::string name_;
  Json container_;
  Json volumes_;
};

}  // namespace

TriggerNeeds NeedsOf(const Builds& builds, const resources::NamespacePolicy* policy) {
  TriggerNeeds needs;
  std::set<std::string> git;
  std::set<std::string> registries;
  std::set<std::string> bundles;
  std::set<std::pair<std::string, std::string>> keys;
  for (const auto& build : builds) {
    const auto& spec = build->spec;
    if (build->meta.deleted || resources::Check(spec, policy, build->meta.key.ns)) continue;
    const bool polled = spec.trigger.poll || spec.trigger.base_images;
    needs.poll = needs.poll || polled;
    if (polled) needs.polled.push_back(resources::PollMark(*build));
    const auto& source = spec.source.credentials_secret_ref;
    if (spec.trigger.poll && source) git.insert(source->name);
    const auto& base = spec.build.base_credentials_secret_ref;
    if (spec.trigger.base_images && base) registries.insert(base->name);
    if (polled && spec.ca_bundle_ref) bundles.insert(spec.ca_bundle_ref->name);
    if (spec.trigger.webhook) keys.emplace(build->meta.key.name, spec.trigger.webhook->secret_ref.name);
  }
  std::ranges::sort(needs.polled);
  needs.receive = !keys.empty();
  needs.git_secrets.assign(git.begin(), git.end());
  needs.registry_secrets.assign(registries.begin(), registries.end());
  needs.ca_bundles.assign(bundles.begin(), bundles.end());
  needs.hook_keys.assign(keys.begin(), keys.end());
  return needs;
}

Json RenderPoller(const std::string& ns, const TriggerNeeds& needs, const Setting& setting) {
  Json args = Json::array({"poll", Option("namespace", ns), "--credentials=/credentials", "--ca-bundles=/ca",
                           fmt::format("--health-address=0.0.0.0:{}", kReceiverPort)});
  for (const auto& mark : needs.polled) args.push_back(Option("allow", mark));
  for (const auto& host : setting.policy.insecure_registries) {
    args.push_back(Option("insecure-registry", host));
  }
  Pod pod(std::string(kPoller), setting, std::move(args));
  // One build's for git may be another's for its base images; no path can be mounted on twice.
  std::set<std::string> secrets(needs.git_secrets.begin(), needs.git_secrets.end());
  secrets.insert(needs.registry_secrets.begin(), needs.registry_secrets.end());
  for (const auto& secret : secrets) pod.MountSecret("login", secret, "/credentials/" + secret);
  for (const auto& bundle : needs.ca_bundles) pod.MountConfigMap(bundle, "/ca/" + bundle);
  pod.Listen(kReceiverPort);
  return std::move(pod).Deployment(ns);
}

Json RenderReceiver(const std::string& ns, const TriggerNeeds& needs, const Setting& setting) {
  Json args = Json::array({"receive", Option("namespace", ns), "--keys=/keys",
                           fmt::format("--address=0.0.0.0:{}", kReceiverPort)});
  Pod pod(std::string(kReceiver), setting, std::move(args));
  for (const auto& [build, secret] : needs.hook_keys) pod.MountSecret("key", secret, "/keys/" + build);
  pod.Listen(kReceiverPort);
  return std::move(pod).Deployment(ns);
}

Json RenderReceiverService(const std::string& ns) {
  Json service = {{"apiVersion", kube::ApiVersion(kube::kServices)}, {"kind", kube::kServices.kind}};
  service["metadata"] = {{"name", kReceiver}, {"namespace", ns}};
  service["metadata"]["labels"] = Labels(kReceiver);
  service["spec"]["selector"] = Selector(kReceiver);
  Json port = {{"name", "http"}, {"port", 80}, {"targetPort", "http"}, {"protocol", "TCP"}};
  service["spec"]["ports"] = Json::array({std::move(port)});
  return service;
}

}  // namespace slipway::image_build
