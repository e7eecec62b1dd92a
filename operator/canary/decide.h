// What to do about one CanaryPromotion: a pure function of what was seen and the time.
//
// The promise: ready(stable) + ready(canary) never falls below the baseline, and ready(stable) never below
// what the step leaves to stable. So pods come up and are Ready before others go, in every phase:
//
//   Pending    preflight; the baseline goes into status, and our finalizer onto the object, before any change
//   Starting   canary up to the step's pods and available; then (Split) stable down to the step's; in batches
//              of spec.maxSurge
//   Holding    the step's hold runs
//   Testing    the step's checks run, one after the other; then the next step
//   Restoring  stable back up to its baseline
//   Promoting  stable's image is set; the canary serves until stable's rollout is done
//   Verifying  spec.verification is asked of stable; the canary still serves
//   Finishing  the canary is deleted
//   Aborting   stable back at its baseline (and its old image) and Ready; then the canary is deleted
//
// With strategy Rolling, and where stable has no pod that serves (a first delivery), there is no canary: the
// target is claimed, and Promoting follows.
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
#include "resources/disruption_budget.h"
#include "resources/policy.h"
#include "resources/workloads.h"

namespace slipway::canary {

// What is asked at the end of a step, or of stable at the end of all: one Job each.
struct Check {
  resources::CheckKind kind = resources::CheckKind::kSmoke;
  std::string name;
  // Of these the one that `kind` says.
  std::optional<resources::SmokeTest> smoke;
  std::optional<resources::Comparison> compare;
  std::optional<resources::PrometheusCheck> prometheus;
};
inline constexpr int kVerification = -1;  // instead of the index of a step
// In the order in which they run.
std::vector<Check> ChecksOf(const resources::CanaryPromotionSpec& spec, int step);

// How long what it asks may take, not counting how long its pod waits for a node.
Duration TimeoutOf(const Check& check);

// What became of a check's Job, as the shell read it from the pod of the recorded Job.
struct CheckOutcome {
  bool running = true;
  resources::CheckResult result;  // of an ended one: its verdict, reason and message
};

// Who wrote a field last, other than this promotion's own manager (metadata.managedFields).
struct FieldWriter {
  std::string manager;
  TimePoint time{};
};
struct Writers {
  std::optional<FieldWriter> replicas;  // spec.replicas of stable
  std::optional<FieldWriter> image;     // of the target container
  std::optional<FieldWriter> pods;      // anything of spec.template
  std::optional<FieldWriter> canary;    // anything of the canary's spec
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
  // repository@digest that each of stable's ready pods runs, where its template names none; empty: they
  // differ
  std::string stable_digest;
  std::optional<CheckOutcome> check;  // of the recorded check's Job; nullopt: there is no such Job
  std::string cannot_ask;             // why no check can be made now; empty: one can
  std::optional<resources::Autoscaler> autoscaler;  // whose target is stable
  // Of the whole namespace, as long as it has not begun.
  std::vector<resources::DisruptionBudget> budgets;
  // Every Decision about this promotion, or about the Release that made it, whatever it says; oldest first.
  std::vector<std::shared_ptr<const resources::Decision>> decisions;
  Writers writers;
  std::string busy_with;  // another promotion that has the target
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
  std::map<std::string, std::string> config_maps;  // by spec.configMaps[].name: what its template is to name
};
struct DeleteCanary {};
struct CreateCheckJob {
  int step = 0;  // or kVerification
  Check check;
};
using Effect = std::variant<AddFinalizer, RemoveFinalizer, Claim, Unclaim, CreateCanary, ScaleCanary,
                            WriteStable, DeleteCanary, CreateCheckJob>;

struct Plan {
  resources::CanaryPromotionStatus status;
  std::vector<Effect> effects;  // in this order; the first that fails ends the attempt
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

bool Ended(resources::CanaryPhase phase);

}  // namespace slipway::canary
