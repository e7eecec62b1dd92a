#include "resources/canary_promotion.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/config_copy.h"
#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 12> kPhases{"Pending",   "Starting",  "Holding",   "Testing",
                                                   "Restoring", "Promoting", "Verifying", "Finishing",
                                                   "Aborting",  "Promoted",  "Aborted",   "Refused"};
constexpr std::array<std::string_view, 5> kCompletions{"", "Promoted", "Aborted", "Superseded", "RolledBack"};
constexpr std::array<std::string_view, 2> kStrategies{"Canary", "Rolling"};
constexpr std::array<std::string_view, 2> kOnFailure{"Restore", "Stay"};
constexpr std::array<std::string_view, 2> kCapacities{"Split", "Surge"};
constexpr std::int64_t kPercent = 100;
}  // namespace

static std::span<const std::string_view> Names(CanaryPhase) { return kPhases; }
static std::span<const std::string_view> Names(Completion) { return kCompletions; }
std::span<const std::string_view> Names(Capacity) { return kCapacities; }
std::span<const std::string_view> Names(Strategy) { return kStrategies; }
static std::span<const std::string_view> Names(OnFailure) { return kOnFailure; }

std::string_view ToString(CanaryPhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view ToString(Completion completion) {
  return kCompletions[static_cast<std::size_t>(completion)];
}
std::string_view ToString(Capacity capacity) { return kCapacities[static_cast<std::size_t>(capacity)]; }

std::string_view ToString(Strategy strategy) { return kStrategies[static_cast<std::size_t>(strategy)]; }

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
  v.Visit({.name = "smokeTests",
           .doc = "Names out of spec.smokeTests that run in this step. Absent: all.",
           .max_length = 63,
           .rule = &kLabelName,
           .max_items = 10},
          s.smoke_tests);
  v.Visit({.name = "analysis", .doc = "Whether spec.analysis is asked at its end."}, s.analysis);
}

void Describe(Visitor& v, ConfigVersion& s) {
  v.Visit({.name = "name",
           .doc = "The ConfigMap as its author names it.",
           .required = true,
           .min_length = 1,
           .max_length = 200,
           .rule = &kObjectName},
          s.name);
  v.Visit({.name = "copy",
           .doc = "The immutable copy of it that the pods are to read.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.copy);
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
  v.Visit({.name = "strategy",
           .doc = "Canary: the steps, then stable. Rolling: stable at once, by its own rolling update."},
          s.strategy);
  v.Visit(kSteps, s.steps);
  v.Visit(kCapacity, s.capacity);
  v.Visit(kMaxSurge, s.max_surge);
  v.Visit(kAcceptAutoscalerOverlap, s.accept_autoscaler_overlap);
  v.Visit(kSmokeTests, s.smoke_tests);
  v.Visit(kAnalysis, s.analysis);
  // With Rolling, all that a Release asks: its smoke tests too.
  constexpr Field kAllOfARelease{.name = kVerification.name,
                                 .doc = kVerification.doc,
                                 .max_items = kSmokeTests.max_items + kVerification.max_items,
                                 .list_key = kVerification.list_key};
  v.Visit(kAllOfARelease, s.verification);
  v.Visit({.name = "onFailure",
           .doc = "When stable's rollout or what is asked after it fails: Restore the old image, or Stay."},
          s.on_failure);
  v.Visit({.name = "configMaps",
           .doc = "ConfigMaps that stable's pods are to read from copies of them.",
           .max_items = 16,
           .list_key = "name"},
          s.config_maps);
  v.Rule({"!has(self.configMaps) || self.configMaps.all(c, c.copy.startsWith(c.name + '-slipway-') && "
          "c.copy.size() == c.name.size() + 17 && c.copy.matches('-slipway-[0-9a-f]{8}$'))",
          "a copy is called by the ConfigMap's name, -slipway- and eight hexadecimal digits of what is in it",
          "configMaps"},
         std::ranges::all_of(s.config_maps, [](const ConfigVersion& version) {
           return version.copy != version.name && IsVersionOf(version.copy, version.name);
         }));
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
  v.Visit({.name = "configMaps",
           .doc = "What its template named for spec.configMaps.",
           .max_length = 253,
           .max_items = 16},
          s.config_maps);
  v.Visit({.name = "served", .doc = "False: no pod was ready, so there was nothing to keep."}, s.served);
  v.Visit({.name = "strategy", .doc = "How it goes: Rolling for a first delivery too."}, s.strategy);
  v.Visit({.name = "capacity", .doc = "Whose pods are moved, and taken back: as spec.capacity was."},
          s.capacity);
}

static void Describe(Visitor& v, StepStatus& s) {
  v.Visit({.name = "index", .doc = "Which of spec.steps, from 0.", .required = true}, s.index);
  v.Visit({.name = "weightWanted", .doc = "Percent, as the step asks.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "canaryReplicas", .doc = "The canary's pods, as wanted."}, s.canary_replicas);
  v.Visit({.name = "stableReplicas", .doc = "Stable's pods, as wanted."}, s.stable_replicas);
  v.Visit({.name = "canaryReady", .doc = "The canary's pods that are ready."}, s.canary_ready);
  v.Visit({.name = "stableReady", .doc = "Stable's pods that are ready."}, s.stable_ready);
  v.Visit({.name = "weightPlanned", .doc = "Percent: what whole pods can give.", .max = kPercent},
          s.weight_planned);
  v.Visit({.name = "weightGot",
           .doc = "Percent of ready pods that are the canary's, rounded half up.",
           .max = kPercent},
          s.weight_got);
  v.Visit(kStarted, s.started);
  v.Visit({.name = "readyAt", .doc = "When the weight was got."}, s.ready_at);
  v.Visit(kFinished, s.finished);
  v.Visit({.name = "checks", .doc = "What was asked at its end."}, s.checks);
  v.Visit({.name = "verdict", .doc = "Passed or Failed, once it is known.", .max_length = 32}, s.verdict);
}

static void Describe(Visitor& v, Pause& s) {
  v.Visit({.name = "by", .doc = "Who paused it; or Inconclusive.", .max_length = 512}, s.by);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "since", .doc = "When it was paused."}, s.since);
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
  v.Visit({.name = "verification", .doc = "What was asked of stable once it ran the new image."},
          s.verification);
  v.Visit({.name = "paused", .doc = "Nothing goes on until a Decision resumes it."}, s.paused);
  v.Visit(kDecisions, s.decisions);
  v.Visit({.name = "decisionsBefore",
           .doc = "Decisions that are not younger are not taken up again: their records may have made room."},
          s.decisions_before);
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
  v.Visit({.name = "canaryTemplateHash",
           .doc = "Of its pod template, as it was made: with another it is no evidence.",
           .max_length = 64},
          s.canary_template_hash);
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
