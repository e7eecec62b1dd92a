// What became of a delivery, as predicates about its digest: what was asked of it (SmokeTests), its steps and
// what was measured (Canary), and who let it in (Approvals). They say what the Release's record of the
// delivery says, so that the same record gives the same predicates, and each says whose it is: of which
// environment, cluster and Release. Pure.
#pragma once

#include <string>
#include <vector>

#include "resources/release.h"
#include "supply/attest_job.h"

namespace slipway::supply {

struct DeliveryFacts {
  const resources::Release& release;
  const resources::Delivery& delivery;  // one of its history that was judged
  std::string environment;
  std::string cluster;  // UID of namespace kube-system
};

// Whether it ended by a verdict: Promoted, Aborted or RolledBack by its CanaryPromotion.
bool IsJudged(const resources::Delivery& delivery);

// Which are said of it. Canary always. Of one that was delivered, SmokeTests if any was asked, and Approvals
// if anybody approved: what nobody did leaves what was attested of the digest before. Of one that was not,
// SmokeTests if they failed: that others passed says nothing of an image that was taken back.
std::vector<resources::Predicate> PredicatesOf(const resources::Delivery& delivery);

// {"verdict": "Promoted" | "Failed", …}, {"result": "PASSED" | "FAILED", …}; in the order of PredicatesOf.
std::vector<Statement> StatementsOf(const DeliveryFacts& facts);

}  // namespace slipway::supply
