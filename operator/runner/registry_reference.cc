#include "runner/registry_reference.h"

#include <algorithm>
#include <cstddef>

namespace slipway::runner {
namespace {

constexpr std::size_t kMostTag = 128;
constexpr std::size_t kMostName = 255;
constexpr std::string_view kHub = "docker.io";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSmall(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c); }
bool IsAlphanumeric(char c) { return IsSmall(c) || (c >= 'A' && c <= 'Z'); }

bool Separates(std::string_view run) {
  return run == "." || run == "_" || run == "__" ||
         (!run.empty() && run.find_first_not_of('-') == std::string_view::npos);
}

// [a-z0-9]+ with one separator between: a dot, one or two underscores, or dashes.
bool IsPathPart(std::string_view part) {
  if (part.empty() || !IsSmall(part.front()) || !IsSmall(part.back())) return false;
  for (std::size_t at = 0; at < part.size();) {
    std::size_t end = at;
    while (end < part.size() && IsSmall(part[end]) == IsSmall(part[at])) ++end;
    if (!IsSmall(part[at]) && !Separates(part.substr(at, end - at))) return false;
    at = end;
  }
  return true;
}

bool IsPath(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!IsPathPart(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool IsHost(std::string_view host) {
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, IsDigit)) return false;
  }
  return !name.empty() && IsAlphanumeric(name.front()) && IsAlphanumeric(name.back()) &&
         std::ranges::all_of(name, [](char c) { return IsAlphanumeric(c) || c == '.' || c == '-'; });
}

// Docker's rule for the first part: it is a host when no path could look like it.
bool LooksLikeHost(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::optional<std::string> WholeRepository(std::string_view name) {
  const std::size_t slash = name.find('/');
  std::string_view host = kHub;
  std::string_view path = name;
  if (slash != std::string_view::npos && LooksLikeHost(name.substr(0, slash))) {
    host = name.substr(0, slash);
    path = name.substr(slash + 1);
  }
  if (host == "index.docker.io") host = kHub;
  if (!IsHost(host) || !IsPath(path) || name.size() > kMostName) return std::nullopt;
  const bool official = host == kHub && path.find('/') == std::string_view::npos;
  return std::string(host) + (official ? "/library/" : "/") + std::string(path);
}

}  // namespace

std::optional<ImageReference> ParseImage(std::string_view text) {
  ImageReference out;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    out.digest = text.substr(at + 1);
    if (!IsDigest(out.digest)) return std::nullopt;
    text = text.substr(0, at);
  }
  const std::size_t colon = text.rfind(':');
  // A colon before a slash is a port's.
  if (colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos) {
    out.tag = text.substr(colon + 1);
    if (!IsTag(out.tag)) return std::nullopt;
    text = text.substr(0, colon);
  }
  auto repository = WholeRepository(text);
  if (!repository) return std::nullopt;
  out.repository = *std::move(repository);
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

std::string ToString(const ImageReference& reference) {
  std::string out = reference.repository;
  if (!reference.tag.empty()) out += ":" + reference.tag;
  if (!reference.digest.empty()) out += "@" + reference.digest;
  return out;
}

std::string_view HostOf(std::string_view repository) { return repository.substr(0, repository.find('/')); }

bool IsRepository(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && LooksLikeHost(text.substr(0, slash)) &&
         WholeRepository(text).has_value();
}

bool IsTag(std::string_view text) {
  return !text.empty() && text.size() <= kMostTag && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text,
                             [](char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsDigest(std::string_view text) {
  constexpr std::string_view kAlgorithm = "sha256:";
  constexpr std::size_t kDigits = 64;
  if (!text.starts_with(kAlgorithm)) return false;
  text.remove_prefix(kAlgorithm.size());
  return text.size() == kDigits &&
         std::ranges::all_of(text, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace slipway::runner
