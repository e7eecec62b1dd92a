// What people decided about a Release: Rollback and Retry are followed here; Promote, Abort, Pause and Resume
// are the promotion's while there is one, and refused while nothing is under way; Approve and Reject are
// facts that the gates ask for (gates.h). Each is taken up once and kept in status.decisions.
#pragma once

#include "release/draft.h"

namespace slipway::release {

// May set draft.retry and status.rollback; then what is wanted is known (Draft::Want).
void TakeUp(Draft& draft);

// Whether what was wanted last is not delivered by itself: it failed in this very form, or is gone again.
bool HeldBack(const Draft& draft);
bool Drifted(const Draft& draft);

// Whether a person ended the delivery before it had a promotion.
bool AbortAsked(const resources::Delivery& delivery);

}  // namespace slipway::release
