#include "release/manifests.h"

#include <nlohmann/json.hpp>

#include "base/names.h"
#include "resources/common.h"

namespace slipway::release {

kube::Json RenderPromotion(const resources::Release& release, const Start& start) {
  const kube::OwnerReference owner{kube::ApiVersion(kube::kReleases), std::string(kube::kReleases.kind),
                                   release.meta.key.name, release.meta.uid, true};
  kube::Json labels = {{resources::kOwnerKindLabel, kube::kReleases.kind},
                       {resources::kOwnerNameLabel, LabelValue(release.meta.key.name)}};
  kube::Json metadata = {{"name", start.name}, {"namespace", release.meta.key.ns}};
  metadata["labels"] = std::move(labels);
  metadata["ownerReferences"] = kube::Json::array({kube::ToJson(owner)});
  kube::Json body = {{"apiVersion", kube::ApiVersion(kube::kCanaryPromotions)},
                     {"kind", kube::kCanaryPromotions.kind}};
  body["metadata"] = std::move(metadata);
  body["spec"] = resources::EncodeSpec(PromotionSpec(release, start.wanted));
  return body;
}

bool IsPromotionOf(const resources::Release& release, const Start& start,
                   const resources::CanaryPromotion& live) {
  const auto* owner = live.meta.Controller();
  return owner != nullptr && owner->uid == release.meta.uid &&
         live.spec == PromotionSpec(release, start.wanted);
}

}  // namespace slipway::release
