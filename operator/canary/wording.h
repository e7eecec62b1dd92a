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
// Somebody changed the spec of a promotion that a Release made.
inline constexpr std::string_view kNotAsReleased = "SpecNotOfRelease";

// Who wrote a field: "argocd-controller at 2026-…"; "somebody else" where it is not known.
std::string Whom(const std::optional<FieldWriter>& writer);
// What to tell Argo CD, where it was Argo CD that wrote; else nothing.
std::string ArgoMend(const std::optional<FieldWriter>& writer, std::string_view deployment);

// "step 1 (10%: 1 of 10 pods)" and what is the matter with it.
std::string Describe(const resources::StepStatus& step, std::string_view what);

// "; pod x: ImagePullBackOff: …" of the first canary pod that says why it is not ready; else nothing.
std::string WhyNotReady(const Seen& seen);

// At most 1,000 bytes, cut at a whole character: a condition holds 1,024.
// What a condition says that the API server refused; and what of it a deadline is to say; empty: nothing.
inline constexpr std::string_view kServerRefused = "the API server refused what this promotion needs: ";
std::string WhyRefused(const resources::CanaryPromotionStatus& status);

std::string Clipped(std::string text);

}  // namespace slipway::canary
