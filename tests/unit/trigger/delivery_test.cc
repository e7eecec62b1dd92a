// What deliveries of the three forges mean, and which are authentic.
#include "trigger/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payloads.h"

namespace slipway::trigger {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kKey = "It's a Secret to Everybody";
constexpr std::string_view kHello = "Hello, World!";
// GitHub's documented example: docs.github.com, "Validating webhook deliveries".
constexpr const char* kHelloSignature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

struct Signed {
  std::string name;
  Sender sender;
  Headers headers;
  bool authentic;
};

TEST(IsAuthentic, AsTheForgesSign) {
  const std::string good(kHelloSignature);
  std::string flipped = good;
  flipped.back() = '6';
  const std::vector<Signed> table{
      {"GitHub", Sender::kGitHub, {{"x-hub-signature-256", "sha256=" + good}}, true},
      {"GitHub, another bit", Sender::kGitHub, {{"x-hub-signature-256", "sha256=" + flipped}}, false},
      {"GitHub, no prefix", Sender::kGitHub, {{"x-hub-signature-256", good}}, false},
      {"GitHub, cut", Sender::kGitHub, {{"x-hub-signature-256", "sha256=" + good.substr(0, 62)}}, false},
      {"GitHub, no hex", Sender::kGitHub, {{"x-hub-signature-256", "sha256=" + std::string(64, 'z')}}, false},
      {"GitHub, zeros", Sender::kGitHub, {{"x-hub-signature-256", "sha256=" + std::string(64, '0')}}, false},
      {"GitHub, SHA-1 only", Sender::kGitHub, {{"x-hub-signature", "sha1=" + good.substr(0, 40)}}, false},
      {"GitHub, unsigned", Sender::kGitHub, {}, false},
      {"GitHub by a token", Sender::kGitHub, {{"x-gitlab-token", std::string(kKey)}}, false},
      {"Gitea", Sender::kGitea, {{"x-gitea-signature", good}}, true},
      {"Gitea, another bit", Sender::kGitea, {{"x-gitea-signature", flipped}}, false},
      {"Gitea, empty", Sender::kGitea, {{"x-gitea-signature", ""}}, false},
      {"GitLab", Sender::kGitLab, {{"x-gitlab-token", std::string(kKey)}}, true},
      {"GitLab, a prefix", Sender::kGitLab, {{"x-gitlab-token", "It's a Secret"}}, false},
      {"GitLab, empty", Sender::kGitLab, {{"x-gitlab-token", ""}}, false},
      {"GitLab, none", Sender::kGitLab, {}, false},
      {"nobody", Sender::kNone, {{"x-gitlab-token", std::string(kKey)}}, false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(IsAuthentic(row.sender, row.headers, kHello, kKey), row.authentic) << row.name;
    EXPECT_FALSE(IsAuthentic(row.sender, row.headers, kHello, "")) << row.name << " without a key";
  }
}

TEST(SenderOf, GiteaIsNotTakenForGitHub) {
  EXPECT_EQ(SenderOf({{"x-gitea-event", "push"}, {"x-github-event", "push"}, {"x-gogs-event", "push"}}),
            Sender::kGitea);
  EXPECT_EQ(SenderOf({{"x-github-event", "push"}}), Sender::kGitHub);
  EXPECT_EQ(SenderOf({{"x-gitlab-event", "Push Hook"}}), Sender::kGitLab);
  EXPECT_EQ(SenderOf({}), Sender::kNone);
}

TEST(Read, LooksAtTheBodyOnlyWhenItIsAuthentic) {
  const Headers headers{{"x-gitlab-event", "Push Hook"}, {"x-gitlab-token", "no"}};
  const std::string body = GitLabPush("refs/heads/master", kSha, kSha);
  const Delivery refused = Read(headers, body, kKey);
  EXPECT_FALSE(refused.authentic);
  EXPECT_TRUE(std::holds_alternative<Nothing>(refused.event));
  const Delivery taken = Read({{"x-gitlab-event", "Push Hook"}, {"x-gitlab-token", "key"}}, body, "key");
  EXPECT_TRUE(taken.authentic);
  EXPECT_TRUE(std::holds_alternative<Push>(taken.event));
}

TEST(Read, TakesGitHubsFormEncoding) {
  const Headers headers{{"x-gitlab-event", "Push Hook"},
                        {"x-gitlab-token", "key"},
                        {"content-type", "application/x-www-form-urlencoded"}};
  const std::string json = GitLabPush("refs/heads/a+b", kSha, kSha);
  std::string form = "payload=";
  for (const char c : json) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr const char* kHex = "0123456789ABCDEF";
    form += c == ' ' ? std::string("+") : std::string{'%', kHex[byte / 16], kHex[byte % 16]};
  }
  const auto event = Read(headers, form + "&x=y", "key").event;
  ASSERT_TRUE(std::holds_alternative<Push>(event));
  EXPECT_EQ(std::get<Push>(event).ref, "refs/heads/a+b");
}

TEST(ReadPayload, Pushes) {
  struct Row {
    std::string name;
    Sender sender;
    std::string kind;
    std::string body;
    std::string ref;
  };
  const std::vector<Row> table{
      {"GitHub branch", Sender::kGitHub, "push", GitHubPush("refs/heads/master", kSha), "refs/heads/master"},
      {"GitHub tag", Sender::kGitHub, "push", GitHubPush("refs/tags/v1", kSha), "refs/tags/v1"},
      {"GitHub annotated tag", Sender::kGitHub, "push", GitHubPush("refs/tags/v1", kTagObject),
       "refs/tags/v1"},
      {"GitLab branch", Sender::kGitLab, "Push Hook", GitLabPush("refs/heads/master", kSha, kSha),
       "refs/heads/master"},
      {"GitLab annotated tag", Sender::kGitLab, "Tag Push Hook", GitLabPush("refs/tags/v1", kTagObject, kSha),
       "refs/tags/v1"},
      {"Gitea branch", Sender::kGitea, "push", GiteaPush("refs/heads/master"), "refs/heads/master"},
  };
  for (const auto& row : table) {
    const Event event = ReadPayload(row.sender, row.kind, row.body);
    ASSERT_TRUE(std::holds_alternative<Push>(event)) << row.name;
    const auto& push = std::get<Push>(event);
    EXPECT_EQ(push.ref, row.ref) << row.name;
    EXPECT_EQ(push.commit, kSha) << row.name;
    EXPECT_EQ(push.default_branch, "master") << row.name;
    EXPECT_EQ(push.urls.size(), 2U) << row.name;
  }
}

TEST(ReadPayload, ABranchesCommitIsWhereItWasMoved) {
  const Event event = ReadPayload(Sender::kGitHub, "push", GitHubPush("refs/heads/master", kSha, kTagObject));
  ASSERT_TRUE(std::holds_alternative<Push>(event));
  EXPECT_EQ(std::get<Push>(event).commit, kSha);
}

TEST(ReadPayload, UrlsOfBothKinds) {
  const Event event = ReadPayload(Sender::kGitea, "push", GiteaPush("refs/heads/master"));
  ASSERT_TRUE(std::holds_alternative<Push>(event));
  EXPECT_THAT(std::get<Push>(event).urls, ElementsAre("http://localhost:3000/gitea/webhooks.git",
                                                      "ssh://gitea@localhost:2222/gitea/webhooks.git"));
}

TEST(ReadPayload, PullRequests) {
  struct Row {
    std::string name;
    Sender sender;
    std::string kind;
    std::string body;
    int number;
    std::string ref;
    bool fork;
  };
  const std::vector<Row> table{
      {"GitHub", Sender::kGitHub, "pull_request", GitHubPull("opened", R"({"id":186853002})"), 2,
       "refs/pull/2/head", false},
      {"GitHub fork", Sender::kGitHub, "pull_request", GitHubPull("synchronize", R"({"id":5})"), 2,
       "refs/pull/2/head", true},
      {"GitHub, fork gone", Sender::kGitHub, "pull_request", GitHubPull("reopened", "null"), 2,
       "refs/pull/2/head", true},
      {"GitLab", Sender::kGitLab, "Merge Request Hook", GitLabMerge("open", 1), 7,
       "refs/merge-requests/7/head", false},
      {"GitLab fork", Sender::kGitLab, "Merge Request Hook", GitLabMerge("update", 14), 7,
       "refs/merge-requests/7/head", true},
      {"Gitea", Sender::kGitea, "pull_request", GiteaPull("synchronized", 140), 4, "refs/pull/4/head", false},
      {"Gitea fork", Sender::kGitea, "pull_request_sync", GiteaPull("opened", 141), 4, "refs/pull/4/head",
       true},
  };
  for (const auto& row : table) {
    const Event event = ReadPayload(row.sender, row.kind, row.body);
    ASSERT_TRUE(std::holds_alternative<PullChange>(event)) << row.name;
    const auto& pull = std::get<PullChange>(event);
    EXPECT_EQ(pull.number, row.number) << row.name;
    EXPECT_EQ(pull.ref, row.ref) << row.name;
    EXPECT_EQ(pull.fork, row.fork) << row.name;
    EXPECT_EQ(pull.commit, kSha) << row.name;
    EXPECT_FALSE(pull.closed) << row.name;
    EXPECT_EQ(pull.title.find('\n'), std::string::npos) << row.name;
  }
}

TEST(ReadPayload, PullRequestsThatAreOver) {
  for (const Event& event : {ReadPayload(Sender::kGitHub, "pull_request", GitHubPull("closed", "null")),
                             ReadPayload(Sender::kGitLab, "Merge Request Hook", GitLabMerge("close", 1)),
                             ReadPayload(Sender::kGitLab, "Merge Request Hook", GitLabMerge("merge", 1)),
                             ReadPayload(Sender::kGitea, "pull_request", GiteaPull("closed", 140))}) {
    ASSERT_TRUE(std::holds_alternative<PullChange>(event));
    EXPECT_TRUE(std::get<PullChange>(event).closed);
    EXPECT_THAT(std::get<PullChange>(event).commit, "");
  }
}

TEST(ReadPayload, WhatSaysNothingForUs) {
  for (const Event& event :
       {ReadPayload(Sender::kGitHub, "ping", R"({"zen":"Keep it logically awesome.","hook_id":1})"),
        ReadPayload(Sender::kGitHub, "issues", "{}"),
        ReadPayload(Sender::kGitHub, "push", GitHubPush("refs/heads/old", kZeros, "")),
        ReadPayload(Sender::kGitHub, "push", GitHubPush("refs/tags/old", kZeros, kSha)),
        ReadPayload(Sender::kGitHub, "push", GitHubPush("refs/notes/commits", kSha)),
        ReadPayload(Sender::kGitHub, "pull_request", GitHubPull("labeled", "null")),
        ReadPayload(Sender::kGitLab, "Push Hook", GitLabPush("refs/heads/old", kZeros, "")),
        ReadPayload(Sender::kGitLab, "Merge Request Hook", GitLabMerge("approved", 1)),
        ReadPayload(Sender::kGitLab, "Pipeline Hook", "{}")}) {
    ASSERT_TRUE(std::holds_alternative<Nothing>(event));
    EXPECT_FALSE(std::get<Nothing>(event).malformed) << std::get<Nothing>(event).why;
  }
}

TEST(ReadPayload, HostileBodies) {
  const std::string push = GitHubPush("refs/heads/master", kSha);
  std::vector<std::string> bodies{
      "",
      "null",
      "[]",
      "1",
      "\"x\"",
      "{",
      "{}",
      R"({"ref":1})",
      R"({"ref":"refs/heads/x"})",
      R"({"ref":"refs/heads/x","repository":[],"after":{}})",
      R"({"ref":"refs/heads/x","after":1e999999})",
      std::string(500'000, '['),
      std::string(500'000, '{'),
      "{\"a\":" + std::string(100'000, '['),
      "{\"\xff\xfe\":1}",
      R"({"ref":"\ud800"})",
      std::string("{\"ref\":\"\0\"}", 11),
      R"({"ref":"refs/heads/x","after":")" + std::string(40, 'g') + R"(","repository":{"clone_url":"u"}})",
      R"({"ref":"refs/heads/x","after":")" + std::string(40, 'a') + R"(","repository":{}})"};
  for (std::size_t cut = 0; cut < push.size() - 1; cut += 7) bodies.push_back(push.substr(0, cut));
  for (const auto& body : bodies) {
    for (const auto sender : {Sender::kGitHub, Sender::kGitea, Sender::kGitLab}) {
      const std::string kind = sender == Sender::kGitLab ? "Push Hook" : "push";
      const Event event = ReadPayload(sender, kind, body);
      ASSERT_TRUE(std::holds_alternative<Nothing>(event)) << body.substr(0, 80);
      EXPECT_TRUE(std::get<Nothing>(event).malformed) << body.substr(0, 80);
    }
  }
}

TEST(ReadPayload, HostilePullRequests) {
  for (const std::string number : {"\"2\"", "-1", "0", "99999999999", "1e3", "null", "[]"}) {
    std::string body = GitHubPull("opened", "null");
    body.replace(body.find("\"number\":2"), 10, "\"number\":" + number);
    const Event event = ReadPayload(Sender::kGitHub, "pull_request", body);
    ASSERT_TRUE(std::holds_alternative<Nothing>(event)) << number;
    EXPECT_THAT(std::get<Nothing>(event).why, HasSubstr("number"));
  }
}

}  // namespace
}  // namespace slipway::trigger
