// No delivery is open: whether what is wanted is delivered, held back, or to be delivered now.
#pragma once

#include "release/draft.h"

namespace slipway::release {

void AtRest(Draft& draft);

// A delivery of what is wanted begins. Asks no gate: they are open, or were when its promotion, which is
// there already, was made.
void Begin(Draft& draft);

// What nobody asked for any more is written down, so that it can be deleted.
void TakeIn(Draft& draft, const resources::CanaryPromotion& stray);

}  // namespace slipway::release
