#include "runner/git_failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "runner/text.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kMessageBytes = 800;
constexpr std::size_t kLineBytes = 640;

struct Cause {
  std::string_view words;
  int exit_code;
};

// The first that a line holds counts. Words of git 2.39, of libcurl with GnuTLS and with OpenSSL, and of
// OpenSSH 9. All of them hold a blank, which no URL that we accept does: a URL that is quoted in a message
// matches none.
constexpr auto kCauses = std::to_array<Cause>({
    {"Authentication failed for", kGitAuthFailed},
    {"could not read Username for", kGitAuthFailed},
    {"could not read Password for", kGitAuthFailed},
    {"requested URL returned error: 401", kGitAuthFailed},
    {"requested URL returned error: 403", kGitAuthFailed},
    {"requested URL returned error: 404", kRepositoryNotFound},
    {"requested URL returned error: 429", kGitHostUnreachable},
    {"requested URL returned error: 5", kGitHostUnreachable},
    {"does not appear to be a git repository", kRepositoryNotFound},
    {"ERROR: Repository not found", kRepositoryNotFound},
    {"host key is known for", kHostKeyUnknown},
    {"Host key verification failed", kHostKeyUnknown},
    {"Permission denied (publickey", kGitAuthFailed},
    {"Too many authentication failures", kGitAuthFailed},
    {"Load key ", kGitAuthFailed},
    {"couldn't find remote ref", kRevisionNotFound},
    {"not our ref", kRevisionNotFound},
    {"does not allow request for unadvertised object", kRevisionNotFound},
    {"reference is not a tree", kRevisionNotFound},
    {"unable to read tree", kRevisionNotFound},
    {"Could not resolve host", kGitHostUnreachable},
    {"Could not resolve proxy", kGitHostUnreachable},
    {"Failed to connect to", kGitHostUnreachable},
    {"Couldn't connect to server", kGitHostUnreachable},
    {"Connection refused", kGitHostUnreachable},
    {"Connection timed out", kGitHostUnreachable},
    {"Connection reset by peer", kGitHostUnreachable},
    {"Operation timed out", kGitHostUnreachable},
    {"Resolving timed out", kGitHostUnreachable},
    {"Timeout was reached", kGitHostUnreachable},
    {"Operation too slow", kGitHostUnreachable},
    {"No route to host", kGitHostUnreachable},
    {"Network is unreachable", kGitHostUnreachable},
    {"Empty reply from server", kGitHostUnreachable},
    {"Connection closed by", kGitHostUnreachable},
    {"SSL connect error", kGitHostUnreachable},
    {"OpenSSL SSL_connect", kGitHostUnreachable},
    {"SSL certificate problem", kCertificateUntrusted},
    {"SSL: no alternative certificate", kCertificateUntrusted},
    {"certificate verification failed", kCertificateUntrusted},
    {"certificate verify locations", kCertificateUntrusted},
    {"certificate subject name", kCertificateUntrusted},
    {"gnutls_handshake() failed", kGitHostUnreachable},
    {"TLS connection was non-properly terminated", kGitHostUnreachable},
});

// Lines that follow another failure and explain nothing.
constexpr auto kEchoes = std::to_array<std::string_view>({
    "the remote end hung up",
    "early EOF",
    "index-pack failed",
    "unexpected disconnect",
    "Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists",
    "invalid index-pack output",
    "hint:",
    "into submodule path",
    "Failed to clone",
});

bool Holds(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

// Without blank lines and without what the server says; a carriage return ends a line of progress.
std::vector<std::string_view> Lines(std::string_view errors) {
  std::vector<std::string_view> lines;
  while (!errors.empty()) {
    const std::size_t end = errors.find_first_of("\r\n");
    const std::string_view line = Trimmed(errors.substr(0, end));
    errors.remove_prefix(end == std::string_view::npos ? errors.size() : end + 1);
    if (!line.empty() && !line.starts_with("remote:")) lines.push_back(line);
  }
  return lines;
}

std::string_view WithoutLabel(std::string_view line) {
  for (const std::string_view label : {"fatal: ", "error: "}) {
    if (line.starts_with(label)) return line.substr(label.size());
  }
  return line;
}

int CodeOf(std::string_view line) {
  const std::string_view said = WithoutLabel(line);
  if (said.starts_with("repository '") && said.ends_with("' not found")) return kRepositoryNotFound;
  // Whatever else stands in it, the server wrote.
  if (said.starts_with("remote error: ")) return Holds(said, "not our ref") ? kRevisionNotFound : kGitFailed;
  const auto* const cause =
      std::ranges::find_if(kCauses, [&](const Cause& c) { return Holds(said, c.words); });
  return cause == kCauses.end() ? kGitFailed : cause->exit_code;
}

struct Words {
  std::string_view reason;
  std::string_view sentence;
};

Words WordsOf(int exit_code) {
  switch (exit_code) {
    case kGitHostUnreachable:
      return {"GitHostUnreachable", "the git host can't be reached"};
    case kGitAuthFailed:
      return {"GitAuthFailed", "the git host does not accept the credentials"};
    case kRevisionNotFound:
      return {"RevisionNotFound", "the repository has no such revision"};
    case kRepositoryNotFound:
      return {"RepositoryNotFound", "there is no such repository"};
    case kHostKeyUnknown:
      return {"HostKeyUnknown", "the key known_hosts of the Secret does not have the git host's key"};
    case kCertificateUntrusted:
      return {"CertificateUntrusted", "the git host's certificate is not trusted"};
    default:
      return {"GitFailed", "git failed"};
  }
}

GitFailure Told(int exit_code, std::string_view line) {
  const Words words = WordsOf(exit_code);
  const std::string said = OneLine(WithoutUserinfo(WithoutLabel(line)), kLineBytes);
  return MakeGitFailure(exit_code, words.reason, fmt::format("{}: {}", words.sentence, said));
}

// ssh puts a frame of '@' around this, and names the key that it was shown on a line of its own.
GitFailure ToldOfChangedKey(const std::vector<std::string_view>& lines) {
  std::string shown;
  for (const std::string_view line : lines) {
    if (line.starts_with("SHA256:")) shown = " (it shows " + OneLine(line, kLineBytes) + ")";
  }
  return MakeGitFailure(kHostKeyUnknown, WordsOf(kHostKeyUnknown).reason,
                        fmt::format("the git host shows another key than the one in known_hosts of the "
                                    "Secret{}: the host's key was changed, or somebody stands in between",
                                    shown));
}

}  // namespace

GitFailure MakeGitFailure(int exit_code, std::string_view reason, std::string_view message) {
  return {exit_code, std::string(reason), OneLine(WithoutUserinfo(message), kMessageBytes)};
}

GitFailure Classify(std::string_view errors) {
  const std::vector<std::string_view> lines = Lines(errors);
  for (const std::string_view line : lines) {
    if (Holds(line, "REMOTE HOST IDENTIFICATION HAS CHANGED")) return ToldOfChangedKey(lines);
    if (const int code = CodeOf(line); code != kGitFailed) return Told(code, line);
  }
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (std::ranges::none_of(kEchoes, [&](std::string_view echo) { return Holds(*line, echo); })) {
      return Told(kGitFailed, *line);
    }
  }
  return Told(kGitFailed, lines.empty() ? "it said nothing" : lines.back());
}

bool RefusesBareCommit(std::string_view errors) {
  return Holds(errors, "not our ref") || Holds(errors, "unadvertised object") ||
         Holds(errors, "does not support shallow");
}

std::string ToJson(const GitFailure& failure) {
  return nlohmann::json{{"reason", failure.reason}, {"message", failure.message}}.dump();
}

}  // namespace slipway::runner
