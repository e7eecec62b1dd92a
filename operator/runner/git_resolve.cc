// `slipway-runner resolve`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/git.h"
#include "runner/git_command.h"
#include "runner/semver.h"

namespace slipway::runner {
namespace {

using Refs = std::map<std::string, std::string, std::less<>>;  // name to object

struct Found {
  std::string sha;
  std::string ref;
};

constexpr std::string_view kPeeled = "^{}";  // what git calls the commit below an annotated tag
constexpr std::string_view kTags = "refs/tags/";

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// From lines of "SHA<tab>NAME". A line "ref: refs/heads/main<tab>HEAD" says where HEAD leads: `head`.
Refs ParseRefs(std::string_view output, std::string& head) {
  constexpr std::string_view kSymbolic = "ref: ";
  Refs refs;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const std::string_view name = line.substr(tab + 1);
    if (line.starts_with(kSymbolic)) {
      if (name == "HEAD") head = line.substr(kSymbolic.size(), tab - kSymbolic.size());
    } else {
      refs.emplace(name, line.substr(0, tab));
    }
  }
  return refs;
}

// The commit that `name` stands for.
std::string CommitOf(const Refs& refs, const std::string& name) {
  for (const std::string& found : {name + std::string(kPeeled), name}) {
    const auto ref = refs.find(found);
    if (ref != refs.end() && IsSha(ref->second)) return ref->second;
  }
  return "";
}

// The names to look for, the better one first.
std::vector<std::string> Candidates(const std::string& revision) {
  if (revision == "HEAD" || revision.starts_with("refs/")) return {revision};
  return {"refs/heads/" + revision, std::string(kTags) + revision};
}

Outcome<Found> FindRevision(const Git& git, const ResolveOptions& options) {
  const std::vector<std::string> names = Candidates(options.revision);
  std::vector<std::string> arguments{"ls-remote", "--symref", "--", options.url};
  for (const std::string& name : names) {
    arguments.push_back(name);
    arguments.push_back(name + std::string(kPeeled));
  }
  const auto output = git.Do(arguments, kGitLookupTime);
  if (!output) return std::unexpected(output.error());
  // git matches the ends of names, so it may print more than was asked for.
  std::string head;
  const Refs refs = ParseRefs(*output, head);
  for (const std::string& name : names) {
    std::string sha = CommitOf(refs, name);
    if (!sha.empty()) return Found{std::move(sha), name == "HEAD" && IsRef(head) ? head : name};
  }
  return Failed(kRevisionNotFound, "RevisionNotFound",
                fmt::format("{} has no branch or tag '{}'", options.url, options.revision));
}

Outcome<Found> FindTag(const Git& git, const ResolveOptions& options, const semver::Range& range) {
  const auto output = git.Do({"ls-remote", "--tags", "--", options.url}, kGitLookupTime);
  if (!output) return std::unexpected(output.error());
  std::string unused;
  const Refs refs = ParseRefs(*output, unused);
  std::vector<std::string> tags;
  for (const auto& [name, sha] : refs) {
    if (name.starts_with(kTags) && !name.ends_with(kPeeled)) tags.push_back(name.substr(kTags.size()));
  }
  const auto tag = semver::HighestTag(range, tags);
  if (!tag) {
    return Failed(kRevisionNotFound, "RevisionNotFound",
                  fmt::format("{} has no tag in the range '{}'", options.url, options.semver));
  }
  const std::string ref = std::string(kTags) + *tag;
  return Found{CommitOf(refs, ref), ref};
}

Outcome<Found> Resolve(const ResolveOptions& options) {
  const auto git = MakeGit(options.url, options.credentials_folder, options.ca_file);
  if (!git) return std::unexpected(git.error());
  if (!options.semver.empty()) {
    const auto range = semver::Range::Parse(options.semver);
    if (range) return FindTag(*git, options, *range);
    return Failed(kRevisionNotFound, "RevisionNotFound",
                  fmt::format("the range '{}' can't be read: {}", options.semver, range.error()));
  }
  if (!IsRevision(options.revision)) {
    return Failed(kGitFailed, "GitFailed", "the revision is not a name in git");
  }
  if (IsSha(options.revision)) return Found{Lower(options.revision), ""};
  return FindRevision(*git, options);
}

}  // namespace

int RunResolve(const ResolveOptions& options) {
  const auto found = Resolve(options);
  Outcome<std::string> outcome;
  if (found) {
    outcome = nlohmann::json{{"sha", found->sha}, {"ref", found->ref}}.dump();
  } else {
    outcome = std::unexpected(found.error());
  }
  return ReportOutcome("resolve", outcome, options.report_path);
}

}  // namespace slipway::runner
