#include "resources/observed.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "base/text.h"
#include "resources/tolerant.h"

namespace slipway::resources {
namespace {

using kube::Json;

constexpr std::size_t kMostText = 8192;
constexpr std::size_t kMostBases = 8;
constexpr std::size_t kTitle = 200;

Json Parse(const kube::ObjectMeta& meta, std::string_view name) {
  const auto at = meta.annotations.find(name);
  if (at == meta.annotations.end() || at->second.size() > kMostText) return nullptr;
  return Json::parse(at->second, nullptr, false);
}

bool IsCommit(std::string_view text) {
  return text.size() == 40 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Refs end up in arguments and messages.
bool IsRef(std::string_view text) {
  return text.starts_with("refs/") && text.size() <= 250 && !text.contains("..") &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_./+@#=-").contains(c);
         });
}

std::optional<int> NumberOf(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? std::optional(number) : std::nullopt;
}

std::optional<ObservedPull> PullOf(const kube::ObjectMeta& meta, const std::string& name) {
  const Json json = Parse(meta, name);
  const auto number = NumberOf(std::string_view(name).substr(kPullAnnotationPrefix.size()));
  const auto time = TimeAt(json, "time");
  ObservedPull pull{
      .commit = TextAt(json, "commit"), .ref = TextAt(json, "ref"), .title = TextAt(json, "title")};
  if (!number || !time || !IsCommit(pull.commit) || !IsRef(pull.ref)) return std::nullopt;
  pull.number = *number;
  // What is not said to be of this repository is not trusted as if it were.
  pull.fork = !At(json, "fork").is_boolean() || BoolAt(json, "fork");
  pull.title = Clip(std::move(pull.title), kTitle);
  pull.time = *time;
  return pull;
}

}  // namespace

std::string Encode(const ObservedCommit& o) {
  return Json{{"commit", o.commit}, {"ref", o.ref}, {"revision", o.revision},
              {"url", o.url},       {"by", o.by},   {"time", FormatMicroTime(o.time)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Encode(const ObservedBases& o) {
  return Json{{"bases", o.bases}, {"time", FormatTime(o.time)}}.dump(-1, ' ', false,
                                                                     Json::error_handler_t::replace);
}

std::string Encode(const ObservedPull& o) {
  return Json{{"commit", o.commit},
              {"ref", o.ref},
              {"fork", o.fork},
              {"title", o.title},
              {"time", FormatTime(o.time)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ObservedCommit> CommitOf(const kube::ObjectMeta& meta) {
  const Json json = Parse(meta, kObservedCommitAnnotation);
  const auto time = TimeAt(json, "time");
  ObservedCommit seen{.commit = TextAt(json, "commit"),
                      .ref = TextAt(json, "ref"),
                      .revision = TextAt(json, "revision"),
                      .url = TextAt(json, "url"),
                      .by = TextAt(json, "by")};
  if (!time || !IsRef(seen.ref) || (seen.by != "Webhook" && seen.by != "Poll")) return std::nullopt;
  const bool hint = seen.by == "Webhook" && seen.commit.empty() && At(json, "commit").is_string();
  if (!hint && !IsCommit(seen.commit)) return std::nullopt;
  seen.time = *time;
  return seen;
}

std::optional<ObservedBases> BasesOf(const kube::ObjectMeta& meta) {
  const Json json = Parse(meta, kObservedBasesAnnotation);
  const auto time = TimeAt(json, "time");
  ObservedBases seen{.bases = TextsAt(json, "bases")};
  if (!time || seen.bases.size() > kMostBases) return std::nullopt;
  seen.time = *time;
  return seen;
}

std::string PollMark(const ImageBuild& build) {
  const auto& spec = build.spec;
  const Json asked = Json::array({build.meta.key.name, spec.source.url,
                                  spec.source.credentials_secret_ref.value_or(NameRef{}).name,
                                  spec.build.base_credentials_secret_ref.value_or(NameRef{}).name,
                                  spec.ca_bundle_ref.value_or(NameRef{}).name});
  return ShortHash(asked.dump(-1, ' ', false, Json::error_handler_t::replace), 8);
}

std::string MarkOf(const kube::ObjectMeta& meta, std::string_view annotation) {
  const auto at = meta.annotations.find(annotation);
  return at == meta.annotations.end() ? "" : ShortHash(at->second);
}

std::vector<ObservedPull> PullsOf(const kube::ObjectMeta& meta) {
  std::vector<ObservedPull> pulls;
  for (auto at = meta.annotations.lower_bound(kPullAnnotationPrefix);
       at != meta.annotations.end() && at->first.starts_with(kPullAnnotationPrefix); ++at) {
    if (auto pull = PullOf(meta, at->first)) pulls.push_back(std::move(*pull));
  }
  std::ranges::sort(pulls, {}, &ObservedPull::number);
  if (pulls.size() > kMostPulls) pulls.resize(kMostPulls);
  return pulls;
}

}  // namespace slipway::resources
