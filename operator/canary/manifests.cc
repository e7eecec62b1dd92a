#include "canary/manifests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "canary/names.h"
#include "canary/preflight.h"
#include "kube/request.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::CanaryPromotion;

constexpr std::size_t kMostPods = 10;
constexpr int kKeptSeconds = 24 * 60 * 60;  // for whoever reads its log
constexpr int kStartUpSeconds = 120;        // for the probe's pod, beside the test's own timeout

Json Marks(const CanaryPromotion& promotion, std::string_view role) {
  return {{resources::kOwnerKindLabel, kube::kCanaryPromotions.kind},
          {resources::kOwnerNameLabel, LabelValue(promotion.meta.key.name)},
          {resources::kRoleLabel, role},
          {kPromotionLabel, promotion.meta.uid.value}};
}

Json WithMark(Json labels, const CanaryPromotion& promotion) {
  labels[std::string(resources::kTrackLabel)] = "canary";
  labels[std::string(kPromotionLabel)] = promotion.meta.uid.value;
  return labels;
}

// Marks by which others would take the canary's pods for their own.
bool SomebodysMark(std::string_view annotation) {
  return annotation.starts_with("argocd.argoproj.io/") || annotation.starts_with("meta.helm.sh/") ||
         annotation == "kubectl.kubernetes.io/last-applied-configuration";
}

Json CopyTemplate(const CanaryPromotion& promotion, const Json& stable, const std::string& container) {
  Json copy = stable.at("spec").at("template");
  Json& metadata = copy["metadata"];
  metadata.erase("creationTimestamp");
  metadata["labels"] = WithMark(metadata.value("labels", Json::object()), promotion);
  if (metadata.contains("annotations")) {
    Json kept = Json::object();
    for (const auto& [key, value] : metadata["annotations"].items()) {
      if (!SomebodysMark(key)) kept[key] = value;
    }
    metadata["annotations"] = std::move(kept);
  }
  for (auto& each : copy.at("spec").at("containers")) {
    if (each.value("name", "") == container) each["image"] = promotion.spec.image;
  }
  return copy;
}

Json Head(const kube::ApiResource& resource, Json metadata) {
  Json body = {{"apiVersion", kube::ApiVersion(resource)}, {"kind", resource.kind}};
  body["metadata"] = std::move(metadata);
  return body;
}

Json Observed(const kube::ObjectMeta& meta) {
  return {{"name", meta.key.name},
          {"namespace", meta.key.ns},
          {"uid", meta.uid.value},
          {"resourceVersion", meta.resource_version.value}};
}

// IPv6 addresses stand in brackets.
std::string HostOf(const std::string& ip) { return ip.contains(':') ? "[" + ip + "]" : ip; }

Json ProbeArguments(const CanaryPromotion& promotion, const resources::SmokeTest& test,
                    const ProbeTarget& target) {
  const auto& service = target.service;
  Json args = {
      "probe",
      fmt::format("--url=http://{}.{}.svc:{}", service.meta.key.name, service.meta.key.ns, service.port),
      "--health-path=" + test.health_path,
      fmt::format("--requests={}", test.requests),
      "--p95-limit=" + FormatDuration(test.p95_limit),
      "--timeout=" + FormatDuration(test.timeout),
      fmt::format("--canary-share={:.4f}", target.canary_share),
      "--report=/dev/termination-log"};
  if (!promotion.spec.version.empty()) {
    args.push_back("--version-path=" + test.version_path);
    args.push_back("--expect-version=" + promotion.spec.version);
  }
  const int port = TargetPort(target.service, target.canary).value_or(target.service.port);
  std::size_t count = 0;
  for (const auto& pod : target.pods) {
    if (!pod->ready || pod->ip.empty() || pod->meta.deleted || ++count > kMostPods) continue;
    args.push_back(fmt::format("--pod={}={}:{}", pod->meta.key.name, HostOf(pod->ip), port));
  }
  return args;
}

Json ProbeContainer(Json args, const std::string& image) {
  return {
      {"name", "probe"},
      {"image", image},
      {"args", std::move(args)},
      {"terminationMessagePath", "/dev/termination-log"},
      {"terminationMessagePolicy", "File"},
      {"resources", {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}, {"limits", {{"memory", "64Mi"}}}}},
      {"securityContext",
       {{"allowPrivilegeEscalation", false},
        {"readOnlyRootFilesystem", true},
        {"capabilities", {{"drop", Json::array({"ALL"})}}}}}};
}

}  // namespace

Json RenderCanary(const CanaryPromotion& promotion, const Json& stable, const std::string& container,
                  int replicas) {
  Json metadata = {{"name", CanaryName(promotion)}, {"namespace", promotion.meta.key.ns}};
  metadata["labels"] = Marks(promotion, "canary");
  // Owned by stable, not by the promotion: no garbage collection takes it while stable still needs its pods.
  const kube::OwnerReference owner{kube::ApiVersion(kube::kDeployments),
                                   std::string(kube::kDeployments.kind),
                                   promotion.spec.target.deployment,
                                   {stable.at("metadata").value("uid", "")},
                                   false};
  metadata["ownerReferences"] = Json::array({kube::ToJson(owner)});
  const Json& from = stable.at("spec");
  Json spec = {{"replicas", replicas}, {"revisionHistoryLimit", 0}};
  spec["selector"]["matchLabels"] =
      WithMark(from.at("selector").value("matchLabels", Json::object()), promotion);
  spec["template"] = CopyTemplate(promotion, stable, container);
  for (const char* field : {"strategy", "minReadySeconds", "progressDeadlineSeconds"}) {
    if (from.contains(field)) spec[field] = from[field];
  }
  Json body = Head(kube::kDeployments, std::move(metadata));
  body["spec"] = std::move(spec);
  return body;
}

Json RenderSmokeJob(const CanaryPromotion& promotion, const CreateSmokeJob& effect,
                    const ProbeTarget& target) {
  const auto& test = effect.test;
  Json metadata = {{"name", SmokeJobName(promotion, effect.step, test.name)},
                   {"namespace", promotion.meta.key.ns}};
  metadata["labels"] = Marks(promotion, "smoke");
  const kube::OwnerReference owner{kube::ApiVersion(kube::kCanaryPromotions),
                                   std::string(kube::kCanaryPromotions.kind), promotion.meta.key.name,
                                   promotion.meta.uid, true};
  metadata["ownerReferences"] = Json::array({kube::ToJson(owner)});
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", target.service_account}};
  pod["securityContext"] = {{"runAsNonRoot", true},
                            {"runAsUser", 65532},
                            {"runAsGroup", 65532},
                            {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  pod["containers"] =
      Json::array({ProbeContainer(ProbeArguments(promotion, test, target), target.runner_image)});
  const auto timeout = std::chrono::ceil<std::chrono::seconds>(test.timeout).count();
  Json spec = {{"backoffLimit", 0},
               {"activeDeadlineSeconds", timeout + kStartUpSeconds},
               {"ttlSecondsAfterFinished", kKeptSeconds}};
  spec["template"]["metadata"]["labels"] = Marks(promotion, "smoke");
  spec["template"]["metadata"]["labels"][std::string(resources::kJobLabel)] =
      SmokeJobName(promotion, effect.step, test.name);
  spec["template"]["spec"] = std::move(pod);
  Json body = Head(kube::kJobs, std::move(metadata));
  body["spec"] = std::move(spec);
  return body;
}

Json RenderReplicas(const kube::ObjectMeta& deployment, int replicas) {
  Json body = Head(kube::kDeployments, Observed(deployment));
  body["spec"]["replicas"] = replicas;
  return body;
}

Json RenderStable(const kube::ObjectMeta& deployment, const std::string& container, const WriteStable& write,
                  bool with_replicas) {
  Json body = Head(kube::kDeployments, Observed(deployment));
  if (with_replicas) body["spec"]["replicas"] = write.replicas;
  body["spec"]["template"]["spec"]["containers"] =
      Json::array({{{"name", container}, {"image", write.image}}});
  return body;
}

Json RenderClaim(const kube::ObjectMeta& deployment, const kube::Uid& promotion) {
  Json metadata = Observed(deployment);
  metadata["annotations"] = {{resources::kClaimAnnotation, promotion.value}};
  return Head(kube::kDeployments, std::move(metadata));
}

Json RenderUnclaim(const kube::ObjectMeta& deployment) {
  Json patch;
  patch["metadata"] = {{"uid", deployment.uid.value}, {"resourceVersion", deployment.resource_version.value}};
  patch["metadata"]["annotations"] = {{resources::kClaimAnnotation, nullptr}};
  return patch;
}

std::string ClaimManager(const kube::Uid& promotion) { return "slipway-claim-" + promotion.value; }

bool OwnsReplicas(const Json& live) {
  static const Json::json_pointer kManaged("/metadata/managedFields");
  if (!live.contains(kManaged)) return false;
  return std::ranges::any_of(live.at(kManaged), [](const Json& entry) {
    static const Json::json_pointer kReplicas("/fieldsV1/f:spec/f:replicas");
    return entry.value("manager", "") == kube::kFieldManager && entry.value("operation", "") == "Apply" &&
           entry.value("subresource", "").empty() && entry.contains(kReplicas);
  });
}

}  // namespace slipway::canary
