#include "trigger/repository.h"

#include <algorithm>
#include <utility>

namespace slipway::trigger {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";

struct Parts {
  std::string_view scheme;
  std::string_view authority;  // without the user
  std::string_view path;
};

std::optional<Parts> Split(std::string_view url) {
  Parts parts;
  const auto mark = url.find("://");
  if (mark != std::string_view::npos) {
    parts.scheme = url.substr(0, mark);
    url.remove_prefix(mark + 3);
    const auto slash = url.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    parts.authority = url.substr(0, slash);
    parts.path = url.substr(slash);
  } else {
    const auto colon = url.find(':');
    if (colon == std::string_view::npos || url.find('/') < colon) return std::nullopt;
    parts.scheme = "ssh";
    parts.authority = url.substr(0, colon);
    parts.path = url.substr(colon + 1);
  }
  const auto at = parts.authority.rfind('@');
  if (at != std::string_view::npos) parts.authority.remove_prefix(at + 1);
  return parts;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

std::string_view PortOf(std::string_view scheme) {
  if (scheme == "https") return ":443";
  if (scheme == "http") return ":80";
  return scheme == "ssh" ? ":22" : "";
}

}  // namespace

std::optional<std::string> RepositoryOf(std::string_view url) {
  const auto parts = Split(url);
  if (!parts) return std::nullopt;
  const std::string_view own_port = PortOf(Lower(parts->scheme));
  if (own_port.empty()) return std::nullopt;
  std::string host = Lower(parts->authority);
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());
  std::string_view path = parts->path;
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(".git")) path.remove_suffix(4);
  if (host.empty() || path.empty()) return std::nullopt;
  return host + "/" + std::string(path);
}

bool IsFullSha(std::string_view revision) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return revision.size() == 40 && std::ranges::all_of(revision, hex);
}

bool Names(std::string_view revision, std::string_view ref, std::string_view default_branch) {
  if (revision.empty() || IsFullSha(revision)) return false;
  if (revision.starts_with("refs/")) return ref == revision;
  if (revision == "HEAD") {
    return !default_branch.empty() && ref.starts_with(kHeads) && ref.substr(kHeads.size()) == default_branch;
  }
  if (ref.starts_with(kHeads)) return ref.substr(kHeads.size()) == revision;
  return ref.starts_with(kTags) && ref.substr(kTags.size()) == revision;
}

}  // namespace slipway::trigger
