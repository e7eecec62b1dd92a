// What a promotion is told by: the names of what it makes, and the hash of what it was made from. Pure.
#pragma once

#include <string>

#include "resources/canary_promotion.h"

namespace slipway::canary {

// Of everything in the spec that a promotion is made from.
std::string SpecHash(const resources::CanaryPromotionSpec& spec);

std::string CanaryName(const resources::CanaryPromotion& promotion);
std::string SmokeJobName(const resources::CanaryPromotion& promotion, int step, const std::string& test);

}  // namespace slipway::canary
