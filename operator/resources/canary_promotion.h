// CanaryPromotion (cp): "move this workload to this image by replica ratio". Usually made by a Release;
// usable alone. One at a time on a target. While it exists it holds a finalizer that restores stable before
// it goes.
#pragma once

#include "resources/common.h"

namespace slipway::resources {

struct CanaryTarget {
  std::string deployment;
  std::string container;  // empty: the only container
  std::string service;    // selects stable and canary; its first port is probed
  bool operator==(const CanaryTarget&) const = default;
};

// What a pod asks through the Service's DNS name, on a new connection each, and at each canary pod's address.
struct SmokeTest {
  std::string name = "default";
  std::string health_path = "/healthz";   // every answer must be 200
  std::string version_path = "/version";  // must answer spec.version from every canary pod
  int requests = 200;
  Duration p95_limit = std::chrono::milliseconds(1500);
  Duration timeout = std::chrono::seconds(60);  // of the whole test
  bool operator==(const SmokeTest&) const = default;
};

struct CanaryStep {
  int weight = 10;  // percent of the baseline's replicas, 1..100
  Duration hold = Duration(0);
  bool operator==(const CanaryStep&) const = default;
};

// kSplit: the total stays, stable shrinks by what the canary grows. kSurge: stable stays, the canary is
// added.
enum class Capacity : std::uint8_t { kSplit, kSurge };

struct CanaryPromotionSpec {
  CanaryTarget target;
  std::string image;              // repository@sha256:…
  std::string version;            // what /version must answer: the commit, usually; empty: not asked
  std::vector<CanaryStep> steps;  // default: one step of 10%
  Capacity capacity = Capacity::kSplit;
  std::vector<SmokeTest> smoke_tests;                     // run at the end of each step; default: one
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
  kFinishing,  // the canary is taken away
  kAborting,   // stable goes back to its baseline; then the canary goes
  kPromoted,
  kAborted,
  kRefused  // preflight said no; nothing was touched
};

enum class Completion : std::uint8_t { kNone, kPromoted, kAborted, kSuperseded };

// What stable was before the first change: recorded before it, and what is restored.
struct Baseline {
  kube::Uid deployment_uid;
  int replicas = 0;
  std::string image;          // as it stands in the template
  std::string stable_digest;  // repository@digest as read from the running pods; may be empty
  std::string template_hash;
  bool operator==(const Baseline&) const = default;
};

struct SmokeResult {
  std::string name;
  bool passed = false;
  int requests = 0;
  int failures = 0;
  int p50_ms = 0, p95_ms = 0, p99_ms = 0;
  std::map<std::string, int> versions;  // answers per version, through the Service
  std::string message;
  std::optional<TimePoint> finished;
  bool operator==(const SmokeResult&) const = default;
};

struct StepStatus {
  int index = 0;
  int weight_wanted = 0;    // percent
  int canary_replicas = 0;  // wanted
  int stable_replicas = 0;  // wanted
  int canary_ready = 0;     // got
  int stable_ready = 0;     // got
  int weight_got = 0;       // percent of ready pods, rounded half up
  std::optional<TimePoint> started;
  std::optional<TimePoint> ready_at;
  std::optional<TimePoint> finished;
  std::optional<std::string> smoke_job_name;
  std::optional<kube::Uid> smoke_job_uid;
  std::vector<SmokeResult> smoke;
  std::string verdict;  // "", "Passed", "Failed"
  bool operator==(const StepStatus&) const = default;
};

struct CanaryPromotionStatus {
  std::int64_t observed_generation = -1;
  Conditions conditions;
  CanaryPhase phase = CanaryPhase::kPending;
  Completion completion = Completion::kNone;
  std::optional<Baseline> baseline;
  std::string canary_deployment;
  std::optional<kube::Uid> canary_uid;
  std::string stable_image;  // what stable was found with; from Promoting on, what it is set to
  bool image_set = false;    // our write of stable_image has been made
  int current_step = 0;
  int weight_wanted = 0;  // of the current step, for the printer columns
  int weight_got = 0;
  std::string spec_hash;  // of spec.image, steps and target: a change supersedes
  std::vector<StepStatus> steps;
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

}  // namespace slipway::resources
