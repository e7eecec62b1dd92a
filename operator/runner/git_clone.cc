// `slipway-runner clone`.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "runner/git.h"
#include "runner/git_command.h"
#include "runner/git_fetch.h"
#include "runner/report.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFactBytes = 200;

// Takes .git away, whatever happens, unless it is told to keep it. Those of submodules are files that lead
// into it; no commit can hold an entry of that name.
class Repository {
 public:
  explicit Repository(fs::path root) : root_(std::move(root)) {}
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;
  ~Repository() {
    if (!kept_) Remove(false);
  }
  void Keep() { kept_ = true; }
  bool Remove(bool submodules) const {
    std::error_code error;
    fs::remove_all(root_ / ".git", error);
    if (error || !submodules) return !error;
    std::vector<fs::path> files;
    fs::recursive_directory_iterator at(root_, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (at->path().filename() == ".git") files.push_back(at->path());
    }
    for (const fs::path& file : files) {
      if (!error) fs::remove_all(file, error);
    }
    return !error;
  }

 private:
  fs::path root_;
  bool kept_ = false;
};

std::string AuthorTime(std::string_view seconds) {
  constexpr std::int64_t kEndOf9999 = 253402300799;
  std::int64_t value = 0;
  std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  return FormatTime(TimePoint(std::chrono::seconds(std::clamp<std::int64_t>(value, 0, kEndOf9999))));
}

// Lines in the order of the format; the author of a commit can't put a line end into his name.
Outcome<std::string> Facts(const Git& git) {
  const auto shown = git.Do(
      {"show", "--no-patch", "--no-show-signature", "--format=%H%n%at%n%an%n%s", "HEAD"}, kGitLocalTime);
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
  const bool repository = context && Inside(root / ".git", *context, "").has_value();
  if (!context || repository || !fs::is_directory(*context, error)) {
    return Failed(kContextNotFound, "ContextNotFound",
                  fmt::format("the commit has no folder '{}' to build from", options.context_dir));
  }
  if (options.dockerfile.empty()) return {};
  const auto dockerfile = Inside(root, *context, options.dockerfile);
  if (!dockerfile || !fs::is_regular_file(*dockerfile, error)) {
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

Outcome<> Materialize(const Git& git, const CloneOptions& options, const FetchPlan& plan) {
  const auto made = git.Do({"init", "--quiet", "--template="}, kGitLocalTime);
  if (!made) return std::unexpected(made.error());
  if (options.submodules || options.depth) {
    // What the URLs of submodules are relative to, and where who finds the .git may fetch more.
    const auto named = git.Do({"config", "remote.origin.url", options.url}, kGitLocalTime);
    if (!named) return std::unexpected(named.error());
  }
  if (auto fetched = Fetch(git, plan); !fetched) return fetched;
  const auto out = git.Do({"checkout", "--quiet", "--force", "--detach", plan.commit, "--"}, kGitLocalTime);
  if (!out) return std::unexpected(out.error());
  if (options.submodules) return FetchSubmodules(git, plan);
  return {};
}

Outcome<> CheckOptions(const CloneOptions& options) {
  if (!IsSha(options.commit)) return Failed(kGitFailed, "GitFailed", "the commit is not a full SHA");
  if (!options.ref.empty() && !IsRef(options.ref)) {
    return Failed(kGitFailed, "GitFailed", "the ref is neither HEAD nor refs/…");
  }
  return {};
}

Outcome<std::string> Clone(const CloneOptions& options) {
  if (auto well = CheckOptions(options); !well) return std::unexpected(well.error());
  auto git = MakeGit(options.url, options.credentials_folder, options.ca_file);
  if (!git) return std::unexpected(git.error());
  const auto root = MakeDestination(options.destination);
  if (!root) return std::unexpected(root.error());
  git->Use(*root);
  Repository repository(*root);
  FetchPlan plan{options.url, options.commit, options.ref, options.depth.value_or(1), *root};
  std::ranges::transform(plan.commit, plan.commit.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (auto there = Materialize(*git, options, plan); !there) return std::unexpected(there.error());
  auto facts = Facts(*git);
  if (!facts) return facts;
  if (!options.depth && !repository.Remove(options.submodules)) {
    return Failed(kGitFailed, "GitFailed", "the folder .git can't be removed");
  }
  if (auto context = CheckContext(*root, options); !context) return std::unexpected(context.error());
  if (options.depth) repository.Keep();
  return facts;
}

}  // namespace

int RunClone(const CloneOptions& options) {
  auto facts = Clone(options);
  if (facts && !options.facts_path.empty() && !WriteReport(options.facts_path, *facts)) {
    facts = Failed(kGitFailed, "GitFailed", "the file with the commit's facts can't be written");
  }
  return ReportOutcome("clone", facts, options.report_path);
}

}  // namespace slipway::runner
