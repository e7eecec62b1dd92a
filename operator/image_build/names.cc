#include "image_build/names.h"

#include <algorithm>

#include "base/names.h"

namespace slipway::image_build {
namespace {

std::string JobName(const kube::ObjectMeta& build, std::string_view role, int run) {
  return ChildName(build.key.name, role, build.uid.value + "/" + std::to_string(run));
}

void ReplaceAll(std::string& text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string ResolveJobName(const kube::ObjectMeta& build, int run) { return JobName(build, "resolve", run); }
std::string BuildJobName(const kube::ObjectMeta& build, int run) { return JobName(build, "build", run); }

bool IsCommit(std::string_view revision) {
  return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string ShortCommit(std::string_view sha) { return std::string(sha.substr(0, 12)); }

std::vector<std::string> RenderTags(const std::vector<std::string>& templates, const std::string& sha) {
  std::vector<std::string> tags;
  for (std::string tag : templates) {
    ReplaceAll(tag, "{{commit}}", sha);
    ReplaceAll(tag, "{{shortCommit}}", ShortCommit(sha));
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(std::move(tag));
  }
  if (tags.empty()) tags.push_back(sha);
  return tags;
}

std::string PushContainer(std::size_t index) { return index == 0 ? "push" : "tag-" + std::to_string(index); }

}  // namespace slipway::image_build
