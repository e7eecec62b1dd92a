#include "release/scan_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/backoff.h"
#include "base/names.h"
#include "base/text.h"
#include "release/delivery.h"
#include "release/turn.h"
#include "release/verification.h"
#include "supply/gate_report.h"

namespace slipway::release {
namespace {

using resources::DeliveryScan;
using resources::Findings;
using resources::Readiness;
using resources::ReleasePhase;
using resources::ReleaseStatus;
using resources::ScanGate;
using resources::ScanRecord;
using State = supply::ScanOutcome::State;

constexpr std::string_view kClean = "Clean";
constexpr std::string_view kFound = "Found";
constexpr std::string_view kStale = "Stale";
constexpr std::string_view kFailed = "Failed";
constexpr BackoffPolicy kAfterFailure{std::chrono::seconds(20), std::chrono::minutes(10)};
constexpr BackoffPolicy kAfterStale{std::chrono::minutes(2), std::chrono::hours(1)};
// What was found in a digest changes with the database alone, and that once in a while.
constexpr Duration kShortestWait = std::chrono::minutes(10);
constexpr std::size_t kListed = 400;

struct Terms {
  supply::ScanRules rules;
  Duration max_age{0};
};

// nullptr: the policy asks for none.
const DeliveryScan* LeastOf(const Seen& seen) {
  if (seen.policy == nullptr || !seen.policy->minimum.delivery_scan) return nullptr;
  return &*seen.policy->minimum.delivery_scan;
}

std::optional<Terms> TermsOf(const Seen& seen) {
  const auto& asked = seen.release.spec.gates.scan;
  const DeliveryScan* least = LeastOf(seen);
  if (!asked && least == nullptr) return std::nullopt;
  Terms terms{RulesOf(seen), asked ? asked->max_age : least->max_age};
  if (least != nullptr) terms.max_age = std::min(terms.max_age, least->max_age);
  return terms;
}

// ---- what the spec may not loosen ----

Hold Loosened(const Seen& seen, std::string_view field, std::string_view term, std::string_view what) {
  return {
      Readiness::kFailed, ReleasePhase::kBlocked, "GateLoosened",
      fmt::format("spec.gates.scan.{} {} ({}.minimum.{}): keep to it, or ask the platform team to change it",
                  field, what, seen.policy->minimum_origin, term)};
}

std::optional<Hold> LongerThan(const Seen& seen, const ScanGate& gate, TimePoint now) {
  const Duration longest = seen.policy->minimum.longest_exception;
  if (longest.count() == 0) return std::nullopt;
  for (std::size_t i = 0; i < gate.exceptions.size(); ++i) {
    const auto& exception = gate.exceptions[i];
    const auto over = ParseTime(exception.expires + "T00:00:00Z");
    if (over && *over <= now + longest) continue;
    return Loosened(seen, fmt::format("exceptions[{}].expires", i), "scan.longestException",
                    fmt::format("is {}, and the platform's policy bears {} for {} at most", exception.expires,
                                exception.id, FormatDuration(longest)));
  }
  return std::nullopt;
}

// ---- what is known ----

TimePoint Again(const ScanRecord& record, Duration max_age, TimePoint now) {
  if (!record.finished || record.outcome == kClean) return now;
  if (record.outcome == kFound) return *record.finished + std::max(max_age, kShortestWait);
  const BackoffPolicy& policy = record.outcome == kStale ? kAfterStale : kAfterFailure;
  return *record.finished + BackoffDelay(policy, record.failures - 1, Spread(record.job));
}

// An exception that was over since then: what it may have borne counts again.
bool OverSince(const supply::ScanRules& rules, TimePoint scanned, TimePoint now) {
  return std::ranges::any_of(rules.exceptions, [&](const auto& exception) {
    const auto over = ParseTime(exception.expires + "T00:00:00Z");
    return over && scanned < *over && *over <= now;
  });
}

bool IsClean(const ScanRecord& record, const Wanted& wanted, const Terms& terms, TimePoint now) {
  return record.outcome == kClean && PlainKey(record.key) == supply::KeyOf(terms.rules) &&
         SameDigest(record.image, wanted.image) && record.at && now - *record.at <= terms.max_age &&
         !OverSince(terms.rules, *record.at, now);
}

// ---- what is said ----

std::string ScannedAt(const ScanRecord& record) {
  std::string said = record.at ? fmt::format("scanned at {}", FormatTime(*record.at)) : "scanned";
  if (record.findings && record.findings->database) {
    said += fmt::format(", with a database of {}", FormatTime(*record.findings->database));
  }
  return said;
}

std::string Vulnerable(const Wanted& wanted, const ScanRecord& record) {
  return fmt::format(
      "{} is not delivered, and nothing was changed for it: it has {} ({}). Deliver an image without them, "
      "or bear each in spec.gates.scan.exceptions until a day and for a reason; to have it scanned at once, "
      "set annotation {} to a new value",
      Named(wanted.image, wanted.commit), record.message, ScannedAt(record), kRetryAnnotation);
}

std::string NotKnown(const Wanted& wanted, const ScanRecord& record) {
  return fmt::format(
      "which vulnerabilities {} has is not known, so it waits: {}. It is tried again; if that does not help, "
      "the platform team finds the registry's credentials by the policy's supplyChain.registrySecret, and "
      "Job {} in the supply chain's namespace",
      Named(wanted.image, wanted.commit), record.message, record.job);
}

Hold Running(std::string message) {
  return {Readiness::kWaiting, ReleasePhase::kPending, "ScanRunning", std::move(message)};
}

Hold ToScan(const Wanted& wanted) {
  return Running(
      fmt::format("a Job is to look for vulnerabilities in {}", Named(wanted.image, wanted.commit)));
}

// A second look has the word of the first until it ends.
Hold HoldOf(const Wanted& wanted, const ScanRecord& record) {
  if (record.reason.empty() && !UnderWay(record)) return ToScan(wanted);
  if (record.reason.empty()) {
    return Running(fmt::format("Job {} of the supply chain's namespace looks for vulnerabilities in {}{}{}",
                               record.job, Named(wanted.image, wanted.commit),
                               record.message.empty() ? "" : "; ", record.message));
  }
  const bool found = record.outcome == kFound;
  return {found ? Readiness::kFailed : Readiness::kWaiting, ReleasePhase::kBlocked, record.reason,
          found ? Vulnerable(wanted, record) : NotKnown(wanted, record)};
}

// ---- the end of a look ----

void EndKnown(ScanRecord& record, const supply::ScanOutcome& outcome, const supply::ScanRules& rules) {
  const Findings& findings = *outcome.findings;
  const bool found = outcome.state == State::kFound;
  record.outcome = found ? kFound : kClean;
  record.reason = found ? (findings.expired.empty() ? "VulnerabilitiesFound" : "ExceptionExpired") : "";
  record.message = found ? Described(rules, findings) : "";
  record.findings = findings;
  // That of a Job from before counts from when it ended, should it be taken for ours once more.
  record.at = std::min(outcome.finished.value_or(*record.finished), *record.finished);
  record.failures = 0;
}

void EndUnknown(ScanRecord& record, const supply::ScanOutcome& outcome) {
  const bool stale = outcome.state == State::kStale;
  const auto made = outcome.findings ? outcome.findings->database : std::nullopt;
  record.outcome = stale ? kStale : kFailed;
  record.reason = stale ? "DatabaseTooOld" : "ScanFailed";
  record.message = Clip(
      stale ? fmt::format("the vulnerability database is of {}, older than the platform's policy allows, and "
                          "what is not in it may be known by now: its mirror has to be brought up to date",
                          made ? FormatTime(*made) : "an unknown day")
            : outcome.message,
      kDeliveryMessage);
  ++record.failures;
}

void TakeScan(Draft& draft, std::optional<ScanRecord>& record,
              const std::optional<supply::ScanOutcome>& outcome) {
  if (!record || !UnderWay(*record)) return;
  if (!outcome || outcome->state == State::kRunning) {
    if (outcome && record->reason.empty()) record->message = Clip(outcome->message, kDeliveryMessage);
    return draft.RecheckAfter(kOpenRecheck);
  }
  record->finished = std::chrono::floor<std::chrono::seconds>(draft.now);
  const bool known = outcome->state == State::kClean || outcome->state == State::kFound;
  if (known && outcome->findings) {
    EndKnown(*record, *outcome, RulesOf(draft.seen));
  } else {
    EndUnknown(*record, *outcome);
  }
}

}  // namespace

supply::ScanRules RulesOf(const Seen& seen) {
  const auto& asked = seen.release.spec.gates.scan;
  const DeliveryScan* least = LeastOf(seen);
  supply::ScanRules rules;
  if (asked) rules = {asked->fail_on, asked->ignore_unfixed, asked->exceptions};
  if (least != nullptr) rules.fail_on = asked ? std::min(asked->fail_on, least->fail_on) : least->fail_on;
  if (seen.policy != nullptr && seen.policy->minimum.count_unfixed) rules.ignore_unfixed = false;
  return rules;
}

std::optional<Hold> ScanLoosening(const Seen& seen, TimePoint now) {
  const auto& gate = seen.release.spec.gates.scan;
  if (seen.policy == nullptr || !gate) return std::nullopt;
  const DeliveryScan* least = LeastOf(seen);
  if (least != nullptr && gate->fail_on > least->fail_on) {
    return Loosened(seen, "failOn", "delivery.scan.failOn",
                    fmt::format("is {}, and the platform's policy has images refused from {} on",
                                resources::ToString(gate->fail_on), resources::ToString(least->fail_on)));
  }
  if (least != nullptr && gate->max_age > least->max_age) {
    return Loosened(seen, "maxAge", "delivery.scan.maxAge",
                    fmt::format("is {}, and the platform's policy has scans of at most {} count",
                                FormatDuration(gate->max_age), FormatDuration(least->max_age)));
  }
  if (seen.policy->minimum.count_unfixed && gate->ignore_unfixed) {
    return Loosened(seen, "ignoreUnfixed", "scan.countUnfixed",
                    "is true, and the platform's policy counts vulnerabilities that nobody has fixed yet");
  }
  return LongerThan(seen, *gate, now);
}

std::optional<Closed> Unscanned(const Seen& seen, const ReleaseStatus& status, const Wanted& wanted,
                                TimePoint now) {
  if (seen.policy == nullptr) return std::nullopt;  // then nothing is allowed at all
  const auto terms = TermsOf(seen);
  if (!terms) return std::nullopt;
  const auto& record = status.scan;
  if (record && IsClean(*record, wanted, *terms, now)) return std::nullopt;
  const std::string key = MarkedKey(seen.release, supply::KeyOf(terms->rules));
  const bool about = record && record->image == wanted.image && record->key == key;
  if (record && UnderWay(*record)) {
    return Closed{.hold = about
                              ? HoldOf(wanted, *record)
                              : BehindAnother(record->job, record->image, Named(wanted.image, wanted.commit)),
                  .until = {}};
  }
  const TimePoint due = about ? Again(*record, terms->max_age, now) : now;
  const auto started = record ? record->started : std::nullopt;
  auto turn = TurnOf(seen, about ? HoldOf(wanted, *record) : ToScan(wanted), started, due, now);
  return Closed{.hold = std::move(turn.hold), .until = turn.again, .scan = !turn.again};
}

void ScanWanted(Draft& draft) {
  if (!draft.wanted || draft.plan.scan) return;
  std::string key = MarkedKey(draft.release(), supply::KeyOf(RulesOf(draft.seen)));
  draft.plan.scan = BeginLook(draft, draft.status().scan, draft.wanted->image, std::move(key));
  draft.RecheckAfter(kSoon);
}

bool UnderWay(const ScanRecord& record) { return record.job_uid && !record.finished; }

StartScan BeginLook(const Draft& draft, std::optional<ScanRecord>& record, std::string image,
                    std::string key) {
  if (!record || record->image != image) {
    std::string told = record ? std::move(record->told) : std::string();
    record.emplace();
    record->image = std::move(image);
    record->told = std::move(told);
  }
  if (record->key != key) {
    record->key = std::move(key);
    record->failures = 0;
    record->outcome.clear();
    record->reason.clear();
    record->message.clear();
  }
  record->job_uid.reset();
  ++record->runs;
  record->started = std::chrono::floor<std::chrono::seconds>(draft.now);
  record->finished.reset();
  record->next.reset();
  const auto& release = draft.release();
  record->job = supply::JobName(OwnerOf(release), supply::kScanRole,
                                fmt::format("{}/{}/{}/{}", record->image, record->key, record->runs,
                                            release.meta.resource_version.value));
  return {record->job, record->image, RulesOf(draft.seen)};
}

void TakeScans(Draft& draft) {
  TakeScan(draft, draft.status().scan, draft.seen.scan);
  TakeScan(draft, draft.status().rescan, draft.seen.rescan);
}

std::string Described(const supply::ScanRules& rules, const Findings& findings) {
  return Clip(fmt::format("{} {}vulnerabilities of severity {} or worse: {}{}", findings.closing,
                          rules.ignore_unfixed ? "fixable " : "", resources::ToString(rules.fail_on),
                          supply::Listed(findings.worst, kListed),
                          supply::Expired("spec.gates.scan.exceptions", findings.expired)),
              kDeliveryMessage);
}

}  // namespace slipway::release
