// What opens a git server: a password for http, a key for ssh, certificates to trust. Made from mounted
// files, and given to git in its environment only, so that no .git that is kept holds any of it.
//
// An Access owns a private folder (mode 0700, below the folder for temporary files) with copies of what ssh
// and curl read by name; the folder is gone with the Access. A copy is needed because a mounted Secret may be
// read by its group, and ssh refuses such a key.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "runner/git_failure.h"
#include "runner/git_url.h"

namespace slipway::runner {

template <class T = void>
using Outcome = std::expected<T, GitFailure>;

std::unexpected<GitFailure> Failed(int code, std::string_view reason, std::string_view message);

class PrivateFolder;

struct Access {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> settings;     // of git's configuration, "name=value"
  std::shared_ptr<const PrivateFolder> folder;
};

// `credentials_folder`: files `username` and `password`, or `ssh-privatekey` and `known_hosts`, or all four;
// empty: no credentials. `ca_file`: PEM, trusted beside the system's certificates; empty: none.
Outcome<Access> MakeAccess(const GitUrl& url, const std::string& credentials_folder,
                           const std::string& ca_file);

// What git runs for ssh. git gives it to `sh -c`, so the names stand in single quotes; they are names of
// files that we made, and hold none. Empty names: no key, or no host that is known. Exposed for tests.
std::string SshCommand(const std::string& key_file, const std::string& known_hosts_file);

}  // namespace slipway::runner
