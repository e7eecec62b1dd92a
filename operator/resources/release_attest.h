// What became of what a Release attests: a part of its status (resources/release_status.h).
#pragma once

#include "resources/common.h"
#include "resources/supply_chain.h"

namespace slipway::resources {

// The Job that attests what became of a delivery; the newest that was judged. Its state: Running, Attested,
// Failed (to be tried again, until it was so often enough).
struct AttestationRecord {
  int delivery = 0;  // its number in the history
  std::string digest;
  std::string environment;
  std::string signer;
  std::vector<Predicate> predicates;
  std::string state;
  std::string job;  // in the supply chain's namespace
  std::optional<kube::Uid> job_uid;
  int runs = 0;  // Jobs that were made for this delivery, environment and signer
  std::string reason;
  std::string message;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const AttestationRecord&) const = default;
};

}  // namespace slipway::resources
