// ImageBuild (ib): "this git ref, built into this image repository, through these gates". Built once per spec
// and commit: a run is made for each pair, and a run that ended is not made again until one of them changes.
#pragma once

#include "resources/common.h"

namespace slipway::resources {

struct GitSource {
  std::string url;       // http(s) only in this version
  std::string revision;  // branch, tag, full SHA, or refs/…
  std::string context_dir = ".";
  std::optional<NameRef> credentials_secret_ref;  // kubernetes.io/basic-auth
  bool operator==(const GitSource&) const = default;
};

struct CacheSpec {
  std::string repository;  // layers only; nothing may be deployed from it
  Duration ttl = std::chrono::hours(336);
  std::optional<NameRef> credentials_secret_ref;
  bool operator==(const CacheSpec&) const = default;
};

struct ResourceList {
  std::map<std::string, std::string> requests;  // "cpu", "memory", "ephemeral-storage"
  std::map<std::string, std::string> limits;
  bool operator==(const ResourceList&) const = default;
};

struct BuildSpec {
  std::string dockerfile = "Dockerfile";  // relative to the context
  std::string target;
  std::vector<NameValue> args;  // public: they stay in the image's history
  std::optional<CacheSpec> cache;
  ResourceList resources;
  Duration timeout = std::chrono::minutes(30);         // of a whole run
  std::optional<NameRef> base_credentials_secret_ref;  // read base images
  bool operator==(const BuildSpec&) const = default;
};

enum class Severity : std::uint8_t { kUnknown, kLow, kMedium, kHigh, kCritical };

struct ScanSpec {
  Severity fail_on = Severity::kHigh;  // this and worse close the gate
  bool ignore_unfixed = true;
  bool operator==(const ScanSpec&) const = default;
};

struct OutputSpec {
  std::string repository;
  std::vector<std::string> tags{"{{commit}}"};  // templates: {{commit}}, {{shortCommit}}
  std::map<std::string, std::string> labels;
  std::optional<NameRef>
      credentials_secret_ref;  // kubernetes.io/dockerconfigjson, in the push container only
  bool operator==(const OutputSpec&) const = default;
};

struct HistorySpec {
  int successful = 3;
  int failed = 3;
  bool operator==(const HistorySpec&) const = default;
};

struct ImageBuildSpec {
  GitSource source;
  BuildSpec build;
  ScanSpec scan;
  OutputSpec output;
  HistorySpec history;
  bool suspend = false;
  bool operator==(const ImageBuildSpec&) const = default;
};

enum class BuildPhase : std::uint8_t {
  kPending,
  kResolving,
  kCloning,
  kBuilding,
  kScanning,
  kPushing,
  kSucceeded,
  kFailed,
  kSuspended
};

enum class StageState : std::uint8_t { kPending, kRunning, kSucceeded, kFailed, kSkipped };

// One gate of a run: resolve (a Job of its own unless the revision is a full SHA), then source, build, scan,
// push (containers of the build Job, in this order).
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
  std::optional<TimePoint> author_time;
  std::string subject;  // first line, cut to 200 bytes
  bool operator==(const CommitFacts&) const = default;
};

struct Findings {
  int critical = 0, high = 0, medium = 0, low = 0, unknown = 0;
  std::vector<std::string> worst;  // at most 10, "CVE-… package installed -> fixed"
  bool operator==(const Findings&) const = default;
};

// The UID that the API server gave our Job is recorded before any result of it counts.
struct JobRef {
  std::string name;
  kube::Uid uid;
  bool operator==(const JobRef&) const = default;
};

struct BuildRun {
  int number = 0;
  std::int64_t generation = 0;  // of the spec that it was made from
  std::string key;              // a digest of what the spec asked for then: the same is not built again
  std::string reason;           // why it was made: NewSpec, NewCommit, …
  std::optional<CommitFacts> commit;
  std::optional<JobRef> resolve_job;
  std::optional<JobRef> build_job;
  std::vector<StageStatus> stages;
  std::optional<Findings> findings;
  std::string image;  // repository@digest, once pushed
  std::vector<std::string> tags;
  std::optional<Failure> failure;
  std::optional<TimePoint> started;
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
  std::optional<LatestBuild> latest;  // the last success, kept through later failures
  std::vector<BuildRun> runs;         // newest first
  bool operator==(const ImageBuildStatus&) const = default;
};

struct ImageBuild {
  kube::ObjectMeta meta;
  ImageBuildSpec spec;
  ImageBuildStatus status;
  static Result<ImageBuild> Decode(const kube::Json& object);
};

kube::Json EncodeStatus(const ImageBuildStatus& status);

std::string_view ToString(BuildPhase phase);
std::string_view ToString(StageState state);
std::string_view ToString(Severity severity);

}  // namespace slipway::resources
