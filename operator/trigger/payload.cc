#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "resources/tolerant.h"
#include "trigger/delivery.h"

namespace slipway::trigger {
namespace {

using kube::Json;
using resources::At;
using resources::TextAt;

constexpr int kDeepest = 64;
constexpr std::size_t kTitle = 200;
constexpr std::size_t kLongestUrl = 1024;

Event Says(std::string why) { return Nothing{.malformed = false, .why = std::move(why)}; }
Event Malformed(std::string why) { return Nothing{.malformed = true, .why = std::move(why)}; }

// Counted before it is parsed, because what parses it need not be careful.
bool IsTooDeep(std::string_view json) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDeepest) return true;
  }
  return false;
}

// 40 hexadecimal digits that name a commit: zeros say that there is none.
bool IsCommit(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 40 && std::ranges::all_of(text, hex) &&
         text.find_first_not_of('0') != std::string_view::npos;
}

bool IsNoCommit(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

std::vector<std::string> UrlsAt(const Json& repository, std::initializer_list<const char*> names) {
  std::vector<std::string> urls;
  for (const char* const name : names) {
    std::string url = TextAt(repository, name);
    if (!url.empty() && url.size() <= kLongestUrl) urls.push_back(std::move(url));
  }
  return urls;
}

// On one line: it goes into an annotation and from there into tables.
std::string Title(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return Clip(std::move(text), kTitle);
}

Event Checked(Push push) {
  if (push.urls.empty()) return Malformed("the repository has no URL");
  const bool known = push.ref.starts_with("refs/heads/") || push.ref.starts_with("refs/tags/");
  if (!known) return Says("a push to neither a branch nor a tag");
  if (IsNoCommit(push.commit)) return Says("a deleted ref");
  if (!IsCommit(push.commit)) return Malformed("the push has no commit");
  return push;
}

Event Checked(PullChange pull) {
  if (pull.urls.empty()) return Malformed("the repository has no URL");
  if (pull.number <= 0) return Malformed("the pull request has no number");
  if (!pull.closed && !IsCommit(pull.commit)) return Malformed("the pull request has no commit");
  if (pull.closed) return PullChange{.urls = std::move(pull.urls), .number = pull.number, .closed = true};
  pull.title = Title(std::move(pull.title));
  return pull;
}

// GitHub and Gitea, whose payloads agree in what is read here.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads, https://docs.gitea.com/usage/webhooks
std::vector<std::string> RepositoryUrls(const Json& payload) {
  return UrlsAt(At(payload, "repository"), {"clone_url", "ssh_url"});
}

Event ReadPush(const Json& payload) {
  Push push{.urls = RepositoryUrls(payload),
            .default_branch = TextAt(At(payload, "repository"), "default_branch"),
            .ref = TextAt(payload, "ref"),
            .commit = TextAt(payload, "after"),
            .before = TextAt(payload, "before")};
  if (push.ref.empty()) return Malformed("the push has no ref");
  // Of an annotated tag `after` is the tag's own object.
  const std::string head = TextAt(At(payload, "head_commit"), "id");
  const bool tag = push.ref.starts_with("refs/tags/");
  if (tag && IsCommit(head) && !IsNoCommit(push.commit)) push.commit = head;
  return Checked(std::move(push));
}

Event ReadPull(const Json& payload) {
  const std::string action = TextAt(payload, "action");
  const Json& request = At(payload, "pull_request");
  const Json& head = At(request, "head");
  const Json& head_id = At(At(head, "repo"), "id");
  const Json& base_id = At(At(At(request, "base"), "repo"), "id");
  const bool changed =
      action == "opened" || action == "synchronize" || action == "synchronized" || action == "reopened";
  if (!changed && action != "closed") return Says("nothing new in a pull request");
  PullChange pull{.urls = RepositoryUrls(payload),
                  .number = resources::IntAt(payload, "number"),
                  .closed = action == "closed",
                  .commit = TextAt(head, "sha")};
  pull.ref = fmt::format("refs/pull/{}/head", pull.number);
  // A fork that was deleted has no repository any more; nor is anything else trusted that isn't said.
  pull.fork = !head_id.is_number_integer() || !base_id.is_number_integer() || head_id != base_id;
  pull.title = TextAt(request, "title");
  return Checked(std::move(pull));
}

Event ReadGitHub(std::string_view kind, const Json& payload) {
  if (kind == "push") return ReadPush(payload);
  if (kind == "pull_request" || kind == "pull_request_sync") return ReadPull(payload);
  return Says(kind == "ping" ? "a ping" : "an event that nothing here follows");
}

// https://docs.gitlab.com/user/project/integrations/webhook_events/
std::vector<std::string> ProjectUrls(const Json& project) {
  return UrlsAt(project, {"git_http_url", "git_ssh_url"});
}

Event ReadGitLabPush(const Json& payload) {
  const Json& project = At(payload, "project");
  Push push{.urls = ProjectUrls(project),
            .default_branch = TextAt(project, "default_branch"),
            .ref = TextAt(payload, "ref"),
            .commit = TextAt(payload, "after"),
            .before = TextAt(payload, "before")};
  if (push.ref.empty()) return Malformed("the push has no ref");
  // Of an annotated tag `after` is the tag's own object.
  const std::string checkout = TextAt(payload, "checkout_sha");
  if (IsCommit(checkout) && !IsNoCommit(push.commit)) push.commit = checkout;
  return Checked(std::move(push));
}

Event ReadMergeRequest(const Json& payload) {
  const Json& request = At(payload, "object_attributes");
  const std::string action = TextAt(request, "action");
  const bool closed = action == "close" || action == "merge";
  const bool changed = action == "open" || action == "update" || action == "reopen";
  if (!changed && !closed) return Says("nothing new in a merge request");
  const Json& target = At(request, "target");
  PullChange pull{.urls = ProjectUrls(target.is_object() ? target : At(payload, "project")),
                  .number = resources::IntAt(request, "iid"),
                  .closed = closed,
                  .commit = TextAt(At(request, "last_commit"), "id")};
  pull.ref = fmt::format("refs/merge-requests/{}/head", pull.number);
  const Json& from = At(request, "source_project_id");
  const Json& into = At(request, "target_project_id");
  pull.fork = !from.is_number_integer() || !into.is_number_integer() || from != into;
  pull.title = TextAt(request, "title");
  return Checked(std::move(pull));
}

Event ReadGitLab(std::string_view kind, const Json& payload) {
  if (kind == "Push Hook" || kind == "Tag Push Hook") return ReadGitLabPush(payload);
  if (kind == "Merge Request Hook") return ReadMergeRequest(payload);
  return Says("an event that nothing here follows");
}

}  // namespace

Event ReadPayload(Sender sender, std::string_view kind, std::string_view json) {
  if (IsTooDeep(json)) return Malformed("the body is nested too deeply");
  const Json payload = Json::parse(json, nullptr, false);
  if (!payload.is_object()) return Malformed("the body is no JSON object");
  return sender == Sender::kGitLab ? ReadGitLab(kind, payload) : ReadGitHub(kind, payload);
}

}  // namespace slipway::trigger
