// What to do about one CanaryPromotion: a pure function of what was seen and the time.
//
// The promise: ready(stable) + ready(canary) never falls below the baseline, and ready(stable) never below
// what the step leaves to stable. So pods come up and are Ready before others go, in every phase:
//
//   Pending    preflight; the baseline goes into status, and our finalizer onto the object, before any change
//   Starting   canary up to the step's pods and available; then (Split) stable down to the step's
//   Holding    the step's hold runs
//   Testing    the step's smoke tests run, one after the other; then the next step
//   Restoring  stable back up to its baseline
//   Promoting  stable's image is set; the canary serves until stable's rollout is done
//   Finishing  the canary is deleted
//   Aborting   stable back at its baseline (and its old image) and Ready; then the canary is deleted
//
// A phase that has ended is never gone back to. Each effect is idempotent; the status is written last, so
// after a crash the same decision is made again from what is there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/notice.h"
#include "resources/canary_promotion.h"
#include "resources/policy.h"
#include "resources/workloads.h"

namespace slipway::canary {

// What the probe reported, as the shell read it from the pod of the recorded Job.
struct SmokeOutcome {
  enum class State : std::uint8_t { kRunning, kPassed, kFailed, kBroken };
  State state = State::kRunning;
  resources::SmokeResult result;  // with its message
  std::string reason;             // HealthCheckFailed, …; SmokeTestError for kBroken
};

// While a promotion is not over, its two Deployments are read live: each decision about them counts, and
// there are few.
struct Seen {
  const resources::CanaryPromotion& promotion;
  const resources::Deployment* stable = nullptr;  // the target
  const resources::Deployment* canary = nullptr;  // with the recorded UID; before one is, with our mark
  const resources::Service* service = nullptr;
  std::vector<std::string> third_workloads;  // other Deployments that the Service selects
  std::vector<std::shared_ptr<const resources::Pod>> canary_pods;
  std::string stable_digest;          // repository@digest as most of stable's pods run it
  std::optional<SmokeOutcome> smoke;  // of the recorded smoke Job
  std::string busy_with;              // another promotion that has the target
  std::optional<resources::Violation> violation;
};

struct AddFinalizer {};
struct RemoveFinalizer {};
struct Claim {
  bool force = false;  // over the claim of a promotion that is gone
};
struct Unclaim {};
struct CreateCanary {
  int replicas = 0;
};
struct ScaleCanary {
  int replicas = 0;
};
struct WriteStable {
  int replicas = 0;
  std::string image;
};
struct DeleteCanary {};
struct CreateSmokeJob {
  int step = 0;
  resources::SmokeTest test;
};
using Effect = std::variant<AddFinalizer, RemoveFinalizer, Claim, Unclaim, CreateCanary, ScaleCanary,
                            WriteStable, DeleteCanary, CreateSmokeJob>;

struct Plan {
  resources::CanaryPromotionStatus status;
  std::vector<Effect> effects;  // in this order; the first that fails ends the attempt
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

bool Ended(resources::CanaryPhase phase);

}  // namespace slipway::canary
