// The names of the two Jobs of a run: they follow from the object's UID and the run's number alone, so that a
// repeated create meets the first one, and no two runs share a Job.
#pragma once

#include <string>
#include <string_view>

#include "resources/image_build.h"

namespace slipway::image_build {

std::string ResolveJobName(const kube::ObjectMeta& build, int run);
std::string BuildJobName(const kube::ObjectMeta& build, int run);

// A revision that can't move: 40 hexadecimal digits.
bool IsCommit(std::string_view revision);

// The first 12 digits of a commit: `{{shortCommit}}`, and how messages name it.
std::string ShortCommit(std::string_view sha);

// The tags of the spec, rendered for a commit; a tag that occurs twice is kept once, and none at all
// is the commit.
std::vector<std::string> RenderTags(const std::vector<std::string>& templates, const std::string& sha);

// The volumes of Secrets, by which the kubelet names them when it can't mount one.
inline constexpr std::string_view kGitCredentials = "git-credentials";
inline constexpr std::string_view kBuildCredentials = "build-credentials";
inline constexpr std::string_view kPushCredentials = "push-credentials";

// The name of the container that pushes tag number `index`: "push", then "tag-1", "tag-2", …
std::string PushContainer(std::size_t index);

}  // namespace slipway::image_build
