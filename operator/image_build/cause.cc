#include "image_build/cause.h"

#include <fmt/format.h>

#include <algorithm>

#include "image_build/names.h"
#include "image_build/outcome.h"

namespace slipway::image_build {
namespace {

using resources::BuildRun;
using resources::ImageBuild;
using resources::ObservedCommit;

constexpr Duration kRetryBackoff = std::chrono::seconds(10);

const BuildRun* Newest(const ImageBuild& build) {
  return build.status.runs.empty() ? nullptr : &build.status.runs.front();
}

Cause FromSpec(const ImageBuild& build) {
  const auto* newest = Newest(build);
  const bool same = newest != nullptr && newest->generation == build.meta.generation;
  Cause cause{.reason = same ? "Rebuild" : "NewSpec",
              .text = same ? fmt::format("annotation {} has a new value", resources::kRebuildAnnotation)
                           : fmt::format("the spec is of generation {}", build.meta.generation)};
  if (IsCommit(build.spec.source.revision)) cause.commit = LowerHex(build.spec.source.revision);
  // Made together with what was seen, as for a pull request: it needs not be looked up again.
  const auto told = newest == nullptr ? Observed(build, nullptr) : std::nullopt;
  if (cause.commit.empty() && told && !told->commit.empty()) {
    cause.commit = told->commit;
    cause.ref = told->ref;
  }
  return cause;
}

Cause FromCommit(const ObservedCommit& seen) {
  return {.reason = "NewCommit",
          .text = seen.commit.empty()
                      ? fmt::format("{}: {} has moved", seen.by, seen.ref)
                      : fmt::format("{}: {} is at {}", seen.by, seen.ref, ShortCommit(seen.commit)),
          .commit = seen.commit,
          .ref = seen.commit.empty() ? "" : seen.ref};
}

std::optional<Cause> FromBases(const ImageBuild& build, const BuildRun& run) {
  if (!build.spec.trigger.base_images || !run.commit || !run.finished) return std::nullopt;
  const auto seen = resources::BasesOf(build.meta);
  if (!seen || resources::MarkOf(build.meta, resources::kObservedBasesAnnotation) == run.seen_bases) {
    return std::nullopt;
  }
  // A run that failed early has none: those of the run before it stand for it.
  const auto last =
      std::ranges::find_if(build.status.runs, [](const BuildRun& one) { return !one.bases.empty(); });
  if (last == build.status.runs.end()) return std::nullopt;
  for (const auto& base : last->bases) {
    const auto now = seen->bases.find(base.image);
    if (now == seen->bases.end() || now->second == base.digest) continue;
    return Cause{.reason = "BaseImageMoved",
                 .text = fmt::format("{} is {} now, and was {}", base.image, now->second, base.digest),
                 .commit = run.commit->sha,
                 .ref = run.ref};
  }
  return std::nullopt;
}

std::optional<Cause> FromFailure(const ImageBuild& build, const BuildRun& run) {
  if (!RetryAt(build)) return std::nullopt;
  return Cause{.reason = "Retry",
               .text = fmt::format("run {} failed with {}, which may pass", run.number, run.failure->reason),
               .commit = run.commit ? run.commit->sha : "",
               .ref = run.ref,
               .attempt = run.attempt + 1};
}

}  // namespace

std::optional<ObservedCommit> Observed(const ImageBuild& build, const BuildRun* run) {
  auto seen = resources::CommitOf(build.meta);
  const auto& source = build.spec.source;
  const bool about_this = seen && seen->url == source.url && seen->revision == source.Wanted();
  if (!about_this || IsCommit(source.revision)) return std::nullopt;
  const bool known = run != nullptr &&
                     resources::MarkOf(build.meta, resources::kObservedCommitAnnotation) == run->seen_commit;
  if (known) return std::nullopt;
  return seen;
}

bool Outdated(const ImageBuild& build, const BuildRun& run) {
  return run.key.empty() ? run.generation != build.meta.generation : run.key != KeyOf(build);
}

std::optional<ObservedCommit> Overtaken(const ImageBuild& build, const BuildRun& run) {
  if (!run.commit) return std::nullopt;
  auto seen = Observed(build, &run);
  return seen && !seen->commit.empty() && seen->commit != run.commit->sha ? std::move(seen) : std::nullopt;
}

std::optional<TimePoint> RetryAt(const ImageBuild& build) {
  const auto* run = Newest(build);
  if (run == nullptr || !run->failure || !run->finished) return std::nullopt;
  if (!MayPass(run->failure->reason) || run->attempt > build.spec.build.retries) return std::nullopt;
  return *run->finished + kRetryBackoff * (1 << std::clamp(run->attempt - 1, 0, 6));
}

std::optional<Cause> NextCause(const ImageBuild& build) {
  const auto* newest = Newest(build);
  if (newest == nullptr || Outdated(build, *newest)) return FromSpec(build);
  const auto seen = Observed(build, newest);
  if (seen && (seen->commit.empty() || !newest->commit || seen->commit != newest->commit->sha)) {
    return FromCommit(*seen);
  }
  if (auto cause = FromBases(build, *newest)) return cause;
  return FromFailure(build, *newest);
}

}  // namespace slipway::image_build
