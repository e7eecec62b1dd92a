#include "resources/image_build_status.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 16> kPhases{"Pending",   "AwaitingApproval", "Queued",    "Resolving",
                                                   "Testing",   "Cloning",          "Preparing", "Building",
                                                   "Scanning",  "Pushing",          "Indexing",  "Attesting",
                                                   "Succeeded", "Failed",           "Cancelled", "Suspended"};
constexpr std::array<std::string_view, 5> kStates{"Pending", "Running", "Succeeded", "Failed", "Skipped"};
constexpr std::array<std::string_view, 6> kRoles{"Resolve", "Test", "Build", "Index", "Report", "Attest"};
}  // namespace

static std::span<const std::string_view> Names(BuildPhase) { return kPhases; }
static std::span<const std::string_view> Names(StageState) { return kStates; }
static std::span<const std::string_view> Names(JobRole) { return kRoles; }

std::string_view ToString(BuildPhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view ToString(StageState state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view ToString(JobRole role) { return kRoles[static_cast<std::size_t>(role)]; }

static void Describe(Visitor& v, StageStatus& s) {
  v.Visit({.name = "name",
           .doc = "resolve, test, source, prepare, build, scan, push, index or attest.",
           .required = true,
           .max_length = 63},
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

static void Describe(Visitor& v, RunJob& s) {
  v.Visit({.name = "name", .doc = "The Job's name.", .required = true, .max_length = 63}, s.name);
  v.Visit(
      {.name = "uid", .doc = "The UID that the Job was created with: no other Job counts.", .max_length = 64},
      s.uid);
  v.Visit({.name = "role", .doc = "What it is for."}, s.role);
  v.Visit(
      {.name = "leg",
       .doc = "Of a test: its name and its values of the matrix. Of a build: the platform. Of a report: the "
              "status that it tells. Of attest: nothing; or, where one had to attest anew, which it is.",
       .max_length = 1024},
      s.leg);
  v.Visit({.name = "state", .doc = "How far it is."}, s.state);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "image", .doc = "What it pushed for its platform, by digest.", .max_length = 512},
          s.image);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, BaseImage& s) {
  v.Visit({.name = "image", .doc = "As the Dockerfile names it, in full.", .max_length = 512}, s.image);
  v.Visit({.name = "digest", .doc = "What its tag named when this run began to build.", .max_length = 128},
          s.digest);
}

static void Describe(Visitor& v, CacheUse& s) {
  v.Visit({.name = "hits", .doc = "How many steps were taken from the cache."}, s.hits);
  v.Visit({.name = "misses", .doc = "How many steps had to be run."}, s.misses);
}

static void Describe(Visitor& v, Approval& s) {
  v.Visit({.name = "decision", .doc = "The Decision's name.", .max_length = 253}, s.decision);
  v.Visit({.name = "actor", .doc = "Who made it.", .max_length = 512}, s.actor);
}

static void Describe(Visitor& v, Attestation& s) {
  v.Visit({.name = "signer", .doc = "Who signed, as the platform's policy names it.", .max_length = 63},
          s.signer);
  v.Visit({.name = "predicates", .doc = "What is attested of the image.", .max_items = 8}, s.predicates);
}

static void DescribeCause(Visitor& v, BuildRun& s) {
  v.Visit({.name = "number", .doc = "Counts the runs of this object, from 1.", .required = true}, s.number);
  v.Visit(
      {.name = "generation", .doc = "The metadata.generation that it was made from.", .max = kAnyGeneration},
      s.generation);
  v.Visit({.name = "key",
           .doc = "A digest of what the spec asked for then: the same is not built again.",
           .max_length = 64},
          s.key);
  v.Visit({.name = "reason",
           .doc = "Why it was made: NewSpec, NewCommit, BaseImageMoved, Rebuild or Retry.",
           .max_length = 128},
          s.reason);
  v.Visit({.name = "cause", .doc = "The same in words, with who told.", .max_length = 1024}, s.cause);
  v.Visit({.name = "attempt", .doc = "Above 1: made again after a failure of the infrastructure."},
          s.attempt);
  v.Visit({.name = "ref", .doc = "The branch or tag that names the commit, in full.", .max_length = 512},
          s.ref);
  v.Visit({.name = "commit", .doc = "What is built."}, s.commit);
  v.Visit({.name = "approval", .doc = "The Decision that let it run."}, s.approval);
}

static void Describe(Visitor& v, BuildRun& s) {
  DescribeCause(v, s);
  v.Visit({.name = "bases", .doc = "The images that the Dockerfile begins from.", .max_items = 8}, s.bases);
  v.Visit({.name = "jobs", .doc = "The Jobs of this run.", .max_items = 64, .list_key = "name"}, s.jobs);
  v.Visit({.name = "stages", .doc = "The run's gates, in order.", .max_items = 16, .list_key = "name"},
          s.stages);
  v.Visit({.name = "findings", .doc = "What the scan found."}, s.findings);
  v.Visit({.name = "cache", .doc = "What the layer cache was good for."}, s.cache);
  v.Visit({.name = "image", .doc = "The image by digest, once it is pushed.", .max_length = 512}, s.image);
  v.Visit({.name = "tags", .doc = "The tags that it was pushed under.", .max_length = 128, .max_items = 10},
          s.tags);
  v.Visit({.name = "attestation", .doc = "What is attested of the image, which is signed."}, s.attestation);
  v.Visit({.name = "failure", .doc = "Why it failed."}, s.failure);
  v.Visit({.name = "seenCommit",
           .doc = "A mark of the annotation observed-commit when it was made: one that is the same is older.",
           .max_length = 64},
          s.seen_commit);
  v.Visit({.name = "seenBases", .doc = "The same of the annotation observed-bases.", .max_length = 64},
          s.seen_bases);
  v.Visit({.name = "told", .doc = "The commit status that the forge was told last.", .max_length = 32},
          s.told);
  v.Visit({.name = "queued", .doc = "When it was made."}, s.queued);
  v.Visit({.name = "started", .doc = "When it was let in: before, it waited for others."}, s.started);
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
      {.name = "runs", .doc = "The runs that are kept, newest first.", .max_items = 61, .list_key = "number"},
      s.runs);
  v.Derived({.name = "shortCommit",
             .doc = "The commit of the newest run, its first digits, for columns.",
             .max_length = 64},
            ShortCommit(CommitAtHand(s)));
}

kube::Json EncodeStatus(const ImageBuildStatus& status) {
  ImageBuildStatus copy = status;  // a description is of what may be written to
  return Write(MembersOf(copy));
}

}  // namespace slipway::resources
