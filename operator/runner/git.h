// `slipway-runner resolve` and `clone`: the two steps that speak to a git server, by http or ssh.
//
// Nothing that the repository or the machine holds changes what git does (git_command.h). Credentials travel
// in git's environment and in a private folder only (git_access.h). LFS objects are not fetched.
//
// As flags: resolve --url --revision|--semver --report --credentials --ca;
//           clone --url --commit --ref --destination --context-dir --dockerfile --submodules --depth --report
//           --credentials --ca.
// Exit codes and failure reports: git_failure.h.
#pragma once

#include <optional>
#include <string>

#include "runner/git_url.h"

namespace slipway::runner {

struct ResolveOptions {
  std::string url;       // http://, https://, ssh:// or user@host:path, without a password
  std::string revision;  // a branch, a tag, HEAD, "refs/…" or a full SHA; a branch goes before a tag
  std::string semver;    // instead of a revision: the highest tag in this range (semver.h)
  std::string report_path = "/dev/termination-log";
  std::string credentials_folder;  // a mounted Secret: `username` and `password`, or `ssh-privatekey` and
                                   // `known_hosts`; empty: none
  std::string ca_file;             // PEM, trusted beside the system's certificates; empty: none
};

// Reports {"sha","ref"}: the commit, never an annotated tag's own object, and what names it on the server,
// "refs/heads/main"; the ref is empty for a full SHA, which is its own answer.
int RunResolve(const ResolveOptions& options);

struct CloneOptions {
  std::string url;
  std::string commit;  // 40 hexadecimal digits
  std::string ref;     // where to fetch when the server gives no bare commit; empty: not known
  std::string destination;
  std::string context_dir = ".";          // below the destination
  std::string dockerfile = "Dockerfile";  // below context_dir; empty: not checked
  bool submodules = false;                // all of them, however deep, without their history
  // Absent: no .git is left, for the build's layers must not depend on when the commit was fetched or how.
  // Else .git is kept, with so many commits, or with the whole history and all tags for 0. A server that
  // gives no bare commits may make it more.
  std::optional<int> depth;
  std::string
      facts_path;  // a file that gets the report too, for the steps that follow (facts.h); empty: none
  std::string report_path = "/dev/termination-log";
  std::string credentials_folder;
  std::string ca_file;
};

// Leaves the commit's files in the destination. Reports {"sha","author","authorTime","subject"} in at most
// 1.5 KiB. A .git that is kept holds the URL and no credentials.
int RunClone(const CloneOptions& options);

}  // namespace slipway::runner
