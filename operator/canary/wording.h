// What a promotion says of itself to people. Pure.
#pragma once

#include <string>
#include <string_view>

#include "canary/decide.h"

namespace slipway::canary {

// Reasons that end a promotion without a judgement of its image: the completion is Superseded.
inline constexpr std::string_view kSpecChanged = "SpecChanged";
inline constexpr std::string_view kStableChanged = "StableChanged";
bool Superseding(std::string_view reason);

// "step 1 (10%: 1 of 10 pods)" and what is the matter with it.
std::string Describe(const resources::StepStatus& step, std::string_view what);

// "; pod x: ImagePullBackOff: …" of the first canary pod that says why it is not ready; else nothing.
std::string WhyNotReady(const Seen& seen);

// At most 1,000 bytes, cut at a whole character: a condition holds 1,024.
std::string Clipped(std::string text);

}  // namespace slipway::canary
