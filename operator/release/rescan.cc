#include "release/rescan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/backoff.h"
#include "base/names.h"
#include "base/text.h"
#include "release/delivery.h"
#include "release/scan_gate.h"
#include "release/turn.h"

namespace slipway::release {
namespace {

using resources::ConditionStatus;
using resources::Findings;
using resources::ScanRecord;

constexpr BackoffPolicy kAfterFailure{std::chrono::minutes(1), std::chrono::hours(1)};
constexpr int kFirstPart = 24;  // of the interval: what was never scanned is, within it
constexpr double kSpreadPart = 0.1;
// So many looks that told nothing, and what an earlier one did not find is not taken for absent any more.
constexpr int kDoubtful = 3;

Duration PartOf(Duration whole, double part) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * part));
}

bool GateLooks(const Draft& draft) {
  const auto& gate = draft.status().scan;
  return draft.plan.scan || (gate && UnderWay(*gate));
}

void Forget(Draft& draft) {
  draft.status().rescan.reset();
  std::erase_if(draft.status().conditions,
                [](const resources::Condition& condition) { return condition.type == kVulnerable; });
}

// The record is about what is delivered: of something new, what the gate found. The same bytes in another
// repository are asked for there: the one before may be gone.
ScanRecord& RecordOf(Draft& draft) {
  auto& record = draft.status().rescan;
  const auto& gate = draft.status().scan;
  const std::string& image = draft.status().image;
  if (record && SameDigest(record->image, image)) {
    if (!UnderWay(*record)) record->image = image;
    return *record;
  }
  std::string told = record ? std::move(record->told) : std::string();
  const bool known = gate && gate->at && SameDigest(gate->image, image);
  record = known ? *gate : ScanRecord();
  record->image = image;
  record->key = std::string(PlainKey(record->key));
  record->told = std::move(told);
  return *record;
}

// ---- when ----

TimePoint NextOf(const Draft& draft, const ScanRecord& record, Duration interval) {
  const double spread = Spread(draft.release().meta.uid.value);
  if (record.failures > 0 && record.finished) {
    return *record.finished + BackoffDelay(kAfterFailure, record.failures - 1, Spread(record.job));
  }
  if (record.at) return *record.at + interval - PartOf(interval, kSpreadPart * spread);
  const TimePoint first = draft.now + PartOf(interval / kFirstPart, spread);
  return record.next ? std::min(*record.next, first) : first;
}

void Schedule(Draft& draft, ScanRecord& record, Duration interval) {
  if (UnderWay(record)) return draft.RecheckAfter(kOpenRecheck);
  std::string key = supply::KeyOf(RulesOf(draft.seen));
  // What counts is asked for otherwise than it was when it was scanned: an exception more, for one.
  const bool otherwise = !record.key.empty() && record.key != key;
  TimePoint next = otherwise ? draft.now : NextOf(draft, record, interval);
  if (record.started) next = std::max(next, *record.started + kLeastApart);
  // Statuses have whole seconds.
  record.next = std::chrono::floor<std::chrono::seconds>(next);
  if (draft.now < next) return draft.RecheckAt(next);
  draft.RecheckAfter(kOpenRecheck);
  if (GateLooks(draft) || !NoRoom(draft.seen).empty()) return;
  draft.plan.rescan = BeginLook(draft, draft.status().rescan, record.image, std::move(key));
}

// ---- what is said ----

struct Said {
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;
  std::string message;
};

// What runs, and how it came to be.
std::string Origin(const Draft& draft) {
  const auto& status = draft.status();
  std::string origin = Named(status.image, {});
  if (!status.commit.empty()) origin += " of commit " + status.commit;
  for (const auto& delivery : status.history) {
    if (!SameDigest(delivery.image, status.image)) continue;
    if (!delivery.image_build.empty()) {
      origin += fmt::format(" (ImageBuild {}, run {})", delivery.image_build, delivery.build_run);
    }
    break;
  }
  return origin;
}

std::string When(const ScanRecord& record) {
  std::string when = fmt::format("scanned at {}", FormatTime(*record.at));
  if (const auto& made = record.findings->database) {
    when += fmt::format(", with a database of {}", FormatTime(*made));
  }
  return when;
}

std::string Counted(const Findings& findings) {
  return fmt::format("in all {} critical, {} high, {} medium, {} low, {} unknown", findings.critical,
                     findings.high, findings.medium, findings.low, findings.unknown);
}

std::string Since(const ScanRecord& record) {
  if (record.failures == 0) return {};
  return fmt::format(". Since then {} scan{} told nothing: {}", record.failures,
                     record.failures == 1 ? "" : "s", Clip(record.message, 200));
}

Said Found(const Draft& draft, const ScanRecord& record) {
  const Findings& findings = *record.findings;
  return {ConditionStatus::kTrue, "VulnerabilitiesFound",
          fmt::format("{} runs and has {}; {}; {}{}. Nothing was changed: deliver an image without them, or "
                      "bear each in spec.gates.scan.exceptions",
                      Origin(draft), Described(RulesOf(draft.seen), findings), Counted(findings),
                      When(record), Since(record))};
}

Said Judged(const Draft& draft, const ScanRecord& record) {
  const bool known = record.at && record.findings;
  // What was found in a digest does not go away because nobody could look again.
  if (known && record.findings->closing > 0) return Found(draft, record);
  if (known && record.failures < kDoubtful) {
    return {ConditionStatus::kFalse, "NoneFound",
            fmt::format("{} runs and has no vulnerability that counts; {}; {}{}", Origin(draft),
                        Counted(*record.findings), When(record), Since(record))};
  }
  if (record.failures > 0) {
    return {ConditionStatus::kUnknown, record.reason.empty() ? "ScanFailed" : record.reason,
            fmt::format("which vulnerabilities {} has, which runs, is not known: {}. It is tried again{}",
                        Origin(draft), record.message,
                        known ? fmt::format("; none was found when it was {}", When(record)) : "")};
  }
  return {ConditionStatus::kUnknown, "ScanPending",
          fmt::format("{} runs and was not scanned yet", Origin(draft))};
}

// The same for the same set of vulnerabilities; of those beyond the worst, only how many they are is known.
std::string SetOf(const Findings& findings) {
  if (findings.closing == 0) return {};
  std::set<std::string> ids;
  for (const auto& each : findings.worst) ids.insert(each.id);
  std::string all;
  for (const auto& id : ids) {
    all += id;
    all += ' ';
  }
  const bool more = static_cast<std::size_t>(findings.closing) > findings.worst.size();
  if (more) all += std::to_string(findings.closing);
  return ShortHash(all, 8);
}

void Say(Draft& draft, ScanRecord& record) {
  const Said said = Judged(draft, record);
  resources::Set(
      draft.status().conditions,
      {std::string(kVulnerable), said.status, said.reason, said.message, {}, draft.release().meta.generation},
      draft.now);
  if (said.status == ConditionStatus::kUnknown) return;
  std::string found = SetOf(*record.findings);
  if (found == record.told) return;
  draft.plan.notices.push_back({!found.empty(), said.reason, said.message});
  record.told = std::move(found);
}

}  // namespace

void Rescan(Draft& draft) {
  const auto* platform = draft.seen.platform;
  if (platform == nullptr || draft.seen.policy == nullptr) return;  // what is known stays
  const Duration interval = platform->rescan_interval;
  if (interval.count() == 0 || draft.status().image.empty() || !draft.seen.chain) return Forget(draft);
  ScanRecord& record = RecordOf(draft);
  Schedule(draft, record, interval);
  Say(draft, record);
}

}  // namespace slipway::release
