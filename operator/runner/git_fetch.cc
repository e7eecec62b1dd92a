#include "runner/git_fetch.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Arguments(const FetchPlan& plan, int depth, std::vector<std::string> what) {
  std::vector<std::string> out{"fetch", "--quiet", "--no-recurse-submodules",
                               plan.depth == 0 ? "--tags" : "--no-tags"};
  if (depth != 0) out.push_back("--depth=" + std::to_string(depth));
  out.insert(out.end(), {"--", plan.url});
  out.insert(out.end(), what.begin(), what.end());
  return out;
}

bool IsThere(const Git& git, const std::string& commit) {
  const auto finished = git.Try({"cat-file", "-e", commit + "^{commit}"}, kGitLocalTime);
  return finished && finished->exit_code == 0;
}

// What a shallow repository needs to be told to become whole. A server without shallow fetches refuses it,
// and never made the repository shallow.
int WholeDepth(const FetchPlan& plan) {
  constexpr int kInfinite = 0x7fffffff;
  std::error_code error;
  return fs::exists(plan.root / ".git/shallow", error) ? kInfinite : 0;
}

Outcome<> FetchByNames(const Git& git, const FetchPlan& plan) {
  if (!plan.ref.empty()) {
    log::info("clone: the server does not give a bare commit: fetching {}", plan.ref);
    for (const bool whole : {false, true}) {
      // It may fail, for the ref may be gone; what came of it, the repository shows.
      const auto tried =
          git.Try(Arguments(plan, whole ? WholeDepth(plan) : plan.depth, {plan.ref}), kGitFetchTime);
      if (!tried) return Failed(kGitFailed, "GitFailed", tried.error().message);
      if (IsThere(git, plan.commit)) return {};
    }
  }
  log::info("clone: the server does not give a bare commit: fetching all branches and tags");
  const auto all = git.Do(
      Arguments(plan, WholeDepth(plan), {"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}),
      kGitFetchTime);
  if (!all) return std::unexpected(all.error());
  return {};
}

// Of the repository itself; those of submodules lie inside.
Outcome<std::vector<std::string>> SubmodulePaths(const Git& git) {
  const auto listed = git.Do({"ls-files", "--stage", "-z"}, kGitLocalTime);
  if (!listed) return std::unexpected(listed.error());
  std::vector<std::string> paths;
  std::string_view rest = *listed;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    const std::size_t tab = entry.find('\t');
    if (entry.starts_with("160000 ") && tab != std::string_view::npos) {
      paths.emplace_back(entry.substr(tab + 1));
    }
  }
  return paths;
}

// As after the checkout, so that nothing shallow is left.
Outcome<> RemoveSubmodules(const Git& git, const fs::path& root) {
  const auto paths = SubmodulePaths(git);
  if (!paths) return std::unexpected(paths.error());
  std::error_code error;
  for (const std::string& path : *paths) {
    fs::remove_all(root / path, error);
    if (!error) fs::create_directory(root / path, error);
    if (error) break;
  }
  if (!error) fs::remove_all(root / ".git/modules", error);
  if (!error) return {};
  return Failed(kGitFailed, "GitFailed", "the submodules can't be fetched anew: " + error.message());
}

}  // namespace

Outcome<> Fetch(const Git& git, const FetchPlan& plan) {
  const auto finished = git.Try(Arguments(plan, plan.depth, {plan.commit}), kGitFetchTime);
  if (!finished) return Failed(kGitFailed, "GitFailed", finished.error().message);
  const auto judged = Git::Judge(*finished, "fetch", kGitFetchTime);
  if (judged || finished->timed_out || !RefusesBareCommit(finished->errors)) return judged;
  return FetchByNames(git, plan);
}

Outcome<> FetchSubmodules(const Git& git, const FetchPlan& plan) {
  // `git submodule` is a shell script around this command; the image has no such tools as it needs.
  std::vector<std::string> update{"submodule--helper", "update", "--quiet", "--init", "--recursive"};
  auto shallow = update;
  shallow.emplace_back("--depth=1");
  const auto finished = git.Try(shallow, kGitFetchTime);
  if (!finished) return Failed(kGitFailed, "GitFailed", finished.error().message);
  const auto judged = Git::Judge(*finished, "submodule update", kGitFetchTime);
  if (judged || finished->timed_out || !RefusesBareCommit(finished->errors)) return judged;
  log::info("clone: a server does not give the bare commits of submodules: fetching them whole");
  if (auto removed = RemoveSubmodules(git, plan.root); !removed) return removed;
  const auto whole = git.Do(update, kGitFetchTime);
  if (!whole) return std::unexpected(whole.error());
  return {};
}

}  // namespace slipway::runner
