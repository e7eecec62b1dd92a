// What became of an ImageBuild. See image_build.h.
#pragma once

#include "resources/findings.h"
#include "resources/supply_chain.h"

namespace slipway::resources {

enum class BuildPhase : std::uint8_t {
  kPending,
  kAwaitingApproval,
  kQueued,
  kResolving,
  kTesting,
  kCloning,
  kPreparing,
  kBuilding,
  kScanning,
  kPushing,
  kIndexing,
  kAttesting,
  kSucceeded,
  kFailed,
  kCancelled,
  kSuspended
};

enum class StageState : std::uint8_t { kPending, kRunning, kSucceeded, kFailed, kSkipped };

// One gate of a run: resolve (a Job of its own unless the commit is known), test (a Job a leg, in parallel),
// then source, prepare, build, scan, push (containers of the build Job, in this order; one such Job a
// platform), index (a Job, only with several platforms),
// attest (a Job of the supply chain's namespace, if asked for).
struct StageStatus {
  std::string name;
  StageState state = StageState::kPending;
  std::string message;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const StageStatus&) const = default;
};

struct Failure {
  std::string stage;
  std::string reason;  // GitHostUnreachable, RevisionNotFound, DockerfileFailed, VulnerabilitiesFound, …
  std::string message;
  std::string pod;
  std::string container;
  bool operator==(const Failure&) const = default;
};

struct CommitFacts {
  std::string sha;  // 40 hexadecimal digits
  std::string author;
  std::optional<TimePoint> author_time;  // the lead time's clock starts here
  std::string subject;                   // first line, cut to 200 bytes
  bool operator==(const CommitFacts&) const = default;
};

// kAttest: in the supply chain's namespace, and not in the object's own.
enum class JobRole : std::uint8_t { kResolve, kTest, kBuild, kIndex, kReport, kAttest };

// A Job of a run. The UID that the API server gave it is recorded before any result of it counts.
struct RunJob {
  std::string name;
  kube::Uid uid;
  JobRole role = JobRole::kBuild;
  std::string leg;  // of a test: "unit GO=1.24 OS=a"; of a build: its platform; of a report: what it tells
  StageState state = StageState::kRunning;
  std::string message;  // of a failure
  std::string image;    // of a platform: what it pushed, by digest
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const RunJob&) const = default;
};

struct BaseImage {
  std::string image;   // as the Dockerfile names it, in full
  std::string digest;  // when the run began to build
  bool operator==(const BaseImage&) const = default;
};

struct CacheUse {
  int hits = 0;
  int misses = 0;
  bool operator==(const CacheUse&) const = default;
};

struct Approval {
  std::string decision;  // the Decision's name
  std::string actor;
  bool operator==(const Approval&) const = default;
};

// What was attested of the image, and then signed.
struct Attestation {
  std::string signer;
  std::vector<Predicate> predicates;
  bool operator==(const Attestation&) const = default;
};

struct BuildRun {
  int number = 0;
  std::int64_t generation = 0;  // of the spec that it was made from
  std::string key;              // a digest of what the spec asked for then: the same is not built again
  std::string reason;           // NewSpec, NewCommit, BaseImageMoved, Rebuild, Retry
  std::string cause;            // in words: "webhook: refs/heads/main is at 1a2b3c4d5e6f"
  int attempt = 1;              // counts the runs of one cause: more than 1 for a Retry
  std::string ref;              // refs/heads/main, refs/tags/v1.2.3; empty for a full SHA
  std::optional<CommitFacts> commit;
  std::vector<BaseImage> bases;
  std::vector<RunJob> jobs;
  std::vector<StageStatus> stages;
  std::optional<Findings> findings;
  std::optional<CacheUse> cache;
  std::string image;  // repository@digest, once pushed
  std::vector<std::string> tags;
  std::optional<Attestation> attestation;
  std::optional<Approval> approval;
  std::optional<Failure> failure;
  std::string seen_commit;           // marks of what had been observed when it was made (observed.h): what is
  std::string seen_bases;            // observed later is told from it without comparing clocks
  std::string told;                  // the last commit status that was handed to the forge, or was given up
  std::optional<TimePoint> queued;   // when it was made
  std::optional<TimePoint> started;  // when it was admitted
  std::optional<TimePoint> finished;
  bool operator==(const BuildRun&) const = default;
};

struct LatestBuild {
  std::string commit;
  std::string image;
  std::vector<std::string> tags;
  std::optional<TimePoint> built;
  bool operator==(const LatestBuild&) const = default;
};

struct ImageBuildStatus {
  std::int64_t observed_generation = -1;
  Conditions conditions;
  BuildPhase phase = BuildPhase::kPending;
  std::optional<LatestBuild> latest;  // the last image that was pushed, kept through later failures
  std::vector<BuildRun> runs;         // newest first
  bool operator==(const ImageBuildStatus&) const = default;
};

std::string_view ToString(BuildPhase phase);
std::string_view ToString(StageState state);
std::string_view ToString(JobRole role);

}  // namespace slipway::resources
