// What became of a delivery is attested on its digest, if the spec asks for it (spec.attest): smoke tests,
// the canary and approvals, as of an environment (supply/delivery_predicates.h). A Job of the supply chain's
// namespace signs, and status.attestation is its record:
//
//   none of the newest delivery that was judged, as this environment, by this signer: a Job is made (POST),
//             under a name of the Release's UID, the delivery, the environment, the signer and the attempt,
//             once that delivery's end is in the status: the same record makes the same Job again
//   Running   one at a time, and none while another Job attests something of the same digest, which would
//             lose one of the two
//   Attested  it is done
//   Failed    tried again with back-off, so often and no more; the next delivery begins anew
//
// Condition Attested tells (True: Attested; False: AttestFailed, RegistryDenied, RegistryUnavailable, or what
// the policy forbids; Unknown: Attesting, NothingDelivered). Nothing of the delivery follows from it. Pure.
#pragma once

#include <string_view>

#include "release/draft.h"

namespace slipway::release {

inline constexpr std::string_view kAttested = "Attested";
inline constexpr int kMostAttestRuns = 8;  // of one delivery: about an hour

// The newest delivery that was judged, as the status has it; nullptr: none, or its details are gone.
const resources::Delivery* Judged(const resources::Release& release);
bool UnderWay(const resources::AttestationRecord& record);
// Whether it is about to attest, as `environment`, what became of this image, and nothing is known to be in
// the way.
bool WillAttest(const resources::Release& release, std::string_view image, std::string_view environment);

// After everything else is decided.
void Attest(Draft& draft);

}  // namespace slipway::release
