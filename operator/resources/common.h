// What the four objects share: conditions, references, and one table of readiness.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "kube/object.h"

namespace slipway::resources {

enum class ConditionStatus : std::uint8_t { kTrue, kFalse, kUnknown };

// metav1.Condition (KEP-1623).
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;   // CamelCase, stable: scripts match on it
  std::string message;  // what happened, where, and what to do next; at most 1,024 bytes
  TimePoint last_transition{};
  std::int64_t observed_generation = 0;
  bool operator==(const Condition&) const = default;
};
using Conditions = std::vector<Condition>;

const Condition* Find(const Conditions& conditions, std::string_view type);
// Puts `condition` in place; its transition time moves only when its status changes.
void Set(Conditions& conditions, Condition condition, TimePoint now);

// How far an object is from what its spec asks. The table of what Ready, Reconciling and Stalled then say is
// the one that kstatus reads (sigs.k8s.io/cli-utils, pkg/kstatus):
//   state        Ready    Reconciling  Stalled
//   kProgressing Unknown  True         absent     work is under way, nothing to do for a person
//   kReady       True     absent       absent     the world is as the spec asks
//   kFailed      False    absent       True       ended, or refused: the message says what to change
//   kWaiting     False    True         absent     held up by something outside that may still come right
//   kSuspended   Unknown  absent       absent     spec.suspend
enum class Readiness : std::uint8_t { kProgressing, kReady, kFailed, kWaiting, kSuspended };

void SetReadiness(Conditions& conditions, Readiness state, std::string reason, std::string message,
                  std::int64_t generation, TimePoint now);

struct NameRef {
  std::string name;
  bool operator==(const NameRef&) const = default;
};

struct NameValue {
  std::string name;
  std::string value;
  bool operator==(const NameValue&) const = default;
};

// An OCI image named by digest. Never a bare tag (design rule 9).
struct ImageRef {
  std::string repository;  // "registry.example.com/team/app", no scheme, no tag
  std::string digest;      // "sha256:" and 64 hexadecimal digits
  std::string ToString() const { return repository + "@" + digest; }
  bool operator==(const ImageRef&) const = default;
};
// kInvalid says what a person should write instead (a tag, a missing digest, an upper-case repository).
Result<ImageRef> ParseImageRef(std::string_view text);

// Labels and annotations of ours. An admission policy keeps them for the operator.
inline constexpr std::string_view kOwnerKindLabel = "slipway.dev/kind";  // ImageBuild, CanaryPromotion, …
inline constexpr std::string_view kOwnerNameLabel = "slipway.dev/name";  // cut to 63, for people only
inline constexpr std::string_view kRoleLabel = "slipway.dev/role";       // resolve, build, smoke, canary
inline constexpr std::string_view kJobLabel = "slipway.dev/job";         // on a Job's pods: its name
inline constexpr std::string_view kTrackLabel = "slipway.dev/track";     // "canary" on canary pods only
inline constexpr std::string_view kClaimAnnotation = "slipway.dev/claimed-by";
inline constexpr std::string_view kFinalizer = "slipway.dev/restore-stable";

}  // namespace slipway::resources
