#include "runner/git.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <expected>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "runner/git_failure.h"
#include "runner/process.h"
#include "runner/report.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
template <class T = void>
using Outcome = std::expected<T, GitFailure>;

constexpr std::size_t kShaDigits = 40;
constexpr std::size_t kFactBytes = 200;
constexpr auto kLookupTime = std::chrono::seconds(60);
constexpr auto kFetchTime = std::chrono::minutes(15);
constexpr auto kLocalTime = std::chrono::minutes(5);

std::unexpected<GitFailure> Failed(int code, std::string_view reason, std::string_view message) {
  return std::unexpected(MakeGitFailure(code, reason, message));
}

bool IsSha(std::string_view text) {
  return text.size() == kShaDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string FirstLineOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// The value of an Authorization header; empty when there is no folder.
Outcome<std::string> ReadCredentials(const std::string& folder) {
  if (folder.empty()) return std::string();
  const std::string username = FirstLineOf(fs::path(folder) / "username");
  const std::string password = FirstLineOf(fs::path(folder) / "password");
  if (username.empty() && password.empty()) {
    return Failed(kGitAuthFailed, "GitAuthFailed",
                  "the Secret with the credentials holds neither a username nor a password");
  }
  return "Basic " + Base64(username + ":" + password);
}

class Git {
 public:
  explicit Git(const std::string& authorization) {
    const char* path = std::getenv("PATH");
    environment_ = {std::string("PATH=") + (path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"),
                    "HOME=/nonexistent",
                    "GIT_CONFIG_NOSYSTEM=1",
                    "GIT_CONFIG_GLOBAL=/dev/null",
                    "GIT_TERMINAL_PROMPT=0",
                    "GIT_ALLOW_PROTOCOL=http:https",
                    "LC_ALL=C"};
    if (authorization.empty()) return;
    environment_.emplace_back("GIT_CONFIG_COUNT=1");
    environment_.emplace_back("GIT_CONFIG_KEY_0=http.extraHeader");
    environment_.emplace_back("GIT_CONFIG_VALUE_0=Authorization: " + authorization);
    // git sends an extra header to every host that it talks to, and so to one that it was redirected to.
    redirects_ = "false";
  }

  // The folder that is written to. Named outright, and not found from where git stands: a mounted folder
  // belongs to another user, and git refuses to find a repository in it.
  void Use(const fs::path& folder) {
    folder_ = {"--git-dir=" + (folder / ".git").string(), "--work-tree=" + folder.string()};
  }

  Result<Finished> Try(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout) const {
    Command command;
    command.argv = {"git"};
    for (const std::string& setting : Settings()) {
      command.argv.emplace_back("-c");
      command.argv.push_back(setting);
    }
    std::ranges::copy(folder_, std::back_inserter(command.argv));
    std::ranges::copy(arguments, std::back_inserter(command.argv));
    command.environment = environment_;
    command.timeout = timeout;
    return runner::Run(command);
  }

  // What it printed.
  Outcome<std::string> Do(const std::vector<std::string>& arguments,
                          std::chrono::milliseconds timeout) const {
    auto finished = Try(arguments, timeout);
    if (!finished) return Failed(kGitFailed, "GitFailed", finished.error().message);
    if (auto judged = Judge(*finished, arguments.front(), timeout); !judged) {
      return std::unexpected(judged.error());
    }
    return std::move(finished->output);
  }

  static Outcome<> Judge(const Finished& finished, std::string_view what, std::chrono::milliseconds timeout) {
    if (finished.timed_out) {
      // A lookup is a few kilobytes: when it does not end, the host does not answer.
      const bool lookup = what == "ls-remote";
      return Failed(lookup ? kGitHostUnreachable : kGitFailed, lookup ? "GitHostUnreachable" : "GitFailed",
                    fmt::format("git {} did not end within {}", what, FormatDuration(timeout)));
    }
    if (finished.exit_code != 0) return std::unexpected(Classify(finished.errors));
    return {};
  }

 private:
  std::vector<std::string> Settings() const {
    return {"protocol.version=2",
            "core.hooksPath=/dev/null",
            "core.symlinks=true",
            "init.defaultBranch=main",
            "gc.auto=0",
            "http.followRedirects=" + redirects_,
            "http.lowSpeedLimit=1000",
            "http.lowSpeedTime=30",
            "submodule.recurse=false",
            "advice.detachedHead=false"};
  }

  std::vector<std::string> environment_;
  std::vector<std::string> folder_;
  std::string redirects_ = "initial";
};

Outcome<Git> MakeGit(const std::string& url, const std::string& credentials_folder) {
  if (!IsGitUrl(url)) {
    return Failed(kGitFailed, "GitFailed",
                  "the URL must start with http:// or https:// and hold neither a user's name nor blanks");
  }
  auto authorization = ReadCredentials(credentials_folder);
  if (!authorization) return std::unexpected(authorization.error());
  return Git(*authorization);
}

// Name to object, from lines of "SHA<tab>NAME".
std::map<std::string, std::string, std::less<>> ParseRefs(std::string_view output) {
  std::map<std::string, std::string, std::less<>> refs;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    const std::size_t tab = line.find('\t');
    if (tab != std::string_view::npos) refs.emplace(line.substr(tab + 1), line.substr(0, tab));
  }
  return refs;
}

// The names to look for, the better one first.
std::vector<std::string> Candidates(const std::string& revision) {
  if (revision == "HEAD" || revision.starts_with("refs/")) return {revision};
  return {"refs/heads/" + revision, "refs/tags/" + revision};
}

Outcome<std::string> Resolve(const ResolveOptions& options) {
  if (!IsRevision(options.revision))
    return Failed(kGitFailed, "GitFailed", "the revision is not a name in git");
  const auto git = MakeGit(options.url, options.credentials_folder);
  if (!git) return std::unexpected(git.error());
  if (IsSha(options.revision)) return Lower(options.revision);

  const std::vector<std::string> names = Candidates(options.revision);
  std::vector<std::string> arguments{"ls-remote", "--", options.url};
  for (const std::string& name : names) {
    arguments.push_back(name);
    arguments.push_back(name + "^{}");
  }
  const auto output = git->Do(arguments, kLookupTime);
  if (!output) return std::unexpected(output.error());
  // git matches the ends of names, so it may print more than was asked for.
  const auto refs = ParseRefs(*output);
  for (const std::string& name : names) {
    for (const std::string& found : {name + "^{}", name}) {
      const auto ref = refs.find(found);
      if (ref != refs.end() && IsSha(ref->second)) return ref->second;
    }
  }
  return Failed(kRevisionNotFound, "RevisionNotFound",
                fmt::format("{} has no branch or tag '{}'", options.url, options.revision));
}

// Takes .git away, whatever happens.
class WithoutRepository {
 public:
  explicit WithoutRepository(const fs::path& folder) : path_(folder / ".git") {}
  WithoutRepository(const WithoutRepository&) = delete;
  WithoutRepository& operator=(const WithoutRepository&) = delete;
  ~WithoutRepository() { Remove(); }
  bool Remove() const {
    std::error_code error;
    fs::remove_all(path_, error);
    return !error;
  }

 private:
  fs::path path_;
};

Outcome<> Fetch(const Git& git, const std::string& url, const std::string& commit) {
  const std::vector<std::string> one{"fetch",     "--quiet", "--no-tags", "--no-recurse-submodules",
                                     "--depth=1", "--",      url,         commit};
  const auto finished = git.Try(one, kFetchTime);
  if (!finished) return Failed(kGitFailed, "GitFailed", finished.error().message);
  const auto judged = Git::Judge(*finished, "fetch", kFetchTime);
  if (judged || finished->timed_out || !RefusesBareCommit(finished->errors)) return judged;
  log::info("clone: the server does not give a bare commit: fetching all branches and tags");
  const auto all = git.Do({"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", url,
                           "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"},
                          kFetchTime);
  if (!all) return std::unexpected(all.error());
  return {};
}

std::string AuthorTime(std::string_view seconds) {
  constexpr std::int64_t kEndOf9999 = 253402300799;
  std::int64_t value = 0;
  std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  return FormatTime(TimePoint(std::chrono::seconds(std::clamp<std::int64_t>(value, 0, kEndOf9999))));
}

// Lines in the order of the format; the author of a commit can't put a line end into his name.
Outcome<std::string> Facts(const Git& git) {
  const auto shown =
      git.Do({"show", "--no-patch", "--no-show-signature", "--format=%H%n%at%n%an%n%s", "HEAD"}, kLocalTime);
  if (!shown) return std::unexpected(shown.error());
  std::vector<std::string> lines;
  std::string_view rest = *shown;
  for (int i = 0; i < 4; ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return nlohmann::json{{"sha", lines[0]},
                        {"authorTime", AuthorTime(lines[1])},
                        {"author", OneLine(lines[2], kFactBytes)},
                        {"subject", OneLine(lines[3], kFactBytes)}}
      .dump();
}

// The path that `below` names from `base`, when it is there and inside `root`, symbolic links followed.
std::optional<fs::path> Inside(const fs::path& root, const fs::path& base, const std::string& below) {
  std::error_code error;
  fs::path found = fs::canonical(below.empty() ? base : base / below, error);
  if (error) return std::nullopt;
  const auto [at, unused] = std::ranges::mismatch(root, found);
  if (at != root.end()) return std::nullopt;
  return found;
}

Outcome<> CheckContext(const fs::path& root, const CloneOptions& options) {
  const auto context = Inside(root, root, options.context_dir);
  std::error_code error;
  if (!context || !fs::is_directory(*context, error)) {
    return Failed(kContextNotFound, "ContextNotFound",
                  fmt::format("the commit has no folder '{}' to build from", options.context_dir));
  }
  const auto dockerfile = Inside(root, *context, options.dockerfile);
  if (!dockerfile || options.dockerfile.empty() || !fs::is_regular_file(*dockerfile, error)) {
    return Failed(kContextNotFound, "DockerfileNotFound",
                  fmt::format("the commit has no file '{}' in the folder '{}'", options.dockerfile,
                              options.context_dir));
  }
  return {};
}

Outcome<fs::path> MakeDestination(const std::string& destination) {
  std::error_code error;
  if (!destination.empty()) fs::create_directories(destination, error);
  fs::path root = fs::canonical(destination, error);
  if (!error) return root;
  return Failed(kGitFailed, "GitFailed",
                fmt::format("the folder '{}' can't be made: {}", destination, error.message()));
}

Outcome<> Materialize(const Git& git, const std::string& url, const std::string& commit) {
  const auto made = git.Do({"init", "--quiet", "--template="}, kLocalTime);
  if (!made) return std::unexpected(made.error());
  if (auto fetched = Fetch(git, url, commit); !fetched) return fetched;
  const auto out = git.Do({"checkout", "--quiet", "--force", "--detach", commit, "--"}, kLocalTime);
  if (!out) return std::unexpected(out.error());
  return {};
}

Outcome<std::string> Clone(const CloneOptions& options) {
  if (!IsSha(options.commit)) return Failed(kGitFailed, "GitFailed", "the commit is not a full SHA");
  auto git = MakeGit(options.url, options.credentials_folder);
  if (!git) return std::unexpected(git.error());
  const auto root = MakeDestination(options.destination);
  if (!root) return std::unexpected(root.error());
  git->Use(*root);
  const WithoutRepository cleaner(*root);
  if (auto there = Materialize(*git, options.url, Lower(options.commit)); !there) {
    return std::unexpected(there.error());
  }
  auto facts = Facts(*git);
  if (!facts) return facts;
  if (!cleaner.Remove()) return Failed(kGitFailed, "GitFailed", "the folder .git can't be removed");
  if (auto context = CheckContext(*root, options); !context) return std::unexpected(context.error());
  return facts;
}

int Report(std::string_view what, const Outcome<std::string>& outcome, const std::string& path) {
  if (outcome) {
    log::info("{}: {}", what, *outcome);  // JSON: one line already
    return WriteReport(path, *outcome) ? 0 : kGitFailed;
  }
  const GitFailure& failure = outcome.error();
  log::error("{}: {}: {}", what, failure.reason, log::Quoted(failure.message));
  return WriteReport(path, ToJson(failure)) ? failure.exit_code : kGitFailed;
}

}  // namespace

bool IsGitUrl(const std::string& url) {
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (scheme == 0) return false;
  const std::string authority = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  return !authority.empty() && authority.find('@') == std::string::npos &&
         std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~' && c != '\\'; });
}

bool IsRevision(const std::string& revision) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !revision.empty() && letter(revision.front()) && revision.find("..") == std::string::npos &&
         std::ranges::all_of(revision, [&](char c) {
           return letter(c) || std::string_view("._/+-").find(c) != std::string_view::npos;
         });
}

int RunResolve(const ResolveOptions& options) {
  auto sha = Resolve(options);
  if (sha) sha = nlohmann::json{{"sha", *sha}}.dump();
  return Report("resolve", sha, options.report_path);
}

int RunClone(const CloneOptions& options) { return Report("clone", Clone(options), options.report_path); }

}  // namespace slipway::runner
