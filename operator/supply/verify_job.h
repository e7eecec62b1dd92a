// The Job that verifies an image before a Release changes anything for it: one container a demand, side by
// side, so that all that is missing is known at once. cosign reads the registry and the signer's public half,
// and has no key. It lives until its Release has recorded the outcome, by the Job's UID; Kubernetes deletes
// it ten minutes later. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "resources/workloads.h"
#include "supply/attestation_policy.h"
#include "supply/delivery_policy.h"
#include "supply/names.h"
#include "supply/setting.h"

namespace slipway::supply {

// What an image must have: the signature of one signer, and attestations that the same one signed. A scan
// must have closed nothing, by these terms or stricter ones, and tests must have passed.
struct Demands {
  resources::Signer signer;
  std::vector<resources::Predicate> predicates;  // each once; none of a delivery
  std::vector<Attested> attested;                // of deliveries, each once
  std::string builder;                           // whom the provenance must name
  std::string source;                            // the git URL that it must name; empty: any
  ScanTerms scan;                                // of the namespace that it is delivered into
};

// Hash of all that is asked: another key of the signer asks something else. Not of the day on which it is
// asked: what an exception's bound lets through today, it lets through later. Sixteen hexadecimal digits.
std::string KeyOf(const Demands& demands);
// "Signature", "Provenance", …: the demands as people read them, in the order of the containers.
std::vector<std::string> NamesOf(const Demands& demands);

struct VerifyRequest {
  std::string name;  // of the Job
  Owner owner;
  std::string image;  // repository@sha256:…
  Demands demands;
  TimePoint now;  // of the look: until when exceptions may be borne
};

// Complete, to be created in setting.ns.
kube::Json RenderVerifyJob(const VerifyRequest& request, const Setting& setting);

// What became of it. kRefused: the image lacks something, and it is known what. kFailed: nothing is known of
// the image, because a tool, the registry or the cluster failed.
struct VerifyOutcome {
  enum class State : std::uint8_t { kRunning, kPassed, kRefused, kFailed };
  State state = State::kRunning;
  // SignatureMissing, SignatureByAnotherKey, AttestationMissing; AttestationInvalid: another's, or of another
  // image; AttestationRejected: the signer's own, and it does not say what is asked.
  std::string reason;
  std::vector<std::string> missing;  // of NamesOf
  std::string message;               // what was found; while it runs, what it waits for, or nothing
};

// What one container of cosign found of what it was to look for; kUnknown: a tool, the registry or the
// network failed, or it has not ended.
struct Found {
  enum class Kind : std::uint8_t { kGood, kMissing, kByAnother, kInvalid, kUnknown };
  Kind kind = Kind::kUnknown;
  std::string demand;  // of NamesOf
  std::string said;    // cosign's last words, or what its policy had against an attestation
};
Found JudgeLook(const resources::ContainerState& container, std::string demand);
// "Signature", "Provenance", …, by the name of a container; empty: somebody's sidecar.
std::string DemandOf(std::string_view container);

// `job` is that of the recorded UID; nullptr: gone. `pod` may be nullptr.
VerifyOutcome OutcomeOfVerify(const resources::Job* job, const resources::Pod* pod);

}  // namespace slipway::supply
