#include "resources/release.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"
#include "resources/image_build_parts.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 6> kPhases{"Pending",    "Progressing", "Delivered",
                                                  "RolledBack", "Blocked",     "Suspended"};
constexpr std::array<std::string_view, 2> kCompatibilities{"Backward", "Breaking"};
constexpr std::array<std::string_view, 7> kCauses{"",         "Spec",  "Build", "Release",
                                                  "Rollback", "Retry", "Config"};
constexpr std::int64_t kPercent = 100;
// Three kinds in five environments that the spec names, and as many that the policy does.
constexpr std::size_t kMostAttested = 30;
constexpr Field kAttested{.name = "attested",
                          .doc = "Of deliveries: what, and of which environment.",
                          .max_length = 63,
                          .max_items = kMostAttested};
}  // namespace

static std::span<const std::string_view> Names(ReleasePhase) { return kPhases; }
static std::span<const std::string_view> Names(Compatibility) { return kCompatibilities; }
static std::span<const std::string_view> Names(DeliveryCause) { return kCauses; }
std::string_view ToString(ReleasePhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view ToString(Compatibility value) { return kCompatibilities[static_cast<std::size_t>(value)]; }
std::string_view ToString(DeliveryCause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

static void Describe(Visitor& v, ReleaseRef& s) {
  v.Visit({.name = "name",
           .doc = "The Release's name.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.name);
  v.Visit({.name = "namespace", .doc = "Absent: this one.", .max_length = 63, .rule = &kLabelName}, s.ns);
}

static void Describe(Visitor& v, ImageFrom& s) {
  v.Visit({.name = "imageBuild",
           .doc = "An ImageBuild of this namespace: its last image that passed every gate.",
           .max_length = 253,
           .rule = &kObjectName},
          s.image_build);
  v.Visit({.name = "release",
           .doc = "A Release of an earlier environment: what it has delivered and verified. One of another "
                  "namespace must name this one in its spec.promotesTo."},
          s.release);
  v.Rule({"has(self.imageBuild) != has(self.release)", "name exactly one of imageBuild and release", ""},
         s.image_build.empty() == s.release.has_value());
}

static void Describe(Visitor& v, CanaryStrategy& s) {
  v.Visit(kSteps, s.steps);
  v.Visit(kCapacity, s.capacity);
  v.Visit(kMaxSurge, s.max_surge);
  v.Visit(kAcceptAutoscalerOverlap, s.accept_autoscaler_overlap);
  v.Visit(kAnalysis, s.analysis);
  v.Visit(kProgressDeadline, s.progress_deadline);
}

static void Describe(Visitor& v, RollingStrategy& s) { v.Visit(kProgressDeadline, s.progress_deadline); }

static void Describe(Visitor& v, Migration& s) {
  v.Visit({.name = "command",
           .doc = "Instead of the image's entry point.",
           .max_length = 4096,
           .rule = &kCommand,
           .max_items = 32},
          s.command);
  v.Visit({.name = "args", .doc = "Its arguments.", .max_length = 4096, .rule = &kCommand, .max_items = 32},
          s.args);
  v.Visit({.name = "env", .doc = "Environment variables.", .max_items = 16, .list_key = "name"}, s.env);
  v.Visit({.name = "envFromSecrets",
           .doc = "Secrets whose keys become environment variables; the policy must grant each for use "
                  "migration.",
           .max_length = 253,
           .rule = &kObjectName,
           .max_items = 8},
          s.env_from_secrets);
  v.Visit(
      {.name = "compatibility",
       .doc = "Backward: the image before it works on what this has made. Breaking: it does not; then there "
              "is no way back, and no canary."},
      s.compatibility);
  v.Visit({.name = "timeout",
           .doc = "The longest that it may take.",
           .shortest = std::chrono::seconds(1),
           .longest = std::chrono::hours(24)},
          s.timeout);
}

static void Describe(Visitor& v, Rollback& s) {
  v.Visit({.name = "onFailure", .doc = "Whether a rollout that fails goes back by itself."}, s.on_failure);
  v.Visit({.name = "fastWindow",
           .doc = "A digest that was good within this time goes back without steps. 0s: never.",
           .longest = std::chrono::hours(24 * 30)},
          s.fast_window);
}

void Describe(Visitor& v, ReleaseSpec& s) {
  v.Visit({.name = "image",
           .doc = "The image to deliver, by digest: repository@sha256:...",
           .max_length = 330,
           .rule = &kImage},
          s.image);
  v.Visit({.name = "version",
           .doc = "With image: what the canary must answer at versionPath. Absent: it is not asked.",
           .max_length = 128,
           .rule = &kVersion},
          s.version);
  v.Visit({.name = "imageFrom", .doc = "Where images come from; each new one is delivered."}, s.image_from);
  v.Rule({"has(self.image) != has(self.imageFrom)", "name exactly one of spec.image and spec.imageFrom", ""},
         s.image.empty() == s.image_from.has_value());
  v.Visit({.name = "target", .doc = "What the image is delivered to.", .required = true}, s.target);
  v.Object({.name = "strategy", .doc = "How it is delivered."}, [&s](Visitor& inner) {
    inner.Visit({.name = "canary", .doc = "A few pods first, behind the one Service."}, s.canary);
    inner.Visit({.name = "rolling", .doc = "All pods, by the target's own rolling update, instead."},
                s.rolling);
  });
  v.Visit(kSmokeTests, s.smoke_tests);
  v.Visit(kVerification, s.verification);
  v.Visit({.name = "migration",
           .doc = "A Job of the new image, once for each digest, before any pod of it serves. It must be "
                  "idempotent."},
          s.migration);
  v.Rule({"!has(self.migration) || self.migration.compatibility != 'Breaking' || "
          "(has(self.strategy) && has(self.strategy.rolling))",
          "a breaking migration can't have a canary beside the old image: use strategy.rolling", ""},
         !s.migration || s.migration->compatibility != Compatibility::kBreaking || s.rolling);
  v.Visit({.name = "gates", .doc = "What must be true before anything is changed."}, s.gates);
  v.Rule({"!has(self.gates) || !has(self.gates.soak) || duration(self.gates.soak) == duration('0s') || "
          "(has(self.imageFrom) && has(self.imageFrom.release))",
          "gates.soak counts from when an earlier environment verified the image: it needs imageFrom.release",
          "gates"},
         s.gates.soak <= Duration(0) || (s.image_from && s.image_from->release));
  v.Visit({.name = "attest", .doc = "Who attests of each delivered image what became of it here."}, s.attest);
  v.Visit({.name = "rollback", .doc = "How it goes back."}, s.rollback);
  v.Visit(
      {.name = "configMaps",
       .doc = "ConfigMaps that are delivered with the image, as immutable copies, so that a rollback brings "
              "them back too.",
       .max_length = 200,
       .rule = &kObjectName,
       .max_items = 16},
      s.config_maps);
  v.Visit({.name = "promotesTo",
           .doc = "Releases of other namespaces that may take what this one has verified.",
           .max_items = 20},
          s.promotes_to);
  v.Visit({.name = "historyLimit", .doc = "How many deliveries are kept in status.", .min = 1, .max = 50},
          s.history_limit);
  v.Visit(
      {.name = "suspend", .doc = "True: nothing new is delivered. A delivery under way ends as it would."},
      s.suspend);
}

static void Describe(Visitor& v, MigrationRecord& s) {
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "compatibility", .doc = "As it was declared."}, s.compatibility);
  v.Visit({.name = "job", .doc = "The Job that ran it.", .max_length = 253}, s.job);
  v.Visit({.name = "jobUID", .doc = "The UID that it was created with.", .max_length = 64}, s.job_uid);
  v.Visit({.name = "runs", .doc = "How many Jobs were made for it: each but the last was cut short."},
          s.runs);
  v.Visit({.name = "outcome", .doc = "Succeeded or Failed, once it ended.", .max_length = 32}, s.outcome);
  v.Visit(kMessage, s.message);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, VerificationRecord& s) {
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "key", .doc = "Of all that was demanded: another one is asked anew.", .max_length = 64},
          s.key);
  v.Visit({.name = "signer", .doc = "Whose signature was demanded.", .max_length = 63}, s.signer);
  v.Visit({.name = "predicates", .doc = "Which attestations were.", .max_items = kAllPredicates.size()},
          s.predicates);
  v.Visit(kAttested, s.attested);
  v.Visit({.name = "job", .doc = "The Job of the supply chain's namespace that asks.", .max_length = 253},
          s.job);
  v.Visit({.name = "jobUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
          s.job_uid);
  v.Visit({.name = "runs", .doc = "How many Jobs were made for it."}, s.runs);
  v.Visit({.name = "outcome", .doc = "Passed, Refused or Failed, once it ended.", .max_length = 32},
          s.outcome);
  v.Visit(kReason, s.reason);
  v.Visit({.name = "missing",
           .doc = "What the image lacks: Signature, or attestations.",
           .max_length = 63,
           .max_items = kAllPredicates.size() + kMostAttested + 1},
          s.missing);
  v.Visit(kMessage, s.message);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, VerifiedBy& s) {
  v.Visit({.name = "signer", .doc = "Whose signature it had.", .max_length = 63}, s.signer);
  v.Visit(
      {.name = "predicates", .doc = "What the same signer had attested.", .max_items = kAllPredicates.size()},
      s.predicates);
  v.Visit(kAttested, s.attested);
  v.Visit({.name = "key", .doc = "Of all that was demanded.", .max_length = 64}, s.key);
  v.Visit({.name = "at", .doc = "When it was found."}, s.at);
}

static void Describe(Visitor& v, StepRecord& s) {
  v.Visit({.name = "weightWanted", .doc = "Percent, as the step asked.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "weightGot", .doc = "Percent of ready pods that were the canary's.", .max = kPercent},
          s.weight_got);
  v.Visit({.name = "canaryReplicas", .doc = "The canary's pods."}, s.canary_replicas);
  v.Visit({.name = "stableReplicas", .doc = "Stable's pods."}, s.stable_replicas);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
  v.Visit({.name = "verdict", .doc = "Passed or Failed.", .max_length = 32}, s.verdict);
}

static void Describe(Visitor& v, RollbackRecord& s) {
  v.Visit({.name = "image", .doc = "What it goes back to.", .max_length = 512}, s.image);
  v.Visit({.name = "insteadOf",
           .doc = "The key of what was wanted then, without the retry mark.",
           .max_length = 64},
          s.instead_of);
  v.Visit({.name = "decision", .doc = "Who decided, and why."}, s.decision);
}

static void DescribeOutcome(Visitor& v, Delivery& s) {
  v.Visit({.name = "outcome",
           .doc = "Promoted, Aborted, RolledBack, Superseded or AlreadyRunning, once it ended.",
           .max_length = 32},
          s.outcome);
  v.Visit(kReason, s.reason);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "key",
           .doc = "Of all that it was made from: a failed one is held until this changes.",
           .max_length = 64},
          s.key);
  v.Visit({.name = "steps", .doc = "The weights that it went through.", .max_items = 20}, s.steps);
  v.Visit({.name = "checks", .doc = "What the last checks found.", .max_items = 12}, s.checks);
  v.Visit({.name = "weightWanted", .doc = "Percent, of the last step.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "weightGot",
           .doc = "Percent of ready pods that were the canary's, in the last step.",
           .max = kPercent},
          s.weight_got);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, Delivery& s) {
  v.Visit({.name = "number", .doc = "Counts the deliveries of this object, from 1.", .required = true},
          s.number);
  v.Visit(
      {.name = "generation", .doc = "The metadata.generation that it was made from.", .max = kAnyGeneration},
      s.generation);
  v.Visit({.name = "cause", .doc = "Why it was made.", .hidden_names = 1}, s.cause);
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "commit",
           .doc = "The commit that it is made of; or the version, where no build is known.",
           .max_length = 128},
          s.commit);
  v.Visit({.name = "imageBuild", .doc = "The ImageBuild that made it.", .max_length = 253}, s.image_build);
  v.Visit({.name = "buildRun", .doc = "The number of the run that made it."}, s.build_run);
  v.Visit({.name = "built", .doc = "When it was built."}, s.built);
  v.Visit({.name = "fromRelease",
           .doc = "The Release of the earlier environment: namespace/name.",
           .max_length = 320},
          s.from_release);
  v.Visit({.name = "soakedSince", .doc = "When it was verified there."}, s.soaked_since);
  v.Visit({.name = "deployment", .doc = "The Deployment that it is delivered to.", .max_length = 253},
          s.deployment);
  v.Visit({.name = "container",
           .doc = "The container whose image was set, as spec.target named it.",
           .max_length = 63},
          s.container);
  v.Visit({.name = "strategy", .doc = "Canary or Rolling."}, s.strategy);
  v.Visit({.name = "fast", .doc = "Back to what was just good: without steps."}, s.fast);
  v.Visit({.name = "promotion", .doc = "The CanaryPromotion that delivers it.", .max_length = 253},
          s.promotion);
  v.Visit(
      {.name = "promotionUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
      s.promotion_uid);
  v.Visit({.name = "previousImage", .doc = "What was delivered before.", .max_length = 1024},
          s.previous_image);
  v.Visit(kDecisions, s.decisions);
  v.Visit({.name = "verifiedBy", .doc = "What its image was found to have before it began."}, s.verified_by);
  v.Visit({.name = "migration", .doc = "The migration that ran before it."}, s.migration);
  v.Visit({.name = "configMaps", .doc = "The copies that its pods read.", .max_items = 16}, s.config_maps);
  v.Visit(
      {.name = "secrets",
       .doc = "Secrets that the target's pods name. They are never copied: what is in them is not versioned.",
       .max_length = 253,
       .max_items = 32},
      s.secrets);
  DescribeOutcome(v, s);
}

void Describe(Visitor& v, ReleaseStatus& s) {
  DescribeConditions(v, s.observed_generation, s.conditions);
  v.Visit({.name = "phase", .doc = "Where the newest delivery is."}, s.phase);
  v.Visit({.name = "image", .doc = "What is delivered now, by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "commit", .doc = "The commit of what is delivered now.", .max_length = 128}, s.commit);
  v.Visit({.name = "verified", .doc = "Since when it is delivered and verified."}, s.verified);
  v.Visit({.name = "rollback", .doc = "A rollback in force: until something else is wanted."}, s.rollback);
  v.Visit({.name = "verification", .doc = "The newest look at what an image has that is wanted."},
          s.verification);
  v.Visit({.name = "scan", .doc = "The newest look for vulnerabilities in an image that is wanted."}, s.scan);
  v.Visit({.name = "rescan",
           .doc = "The same of what is delivered now: again and again, as often as the policy says."},
          s.rescan);
  v.Visit({.name = "attestation", .doc = "What of the newest delivery is attested on its digest."},
          s.attestation);
  v.Visit({.name = "migrations", .doc = "The ledger of migrations, newest first.", .max_items = 60},
          s.migrations);
  v.Visit(kDecisions, s.decisions);
  v.Visit({.name = "decisionsBefore",
           .doc = "Of Decisions up to this time the records are gone: none is taken up again."},
          s.decisions_before);
  v.Visit({.name = "history",
           .doc = "The record of each delivery, newest first.",
           .max_items = 51,
           .list_key = "number"},
          s.history);
  v.Derived({.name = "shortCommit", .doc = "The commit's first digits, for columns.", .max_length = 64},
            ShortCommit(s.commit));
  v.Derived({.name = "shortDigest", .doc = "The digest's first digits, for columns.", .max_length = 64},
            ShortDigest(s.image));
}

Result<Release> Release::Decode(const kube::Json& object) { return DecodeObject<Release>(object); }

kube::Json EncodeStatus(const ReleaseStatus& status) {
  ReleaseStatus copy = status;
  return Write(MembersOf(copy));
}

std::optional<Violation> Validate(const ReleaseSpec& spec) {
  ReleaseSpec copy = spec;
  return Inspect("spec", MembersOf(copy));
}

}  // namespace slipway::resources
