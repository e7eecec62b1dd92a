// What a promotion is told by: the names of what it makes, and the hash of what it was made from. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "canary/decide.h"
#include "resources/canary_promotion.h"

namespace slipway::canary {

// The label with the promotion's UID on all that it makes, and on the canary's pods.
inline constexpr std::string_view kPromotionLabel = "slipway.dev/promotion";

// The labels that the canary's pods have beside stable's.
std::map<std::string, std::string> CanaryMarks(const resources::CanaryPromotion& promotion);

// Of everything in the spec that a promotion is made from.
std::string SpecHash(const resources::CanaryPromotionSpec& spec);

std::string CanaryName(const resources::CanaryPromotion& promotion);

// Of a check's Job, for its name and its label: smoke, compare, prometheus; verify at kVerification.
std::string_view RoleOf(int step, const Check& check);
// `step` is an index, or kVerification.
std::string CheckJobName(const resources::CanaryPromotion& promotion, int step, const Check& check);

}  // namespace slipway::canary
