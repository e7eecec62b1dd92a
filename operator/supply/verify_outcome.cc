// What the containers of a verify Job found: cosign's exit codes and words (2.6.2: cmd/cosign/errors,
// pkg/cosign).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "supply/pods.h"
#include "supply/verify_job.h"

namespace slipway::supply {
namespace {

using resources::ContainerState;
using resources::Job;
using resources::Pod;
using State = VerifyOutcome::State;

constexpr std::size_t kQuoted = 200;  // of cosign's words, for each demand
constexpr std::size_t kMessage = 1000;
constexpr std::string_view kSignature = "Signature";

// Its exit codes. Of an attestation it says most with 1 and words.
constexpr int kNone = 10;
constexpr int kOtherKey = 12;
constexpr int kNoCertificate = 13;

// Its words where the registry or the network failed, so that nothing is known of the image.
constexpr std::array<std::string_view, 19> kNothingKnown{
    "UNAUTHORIZED",     "401 Unauthorized",       "DENIED",           "403 Forbidden",
    "MANIFEST_UNKNOWN", "NAME_UNKNOWN",           "entity not found", "tag not found",
    "dial tcp",         "connection refused",     "no such host",     "connection reset",
    "i/o timeout",      "deadline exceeded",      "unexpected EOF",   "tls: ",
    "HTTPS client",     "unexpected status code", "TOOMANYREQUESTS"};

using Kind = Found::Kind;

// ---- words ----

// What it said last is why it ended; it says so twice.
std::string LastWords(const std::string& message) {
  constexpr std::string_view kMark = "error during command execution: ";
  const auto at = message.rfind(kMark);
  return OneLine(at == std::string::npos ? message : std::string_view(message).substr(at + kMark.size()));
}

// The lines that say what a policy has against an attestation.
std::string Objections(const std::string& message) {
  constexpr std::string_view kMark = "occurred during the validation:";
  const auto from = message.find(kMark);
  if (from == std::string::npos) return LastWords(message);
  const std::string_view rest = std::string_view(message).substr(from + kMark.size());
  std::string line = OneLine(rest.substr(0, rest.find("Error: ")));
  if (line.starts_with("- ")) line.erase(0, 2);
  return line;
}

bool NothingKnown(std::string_view words) {
  return std::ranges::any_of(kNothingKnown, [words](std::string_view mark) { return words.contains(mark); });
}

// ---- one container ----

Kind KindOfAttestation(int exit_code, std::string_view words) {
  constexpr std::string_view kNoMatch = "no matching attestations:";
  if (exit_code == kNone || words.contains("none of the attestations matched the predicate type")) {
    return Kind::kMissing;
  }
  if (words.contains("validation errors occurred")) return Kind::kInvalid;
  // With no word after it, there was none to look at.
  if (words.ends_with(kNoMatch)) return Kind::kMissing;
  if (words.contains(kNoMatch) || exit_code == kOtherKey || exit_code == kNoCertificate)
    return Kind::kByAnother;
  return Kind::kUnknown;
}

Kind KindOf(const ContainerState& container, bool signature, std::string_view words) {
  if (container.exit_code == 0) return Kind::kGood;
  if (NothingKnown(words)) return Kind::kUnknown;
  // It says so first, and with many containers the kubelet keeps no more than the first of their words.
  if (!signature && container.message.contains("occurred during the validation:")) return Kind::kInvalid;
  if (!signature) return KindOfAttestation(container.exit_code, words);
  if (container.exit_code == kNone) return Kind::kMissing;
  const bool other = container.exit_code == kOtherKey || container.exit_code == kNoCertificate;
  return other ? Kind::kByAnother : Kind::kUnknown;
}

std::string Sentence(const Found& finding) {
  const bool signature = finding.demand == kSignature;
  switch (finding.kind) {
    case Kind::kMissing:
      return signature ? "it has no signature" : finding.demand + ": this signer attested none";
    case Kind::kByAnother:
      return signature
                 ? fmt::format("none of its signatures is this signer's ({})", finding.said)
                 : fmt::format("{}: what is there is not this signer's ({})", finding.demand, finding.said);
    case Kind::kInvalid:
      return fmt::format("{}: it does not say what is asked ({})", finding.demand, finding.said);
    default:
      return fmt::format("{}: it can't be told ({})", finding.demand, finding.said);
  }
}

// ---- the Job ----

std::vector<Found> FindingsIn(const Pod& pod) {
  std::vector<Found> findings;
  for (const ContainerState& container : pod.containers) {
    std::string demand = DemandOf(container.name);
    if (demand.empty()) continue;
    Found finding = JudgeLook(container, std::move(demand));
    if (finding.kind != Kind::kGood) findings.push_back(std::move(finding));
  }
  return findings;
}

// The first that is there says it: without a signature, the rest hardly matters.
std::string ReasonOf(const std::vector<Found>& findings) {
  const auto any = [&findings](Kind kind, bool signature) {
    return std::ranges::any_of(findings, [&](const Found& finding) {
      return finding.kind == kind && (finding.demand == kSignature) == signature;
    });
  };
  if (any(Kind::kMissing, true)) return "SignatureMissing";
  if (any(Kind::kByAnother, true)) return "SignatureByAnotherKey";
  if (any(Kind::kByAnother, false)) return "AttestationInvalid";
  if (any(Kind::kInvalid, false)) return "AttestationRejected";
  return any(Kind::kMissing, false) ? "AttestationMissing" : "";
}

std::string Sentences(const std::vector<Found>& findings) {
  std::vector<std::string> sentences;
  for (const Found& finding : findings) sentences.push_back(Sentence(finding));
  return Clip(fmt::format("{}", fmt::join(sentences, "; ")), kMessage);
}

VerifyOutcome OutcomeOfFailed(const Job& job, const Pod* pod) {
  const auto findings = pod == nullptr ? std::vector<Found>() : FindingsIn(*pod);
  VerifyOutcome outcome;
  outcome.reason = ReasonOf(findings);
  outcome.state = outcome.reason.empty() ? State::kFailed : State::kRefused;
  for (const Found& finding : findings) {
    if (finding.kind != Kind::kUnknown) outcome.missing.push_back(finding.demand);
  }
  const bool ended =
      std::ranges::any_of(findings, [](const Found& f) { return f.said != "cosign did not end"; });
  outcome.message = ended ? Sentences(findings) : WhyFailed(job, pod);
  return outcome;
}

}  // namespace

std::string DemandOf(std::string_view container) {
  if (container == "signature") return std::string(kSignature);
  for (const resources::Predicate predicate : resources::kAllPredicates) {
    if (ShortName(predicate) == container) return std::string(resources::ToString(predicate));
  }
  if (const auto attested = AttestedOf(container)) {
    return resources::NameIn(attested->predicate, attested->environment);
  }
  return {};
}

Found JudgeLook(const ContainerState& container, std::string demand) {
  if (!container.terminated) return {Kind::kUnknown, std::move(demand), "cosign did not end"};
  const std::string words = LastWords(container.message);
  const Kind kind = KindOf(container, demand == kSignature, words);
  if (kind == Kind::kUnknown && words.empty()) {
    return {kind, std::move(demand),
            fmt::format("cosign ended with exit code {} ({})", container.exit_code, container.reason)};
  }
  return {kind, std::move(demand),
          Clip(kind == Kind::kInvalid ? Objections(container.message) : words, kQuoted)};
}

VerifyOutcome OutcomeOfVerify(const Job* job, const Pod* pod) {
  if (job == nullptr) return {State::kFailed, {}, {}, "its Job was deleted before its outcome was recorded"};
  if (job->complete) return {State::kPassed, {}, {}, {}};
  if (!job->failed) return {State::kRunning, {}, {}, Waiting(pod)};
  return OutcomeOfFailed(*job, pod);
}

}  // namespace slipway::supply
