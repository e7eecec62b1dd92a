// The containers that look at an image with cosign, one a demand: those of the Job that verifies before a
// delivery (verify_job.h), and the last of the one that attests (attest_job.h). They read the registry, and
// have no key. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "supply/job.h"

namespace slipway::supply {

struct LookedAt {
  const std::string& image;  // repository@sha256:…
  const resources::Signer& signer;
};

// What a signer's word is held against: its public key; without one, the roots of the authorities that vouch
// for it, or nothing where those are the public Sigstore's.
std::vector<Input> TrustOf(const resources::Signer& signer);
// Tells cosign of these files where it asks authorities, to sign or to verify.
void GiveRoots(const resources::Signer& signer, kube::Json& container);

kube::Json SignatureLook(std::string_view name, const LookedAt& at, const Setting& setting);
// `type` is cosign's word or a URI. `policy` is an input of the Job, whose name ends in .cue; empty: whatever
// the attestation says.
kube::Json AttestationLook(std::string_view name, std::string_view type, std::string_view policy,
                           const LookedAt& at, const Setting& setting);

}  // namespace slipway::supply
