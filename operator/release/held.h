// What stays of a plan whose effects could not be made: what was decided about Decisions is written down all
// the same, so that no later pass decides it again from another state; nothing that was to begin is. Pure.
#pragma once

#include "release/decide.h"

namespace slipway::release {

// The copy of a ConfigMap that goes with the image of a rollback is gone: that rollback can't be carried out,
// now or later.
inline constexpr std::string_view kConfigCopyGone = "ConfigCopyGone";

// `intended` may be nullptr: nothing was decided. With kConfigCopyGone the rollback in force ends, its
// Decision refused.
Plan HeldBy(const resources::Release& release, const Plan* intended, const Hold& hold, TimePoint now);

}  // namespace slipway::release
