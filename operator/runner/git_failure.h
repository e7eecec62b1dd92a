// What went wrong, read from git's words on standard error: pure, so that it is tested as a table. git has no
// exit codes for causes; its messages, and those of ssh, are stable under LC_ALL=C.
#pragma once

#include <string>
#include <string_view>

namespace slipway::runner {

// Exit codes of `slipway-runner resolve` and `clone`.
inline constexpr int kGitFailed = 1;  // anything that has no code of its own
inline constexpr int kGitHostUnreachable = 20;
inline constexpr int kGitAuthFailed = 21;
inline constexpr int kRevisionNotFound = 22;
inline constexpr int kContextNotFound = 23;  // the reason is ContextNotFound or DockerfileNotFound
inline constexpr int kRepositoryNotFound = 24;
inline constexpr int kHostKeyUnknown = 25;        // known_hosts has no key of the ssh host, or another one
inline constexpr int kCertificateUntrusted = 26;  // of the https host

struct GitFailure {
  int exit_code = kGitFailed;
  std::string reason = "GitFailed";
  std::string message;  // one line of at most 800 bytes, without user names and passwords
  bool operator==(const GitFailure&) const = default;
};

// Makes the message fit: one line, bounded, without userinfo in URLs.
GitFailure MakeGitFailure(int exit_code, std::string_view reason, std::string_view message);

// Never reads what follows "remote:", for the server writes that. What a server writes over ssh has no such
// mark; it may then choose the reason that its own failure gets, and no more.
GitFailure Classify(std::string_view errors);

// True when the server lets nobody ask for a commit by its SHA, or knows no shallow fetch: the commit may
// still be there, below a branch or a tag.
bool RefusesBareCommit(std::string_view errors);

// {"reason":…,"message":…}
std::string ToJson(const GitFailure& failure);

}  // namespace slipway::runner
