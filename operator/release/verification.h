// What an image must have before anything is changed for it: a signature, and attestations by the same
// signer, as the spec and the platform's policy demand. A Job of the supply chain's namespace looks
// (supply/verify_job.h), and status.verification is the record of the newest look:
//
//   none of this image and these demands   a Job is made (POST) once every other gate is open, and a look
//              at something else has ended
//   running                                the image waits; what is under way for another one goes on
//   Passed     the gate is open, and the delivery's entry keeps it (verifiedBy): for this digest and these
//              demands nobody asks again
//   Refused    the image lacks something: held, and asked again with back-off up to an hour, or at once when
//              the demands or the annotation slipway.dev/retry change
//   Failed     nothing is known of the image: asked again with back-off up to ten minutes
//
// The Job only reads: one that nobody needs any more is left to end, and the next waits for that (turn.h).
// Pure.
#pragma once

#include <expected>

#include "release/draft.h"
#include "release/gates.h"

namespace slipway::release {

// Whose the Jobs are that look.
supply::Owner OwnerOf(const resources::Release& release);

// Why the spec is less than the policy demands; nullopt: it is not.
std::optional<Hold> Loosening(const Seen& seen);

// What must be there; nullopt: nothing is demanded. The Hold: the spec would loosen the policy, or nobody is
// of the signer's name.
std::expected<std::optional<supply::Demands>, Hold> DemandsOf(const Seen& seen);

// What the image was found to have; nullopt: it was not looked at, or lacks something.
std::optional<resources::VerifiedBy> Verified(const resources::ReleaseStatus& status, std::string_view image,
                                              const supply::Demands& demands);

// nullopt: it has all that is demanded, or nothing is. With `ask`, a look is due.
std::optional<Closed> Unverified(const Seen& seen, const resources::ReleaseStatus& status,
                                 const Wanted& wanted, TimePoint now);

// Takes what became of the recorded Job into the status.
void TakeLook(Draft& draft);
// Has a Job made that looks at what is wanted.
void Look(Draft& draft);

}  // namespace slipway::release
