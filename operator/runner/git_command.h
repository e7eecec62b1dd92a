// git, run as a child process: an argument vector, an environment made from nothing, no configuration but
// ours, no terminal, and protocols that can't read this machine's files (http, https, ssh).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runner/git_access.h"
#include "runner/process.h"

namespace slipway::runner {

inline constexpr auto kGitLookupTime = std::chrono::seconds(60);
inline constexpr auto kGitFetchTime = std::chrono::minutes(15);
inline constexpr auto kGitLocalTime = std::chrono::minutes(5);

class Git {
 public:
  explicit Git(Access access);

  // The folder that is written to. Named outright, and not found from where git stands: a mounted folder
  // belongs to another user, and git refuses to find a repository in it.
  void Use(const std::filesystem::path& folder);

  // However it ended. An Error when git couldn't be started, or when it printed more than 16 MiB.
  Result<Finished> Try(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout) const;

  // What it printed; a failure unless it ended with 0.
  Outcome<std::string> Do(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout) const;

  static Outcome<> Judge(const Finished& finished, std::string_view what, std::chrono::milliseconds timeout);

 private:
  Access access_;
  std::vector<std::string> folder_;
};

// For one server, with what opens it.
Outcome<Git> MakeGit(const std::string& url, const std::string& credentials_folder,
                     const std::string& ca_file);

// Writes what a subcommand found, or why it failed, to its report; gives the program's exit code.
int ReportOutcome(std::string_view what, const Outcome<std::string>& outcome, const std::string& path);

}  // namespace slipway::runner
