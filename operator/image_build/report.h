// Reads the termination messages of a run's containers. The containers are told apart by what they may be
// believed: of the one that runs the Dockerfile, nothing counts but figures for people; its failure's kind is
// taken for a hint, and what it could gain by lying is to be tried again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/image_build.h"
#include "resources/workloads.h"
#include "supply/gate_report.h"

namespace slipway::image_build {

// What our runner says of a revision (`resolve`) or of a clone.
struct GitReport {
  resources::CommitFacts commit;
  std::string ref;     // of resolve: refs/heads/main
  std::string reason;  // of a failure: ContextNotFound, DockerfileNotFound, …
  std::string message;
};

struct PrepareReport {
  std::vector<resources::BaseImage> bases;
  std::string reason;
  std::string message;
};

struct BuildReport {
  resources::CacheUse cache;
  std::string
      failure;  // BaseImageNotFound, RegistryDenied, RegistryUnavailable, DiskFull; empty: none of these
};

// Of push and of index.
struct PushReport {
  std::optional<resources::ImageRef> image;
  std::string reason;
  std::string message;
};

struct ToldReport {
  std::string reason;
  std::string message;
};

// What the gate found, or why it could not judge.
using supply::GateReport;

// A report that is absent or doesn't parse is nullopt: never a success.
struct Reports {
  std::optional<GitReport> resolve;
  std::optional<GitReport> source;
  std::optional<PrepareReport> prepare;
  std::optional<BuildReport> build;
  std::optional<GateReport> gate;
  std::optional<PushReport> push;
  std::optional<PushReport> index;
  std::optional<ToldReport> report;
};

// What the runner's exit codes say of git.
enum GitExit : int {
  kHostUnreachable = 20,
  kAuthFailed = 21,
  kRevisionNotFound = 22,
  kNotInRepository = 23,  // the report says what
  kRepositoryNotFound = 24,
  kHostKeyUnknown = 25,
  kCertificateUntrusted = 26,
};
// And its gate's.
using supply::kAheadExit;
using supply::kFindingsExit;
using supply::kStaleExit;

// `text` may be cut short, and what a repository or an image put into it is made printable.
std::optional<GitReport> ParseGitReport(std::string_view text);
std::optional<PrepareReport> ParsePrepareReport(std::string_view text);
std::optional<BuildReport> ParseBuildReport(std::string_view text);
std::optional<PushReport> ParsePushReport(std::string_view text);
std::optional<ToldReport> ParseToldReport(std::string_view text);
using supply::ParseGateReport;

// Of `pod`'s containers that ended.
Reports ReadReports(const resources::Pod& pod);

}  // namespace slipway::image_build
