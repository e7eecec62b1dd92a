#include "runner/commit_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "kube/status_error.h"
#include "runner/address.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMessage = 800;
constexpr std::size_t kDescription = 140;  // GitHub's bound, the narrowest
constexpr std::size_t kContext = 255;
constexpr std::array<std::string_view, 4> kStates{"pending", "success", "failure", "error"};

std::unexpected<ForgeFailure> Wrong(std::string_view what) {
  return std::unexpected(MakeForgeFailure(kForgeFailed, "ForgeFailed", what));
}

bool IsCommit(std::string_view text) {
  return text.size() == 40 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Segments of plain characters, none of which leads elsewhere.
bool IsRepositoryPath(std::string_view text) {
  if (text.empty() || text.size() > 512 || !text.contains('/')) return false;
  for (;;) {
    const auto slash = text.find('/');
    const std::string_view segment = text.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (!std::ranges::all_of(segment, IsUnreserved)) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= 4096 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// GitLab's words: pending, running, success, failed, canceled.
std::string_view GitLabState(std::string_view state) {
  if (state == "failure") return "failed";
  return state == "error" ? "canceled" : state;
}

// GitLab refuses to be told the same state twice, after a try whose answer was lost for example.
bool IsToldAlready(int code, std::string_view said) {
  return code == 400 && said.contains("Cannot transition status via :enqueue from :pending");
}

ForgeRequest ToGitLab(const CommitStatusOptions& o, const HttpUrl& api, std::string_view token) {
  ForgeRequest request{api.tls, api.host, api.port};
  request.target = fmt::format("{}/projects/{}/statuses/{}?state={}&name={}&description={}", api.path,
                               PercentEncoded(o.repository), o.commit, GitLabState(o.state),
                               PercentEncoded(o.context), PercentEncoded(o.description));
  if (!o.target_url.empty()) request.target += "&target_url=" + PercentEncoded(o.target_url);
  request.headers = {{"PRIVATE-TOKEN", std::string(token)}, {"Accept", "application/json"}};
  return request;
}

ForgeRequest ToGitHubOrGitea(const CommitStatusOptions& o, const HttpUrl& api, std::string_view token) {
  ForgeRequest request{api.tls, api.host, api.port};
  request.target = fmt::format("{}/repos/{}/statuses/{}", api.path, o.repository, o.commit);
  Json body{{"state", o.state}, {"context", o.context}, {"description", o.description}};
  if (!o.target_url.empty()) body["target_url"] = o.target_url;
  request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (o.provider == "GitHub") {
    request.headers = {{"Authorization", fmt::format("Bearer {}", token)},
                       {"Accept", "application/vnd.github+json"},
                       {"X-GitHub-Api-Version", "2022-11-28"}};
  } else {
    request.headers = {{"Authorization", fmt::format("token {}", token)}, {"Accept", "application/json"}};
  }
  request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

// The server's own words, without the token, should it repeat it.
std::string Words(std::string_view said, std::string_view token) {
  const Json json = Json::parse(said, nullptr, false);
  const auto found = json.is_object() ? json.find("message") : json.end();
  if (!json.is_object() || found == json.end()) return {};
  std::string words = found->is_string() ? found->get<std::string>()
                                         : found->dump(-1, ' ', false, Json::error_handler_t::replace);
  for (auto at = words.find(token); !token.empty() && at != std::string::npos; at = words.find(token)) {
    words.replace(at, token.size(), "…");
  }
  return ": " + words;
}

}  // namespace

ForgeFailure MakeForgeFailure(int exit_code, std::string_view reason, std::string_view message,
                              bool may_pass) {
  return {exit_code, std::string(reason), kube::Printable(message, kMessage), may_pass};
}

std::string ToJson(const ForgeFailure& failure) {
  return Json{{"reason", failure.reason}, {"message", failure.message}}.dump(-1, ' ', false,
                                                                             Json::error_handler_t::replace);
}

std::expected<ForgeRequest, ForgeFailure> MakeForgeRequest(const CommitStatusOptions& options,
                                                           std::string_view token) {
  const auto api = ParseHttpUrl(options.api_url);
  if (!api) return Wrong("--api-url is not http(s)://host[:port][/path]");
  if (!IsRepositoryPath(options.repository)) return Wrong("--repository is not owner/name");
  if (!IsCommit(options.commit)) return Wrong("--commit is not a full SHA");
  if (std::ranges::find(kStates, options.state) == kStates.end()) {
    return Wrong("--state is none of pending, success, failure and error");
  }
  if (!IsToken(token)) return Wrong("the Secret has no usable key 'token'");
  CommitStatusOptions fit = options;
  fit.description = Clip(kube::Printable(fit.description), kDescription);
  fit.context = Clip(kube::Printable(fit.context), kContext);
  const bool gitlab = options.provider == "GitLab";
  if (!gitlab && options.provider != "GitHub" && options.provider != "Gitea") {
    return Wrong("--provider is none of GitHub, GitLab and Gitea");
  }
  ForgeRequest request = gitlab ? ToGitLab(fit, *api, token) : ToGitHubOrGitea(fit, *api, token);
  request.headers.emplace_back("Host", HostHeader(*api));
  request.headers.emplace_back("User-Agent", "slipway-runner");
  return request;
}

std::optional<ForgeFailure> JudgeForgeAnswer(int code, std::string_view said, std::string_view token) {
  if ((code >= 200 && code < 300) || IsToldAlready(code, said)) return std::nullopt;
  const std::string words = fmt::format("the forge answered {}{}", code, Words(said, token));
  if (code == 401 || code == 403) return MakeForgeFailure(kForgeDenied, "ForgeDenied", words);
  if (code == 429 || code >= 500) {
    return MakeForgeFailure(kForgeUnavailable, "ForgeUnavailable", words, true);
  }
  return MakeForgeFailure(kForgeRefused, "ForgeRefused", words);
}

}  // namespace slipway::runner
