#include "trigger/patch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/observed.h"
#include "runner/registry_reference.h"
#include "runner/semver.h"
#include "trigger/repository.h"

namespace slipway::trigger {
namespace {

using resources::BaseImage;
using resources::BuildRun;
using resources::ForkPolicy;
using resources::ImageBuild;
using resources::ObservedBases;
using resources::ObservedCommit;
using resources::ObservedPull;

constexpr std::string_view kTags = "refs/tags/";
constexpr std::size_t kMostBases = 8;
constexpr std::size_t kMostForks = 20;

bool IsOf(const resources::GitSource& git, const std::vector<std::string>& urls) {
  const auto wanted = RepositoryOf(git.url);
  return wanted && std::ranges::any_of(urls, [&](const auto& url) { return RepositoryOf(url) == wanted; });
}

std::optional<runner::semver::Version> VersionOf(std::string_view ref) {
  return ref.starts_with(kTags) ? runner::semver::ParseTag(ref.substr(kTags.size())) : std::nullopt;
}

// Of a range a tag in it counts that is not below the one known so far. Whether it is the highest of all,
// only the repository knows: the poller asks it.
bool IsWanted(const ImageBuild& build, const Push& push) {
  const auto& git = build.spec.source;
  if (git.semver.empty()) return Names(git.revision, push.ref, push.default_branch);
  const auto range = runner::semver::Range::Parse(git.semver);
  const auto version = VersionOf(push.ref);
  if (!range || !version || !range->Contains(*version)) return false;
  const auto known = resources::CommitOf(build.meta);
  const bool current = known && known->revision == git.semver && known->url == git.url;
  const auto highest = current ? VersionOf(known->ref) : std::nullopt;
  return !highest || *version >= *highest;
}

// None when the controller couldn't read it again (a ref that is none, or of other characters than it takes):
// it would be written anew each time.
std::optional<Patch> CommitPatch(const ImageBuild& build, ObservedCommit found) {
  found.revision = build.spec.source.Wanted();
  found.url = build.spec.source.url;
  kube::ObjectMeta written;
  std::string value = resources::Encode(found);
  written.annotations[std::string(resources::kObservedCommitAnnotation)] = value;
  if (!resources::CommitOf(written)) return std::nullopt;
  return Patch{build.meta.key, std::string(resources::kObservedCommitAnnotation), std::move(value)};
}

// A delivery may be old: sent again, late, or by somebody who once saw it. So its commit is taken for the
// ref's only when it follows upon what is known; else the controller is told to look again.
bool Follows(const ImageBuild& build, const Push& push) {
  if (push.before.empty() || !build.spec.source.semver.empty()) return false;
  const auto known = resources::CommitOf(build.meta);
  const bool about_this = known && known->url == build.spec.source.url &&
                          known->revision == build.spec.source.Wanted() && known->ref == push.ref;
  if (about_this && known->commit == push.before) return true;
  if (build.status.runs.empty()) return false;
  const BuildRun& run = build.status.runs.front();
  return run.ref == push.ref && run.commit && run.commit->sha == push.before;
}

std::optional<Patch> OfPush(const ImageBuild& build, const Push& push, TimePoint now) {
  if (!IsOf(build.spec.source, push.urls) || !IsWanted(build, push)) return std::nullopt;
  const std::string commit = Follows(build, push) ? push.commit : "";
  return CommitPatch(build, {.commit = commit, .ref = push.ref, .by = "Webhook", .time = now});
}

// Strangers don't take the places of the repository's own.
bool HasRoom(const ImageBuild& build, bool fork) {
  const auto open = resources::PullsOf(build.meta);
  const auto forks = static_cast<std::size_t>(std::ranges::count_if(open, &ObservedPull::fork));
  return open.size() < resources::kMostPulls && (!fork || forks < kMostForks);
}

std::optional<Patch> OfPull(const ImageBuild& build, const PullChange& change, TimePoint now) {
  const auto& policy = build.spec.trigger.pull_requests;
  if (!policy || !IsOf(build.spec.source, change.urls)) return std::nullopt;
  Patch patch{build.meta.key, std::string(resources::kPullAnnotationPrefix) + std::to_string(change.number),
              std::nullopt};
  if (change.closed) return patch;
  if (change.fork && policy->forks == ForkPolicy::kRefuse) return std::nullopt;
  const bool known = build.meta.annotations.contains(patch.annotation);
  if (!known && !HasRoom(build, change.fork)) return std::nullopt;
  const ObservedPull found{.number = change.number,
                           .commit = change.commit,
                           .ref = change.ref,
                           .fork = change.fork,
                           .title = change.title,
                           .time = now};
  patch.value = resources::Encode(found);
  return patch;
}

}  // namespace

kube::Request ToRequest(const Patch& patch) {
  const kube::Json value = patch.value ? kube::Json(*patch.value) : kube::Json(nullptr);
  return kube::MergePatch(kube::kImageBuilds, patch.key,
                          {{"metadata", {{"annotations", {{patch.annotation, value}}}}}});
}

std::optional<Patch> PatchOf(const ImageBuild& build, const Event& event, TimePoint now) {
  if (build.meta.deleted || !build.spec.trigger.webhook) return std::nullopt;
  if (const auto* push = std::get_if<Push>(&event)) return OfPush(build, *push, now);
  if (const auto* pull = std::get_if<PullChange>(&event)) return OfPull(build, *pull, now);
  return std::nullopt;
}

std::optional<Patch> PatchOf(const ImageBuild& build, const FoundCommit& found, TimePoint now) {
  if (build.meta.deleted) return std::nullopt;
  const auto& git = build.spec.source;
  const auto known = resources::CommitOf(build.meta);
  const bool answers = known && known->revision == git.Wanted() && known->url == git.url;
  if (answers && known->commit == found.commit && known->ref == found.ref) return std::nullopt;
  // Annotations hold whole seconds.
  const auto asked = std::chrono::floor<std::chrono::seconds>(found.asked);
  if (answers && known->by == "Webhook" && known->time >= asked) return std::nullopt;
  return CommitPatch(build, {.commit = found.commit, .ref = found.ref, .by = "Poll", .time = now});
}

std::vector<BaseImage> BasesToWatch(const ImageBuild& build) {
  const auto& runs = build.status.runs;
  const auto done = std::ranges::find_if(
      runs, [](const BuildRun& run) { return run.finished && !run.failure && !run.bases.empty(); });
  if (done == runs.end()) return {};
  std::vector<BaseImage> bases;
  for (const BaseImage& base : done->bases) {
    const auto name = runner::ParseImage(base.image);
    if (name && name->digest.empty() && bases.size() < kMostBases) bases.push_back(base);
  }
  return bases;
}

std::optional<Patch> PatchOf(const ImageBuild& build, const FoundBase& found, TimePoint now) {
  const auto watched = BasesToWatch(build);
  const auto known = resources::BasesOf(build.meta).value_or(ObservedBases{});
  ObservedBases next{.time = now};
  bool changed = false;
  for (const BaseImage& base : watched) {
    const auto at = known.bases.find(base.image);
    if (at != known.bases.end()) next.bases.insert(*at);
    if (base.image != found.image) continue;
    const std::string& last = at == known.bases.end() ? base.digest : at->second;
    changed = last != found.digest;
    if (changed) next.bases[base.image] = found.digest;
  }
  if (!changed || build.meta.deleted || !build.spec.trigger.base_images) return std::nullopt;
  return Patch{build.meta.key, std::string(resources::kObservedBasesAnnotation), resources::Encode(next)};
}

}  // namespace slipway::trigger
