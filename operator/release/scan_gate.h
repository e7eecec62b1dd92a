// Which vulnerabilities an image may have before anything is changed for it, as the spec and the platform's
// policy demand. A Job of the supply chain's namespace looks (supply/scan_job.h), and status.scan is the
// record of the looks at what is wanted:
//
//   none      of this image by these rules, or too old: a Job is made (POST) once every other gate is open,
//             and a look at something else has ended (turn.h)
//   running   the image waits; what is under way for another one goes on
//   Clean     the gate is open for maxAge
//   Found     held, and looked at again after maxAge; at once when the rules or slipway.dev/retry change
//   Stale     nothing was found in a database that is too old: tried again with back-off
//   Failed    nothing is known of the image, which is neither clean nor a finding: the same
//
// A rollback passes: an outage is not prolonged for what is known of an image that ran before, and what runs
// is scanned by the policy's schedule (rescan.h). Pure.
#pragma once

#include "release/draft.h"
#include "release/gates.h"

namespace slipway::release {

// What counts as a finding in this Release's images: as the spec says, and no less than the policy.
supply::ScanRules RulesOf(const Seen& seen);

// Why the spec is less than the policy demands; nullopt: it is not.
std::optional<Hold> ScanLoosening(const Seen& seen, TimePoint now);

// nullopt: nothing closes the gate, or nothing is demanded. With `scan`, a look is due.
std::optional<Closed> Unscanned(const Seen& seen, const resources::ReleaseStatus& status,
                                const Wanted& wanted, TimePoint now);
// Has a Job made that looks at what is wanted.
void ScanWanted(Draft& draft);

// ---- both kinds of looks: at what is wanted, and at what is delivered ----

bool UnderWay(const resources::ScanRecord& record);
// The next look, in the record; of another image, nothing of the former's is kept but what was told.
StartScan BeginLook(const Draft& draft, std::optional<resources::ScanRecord>& record, std::string image,
                    std::string key);
// Takes what became of the recorded Jobs into the status.
void TakeScans(Draft& draft);

// "2 fixable vulnerabilities of severity High or worse: CVE-…", at most 600 bytes.
std::string Described(const supply::ScanRules& rules, const resources::Findings& findings);

}  // namespace slipway::release
