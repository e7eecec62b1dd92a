#include "release/attest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/backoff.h"
#include "base/names.h"
#include "base/text.h"
#include "release/delivery.h"
#include "release/turn.h"
#include "release/verification.h"
#include "supply/delivery_predicates.h"

namespace slipway::release {
namespace {

using resources::AttestationRecord;
using resources::ConditionStatus;
using resources::Delivery;
using State = supply::AttestOutcome::State;

constexpr BackoffPolicy kAfterFailure{std::chrono::seconds(30), std::chrono::minutes(30)};
constexpr std::string_view kRunning = "Running";
constexpr std::string_view kDone = "Attested";
constexpr std::string_view kFailed = "Failed";

struct Said {
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;
  std::string message;
};

bool IsAbout(const AttestationRecord& record, const Delivery& delivery, const std::string& environment,
             const std::string& signer) {
  return record.delivery == delivery.number && record.digest == DigestOf(delivery.image) &&
         record.environment == environment && record.signer == signer;
}

void TakeOutcome(Draft& draft, AttestationRecord& record) {
  const auto& outcome = draft.seen.attestation;
  if (!outcome || !UnderWay(record)) return;
  if (outcome->state == State::kRunning) {
    if (record.reason.empty()) record.message = Clip(outcome->message, kDeliveryMessage);
    return;
  }
  record.state = outcome->state == State::kAttested ? kDone : kFailed;
  record.reason = outcome->reason;
  record.message = Clip(outcome->message, kDeliveryMessage);
  record.finished = draft.now;
}

TimePoint Again(const AttestationRecord& record, TimePoint now) {
  return record.finished.value_or(now) + BackoffDelay(kAfterFailure, record.runs - 1, Spread(record.job));
}

// ---- what is said ----

std::string About(const AttestationRecord& record) {
  std::vector<std::string_view> names;
  for (const auto predicate : record.predicates) names.push_back(resources::ToString(predicate));
  return fmt::format("{} of delivery {}, as {}, by signer \"{}\"", fmt::join(names, ", "), record.delivery,
                     record.environment, record.signer);
}

Said Judgement(const AttestationRecord& record, TimePoint now) {
  if (record.state == kDone) {
    return {ConditionStatus::kTrue, "Attested",
            fmt::format("attested on {}: {}", record.digest, About(record))};
  }
  // Another attempt has the word of the one before until it ends.
  if (record.reason.empty()) {
    return {ConditionStatus::kUnknown, "Attesting",
            fmt::format("Job {} of the supply chain's namespace attests {}{}{}", record.job, About(record),
                        record.message.empty() ? "" : "; ", record.message)};
  }
  const bool last = record.state == kFailed && record.runs >= kMostAttestRuns;
  const std::string then =
      last ? fmt::format(
                 "it was tried {} times, and is not again until the next delivery, or another signer "
                 "or environment in spec.attest",
                 record.runs)
      : record.state == kFailed ? fmt::format("it is tried again at {}", FormatTime(Again(record, now)))
                                : fmt::format("Job {} tries again", record.job);
  return {ConditionStatus::kFalse, record.reason,
          fmt::format("not attested is {}: {}; {}. What is delivered stays", About(record), record.message,
                      then)};
}

// An Event for each new word but that it is under way.
void Say(Draft& draft, Said said) {
  const auto* before = resources::Find(draft.release().status.conditions, kAttested);
  const bool news = said.status != ConditionStatus::kUnknown &&
                    (before == nullptr || before->status != said.status || before->reason != said.reason);
  if (news) {
    draft.plan.notices.push_back({said.status == ConditionStatus::kFalse, said.reason, said.message});
  }
  resources::Set(draft.status().conditions,
                 {std::string(kAttested),
                  said.status,
                  std::move(said.reason),
                  Clip(std::move(said.message), 1000),
                  {},
                  draft.release().meta.generation},
                 draft.now);
}

// ---- the next Job ----

// Why nobody may sign it: the policy may be another than when it was delivered.
std::optional<Said> Forbidden(const Draft& draft) {
  const auto& release = draft.release();
  const auto violation = resources::CheckAttest(release.spec, draft.seen.policy, release.meta.key.ns);
  if (violation) return Said{ConditionStatus::kFalse, violation->reason, violation->message};
  const auto* platform = draft.seen.platform;
  const std::string& signer = release.spec.attest->signer;
  if (platform != nullptr && platform->FindSigner(signer) != nullptr) return std::nullopt;
  return Said{ConditionStatus::kFalse, "SignerNotFound",
              fmt::format("spec.attest.signer: the platform's policy has no signer \"{}\"", signer)};
}

void Begin(Draft& draft, const Delivery& delivery, const std::string& environment) {
  auto& record = draft.status().attestation;
  const std::string& signer = draft.release().spec.attest->signer;
  if (!record || !IsAbout(*record, delivery, environment, signer)) record.emplace();
  record->delivery = delivery.number;
  record->digest = DigestOf(delivery.image);
  record->environment = environment;
  record->signer = signer;
  record->predicates = supply::PredicatesOf(delivery);
  record->state = kRunning;
  record->job_uid.reset();
  ++record->runs;
  record->started = draft.now;
  record->finished.reset();
  record->job = supply::JobName(
      OwnerOf(draft.release()), supply::kAttestRole,
      fmt::format("{}/{}/{}/{}/{}", delivery.number, record->digest, environment, signer, record->runs));
  draft.plan.attestation = StartAttestation{record->job, delivery, environment, signer};
  draft.RecheckAfter(kSoon);
}

bool IsOver(const AttestationRecord& record) {
  return record.state == kDone || (record.state == kFailed && record.runs >= kMostAttestRuns);
}

// Whether another attempt waits for its time.
bool TooEarly(Draft& draft, const AttestationRecord& record) {
  if (record.state != kFailed) return false;
  const TimePoint again = Again(record, draft.now);
  if (draft.now < again) draft.RecheckAt(again);
  return draft.now < again;
}

// What a Job waits for that is due; empty: nothing. A tenant may name another environment with every edit,
// and each is a pod where the platform signs (turn.h).
std::string Queue(Draft& draft) {
  const auto& other = draft.seen.other_attestation;
  const auto& record = draft.status().attestation;
  const bool just_now = record && record->started && draft.now < *record->started + kLeastApart;
  if (just_now) draft.RecheckAt(*record->started + kLeastApart);
  std::string full = NoRoom(draft.seen);
  if (!full.empty()) draft.RecheckAfter(kLeastApart);
  if (!other.empty()) draft.RecheckAfter(kSoon);
  if (!other.empty()) return fmt::format("Job {} attests something of the same image", other);
  return just_now ? "the last Job was made just now" : std::move(full);
}

void Forget(Draft& draft) {
  std::erase_if(draft.status().conditions,
                [](const resources::Condition& condition) { return condition.type == kAttested; });
}

}  // namespace

const Delivery* Judged(const resources::Release& release) {
  const auto& history = release.status.history;
  for (std::size_t i = 0; i < std::min(history.size(), kMostDetailed); ++i) {
    if (supply::IsJudged(history[i])) return &history[i];
  }
  return nullptr;
}

bool UnderWay(const AttestationRecord& record) { return record.state == kRunning && record.job_uid; }

bool WillAttest(const resources::Release& release, std::string_view image, std::string_view environment) {
  const Delivery* delivery = Judged(release);
  if (!release.spec.attest || delivery == nullptr || !SameDigest(delivery->image, image)) return false;
  const std::string own = resources::EnvironmentOf(release.spec, release.meta.key.ns);
  if (own != environment) return false;
  const auto& record = release.status.attestation;
  const bool known = record && IsAbout(*record, *delivery, own, release.spec.attest->signer);
  if (known && (record->state != kRunning || !record->reason.empty())) return false;
  const auto* condition = resources::Find(release.status.conditions, kAttested);
  return known || condition == nullptr || condition->status != ConditionStatus::kFalse;
}

void Attest(Draft& draft) {
  auto& record = draft.status().attestation;
  if (record) TakeOutcome(draft, *record);
  const auto& release = draft.release();
  if (!release.spec.attest) return Forget(draft);
  // Even if it is about another delivery by now: two at once would lose what one of them attests.
  if (record && UnderWay(*record)) {
    draft.RecheckAfter(kSoon);
    return Say(draft, Judgement(*record, draft.now));
  }
  const Delivery* delivery = Judged(release);
  if (delivery == nullptr) {
    return Say(draft, {ConditionStatus::kUnknown, "NothingDelivered",
                       "no delivery of this Release has ended that could be attested"});
  }
  const std::string environment = resources::EnvironmentOf(release.spec, release.meta.key.ns);
  const bool known = record && IsAbout(*record, *delivery, environment, release.spec.attest->signer);
  if (known && IsOver(*record)) return Say(draft, Judgement(*record, draft.now));
  if (auto forbidden = Forbidden(draft)) return Say(draft, std::move(*forbidden));
  if (known && TooEarly(draft, *record)) return Say(draft, Judgement(*record, draft.now));
  if (const std::string queue = Queue(draft); !queue.empty()) {
    if (known) return Say(draft, Judgement(*record, draft.now));
    return Say(draft, {ConditionStatus::kUnknown, "Attesting",
                       fmt::format("delivery {} is to be attested as {}, and waits: {}", delivery->number,
                                   environment, queue)});
  }
  Begin(draft, *delivery, environment);
  Say(draft, Judgement(*record, draft.now));
}

}  // namespace slipway::release
