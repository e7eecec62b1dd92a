// What an ImageBuild asks for. See image_build.h.
#pragma once

#include "resources/findings.h"

namespace slipway::resources {

struct GitSource {
  std::string url;       // http(s), or ssh as ssh://host/path or user@host:path
  std::string revision;  // branch, tag, full SHA, or refs/…; exactly one of revision and semver
  std::string semver;    // a range: the highest tag in it
  std::string context_dir = ".";
  std::optional<NameRef> credentials_secret_ref;  // kubernetes.io/basic-auth, or ssh-auth with known_hosts
  bool submodules = false;
  std::optional<int> depth;  // absent: the checkout has no .git; 0: the whole history
  // What is asked for, in one word: the revision or the range.
  const std::string& Wanted() const { return semver.empty() ? revision : semver; }
  bool operator==(const GitSource&) const = default;
};

struct PollTrigger {
  Duration interval = std::chrono::minutes(5);
  bool operator==(const PollTrigger&) const = default;
};

struct WebhookTrigger {
  NameRef secret_ref;  // key `secret`: what the forge signs its deliveries with
  bool operator==(const WebhookTrigger&) const = default;
};

enum class ForkPolicy : std::uint8_t { kApprove, kRefuse };

struct PullRequestTrigger {
  ForkPolicy forks = ForkPolicy::kApprove;
  bool operator==(const PullRequestTrigger&) const = default;
};

// What becomes of a run under way when a newer commit is seen.
enum class OnNewCommit : std::uint8_t { kFinish, kCancel };

struct TriggerSpec {
  std::optional<PollTrigger> poll;
  std::optional<WebhookTrigger> webhook;
  std::optional<PollTrigger> base_images;
  std::optional<PullRequestTrigger> pull_requests;
  OnNewCommit on_new_commit = OnNewCommit::kFinish;
  bool operator==(const TriggerSpec&) const = default;
};

struct ResourceList {
  std::map<std::string, std::string> requests;  // "cpu", "memory", "ephemeral-storage"
  std::map<std::string, std::string> limits;
  bool operator==(const ResourceList&) const = default;
};

struct MatrixAxis {
  std::string name;  // of the environment variable
  std::vector<std::string> values;
  bool operator==(const MatrixAxis&) const = default;
};

// One leg, or a leg for each combination of the matrix's values; each leg is a Job of its own.
struct TestSpec {
  std::string name;
  std::string image;  // by digest
  std::vector<std::string> command;
  std::vector<NameValue> env;
  std::vector<MatrixAxis> matrix;
  bool fail_fast = true;  // the first leg that fails ends the others
  ResourceList resources;
  Duration timeout = std::chrono::minutes(15);
  bool operator==(const TestSpec&) const = default;
};

struct CacheSpec {
  std::string repository;  // layers only; nothing may be deployed from it
  Duration ttl = std::chrono::hours(336);
  std::optional<NameRef> credentials_secret_ref;
  bool operator==(const CacheSpec&) const = default;
};

struct BuildSpec {
  std::string dockerfile = "Dockerfile";  // relative to the context
  std::string target;
  std::vector<NameValue> args;         // public: they stay in the image's history
  std::vector<std::string> platforms;  // "linux/arm64"; empty: that of whatever node it runs on
  std::optional<CacheSpec> cache;
  ResourceList resources;
  Duration timeout = std::chrono::minutes(30);         // of a whole run, from when it is admitted
  int retries = 2;                                     // of failures of the infrastructure
  std::optional<NameRef> base_credentials_secret_ref;  // read base images
  bool operator==(const BuildSpec&) const = default;
};

struct ScanSpec {
  Severity fail_on = Severity::kHigh;  // this and worse close the gate
  bool ignore_unfixed = true;
  std::vector<ScanException> exceptions;
  std::vector<std::string> vex;  // ConfigMaps, each with an OpenVEX document under key openvex.json
  bool operator==(const ScanSpec&) const = default;
};

struct OutputSpec {
  std::string repository;
  bool push = true;  // false: the pull-request path, everything but the push, and without Secrets
  std::vector<std::string> tags{"{{commit}}"};
  bool move_tags = false;  // whether a tag may be taken from another digest
  std::map<std::string, std::string> labels;
  std::optional<NameRef>
      credentials_secret_ref;  // kubernetes.io/dockerconfigjson, in the push container only
  bool operator==(const OutputSpec&) const = default;
};

enum class SbomFormat : std::uint8_t { kSpdx, kCycloneDx };

// What is said of the image, by whom: a signature, and attestations beside it in its registry.
struct AttestSpec {
  std::string signer;  // of the platform's policy
  std::vector<SbomFormat> sbom;
  bool provenance = true;
  bool operator==(const AttestSpec&) const = default;
};

enum class Forge : std::uint8_t { kGitHub, kGitLab, kGitea };

// Where the run's outcome is told as a commit status.
struct ReportSpec {
  Forge provider = Forge::kGitHub;
  std::string api_url;             // "https://api.github.com", "https://gitlab.example.com/api/v4", …
  std::string context;             // the status's name; empty: "slipway/NAME"
  NameRef credentials_secret_ref;  // key `token`
  bool operator==(const ReportSpec&) const = default;
};

struct HistorySpec {
  int successful = 3;
  int failed = 3;
  int cancelled = 1;                          // cancelled and superseded
  std::optional<Duration> ttl_after_success;  // the Jobs and their logs go; the newest run's record stays
  std::optional<Duration> ttl_after_failure;
  bool operator==(const HistorySpec&) const = default;
};

struct ImageBuildSpec {
  GitSource source;
  std::optional<NameRef> ca_bundle_ref;  // a ConfigMap with key ca.crt, for git hosts and registries
  TriggerSpec trigger;
  std::vector<TestSpec> tests;
  BuildSpec build;
  ScanSpec scan;
  OutputSpec output;
  std::optional<AttestSpec> attest;  // of what is pushed
  std::optional<ReportSpec> report;
  bool require_approval = false;  // each commit waits for a Decision that approves it
  HistorySpec history;
  bool suspend = false;
  bool operator==(const ImageBuildSpec&) const = default;
};

// Of all tests of a spec together.
inline constexpr std::size_t kMostLegs = 32;

std::string_view ToString(Forge forge);

}  // namespace slipway::resources
