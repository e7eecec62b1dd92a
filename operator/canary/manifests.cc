#include "canary/manifests.h"

#include "base/names.h"
#include "canary/config_names.h"
#include "canary/managed_fields.h"
#include "canary/names.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::CanaryPromotion;

Json WithMark(Json labels, const CanaryPromotion& promotion) {
  for (const auto& [label, value] : CanaryMarks(promotion)) labels[label] = value;
  return labels;
}

// Marks by which others would take the canary's pods for their own.
bool SomebodysMark(std::string_view annotation) {
  return annotation.starts_with("argocd.argoproj.io/") || annotation.starts_with("meta.helm.sh/") ||
         annotation == "kubectl.kubernetes.io/last-applied-configuration";
}

ConfigNames CopiesOf(const resources::CanaryPromotionSpec& spec) {
  ConfigNames names;
  for (const auto& version : spec.config_maps) names.emplace(version.name, version.copy);
  return names;
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
  NameConfigs(copy.at("spec"), CopiesOf(promotion.spec));
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

// Only a split moves them, of what it was when the promotion began.
bool MovesReplicas(const CanaryPromotion& promotion) {
  const auto& baseline = promotion.status.baseline;
  return baseline && baseline->strategy == resources::Strategy::kCanary &&
         baseline->capacity == resources::Capacity::kSplit;
}

}  // namespace

Json Marks(const CanaryPromotion& promotion, std::string_view role) {
  return {{resources::kOwnerKindLabel, kube::kCanaryPromotions.kind},
          {resources::kOwnerNameLabel, LabelValue(promotion.meta.key.name)},
          {resources::kRoleLabel, role},
          {kPromotionLabel, promotion.meta.uid.value}};
}

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

Json RenderReplicas(const kube::ObjectMeta& deployment, int replicas) {
  Json body = Head(kube::kDeployments, Observed(deployment));
  body["spec"]["replicas"] = replicas;
  return body;
}

Json RenderStable(const CanaryPromotion& promotion, const Json& live, const std::string& container,
                  const WriteStable& write) {
  Json spec = OwnedSpec(live);
  if (MovesReplicas(promotion)) spec["replicas"] = write.replicas;
  ConfigNames names = write.config_maps;
  std::erase_if(names, [](const auto& name) { return name.second.empty(); });
  Json wanted = live.at("spec").at("template").at("spec");
  NameConfigs(wanted, names);
  Json pod = ConfigFields(wanted, names);
  Json image = {{"name", container}, {"image", write.image}};
  Overlay(pod, {{"containers", Json::array({std::move(image)})}});
  Overlay(spec, {{"template", {{"spec", std::move(pod)}}}});

  const Json& meta = live.at("metadata");
  Json metadata = Json::object();
  for (const char* field : {"name", "namespace", "uid", "resourceVersion"}) metadata[field] = meta.at(field);
  Json body = Head(kube::kDeployments, std::move(metadata));
  body["spec"] = std::move(spec);
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

}  // namespace slipway::canary
