#include "release/verification.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/backoff.h"
#include "base/names.h"
#include "base/text.h"
#include "release/attest.h"
#include "release/delivery.h"
#include "release/turn.h"

namespace slipway::release {
namespace {

using resources::Predicate;
using resources::Readiness;
using resources::ReleasePhase;
using resources::ReleaseStatus;
using resources::VerificationRecord;
using resources::VerifiedBy;
using supply::Demands;
using State = supply::VerifyOutcome::State;

constexpr std::string_view kPassed = "Passed";
constexpr std::string_view kRefused = "Refused";
constexpr std::string_view kFailed = "Failed";
constexpr BackoffPolicy kAfterFailure{std::chrono::seconds(20), std::chrono::minutes(10)};
constexpr BackoffPolicy kAfterRefusal{std::chrono::minutes(2), std::chrono::hours(1)};

// ---- what is demanded ----

std::vector<Predicate> PredicatesOf(const resources::Gates& gates, const resources::Minimum& minimum) {
  std::vector<Predicate> predicates;
  for (const Predicate predicate : resources::kAllPredicates) {
    const auto in = [predicate](const auto& list) {
      return std::ranges::find(list, predicate) != list.end();
    };
    const bool for_source = gates.source && predicate == Predicate::kProvenance;
    if (resources::IsOfDelivery(predicate)) continue;  // AttestedOf
    if (in(gates.attestations) || in(minimum.delivery_attestations) || for_source) {
      predicates.push_back(predicate);
    }
  }
  return predicates;
}

std::vector<supply::Attested> AttestedOf(const resources::Gates& gates, const resources::Minimum& minimum) {
  auto attested = supply::AttestedIn(gates.attestations, gates.attested_in);
  supply::AddAttested(attested,
                      supply::AttestedIn(minimum.delivery_attestations, minimum.delivery_attested_in));
  return attested;
}

Hold Loosened(const resources::NamespacePolicy& policy, std::string_view what) {
  return {Readiness::kFailed, ReleasePhase::kBlocked, "GateLoosened",
          fmt::format(
              "spec.gates.signature.signer {} ({}.minimum.delivery): keep to it, or ask the platform team to "
              "change it",
              what, policy.minimum_origin)};
}

Hold NoSuchSigner(const std::string& signer) {
  return {Readiness::kWaiting, ReleasePhase::kBlocked, "SignerNotFound",
          fmt::format(
              "spec.gates.signature.signer: the platform's policy has no signer \"{}\": correct the name, or "
              "ask the platform team to add it to the policy's signers",
              signer)};
}

std::expected<std::string, Hold> SignerOf(const resources::Gates& gates,
                                          const resources::NamespacePolicy& policy, bool attested) {
  const std::string& least = policy.minimum.delivery_signer;
  std::string asked = gates.signature ? gates.signature->signer : "";
  if (!least.empty() && !asked.empty() && asked != least) {
    return std::unexpected(
        Loosened(policy, fmt::format("is \"{}\", and the platform's policy has images of this "
                                     "namespace signed by \"{}\"",
                                     asked, least)));
  }
  if (asked.empty()) asked = least;
  if (asked.empty() && attested) {
    return std::unexpected(
        Loosened(policy,
                 "is not set, and the platform's policy demands attestations of what is delivered "
                 "here: name whose they must be"));
  }
  return asked;
}

// ---- what is known ----

bool IsAbout(const VerificationRecord& record, const Wanted& wanted, std::string_view key) {
  return record.image == wanted.image && record.key == key;
}

bool UnderWay(const VerificationRecord& record) { return record.outcome.empty() && record.job_uid; }

// By the Job's name: many Releases that failed at once don't ask again at once.
TimePoint Again(const VerificationRecord& record, TimePoint now) {
  const BackoffPolicy& policy = record.outcome == kRefused ? kAfterRefusal : kAfterFailure;
  return record.finished.value_or(now) + BackoffDelay(policy, record.runs - 1, Spread(record.job));
}

// ---- what is said ----

std::string Asked(const std::string& signer, const std::vector<Predicate>& predicates,
                  const std::vector<std::string>& attested) {
  std::vector<std::string_view> names;
  for (const Predicate predicate : predicates) names.push_back(resources::ToString(predicate));
  names.insert(names.end(), attested.begin(), attested.end());
  return fmt::format("the signature of signer \"{}\"{}{}", signer,
                     names.empty() ? "" : " and its attestations ", fmt::join(names, ", "));
}

Hold Looking(const Wanted& wanted, const VerificationRecord& record) {
  return {Readiness::kWaiting, ReleasePhase::kPending, "VerificationRunning",
          fmt::format("Job {} of the supply chain's namespace looks whether {} has {}{}{}", record.job,
                      Named(wanted.image, wanted.commit),
                      Asked(record.signer, record.predicates, record.attested),
                      record.message.empty() ? "" : "; ", record.message)};
}

Hold ToLook(const Wanted& wanted, const Demands& demands) {
  return {Readiness::kWaiting, ReleasePhase::kPending, "VerificationRunning",
          fmt::format("a Job is to look whether {} has {}", Named(wanted.image, wanted.commit),
                      Asked(demands.signer.name, demands.predicates, NamesOf(demands.attested)))};
}

std::string NotKnown(const Wanted& wanted, const VerificationRecord& record) {
  std::string said =
      fmt::format("whether {} has {} is not known: {}. It is asked again", Named(wanted.image, wanted.commit),
                  Asked(record.signer, record.predicates, record.attested), record.message);
  if (!record.job_uid) return said;
  return said + fmt::format(
                    "; if that does not help, the platform team finds the registry's credentials by the "
                    "policy's supplyChain.registrySecret, and Job {} in the supply chain's namespace",
                    record.job);
}

std::string Lacking(const Wanted& wanted, const VerificationRecord& record) {
  return fmt::format(
      "{} must have {} in its registry, and nothing was changed for it: {}. Deliver an image that has "
      "them (an ImageBuild with spec.attest gives them, and a Release with it those of an environment); or "
      "give them to this one, and set annotation "
      "{} to a new value: else it is looked at again now and then",
      Named(wanted.image, wanted.commit), Asked(record.signer, record.predicates, record.attested),
      record.message, kRetryAnnotation);
}

// What the earlier environment attests as soon as it has delivered would be missing if it were asked for now.
std::optional<Hold> Pending(const Seen& seen, const Wanted& wanted, const Demands& demands) {
  if (seen.source == nullptr) return std::nullopt;
  for (const auto& each : demands.attested) {
    if (!WillAttest(*seen.source, wanted.image, each.environment)) continue;
    return Hold{
        Readiness::kWaiting, ReleasePhase::kPending, "AttestationPending",
        fmt::format("Release {} attests as {} what became of {} there: it is looked at when that is done",
                    kube::ToString(seen.source->meta.key), each.environment,
                    Named(wanted.image, wanted.commit))};
  }
  return std::nullopt;
}

// A second look has the word of the first until it ends.
Hold HoldOf(const Wanted& wanted, const VerificationRecord& record) {
  if (record.reason.empty()) return Looking(wanted, record);
  const bool known = !record.missing.empty();
  return {known ? Readiness::kFailed : Readiness::kWaiting, ReleasePhase::kBlocked, record.reason,
          known ? Lacking(wanted, record) : NotKnown(wanted, record)};
}

void End(VerificationRecord& record, const supply::VerifyOutcome& outcome, TimePoint now) {
  const bool refused = outcome.state == State::kRefused;
  record.outcome = outcome.state == State::kPassed ? kPassed : (refused ? kRefused : kFailed);
  record.reason = outcome.state == State::kFailed ? "VerificationFailed" : outcome.reason;
  record.missing = outcome.missing;
  record.message = Clip(outcome.message, kDeliveryMessage);
  record.finished = now;
}

}  // namespace

supply::Owner OwnerOf(const resources::Release& release) {
  return {std::string(kube::kReleases.kind), release.meta.key, release.meta.uid};
}

std::expected<std::optional<Demands>, Hold> DemandsOf(const Seen& seen) {
  if (seen.policy == nullptr || seen.platform == nullptr)
    return std::nullopt;  // then nothing is allowed at all
  const auto& gates = seen.release.spec.gates;
  Demands demands;
  demands.predicates = PredicatesOf(gates, seen.policy->minimum);
  demands.attested = AttestedOf(gates, seen.policy->minimum);
  const bool attested = !demands.predicates.empty() || !demands.attested.empty();
  const auto signer = SignerOf(gates, *seen.policy, attested);
  if (!signer) return std::unexpected(signer.error());
  if (signer->empty()) return std::nullopt;
  const auto* known = seen.platform->FindSigner(*signer);
  if (known == nullptr) return std::unexpected(NoSuchSigner(*signer));
  demands.signer = *known;
  demands.builder = seen.platform->builder_id;
  if (gates.source) demands.source = gates.source->url;
  const auto& minimum = seen.policy->minimum;
  demands.scan = {minimum.fail_on, minimum.count_unfixed, minimum.longest_exception};
  return demands;
}

std::optional<Hold> Loosening(const Seen& seen) {
  if (seen.policy == nullptr) return std::nullopt;
  const auto& gates = seen.release.spec.gates;
  const auto& minimum = seen.policy->minimum;
  const bool attested = !PredicatesOf(gates, minimum).empty() || !AttestedOf(gates, minimum).empty();
  const auto signer = SignerOf(gates, *seen.policy, attested);
  return signer ? std::nullopt : std::optional(signer.error());
}

std::optional<VerifiedBy> Verified(const ReleaseStatus& status, std::string_view image,
                                   const Demands& demands) {
  const std::string key = supply::KeyOf(demands);
  const auto& record = status.verification;
  if (record && record->outcome == kPassed && PlainKey(record->key) == key &&
      SameDigest(record->image, image)) {
    return VerifiedBy{record->signer, record->predicates, record->attested, key, record->finished};
  }
  for (const auto& delivery : status.history) {
    const auto& by = delivery.verified_by;
    if (by && by->key == key && SameDigest(delivery.image, image)) return by;
  }
  return std::nullopt;
}

std::optional<Closed> Unverified(const Seen& seen, const ReleaseStatus& status, const Wanted& wanted,
                                 TimePoint now) {
  const auto demands = DemandsOf(seen);
  if (!demands) return Closed{demands.error(), {}};
  if (!*demands || Verified(status, wanted.image, **demands)) return std::nullopt;
  if (auto pending = Pending(seen, wanted, **demands)) {
    return Closed{std::move(*pending), now + kOpenRecheck};
  }
  const auto& record = status.verification;
  const std::string key = MarkedKey(seen.release, supply::KeyOf(**demands));
  const bool about = record && IsAbout(*record, wanted, key);
  if (record && UnderWay(*record)) {
    return Closed{about ? HoldOf(wanted, *record)
                        : BehindAnother(record->job, record->image, Named(wanted.image, wanted.commit)),
                  {}};
  }
  const TimePoint due = about && !record->outcome.empty() ? Again(*record, now) : now;
  const auto started = record ? record->started : std::nullopt;
  auto turn = TurnOf(seen, about ? HoldOf(wanted, *record) : ToLook(wanted, **demands), started, due, now);
  return Closed{std::move(turn.hold), turn.again, !turn.again};
}

void TakeLook(Draft& draft) {
  auto& record = draft.status().verification;
  const auto& outcome = draft.seen.verification;
  if (!record || !UnderWay(*record)) return;
  if (outcome && outcome->state != State::kRunning) return End(*record, *outcome, draft.now);
  if (outcome && record->reason.empty()) record->message = Clip(outcome->message, kDeliveryMessage);
  draft.RecheckAfter(kSoon);
}

void Look(Draft& draft) {
  const auto demands = DemandsOf(draft.seen);
  if (!demands || !*demands || !draft.wanted || draft.plan.verification) return;
  auto& record = draft.status().verification;
  const std::string key = MarkedKey(draft.release(), supply::KeyOf(**demands));
  const bool first = !record || !IsAbout(*record, *draft.wanted, key);
  if (first) record.emplace();
  record->image = draft.wanted->image;
  record->key = key;
  record->signer = (*demands)->signer.name;
  record->predicates = (*demands)->predicates;
  record->attested = supply::NamesOf((*demands)->attested);
  record->job_uid.reset();
  record->outcome.clear();
  ++record->runs;
  record->started = draft.now;
  record->finished.reset();
  record->job = supply::JobName(OwnerOf(draft.release()), supply::kVerifyRole,
                                fmt::format("{}/{}/{}/{}", record->image, key, record->runs,
                                            draft.release().meta.resource_version.value));
  draft.plan.verification = StartVerification{record->job, record->image, **demands};
  draft.RecheckAfter(kSoon);
}

}  // namespace slipway::release
