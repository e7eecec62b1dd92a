#include "runner/git_url.h"

#include <algorithm>

namespace slipway::runner {
namespace {

constexpr std::size_t kShaDigits = 40;
constexpr std::size_t kPortDigits = 5;

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Only such characters, and one that no option begins with.
bool IsName(std::string_view text, std::string_view others) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](char c) {
    return IsLetterOrDigit(c) || others.find(c) != std::string_view::npos;
  });
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= kPortDigits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Taken off the front, with the '@'; true when there is none or it is well.
bool TakeUser(std::string_view& text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return true;
  const std::string_view user = text.substr(0, at);
  text.remove_prefix(at + 1);
  return IsName(user, "_.-");  // a password would come after a ':'
}

bool IsSshPath(std::string_view path) { return !path.empty() && path.front() != '-'; }

std::optional<GitUrl> ParseHttp(std::string_view url, std::size_t scheme) {
  const std::string_view authority = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  const bool well =
      !authority.empty() && authority.front() != '-' && authority.find('@') == std::string_view::npos;
  if (!well) return std::nullopt;
  return GitUrl{GitUrl::Transport::kHttp, std::string(url.substr(0, scheme + authority.size()))};
}

std::optional<GitUrl> ParseSsh(std::string_view rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash + 1 == rest.size()) return std::nullopt;
  std::string_view authority = rest.substr(0, slash);
  if (!TakeUser(authority)) return std::nullopt;
  const std::size_t colon = authority.find(':');
  const bool port = colon != std::string_view::npos;
  if (port && !IsPort(authority.substr(colon + 1))) return std::nullopt;
  if (!IsName(authority.substr(0, colon), ".-_") || !IsSshPath(rest.substr(slash + 1))) return std::nullopt;
  return GitUrl{GitUrl::Transport::kSsh, ""};
}

// user@host:path. Without the user it could be a path of this machine, or a helper's name.
std::optional<GitUrl> ParseScp(std::string_view url) {
  const std::size_t colon = url.find(':');
  std::string_view authority = url.substr(0, colon);
  const bool parts = colon != std::string_view::npos && authority.find('@') != std::string_view::npos;
  if (!parts || !TakeUser(authority) || !IsName(authority, ".-_")) return std::nullopt;
  const std::string_view path = url.substr(colon + 1);
  // "user@host://…" and "user@host::…" are none that git and ssh read alike.
  if (!IsSshPath(path) || path.starts_with("//") || path.front() == ':') return std::nullopt;
  return GitUrl{GitUrl::Transport::kSsh, ""};
}

}  // namespace

std::optional<GitUrl> ParseGitUrl(std::string_view url) {
  const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~' && c != '\\'; });
  if (!plain) return std::nullopt;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme)) return ParseHttp(url, scheme.size());
  }
  constexpr std::string_view kSsh = "ssh://";
  return url.starts_with(kSsh) ? ParseSsh(url.substr(kSsh.size())) : ParseScp(url);
}

bool IsGitUrl(std::string_view url) { return ParseGitUrl(url).has_value(); }

bool IsRevision(std::string_view revision) {
  const bool begins = !revision.empty() && (IsLetterOrDigit(revision.front()) || revision.front() == '_');
  return begins && IsName(revision, "._/+-@#=") && revision.find("..") == std::string_view::npos;
}

bool IsRef(std::string_view ref) { return ref == "HEAD" || (ref.starts_with("refs/") && IsRevision(ref)); }

bool IsSha(std::string_view text) {
  return text.size() == kShaDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

}  // namespace slipway::runner
