// The names of what a run makes. A Job's name follows from the object's UID, the run's number, the Job's role
// and its leg alone, so that a repeated create meets the first one, and no two runs share a Job.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/image_build.h"

namespace slipway::image_build {

std::string JobName(const kube::ObjectMeta& build, int run, resources::JobRole role,
                    std::string_view leg = {});

// The ImageBuild that is made for a pull request.
std::string PullBuildName(const kube::ObjectMeta& build, int number);

// A revision that can't move: 40 hexadecimal digits.
bool IsCommit(std::string_view revision);

// In lower case.
std::string LowerHex(std::string text);

// The first 12 digits of a commit: `{{shortCommit}}`, and how messages name it.
std::string ShortCommit(std::string_view sha);

// The tags of the spec, rendered for a run whose commit is known; a tag that occurs twice is kept once, and
// none at all is the commit. kInvalid names the template that can't be filled, and why.
Result<std::vector<std::string>> RenderTags(const std::vector<std::string>& templates,
                                            const resources::BuildRun& run);

// The same for a run whose commit is not fetched yet: {{timestamp}} stays, for the runner to fill.
Result<std::vector<std::string>> RenderTagsBefore(const std::vector<std::string>& templates,
                                                  const resources::BuildRun& run);

// One platform's image is pushed under this tag before the index names it.
std::string StagingTag(const resources::BuildRun& run, std::string_view platform);

// Where this build's layers are kept: apart for each namespace, and for code that is not merged yet. Empty
// when no cache is asked for.
std::string CacheRepository(const resources::ImageBuild& build);

// One test with one combination of its matrix's values.
struct Leg {
  const resources::TestSpec* test = nullptr;
  std::string name;  // "unit GO=1.24 OS=a"
  std::vector<resources::NameValue> values;
};
// In the spec's order; what `leg` refers to lives in `tests`.
std::vector<Leg> LegsOf(const std::vector<resources::TestSpec>& tests);

// The volumes of Secrets, by which the kubelet names them when it can't mount one.
inline constexpr std::string_view kGitCredentials = "git-credentials";
inline constexpr std::string_view kBaseCredentials = "base-credentials";
inline constexpr std::string_view kCacheCredentials = "cache-credentials";
inline constexpr std::string_view kPushCredentials = "push-credentials";
inline constexpr std::string_view kReportCredentials = "report-credentials";
inline constexpr std::string_view kCaBundle = "ca-bundle";

}  // namespace slipway::image_build
