// Decision (dec): a human act, on record, for one object and one commit or digest. It never changes: another
// act is another Decision. Who acted is pinned at admission (spec.actor is whoever made the request), and so
// is whether they may (a verb of their own on the target): see deploy/base/admission.
#pragma once

#include "resources/common.h"

namespace slipway::resources {

enum class Verb : std::uint8_t { kApprove, kReject, kPromote, kAbort, kRetry, kRollback, kPause, kResume };

struct DecisionTarget {
  std::string kind;  // ImageBuild, Release, CanaryPromotion
  std::string name;
  kube::Uid uid;
  bool operator==(const DecisionTarget&) const = default;
};

struct DecisionSpec {
  Verb verb = Verb::kApprove;
  DecisionTarget target;
  std::string subject;  // the full commit, or "sha256:…": it is about nothing else
  std::string actor;    // the user name as the API server knows it
  std::string reason;
  std::optional<TimePoint> expires;
  bool operator==(const DecisionSpec&) const = default;
};

// One that was followed, or refused, as the object that it was about keeps it. Each is taken up once.
struct DecisionRecord {
  std::string name;
  kube::Uid uid;
  Verb verb = Verb::kApprove;
  std::string actor;
  std::string reason;
  TimePoint time{};     // when it was made
  std::string refused;  // why it was not followed; empty: it was
  bool operator==(const DecisionRecord&) const = default;
};

struct Decision {
  kube::ObjectMeta meta;
  DecisionSpec spec;
  static Result<Decision> Decode(const kube::Json& object);
};

std::string_view ToString(Verb verb);
DecisionRecord RecordOf(const Decision& decision);

// Whether it is about this object and subject, and still counts.
bool Applies(const Decision& decision, const kube::ApiResource& resource, const kube::ObjectMeta& target,
             std::string_view subject, TimePoint now);

}  // namespace slipway::resources
