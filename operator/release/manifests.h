// The one object that a Release makes.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "release/decide.h"

namespace slipway::release {

// Complete, to be created: metadata with labels and the Release as controller, spec.
kube::Json RenderPromotion(const resources::Release& release, const Start& start);

// Whether what has the name is what RenderPromotion would make: the same owner, the same spec. Its
// finalizers, status and further marks are the canary controller's and a person's business.
bool IsPromotionOf(const resources::Release& release, const Start& start,
                   const resources::CanaryPromotion& live);

}  // namespace slipway::release
