// What must be true before anything is changed for an image: nobody rejected it, it works on the data that is
// there, it soaked in the earlier environment, as many people approved it as the spec asks, it has the
// signature and the attestations that are demanded (verification.h), and no vulnerability that closes the
// gate (scan_gate.h). Pure.
#pragma once

#include <optional>
#include <vector>

#include "release/decide.h"

namespace slipway::release {

struct Closed {
  Hold hold;
  std::optional<TimePoint> until;  // when it may open by itself
  bool ask = false;                // only a look at what the image has can open it, and one is due
  bool scan = false;               // the same of a look for vulnerabilities
};

// nullopt: all are open. `insisted`: a person decided to deliver it again, knowing of a breaking migration.
// A rollback passes soak, approvals and scan: its image passed them before, and somebody decided for it by
// name.
// The digest that the newest delivery promoted on this very target passes soak, approvals and scan.
std::optional<Closed> ClosedGate(const Seen& seen, const resources::ReleaseStatus& status,
                                 const Wanted& wanted, bool insisted, TimePoint now);

// The Decision that rejects the image's digest; nullptr: none that still counts.
const resources::Decision* RejectionOf(const Seen& seen, std::string_view image, TimePoint now);
// Of each person the first Decision that approves the digest and still counts.
std::vector<std::shared_ptr<const resources::Decision>> ApprovalsOf(const Seen& seen, std::string_view image,
                                                                    TimePoint now);

}  // namespace slipway::release
