#include "image_build/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/names.h"
#include "resources/rules.h"

namespace slipway::image_build {
namespace {

using resources::JobRole;

constexpr std::size_t kLongestTag = 128;  // the distribution specification's
constexpr std::size_t kBranchLetters = 50;

std::string_view RoleName(JobRole role) {
  static constexpr std::array<std::string_view, 6> kNames{"resolve", "test",   "build",
                                                          "index",   "report", "attest"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string_view After(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}

// A branch may hold what a tag may not: "feature/x" is feature-x.
std::string Branch(std::string_view ref) {
  std::string branch(After(ref, "refs/heads/").substr(0, kBranchLetters));
  for (char& c : branch) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fits) c = '-';
  }
  return branch;
}

// The version that a tag names: without its 'v', and with '_' for the '+' that no image tag may hold.
std::string Version(std::string_view ref) {
  std::string_view tag = After(ref, "refs/tags/");
  if (tag.starts_with('v')) tag.remove_prefix(1);
  const bool version = !tag.empty() && tag.front() >= '0' && tag.front() <= '9';
  std::string text(version ? tag : std::string_view());
  std::ranges::replace(text, '+', '_');
  return text;
}

// 20060102T150405Z
std::string Stamp(const std::optional<TimePoint>& time) {
  std::string text = time ? FormatTime(*time) : "";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

struct Filling {
  std::string_view name;
  std::string value;
  std::string_view missing;  // why it may be empty
};

std::vector<Filling> FillingsOf(const resources::BuildRun& run) {
  const auto& commit = *run.commit;
  return {{"{{commit}}", commit.sha, ""},
          {"{{shortCommit}}", ShortCommit(commit.sha), ""},
          {"{{branch}}", Branch(run.ref), "the revision is no branch"},
          {"{{semver}}", Version(run.ref), "the revision is no tag with a version"},
          {"{{timestamp}}", Stamp(commit.author_time), "the commit has no time"},
          {"{{run}}", std::to_string(run.number), ""}};
}

Result<std::string> Fill(const std::string& pattern, const std::vector<Filling>& fillings) {
  std::string tag = pattern;
  for (const auto& filling : fillings) {
    auto at = tag.find(filling.name);
    if (at != std::string::npos && filling.value.empty()) {
      return Fail(ErrorKind::kInvalid, fmt::format("{}: there is nothing to fill {} with: {}", pattern,
                                                   filling.name, filling.missing));
    }
    for (; at != std::string::npos; at = tag.find(filling.name, at + filling.value.size())) {
      tag.replace(at, filling.name.size(), filling.value);
    }
  }
  if (tag.size() > kLongestTag) {
    return Fail(ErrorKind::kInvalid,
                fmt::format("{}: {} has more than the {} letters of a tag", pattern, tag, kLongestTag));
  }
  if (!resources::Keeps(resources::kTag, tag)) {
    return Fail(ErrorKind::kInvalid, fmt::format("{}: '{}' is not a tag", pattern, tag));
  }
  return tag;
}

Result<std::vector<std::string>> FillAll(const std::vector<std::string>& templates,
                                         const resources::BuildRun& run,
                                         const std::vector<Filling>& fillings) {
  std::vector<std::string> tags;
  for (const auto& pattern : templates) {
    auto tag = Fill(pattern, fillings);
    if (!tag) return std::unexpected(std::move(tag).error());
    if (std::ranges::find(tags, *tag) == tags.end()) tags.push_back(std::move(*tag));
  }
  if (tags.empty()) tags.push_back(run.commit->sha);
  return tags;
}

void AddCombinations(const resources::TestSpec& test, std::vector<Leg>& legs) {
  std::vector<Leg> combined{{&test, test.name, {}}};
  for (const auto& axis : test.matrix) {
    std::vector<Leg> next;
    for (const auto& leg : combined) {
      for (const auto& value : axis.values) {
        Leg& more = next.emplace_back(leg);
        more.name += fmt::format(" {}={}", axis.name, value);
        more.values.push_back({axis.name, value});
      }
    }
    combined = std::move(next);
  }
  std::ranges::move(combined, std::back_inserter(legs));
}

}  // namespace

std::string JobName(const kube::ObjectMeta& build, int run, JobRole role, std::string_view leg) {
  std::string identity = build.uid.value + "/" + std::to_string(run);
  if (!leg.empty()) identity += fmt::format("/{}", leg);
  return ChildName(build.key.name, RoleName(role), identity);
}

std::string PullBuildName(const kube::ObjectMeta& build, int number) {
  return ChildName(build.key.name, fmt::format("pr-{}", number), build.uid.value);
}

bool IsCommit(std::string_view revision) {
  return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string LowerHex(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string ShortCommit(std::string_view sha) { return std::string(sha.substr(0, 12)); }

Result<std::vector<std::string>> RenderTags(const std::vector<std::string>& templates,
                                            const resources::BuildRun& run) {
  return FillAll(templates, run, FillingsOf(run));
}

Result<std::vector<std::string>> RenderTagsBefore(const std::vector<std::string>& templates,
                                                  const resources::BuildRun& run) {
  auto fillings = FillingsOf(run);
  const auto time = std::ranges::find(fillings, "{{timestamp}}", &Filling::name);
  time->value = time->name;
  return FillAll(templates, run, fillings);
}

std::string StagingTag(const resources::BuildRun& run, std::string_view platform) {
  std::string tag = fmt::format("slipway-{}-{}-{}", ShortCommit(run.commit->sha), run.number, platform);
  std::ranges::replace(tag, '/', '-');
  return tag;
}

std::string CacheRepository(const resources::ImageBuild& build) {
  const auto& cache = build.spec.build.cache;
  if (!cache) return "";
  return fmt::format("{}/{}/{}", cache->repository, build.meta.key.ns,
                     build.spec.output.push ? "trusted" : "pull-requests");
}

std::vector<Leg> LegsOf(const std::vector<resources::TestSpec>& tests) {
  std::vector<Leg> legs;
  for (const auto& test : tests) AddCombinations(test, legs);
  return legs;
}

}  // namespace slipway::image_build
