// The Job that attests and signs an image: lists of what it holds, one attestation after the other, and the
// signature last, which says that all before it is there. Then it looks: cosign rewrites the list of an
// image's attestations as a whole, so of two Jobs about one image either may undo the other's. What is not
// there fails the Job (attest_outcome.h). cosign's containers alone see the signer's key; Trivy, which reads
// what a tenant built, and the looks do not. What is attested again replaces what was: the Job may be made
// again. It lives until its owner's record of the run goes, and at most an hour after its end. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "supply/attest_outcome.h"
#include "supply/job.h"

namespace slipway::supply {

// Of what the operator itself knows. `mark` is of the content, and tells it from any other statement of its
// type: the looks ask for it. An empty one: any of its type that this signer made will do.
struct Statement {
  resources::Predicate predicate = resources::Predicate::kProvenance;
  kube::Json content;
  kube::Json mark = nullptr;
  std::string type = {};  // a URI, for cosign; empty: that of the predicate, whatever the environment
};

struct AttestRequest {
  std::string name;  // of the Job
  Owner owner;
  std::string image;  // repository@sha256:…
  resources::Signer signer;
  std::vector<resources::Predicate> sboms;  // kSpdx, kCycloneDx: made in the Job
  std::vector<Statement> statements;        // each predicate once
  bool sign = true;                         // false: it is signed already
  std::string platform;                     // of an index, which image the SBOMs list; empty: it is none
};

// Complete, to be created in setting.ns. At least one of `sboms`, `statements` and `sign` is asked for.
kube::Json RenderAttestJob(const AttestRequest& request, const Setting& setting);

}  // namespace slipway::supply
