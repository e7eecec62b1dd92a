// What the poller and the webhook receiver tell the controller: annotations of the ImageBuild, which they may
// write and nothing else. Each says what it answers, so that one which is older than the spec, or than the
// run at hand, is seen to be so.
#pragma once

#include "resources/image_build.h"

namespace slipway::resources {

// People's.
inline constexpr std::string_view kRebuildAnnotation = "slipway.dev/rebuild";  // a new value builds again
inline constexpr std::string_view kCancelAnnotation = "slipway.dev/cancel";    // the number of a run
// The poller's and the receiver's.
inline constexpr std::string_view kObservedCommitAnnotation = "slipway.dev/observed-commit";
inline constexpr std::string_view kObservedBasesAnnotation = "slipway.dev/observed-bases";
inline constexpr std::string_view kPullAnnotationPrefix = "slipway.dev/pull.";  // and the number
inline constexpr std::size_t kMostPulls = 50;

struct ObservedCommit {
  std::string commit;    // 40 hexadecimal digits; of a webhook also empty: the ref moved, look it up
  std::string ref;       // refs/heads/main
  std::string revision;  // spec.source.git.revision, or semver, that was looked up
  std::string url;       // spec.source.git.url
  std::string by;        // Webhook, Poll
  TimePoint time{};
  bool operator==(const ObservedCommit&) const = default;
};

struct ObservedBases {
  std::map<std::string, std::string> bases;  // image to digest
  TimePoint time{};
  bool operator==(const ObservedBases&) const = default;
};

// A pull request that is open.
struct ObservedPull {
  int number = 0;
  std::string commit;
  std::string ref;  // refs/pull/7/head, refs/merge-requests/7/head
  bool fork = false;
  std::string title;
  TimePoint time{};
  bool operator==(const ObservedPull&) const = default;
};

// The annotations' values. nullopt: not there, or not one of these; what a person broke is as good as absent.
std::string Encode(const ObservedCommit& observed);
std::string Encode(const ObservedBases& observed);
std::string Encode(const ObservedPull& observed);
std::optional<ObservedCommit> CommitOf(const kube::ObjectMeta& meta);
std::optional<ObservedBases> BasesOf(const kube::ObjectMeta& meta);
// A mark of an annotation's value, "" when there is none: whether it was written since is told by comparing
// two marks, for the clocks of those who write are not ours.
std::string MarkOf(const kube::ObjectMeta& meta, std::string_view annotation);
std::vector<ObservedPull> PullsOf(const kube::ObjectMeta& meta);  // by number; at most kMostPulls

// A mark of what the poller asks, of whom and with which credentials, for this ImageBuild. The operator hands
// it the marks of those that the policy allows.
std::string PollMark(const ImageBuild& build);

}  // namespace slipway::resources
