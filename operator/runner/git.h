// `slipway-runner resolve` and `clone`: the two steps that speak to a git server.
//
// git gets an argument vector, an environment made from nothing, no configuration but ours, and no terminal:
// nothing that the repository or the machine holds changes what it does. Credentials travel in the
// environment only. Submodules and LFS objects are not fetched.
//
// As flags: resolve --url --revision --report --credentials;
//           clone --url --commit --destination --context-dir --dockerfile --report --credentials.
// Exit codes and failure reports: git_failure.h.
#pragma once

#include <string>

namespace slipway::runner {

struct ResolveOptions {
  std::string url;       // http:// or https://, without userinfo
  std::string revision;  // a branch, a tag, HEAD, "refs/…" or a full SHA; a branch goes before a tag
  std::string report_path = "/dev/termination-log";
  std::string credentials_folder;  // a mounted basic-auth Secret: files `username`, `password`; empty: none
};

// Reports {"sha":"…"}: the commit, never an annotated tag's own object.
int RunResolve(const ResolveOptions& options);

struct CloneOptions {
  std::string url;
  std::string commit;  // 40 hexadecimal digits
  std::string destination;
  std::string context_dir = ".";          // below the destination
  std::string dockerfile = "Dockerfile";  // below context_dir
  std::string report_path = "/dev/termination-log";
  std::string credentials_folder;
};

// Leaves the commit's files in the destination, without a .git: the build's layers must not depend on when
// the commit was fetched or how. Reports {"sha","author","authorTime","subject"} in at most 2 KiB.
int RunClone(const CloneOptions& options);

// Whether the values are such that git can't take them for anything else. Exposed for tests.
bool IsGitUrl(const std::string& url);
bool IsRevision(const std::string& revision);

}  // namespace slipway::runner
