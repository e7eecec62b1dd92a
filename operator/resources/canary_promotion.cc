#include "resources/canary_promotion.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 11> kPhases{"Pending",   "Starting",  "Holding",   "Testing",
                                                   "Restoring", "Promoting", "Finishing", "Aborting",
                                                   "Promoted",  "Aborted",   "Refused"};
constexpr std::array<std::string_view, 4> kCompletions{"", "Promoted", "Aborted", "Superseded"};
constexpr std::array<std::string_view, 2> kCapacities{"Split", "Surge"};
constexpr std::int64_t kPercent = 100;
}  // namespace

static std::span<const std::string_view> Names(CanaryPhase) { return kPhases; }
static std::span<const std::string_view> Names(Completion) { return kCompletions; }
std::span<const std::string_view> Names(Capacity) { return kCapacities; }

std::string_view ToString(CanaryPhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view ToString(Completion completion) {
  return kCompletions[static_cast<std::size_t>(completion)];
}
std::string_view ToString(Capacity capacity) { return kCapacities[static_cast<std::size_t>(capacity)]; }

void Describe(Visitor& v, CanaryTarget& s) {
  v.Visit({.name = "deployment",
           .doc = "The Deployment that serves, and that the image is delivered to.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.deployment);
  v.Visit({.name = "container",
           .doc = "The container whose image is set. Absent: the only one.",
           .max_length = 63,
           .rule = &kLabelName},
          s.container);
  v.Visit(
      {.name = "service",
       .doc = "The Service that selects the Deployment's pods, and the canary's with them. Smoke tests ask "
              "its first port.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .rule = &kLabelName},
      s.service);
}

void Describe(Visitor& v, CanaryStep& s) {
  v.Visit({.name = "weight", .doc = "The canary's share of the pods, in percent.", .min = 1, .max = kPercent},
          s.weight);
  v.Visit({.name = "hold",
           .doc = "How long the weight is kept before the smoke tests run, such as 10m.",
           .longest = std::chrono::hours(168)},
          s.hold);
}

void Describe(Visitor& v, SmokeTest& s) {
  v.Visit({.name = "name",
           .doc = "Tells this test from the others.",
           .min_length = 1,
           .max_length = 63,
           .rule = &kLabelName},
          s.name);
  v.Visit({.name = "healthPath",
           .doc = "Asked through the Service; each answer must be 200.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kHttpPath},
          s.health_path);
  v.Visit({.name = "versionPath",
           .doc = "Asked of each canary pod; must answer the version that is delivered.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kHttpPath},
          s.version_path);
  v.Visit(
      {.name = "requests",
       .doc = "How often each of the two paths is asked through the Service, each time on a new connection.",
       .min = 1,
       .max = 10000},
      s.requests);
  v.Visit({.name = "p95Limit",
           .doc = "95 of 100 answers must arrive within this time.",
           .shortest = std::chrono::milliseconds(1),
           .longest = std::chrono::minutes(1)},
          s.p95_limit);
  v.Visit({.name = "timeout",
           .doc = "The longest that the whole test may take.",
           .shortest = std::chrono::seconds(1),
           .longest = std::chrono::minutes(30)},
          s.timeout);
}

void Describe(Visitor& v, CanaryPromotionSpec& s) {
  v.Visit({.name = "target",
           .doc = "What is changed. It can't be changed itself.",
           .required = true,
           .immutable = "the target of a promotion can't change: delete it and make another"},
          s.target);
  v.Visit({.name = "image",
           .doc = "The image to deliver, by digest: repository@sha256:...",
           .required = true,
           .min_length = 1,
           .max_length = 330,
           .rule = &kImage},
          s.image);
  v.Visit({.name = "version",
           .doc = "What the canary must answer at versionPath: the commit, usually. Absent: it is not asked.",
           .max_length = 128,
           .rule = &kVersion},
          s.version);
  v.Visit(kSteps, s.steps);
  v.Visit(kCapacity, s.capacity);
  v.Visit(kSmokeTests, s.smoke_tests);
  v.Visit(kProgressDeadline, s.progress_deadline);
}

static void Describe(Visitor& v, Baseline& s) {
  v.Visit({.name = "deploymentUID", .doc = "The Deployment that was found.", .max_length = 64},
          s.deployment_uid);
  v.Visit({.name = "replicas", .doc = "Its replicas."}, s.replicas);
  v.Visit({.name = "image", .doc = "Its image, as its template had it.", .max_length = 1024}, s.image);
  v.Visit(
      {.name = "stableDigest", .doc = "Its image by digest, as its running pods had it.", .max_length = 1024},
      s.stable_digest);
  v.Visit({.name = "templateHash",
           .doc = "Of its pod template: a change of it supersedes the promotion.",
           .max_length = 64},
          s.template_hash);
}

void Describe(Visitor& v, SmokeResult& s) {
  v.Visit({.name = "name", .doc = "The test's name.", .max_length = 63}, s.name);
  v.Visit({.name = "passed", .doc = "The verdict."}, s.passed);
  v.Visit({.name = "requests", .doc = "How many were made."}, s.requests);
  v.Visit({.name = "failures", .doc = "How many were not answered, or not by 200."}, s.failures);
  v.Visit({.name = "p50Ms", .doc = "Half of the answers came within so many milliseconds."}, s.p50_ms);
  v.Visit({.name = "p95Ms", .doc = "95 of 100 answers came within so many milliseconds."}, s.p95_ms);
  v.Visit({.name = "p99Ms", .doc = "99 of 100 answers came within so many milliseconds."}, s.p99_ms);
  v.Visit({.name = "versions",
           .doc = "Answers through the Service, by the version that they named.",
           .max_items = 16},
          s.versions);
  v.Visit(kMessage, s.message);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, StepStatus& s) {
  v.Visit({.name = "index", .doc = "Which of spec.steps, from 0.", .required = true}, s.index);
  v.Visit({.name = "weightWanted", .doc = "Percent, as the step asks.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "canaryReplicas", .doc = "The canary's pods, as wanted."}, s.canary_replicas);
  v.Visit({.name = "stableReplicas", .doc = "Stable's pods, as wanted."}, s.stable_replicas);
  v.Visit({.name = "canaryReady", .doc = "The canary's pods that are ready."}, s.canary_ready);
  v.Visit({.name = "stableReady", .doc = "Stable's pods that are ready."}, s.stable_ready);
  v.Visit({.name = "weightGot",
           .doc = "Percent of ready pods that are the canary's, rounded half up.",
           .max = kPercent},
          s.weight_got);
  v.Visit(kStarted, s.started);
  v.Visit({.name = "readyAt", .doc = "When the weight was got."}, s.ready_at);
  v.Visit(kFinished, s.finished);
  v.Visit({.name = "smokeJobName", .doc = "The Job that ran the smoke tests.", .max_length = 253},
          s.smoke_job_name);
  v.Visit({.name = "smokeJobUID",
           .doc = "The UID that it was created with: no other Job counts.",
           .max_length = 64},
          s.smoke_job_uid);
  v.Visit({.name = "smoke", .doc = "What the smoke tests measured.", .max_items = 10}, s.smoke);
  v.Visit({.name = "verdict", .doc = "Passed or Failed, once it is known.", .max_length = 32}, s.verdict);
}

static void DescribeProgress(Visitor& v, CanaryPromotionStatus& s) {
  v.Visit({.name = "currentStep", .doc = "Which of spec.steps is under way, from 0."}, s.current_step);
  v.Visit({.name = "weightWanted", .doc = "Percent, of the current step.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "weightGot", .doc = "Percent of ready pods that are the canary's.", .max = kPercent},
          s.weight_got);
  v.Visit(
      {.name = "specHash", .doc = "Of what is being delivered: a change of it supersedes.", .max_length = 64},
      s.spec_hash);
  v.Visit(
      {.name = "steps", .doc = "What was wanted and got in each step.", .max_items = 20, .list_key = "index"},
      s.steps);
  v.Derived({.name = "step", .doc = "The current step, from 1, for columns.", .max_length = 8},
            s.steps.empty() ? "" : std::to_string(s.current_step + 1));
}

void Describe(Visitor& v, CanaryPromotionStatus& s) {
  DescribeConditions(v, s.observed_generation, s.conditions);
  v.Visit({.name = "phase", .doc = "Where the promotion is."}, s.phase);
  v.Visit({.name = "completion", .doc = "How it ended, once it did.", .hidden_names = 1}, s.completion);
  v.Visit({.name = "baseline", .doc = "What stable was before the first change, and what is restored."},
          s.baseline);
  v.Visit({.name = "canaryDeployment", .doc = "The copy that carries the new image.", .max_length = 253},
          s.canary_deployment);
  v.Visit(
      {.name = "canaryUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
      s.canary_uid);
  v.Visit({.name = "stableImage",
           .doc = "What stable was found with; from Promoting on, what it is set to.",
           .max_length = 1024},
          s.stable_image);
  v.Visit({.name = "imageSet", .doc = "Whether stableImage was set by this promotion."}, s.image_set);
  DescribeProgress(v, s);
  v.Visit({.name = "phaseSince", .doc = "When the phase began."}, s.phase_since);
  v.Visit(kStarted, s.started);
  v.Visit({.name = "abortedAt", .doc = "When it was decided to go back."}, s.aborted_at);
  v.Visit(kFinished, s.finished);
  v.Visit({.name = "failureReason",
           .doc = "Why it was aborted or refused, in one CamelCase word.",
           .max_length = 128},
          s.failure_reason);
  v.Visit(
      {.name = "failureMessage", .doc = "Why it was aborted or refused, and what to do.", .max_length = 2048},
      s.failure_message);
}

Result<CanaryPromotion> CanaryPromotion::Decode(const kube::Json& object) {
  return DecodeObject<CanaryPromotion>(object);
}

kube::Json EncodeStatus(const CanaryPromotionStatus& status) {
  CanaryPromotionStatus copy = status;
  return Write(MembersOf(copy));
}

kube::Json EncodeSpec(const CanaryPromotionSpec& spec) {
  CanaryPromotionSpec copy = spec;
  return Write(MembersOf(copy));
}

std::optional<Violation> Validate(const CanaryPromotionSpec& spec) {
  CanaryPromotionSpec copy = spec;
  return Inspect("spec", MembersOf(copy));
}

}  // namespace slipway::resources
