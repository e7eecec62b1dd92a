// A delivery that is open: its promotion is followed to its end, and called off when something else is wanted
// while that is still possible.
#pragma once

#include "release/draft.h"

namespace slipway::release {

// history[0] is open. When it ends, it is closed, and what is done next is for AtRest to say.
void FollowDelivery(Draft& draft);

void SayGivingWay(Draft& draft, const resources::Delivery& delivery);

// Whether what is wanted could begin at once, so that something else may be called off for it. What the
// target runs already could: no gate is asked for it. If only a look at what the image has, or for
// vulnerabilities in it, is wanting, that is begun.
bool CouldBegin(Draft& draft, bool insisted);

// The promotion failed, and left its image on the target.
bool StaysThere(const resources::CanaryPromotion& promotion);

// The delivery ends because a person rejected its digest.
void TakeBack(Draft& draft, resources::Delivery& delivery, const resources::Decision& rejection);

// The image is on the target, and did not pass.
void SetLeft(resources::ReleaseStatus& status, const resources::Delivery& delivery);

// The image is on the target, and what has verified it ended at `since`; nullopt: nothing has.
void SetDelivered(resources::ReleaseStatus& status, const resources::Delivery& delivery,
                  std::optional<TimePoint> since);

}  // namespace slipway::release
