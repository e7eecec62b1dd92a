// `slipway-runner commit-status`: tells a forge how a commit fares. Here: what is sent and what an answer
// means, pure and tested as tables; commit_status_send.cc sends it, over verified TLS.
//
// As flags: --provider --api-url --repository=owner/name --commit --state --context --description
// [--target-url] --credentials=FOLDER [--ca=FILE] --report. The token is read from FOLDER/token; it stands in
// no argument, log or report.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::runner {

inline constexpr int kForgeFailed = 1;  // flags, files: anything without a code of its own
inline constexpr int kForgeDenied = 50;
inline constexpr int kForgeUnreachable = 51;
inline constexpr int kForgeRefused = 52;      // 4xx
inline constexpr int kForgeUnavailable = 53;  // 5xx, 429

struct CommitStatusOptions {
  std::string provider;    // GitHub, GitLab, Gitea
  std::string api_url;     // https://api.github.com, https://gitlab.example.com/api/v4, https://gitea…/api/v1
  std::string repository;  // owner/name; GitLab: group/subgroup/name
  std::string commit;      // 40 hexadecimal digits
  std::string state;       // pending, success, failure, error
  std::string context;
  std::string description;
  std::string target_url;
  std::string credentials_folder;
  std::string ca_file;  // PEM, trusted beside the system's
  std::string report_path = "/dev/termination-log";
};

struct ForgeFailure {
  int exit_code = kForgeFailed;
  std::string reason = "ForgeFailed";
  std::string message;    // one line of at most 800 bytes
  bool may_pass = false;  // the same again may have another end
  bool operator==(const ForgeFailure&) const = default;
};

struct ForgeRequest {
  bool tls = true;
  std::string host;
  std::string port;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool operator==(const ForgeRequest&) const = default;
};

// The POST of a status. The failure names the flag that can't be used.
std::expected<ForgeRequest, ForgeFailure> MakeForgeRequest(const CommitStatusOptions& options,
                                                           std::string_view token);

// What an answer means; none: it was taken. `said` is its body, of which `message` is shown.
std::optional<ForgeFailure> JudgeForgeAnswer(int code, std::string_view said, std::string_view token);

ForgeFailure MakeForgeFailure(int exit_code, std::string_view reason, std::string_view message,
                              bool may_pass = false);

// {"reason":…,"message":…}
std::string ToJson(const ForgeFailure& failure);

// At most three tries, 30 s each. The exit code.
int RunCommitStatus(const CommitStatusOptions& options);

}  // namespace slipway::runner
