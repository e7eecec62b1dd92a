// CanaryPromotion (cp): "move this workload to this image by replica ratio". Usually made by a Release;
// usable alone. One at a time on a target. While it exists it holds a finalizer that restores stable before
// it goes.
#pragma once

#include "resources/checks.h"
#include "resources/decision.h"

namespace slipway::resources {

struct CanaryTarget {
  std::string deployment;
  std::string container;  // empty: the only container
  std::string service;    // selects stable and canary; its first port is probed
  bool operator==(const CanaryTarget&) const = default;
};

struct CanaryStep {
  int weight = 10;  // percent, 1..100
  Duration hold = Duration(0);
  std::vector<std::string> smoke_tests;  // names out of spec.smokeTests; empty: all
  bool analysis = true;                  // whether spec.analysis is asked at its end
  bool operator==(const CanaryStep&) const = default;
};

// kSplit: the total stays, stable shrinks by what the canary grows. kSurge: stable stays, the canary is
// added.
enum class Capacity : std::uint8_t { kSplit, kSurge };

// kCanary: steps, then stable. kRolling: stable at once, by its own rolling update.
enum class Strategy : std::uint8_t { kCanary, kRolling };

// What becomes of stable when its rollout, or what is asked after it, fails. kStay leaves the new image
// there: an older one could not run on what a breaking migration has made.
enum class OnFailure : std::uint8_t { kRestore, kStay };

// Wherever stable's pod template names ConfigMap `name`, or an earlier copy of it, it is to name `copy`.
struct ConfigVersion {
  std::string name;
  std::string copy;
  bool operator==(const ConfigVersion&) const = default;
};

struct CanaryPromotionSpec {
  CanaryTarget target;
  std::string image;    // repository@sha256:…
  std::string version;  // what /version must answer: the commit, usually; empty: not asked
  Strategy strategy = Strategy::kCanary;
  std::vector<CanaryStep> steps;  // default: one step of 10%; of no meaning with kRolling
  Capacity capacity = Capacity::kSplit;
  std::string max_surge = "100%";  // pods that may be there above the baseline: a number, or percent of it
  bool accept_autoscaler_overlap = false;
  std::vector<SmokeTest> smoke_tests;  // asked at the end of each step; default: one
  Analysis analysis;
  std::vector<SmokeTest> verification;  // asked when stable has rolled out
  OnFailure on_failure = OnFailure::kRestore;
  std::vector<ConfigVersion> config_maps;
  Duration progress_deadline = std::chrono::minutes(10);  // for each wait on pods
  bool operator==(const CanaryPromotionSpec&) const = default;
};

enum class CanaryPhase : std::uint8_t {
  kPending,    // preflight
  kStarting,   // canary pods are coming up for the step
  kHolding,    // the step's weight is got; its hold runs
  kTesting,    // a smoke test runs
  kRestoring,  // every step passed: stable goes back to its baseline before it changes
  kPromoting,  // stable rolls to the new image; the canary still serves
  kVerifying,  // stable runs the new image: what is asked after it; the canary still serves
  kFinishing,  // the canary is taken away
  kAborting,   // stable goes back to its baseline; then the canary goes
  kPromoted,
  kAborted,
  kRefused  // preflight said no; nothing was touched
};

// kRolledBack: aborted after stable had been set to the new image.
enum class Completion : std::uint8_t { kNone, kPromoted, kAborted, kSuperseded, kRolledBack };

// What stable was before the first change: recorded before it, and what is restored.
struct Baseline {
  kube::Uid deployment_uid;
  int replicas = 0;
  std::string image;          // as it stands in the template
  std::string stable_digest;  // repository@digest as its pods ran it, where `image` names none; may be empty
  std::string template_hash;
  std::map<std::string, std::string> config_maps;  // by spec.configMaps[].name: what the template named
  bool served = true;                              // false: no pod was ready, so there is nothing to keep
  // How it goes, and is taken back, whatever becomes of the spec meanwhile. kRolling for a first delivery
  // too.
  Strategy strategy = Strategy::kCanary;
  Capacity capacity = Capacity::kSplit;
  bool operator==(const Baseline&) const = default;
};

struct StepStatus {
  int index = 0;
  int weight_wanted = 0;    // percent
  int canary_replicas = 0;  // wanted
  int stable_replicas = 0;  // wanted
  int canary_ready = 0;     // got
  int stable_ready = 0;     // got
  int weight_planned = 0;   // percent: what whole pods can give
  int weight_got = 0;       // percent of ready pods, rounded half up
  std::optional<TimePoint> started;
  std::optional<TimePoint> ready_at;
  std::optional<TimePoint> finished;
  CheckRun checks;
  std::string verdict;  // "", "Passed", "Failed"
  bool operator==(const StepStatus&) const = default;
};

// Nothing goes on until it is resumed; what is broken is taken back all the same.
struct Pause {
  std::string by;  // who, or "Inconclusive"
  std::string message;
  TimePoint since{};
  bool operator==(const Pause&) const = default;
};

struct CanaryPromotionStatus {
  std::int64_t observed_generation = -1;
  Conditions conditions;
  CanaryPhase phase = CanaryPhase::kPending;
  Completion completion = Completion::kNone;
  std::optional<Baseline> baseline;
  std::string canary_deployment;
  std::optional<kube::Uid> canary_uid;
  std::string canary_template_hash;  // of its pod template, as it was made
  std::string stable_image;          // what stable was found with; from Promoting on, what it is set to
  bool image_set = false;            // our write of stable_image has been made
  int current_step = 0;
  int weight_wanted = 0;  // of the current step, for the printer columns
  int weight_got = 0;
  std::string spec_hash;  // of spec.image, steps and target: a change supersedes
  std::vector<StepStatus> steps;
  CheckRun verification;
  std::optional<Pause> paused;
  std::vector<DecisionRecord> decisions;  // that were followed or refused, in the order of that
  // Records of Decisions up to this moment may have made room: none of them is taken up again.
  std::optional<TimePoint> decisions_before;
  std::optional<TimePoint> phase_since;
  std::optional<TimePoint> started;
  std::optional<TimePoint> aborted_at;
  std::optional<TimePoint> finished;
  std::string failure_reason;
  std::string failure_message;
  bool operator==(const CanaryPromotionStatus&) const = default;
};

struct CanaryPromotion {
  kube::ObjectMeta meta;
  CanaryPromotionSpec spec;
  CanaryPromotionStatus status;
  static Result<CanaryPromotion> Decode(const kube::Json& object);
};

kube::Json EncodeStatus(const CanaryPromotionStatus& status);
kube::Json EncodeSpec(const CanaryPromotionSpec& spec);

std::string_view ToString(CanaryPhase phase);
std::string_view ToString(Completion completion);
std::string_view ToString(Capacity capacity);
std::string_view ToString(Strategy strategy);

}  // namespace slipway::resources
