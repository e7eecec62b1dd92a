#include "resources/image_build.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 9> kPhases{"Pending", "Resolving", "Cloning", "Building", "Scanning",
                                                  "Pushing", "Succeeded", "Failed",  "Suspended"};
constexpr std::array<std::string_view, 5> kStates{"Pending", "Running", "Succeeded", "Failed", "Skipped"};
constexpr std::array<std::string_view, 5> kSeverities{"Unknown", "Low", "Medium", "High", "Critical"};
constexpr std::array<std::string_view, 3> kResourceNames{"cpu", "memory", "ephemeral-storage"};

// A field that names a Secret, and the CEL that tells whether it is there. Spelt out, because the API server
// refuses a rule whose cost it can't bound, as that of `.?` and orValue.
struct SecretPlace {
  std::string_view field;
  std::string_view there;
};
constexpr std::array<SecretPlace, 4> kSecretPlaces{{
    {"source.git.credentialsSecretRef", "has(self.source.git.credentialsSecretRef)"},
    {"build.baseCredentialsSecretRef", "has(self.build) && has(self.build.baseCredentialsSecretRef)"},
    {"build.cache.credentialsSecretRef",
     "has(self.build) && has(self.build.cache) && has(self.build.cache.credentialsSecretRef)"},
    {"output.credentialsSecretRef", "has(self.output.credentialsSecretRef)"},
}};

// One Secret in two places would reach two containers that do not trust each other. Of an object that is
// stored already, Check (policy.h) says so.
void DescribeSecretsDiffer(Visitor& v) {
  for (auto later = kSecretPlaces.begin(); later != kSecretPlaces.end(); ++later) {
    for (auto earlier = kSecretPlaces.begin(); earlier != later; ++earlier) {
      const std::string cel = fmt::format("!({} && {}) || self.{}.name != self.{}.name", earlier->there,
                                          later->there, earlier->field, later->field);
      const std::string message = fmt::format(
          "names the Secret that spec.{} names too: make a Secret for each, with only what it needs",
          earlier->field);
      v.Rule({cel, message, later->field}, true);
    }
  }
}
}  // namespace

static std::span<const std::string_view> Names(BuildPhase) { return kPhases; }
static std::span<const std::string_view> Names(StageState) { return kStates; }
static std::span<const std::string_view> Names(Severity) { return kSeverities; }

std::string_view ToString(BuildPhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view ToString(StageState state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view ToString(Severity severity) { return kSeverities[static_cast<std::size_t>(severity)]; }

static void Describe(Visitor& v, GitSource& s) {
  v.Visit({.name = "url",
           .doc = "The repository's http:// or https:// URL. Credentials are never part of it: "
                  "see credentialsSecretRef.",
           .required = true,
           .min_length = 1,
           .max_length = 1024,
           .rule = &kGitUrl},
          s.url);
  v.Visit({.name = "revision",
           .doc = "A branch, a tag, a full commit SHA, or a ref such as refs/pull/7/head. One that moves is "
                  "resolved to its commit once a run.",
           .required = true,
           .min_length = 1,
           .max_length = 250,
           .rule = &kRevision},
          s.revision);
  v.Visit({.name = "contextDir",
           .doc = "The folder of the repository that the build sees as its context.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kRelativePath},
          s.context_dir);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc = "A Secret of type kubernetes.io/basic-auth to clone with. The platform's policy must allow it "
              "for use source."},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, CacheSpec& s) {
  v.Visit({.name = "repository",
           .doc = "An image repository for layers, and for nothing that is ever deployed.",
           .required = true,
           .min_length = 1,
           .max_length = 255,
           .rule = &kRepository},
          s.repository);
  v.Visit({.name = "ttl",
           .doc = "How long a layer stays good, such as 336h.",
           .shortest = std::chrono::minutes(1),
           .longest = std::chrono::hours(8760)},
          s.ttl);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc = "A Secret of type kubernetes.io/dockerconfigjson that may write the cache and nothing else. "
              "The platform's policy must allow it for use cache."},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, ResourceList& s) {
  const Field field{.name = "requests",
                    .doc = "What the build's container is promised: cpu, memory, ephemeral-storage.",
                    .max_length = 32,
                    .rule = &kQuantity,
                    .keys = kResourceNames,
                    .quantity = true,
                    .max_items = 3};
  v.Visit(field, s.requests);
  Field limits = field;
  limits.name = "limits";
  limits.doc = "What the build's container may use at most: cpu, memory, ephemeral-storage.";
  v.Visit(limits, s.limits);
}

static void Describe(Visitor& v, NameValue& s) {
  v.Visit({.name = "name",
           .doc = "The ARG's name.",
           .required = true,
           .min_length = 1,
           .max_length = 128,
           .rule = &kArgName},
          s.name);
  v.Visit({.name = "value",
           .doc = "The ARG's value. It is public: it stays in the image's history.",
           .max_length = 1024,
           .rule = &kPlainText},
          s.value);
}

static void Describe(Visitor& v, BuildSpec& s) {
  v.Visit({.name = "dockerfile",
           .doc = "The Dockerfile, relative to the context.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kRelativePath},
          s.dockerfile);
  v.Visit({.name = "target",
           .doc = "The stage of the Dockerfile to build. Absent: the last.",
           .max_length = 128,
           .rule = &kStageName},
          s.target);
  v.Visit({.name = "args",
           .doc = "Build arguments. They are public, because they stay in the image's history: no secrets.",
           .max_items = 64,
           .list_key = "name"},
          s.args);
  v.Visit({.name = "cache", .doc = "Where layers are kept between builds. Absent: nowhere."}, s.cache);
  v.Visit({.name = "resources", .doc = "Resources of the build's container."}, s.resources);
  v.Visit({.name = "timeout",
           .doc = "The longest that a run may take, all of its stages together.",
           .shortest = std::chrono::seconds(10),
           .longest = std::chrono::hours(24)},
          s.timeout);
  v.Visit({.name = "baseCredentialsSecretRef",
           .doc = "A Secret of type kubernetes.io/dockerconfigjson to read base images with. The platform's "
                  "policy must allow it for use base."},
          s.base_credentials_secret_ref);
}

static void Describe(Visitor& v, ScanSpec& s) {
  v.Visit({.name = "failOn",
           .doc = "A vulnerability of this severity, or a worse one, stops the push.",
           .hidden_names = 1},
          s.fail_on);
  v.Visit({.name = "ignoreUnfixed", .doc = "Whether vulnerabilities that nobody has fixed yet pass."},
          s.ignore_unfixed);
}

static void Describe(Visitor& v, OutputSpec& s) {
  v.Visit(
      {.name = "repository",
       .doc = "Where the image is pushed: registry/path, without tag. The platform's policy must allow it.",
       .required = true,
       .min_length = 1,
       .max_length = 255,
       .rule = &kRepository},
      s.repository);
  // One template of at most 40 characters keeps every expansion within a tag's 128.
  v.Visit(
      {.name = "tags",
       .doc = "Tags to push under, with {{commit}} or {{shortCommit}} (12 digits) in each at most once. They "
              "are for people: everything of Slipway names the image by digest.",
       .min_length = 1,
       .max_length = 80,
       .rule = &kTag,
       .max_items = 10},
      s.tags);
  v.Visit({.name = "labels",
           .doc = "Labels to put on the image, such as org.opencontainers.image.title.",
           .max_length = 512,
           .rule = &kPlainText,
           .key_rule = &kLabelKey,
           .max_items = 32},
          s.labels);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc = "A Secret of type kubernetes.io/dockerconfigjson to push with; only the push container has it. "
              "The platform's policy must allow it for use output."},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, HistorySpec& s) {
  v.Visit({.name = "successful",
           .doc = "How many successful runs are kept, with their Jobs.",
           .min = 1,
           .max = 20},
          s.successful);
  v.Visit({.name = "failed",
           .doc = "How many failed runs are kept, with their Jobs and pods' logs.",
           .min = 1,
           .max = 20},
          s.failed);
}

void Describe(Visitor& v, ImageBuildSpec& s) {
  v.Object({.name = "source", .doc = "What is built.", .required = true}, [&s](Visitor& inner) {
    inner.Visit({.name = "git", .doc = "A revision of a git repository.", .required = true}, s.source);
  });
  v.Visit({.name = "build", .doc = "How the image is built."}, s.build);
  v.Visit({.name = "scan", .doc = "Which findings keep an image from being pushed."}, s.scan);
  v.Visit({.name = "output", .doc = "Where the image goes.", .required = true}, s.output);
  v.Visit({.name = "history", .doc = "How many runs are kept."}, s.history);
  v.Visit({.name = "suspend", .doc = "True: no new run begins. One that is under way ends as it would."},
          s.suspend);
  v.Rule(
      {"!has(self.build) || !has(self.build.cache) || self.build.cache.repository != self.output.repository",
       "must differ from spec.output.repository: nothing may be deployed from a cache",
       "build.cache.repository"},
      !s.build.cache || s.build.cache->repository != s.output.repository);
  DescribeSecretsDiffer(v);
}

static void Describe(Visitor& v, StageStatus& s) {
  v.Visit(
      {.name = "name", .doc = "resolve, source, build, scan or push.", .required = true, .max_length = 63},
      s.name);
  v.Visit({.name = "state", .doc = "How far it is."}, s.state);
  v.Visit(kMessage, s.message);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, Failure& s) {
  v.Visit({.name = "stage", .doc = "The stage that failed.", .max_length = 63}, s.stage);
  v.Visit(kReason, s.reason);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "pod", .doc = "The pod whose logs tell more.", .max_length = 253}, s.pod);
  v.Visit({.name = "container", .doc = "The container of that pod.", .max_length = 63}, s.container);
}

static void Describe(Visitor& v, CommitFacts& s) {
  v.Visit({.name = "sha", .doc = "The commit, 40 hexadecimal digits.", .max_length = 64}, s.sha);
  v.Visit({.name = "author", .doc = "Who wrote it, as the commit says.", .max_length = 256}, s.author);
  v.Visit({.name = "authorTime", .doc = "When it was written, as the commit says."}, s.author_time);
  v.Visit({.name = "subject", .doc = "The first line of its message.", .max_length = 256}, s.subject);
}

static void Describe(Visitor& v, Findings& s) {
  v.Visit({.name = "critical", .doc = "How many of severity Critical."}, s.critical);
  v.Visit({.name = "high", .doc = "How many of severity High."}, s.high);
  v.Visit({.name = "medium", .doc = "How many of severity Medium."}, s.medium);
  v.Visit({.name = "low", .doc = "How many of severity Low."}, s.low);
  v.Visit({.name = "unknown", .doc = "How many of no known severity."}, s.unknown);
  v.Visit({.name = "worst",
           .doc = "The worst of them: id, package, installed and fixed version.",
           .max_length = 256,
           .max_items = 10},
          s.worst);
}

static void Describe(Visitor& v, JobRef& s) {
  v.Visit({.name = "name", .doc = "The Job's name.", .max_length = 253}, s.name);
  v.Visit(
      {.name = "uid", .doc = "The UID that the Job was created with: no other Job counts.", .max_length = 64},
      s.uid);
}

static void Describe(Visitor& v, BuildRun& s) {
  v.Visit({.name = "number", .doc = "Counts the runs of this object, from 1.", .required = true}, s.number);
  v.Visit(
      {.name = "generation", .doc = "The metadata.generation that it was made from.", .max = kAnyGeneration},
      s.generation);
  v.Visit({.name = "key",
           .doc = "A digest of what the spec asked for then: the same is not built again.",
           .max_length = 64},
          s.key);
  v.Visit({.name = "reason", .doc = "Why it was made: NewSpec, NewCommit, ...", .max_length = 128}, s.reason);
  v.Visit({.name = "commit", .doc = "What is built."}, s.commit);
  v.Visit({.name = "resolveJob", .doc = "The Job that finds the revision's commit."}, s.resolve_job);
  v.Visit({.name = "buildJob", .doc = "The Job that clones, builds, scans and pushes."}, s.build_job);
  v.Visit({.name = "stages", .doc = "The run's gates, in order.", .max_items = 16, .list_key = "name"},
          s.stages);
  v.Visit({.name = "findings", .doc = "What the scan found."}, s.findings);
  v.Visit({.name = "image", .doc = "The image by digest, once it is pushed.", .max_length = 512}, s.image);
  v.Visit({.name = "tags", .doc = "The tags that it was pushed under.", .max_length = 128, .max_items = 10},
          s.tags);
  v.Visit({.name = "failure", .doc = "Why it failed."}, s.failure);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, LatestBuild& s) {
  v.Visit({.name = "commit", .doc = "The commit that it is made of.", .max_length = 64}, s.commit);
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "tags", .doc = "The tags that it was pushed under.", .max_length = 128, .max_items = 10},
          s.tags);
  v.Visit({.name = "built", .doc = "When its run ended."}, s.built);
  v.Derived({.name = "shortCommit", .doc = "The commit's first digits, for columns.", .max_length = 64},
            ShortCommit(s.commit));
  v.Derived({.name = "shortDigest", .doc = "The digest's first digits, for columns.", .max_length = 64},
            ShortDigest(s.image));
}

// The commit at hand: of the newest run that knows it, which may not be the one that is pushed.
static std::string CommitAtHand(const ImageBuildStatus& s) {
  if (!s.runs.empty() && s.runs.front().commit) return s.runs.front().commit->sha;
  return s.runs.empty() && s.latest ? s.latest->commit : "";
}

void Describe(Visitor& v, ImageBuildStatus& s) {
  DescribeConditions(v, s.observed_generation, s.conditions);
  v.Visit({.name = "phase", .doc = "Where the newest run is."}, s.phase);
  v.Visit({.name = "latest", .doc = "The last image that passed every gate. Later failures leave it alone."},
          s.latest);
  v.Visit(
      {.name = "runs", .doc = "The runs that are kept, newest first.", .max_items = 41, .list_key = "number"},
      s.runs);
  v.Derived({.name = "shortCommit",
             .doc = "The commit of the newest run, its first digits, for columns.",
             .max_length = 64},
            ShortCommit(CommitAtHand(s)));
}

Result<ImageBuild> ImageBuild::Decode(const kube::Json& object) { return DecodeObject<ImageBuild>(object); }

kube::Json EncodeStatus(const ImageBuildStatus& status) {
  ImageBuildStatus copy = status;  // a description is of what may be written to
  return Write(MembersOf(copy));
}

std::optional<Violation> Validate(const ImageBuildSpec& spec) {
  ImageBuildSpec copy = spec;
  return Inspect("spec", MembersOf(copy));
}

}  // namespace slipway::resources
