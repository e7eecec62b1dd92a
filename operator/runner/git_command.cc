#include "runner/git_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/time.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

// The tags of a large repository are some megabytes.
constexpr std::size_t kMostOutput = 16UL * 1024 * 1024;

std::vector<std::string> Environment() {
  const char* path = std::getenv("PATH");
  return {std::string("PATH=") + (path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"),
          "HOME=/nonexistent",
          "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_TERMINAL_PROMPT=0",
          "GIT_ALLOW_PROTOCOL=http:https:ssh",
          "LC_ALL=C"};
}

constexpr std::string_view kSettings[] = {
    "protocol.version=2",
    "core.hooksPath=/dev/null",
    "core.symlinks=true",
    "init.defaultBranch=main",
    "gc.auto=0",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "submodule.recurse=false",
    "advice.detachedHead=false",
};

}  // namespace

Git::Git(Access access) : access_(std::move(access)) {}

void Git::Use(const std::filesystem::path& folder) {
  folder_ = {"-C", folder.string(), "--git-dir=" + (folder / ".git").string(),
             "--work-tree=" + folder.string()};
}

Result<Finished> Git::Try(const std::vector<std::string>& arguments,
                          std::chrono::milliseconds timeout) const {
  Command command;
  command.argv = {"git"};
  const auto set = [&command](std::string_view setting) {
    command.argv.emplace_back("-c");
    command.argv.emplace_back(setting);
  };
  std::ranges::for_each(kSettings, set);
  std::ranges::for_each(access_.settings, set);
  std::ranges::copy(folder_, std::back_inserter(command.argv));
  std::ranges::copy(arguments, std::back_inserter(command.argv));
  command.environment = Environment();
  std::ranges::copy(access_.environment, std::back_inserter(command.environment));
  command.timeout = timeout;
  command.most_output = kMostOutput;
  auto finished = runner::Run(command);
  if (finished && finished->output_cut) {
    return Fail(ErrorKind::kInvalid, fmt::format("git {} printed more than 16 MiB", arguments.front()));
  }
  return finished;
}

Outcome<std::string> Git::Do(const std::vector<std::string>& arguments,
                             std::chrono::milliseconds timeout) const {
  auto finished = Try(arguments, timeout);
  if (!finished) return Failed(kGitFailed, "GitFailed", finished.error().message);
  if (auto judged = Judge(*finished, arguments.front(), timeout); !judged) {
    return std::unexpected(judged.error());
  }
  return std::move(finished->output);
}

Outcome<> Git::Judge(const Finished& finished, std::string_view what, std::chrono::milliseconds timeout) {
  if (finished.timed_out) {
    // A lookup is a few kilobytes: when it does not end, the host does not answer.
    const bool lookup = what == "ls-remote";
    return Failed(lookup ? kGitHostUnreachable : kGitFailed, lookup ? "GitHostUnreachable" : "GitFailed",
                  fmt::format("git {} did not end within {}", what, FormatDuration(timeout)));
  }
  if (finished.exit_code != 0) return std::unexpected(Classify(finished.errors));
  return {};
}

Outcome<Git> MakeGit(const std::string& url, const std::string& credentials_folder,
                     const std::string& ca_file) {
  const auto parsed = ParseGitUrl(url);
  if (!parsed) {
    return Failed(kGitFailed, "GitFailed",
                  "the URL must be http://…, https://…, ssh://… or user@host:path, without a password, "
                  "without a user's name for http, and without blanks");
  }
  auto access = MakeAccess(*parsed, credentials_folder, ca_file);
  if (!access) return std::unexpected(access.error());
  return Git(std::move(*access));
}

int ReportOutcome(std::string_view what, const Outcome<std::string>& outcome, const std::string& path) {
  if (outcome) {
    log::info("{}: {}", what, *outcome);  // JSON: one line already
    return WriteReport(path, *outcome) ? 0 : kGitFailed;
  }
  const GitFailure& failure = outcome.error();
  log::error("{}: {}: {}", what, failure.reason, log::Quoted(failure.message));
  return WriteReport(path, ToJson(failure)) ? failure.exit_code : kGitFailed;
}

}  // namespace slipway::runner
