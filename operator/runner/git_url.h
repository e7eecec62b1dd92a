// What git is told to fetch, judged before git sees it: URLs of repositories, names of refs, commits. Pure.
// Nothing that passes here can be taken for an option, a local path or a helper program's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::runner {

struct GitUrl {
  enum class Transport : std::uint8_t { kHttp, kSsh };
  Transport transport = Transport::kHttp;
  // "https://host:8443": whom credentials for the URL may be shown to, and nobody else. Empty for ssh.
  std::string origin;
};

// http://host[:port]/path, https://…, ssh://[user@]host[:port]/path or user@host:path. nullopt for all else:
// other schemes, a password, a user's name before an http host, blanks, a host or a path that begins with
// '-'.
std::optional<GitUrl> ParseGitUrl(std::string_view url);
bool IsGitUrl(std::string_view url);

// A branch, a tag, HEAD, "refs/…" or a SHA.
bool IsRevision(std::string_view revision);

// A name that a server shows: HEAD or "refs/…".
bool IsRef(std::string_view ref);

// 40 hexadecimal digits, of either case.
bool IsSha(std::string_view text);

}  // namespace slipway::runner
