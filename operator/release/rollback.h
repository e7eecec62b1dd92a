// A rollback that a Decision asked for: what it goes back to, when it is refused, and how long it is in
// force. Pure.
#pragma once

#include <optional>
#include <string>

#include "release/decide.h"

namespace slipway::release {

// What is wanted while status.rollback is in force: the image of a delivery that is kept, with the ConfigMaps
// that it had. Fast when it was good within spec.rollback.fastWindow before the Decision: from that moment,
// and not from now, so that the same is wanted however often it is asked.
Wanted RollbackOf(const resources::Release& release, const resources::ReleaseStatus& status);

// Why the Decision to roll back is not followed; nullopt: it is.
std::optional<std::string> WhyNoRollback(const Seen& seen, const resources::ReleaseStatus& status,
                                         const resources::Decision& decision, TimePoint now);

// The newest delivery of the digest; nullptr: none is kept.
const resources::Delivery* KeptDelivery(const resources::ReleaseStatus& status, std::string_view digest);

// What becomes of stable when its rollout fails: an image that a breaking migration left behind can't be gone
// back to.
resources::OnFailure OnFailureOf(const resources::Release& release, const resources::ReleaseStatus& status);

}  // namespace slipway::release
