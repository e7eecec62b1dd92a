// What a forge is sent, and what its answers mean.
#include "runner/commit_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

CommitStatusOptions Options(const std::string& provider, const std::string& api) {
  return {.provider = provider,
          .api_url = api,
          .repository = "team/app",
          .commit = std::string(40, 'a'),
          .state = "failure",
          .context = "slipway/app",
          .description = "test & build: no",
          .target_url = "https://x/y?z"};
}

TEST(MakeForgeRequest, GitHub) {
  const auto request = MakeForgeRequest(Options("GitHub", "https://api.github.com"), "tok");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->tls);
  EXPECT_EQ(request->host, "api.github.com");
  EXPECT_EQ(request->port, "443");
  EXPECT_EQ(request->target, "/repos/team/app/statuses/" + std::string(40, 'a'));
  EXPECT_THAT(request->headers, Contains(Pair("Authorization", "Bearer tok")));
  EXPECT_THAT(request->headers, Contains(Pair("Accept", "application/vnd.github+json")));
  EXPECT_THAT(request->headers, Contains(Pair("X-GitHub-Api-Version", "2022-11-28")));
  EXPECT_THAT(request->headers, Contains(Pair("Host", "api.github.com")));
  EXPECT_EQ(nlohmann::json::parse(request->body), (nlohmann::json{{"state", "failure"},
                                                                  {"context", "slipway/app"},
                                                                  {"description", "test & build: no"},
                                                                  {"target_url", "https://x/y?z"}}));
}

TEST(MakeForgeRequest, Gitea) {
  const auto request = MakeForgeRequest(Options("Gitea", "http://gitea.git.svc:3000/api/v1/"), "tok");
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->tls);
  EXPECT_EQ(request->port, "3000");
  EXPECT_EQ(request->target, "/api/v1/repos/team/app/statuses/" + std::string(40, 'a'));
  EXPECT_THAT(request->headers, Contains(Pair("Authorization", "token tok")));
  EXPECT_THAT(request->headers, Contains(Pair("Host", "gitea.git.svc:3000")));
}

TEST(MakeForgeRequest, GitLab) {
  auto options = Options("GitLab", "https://gitlab.example.com/api/v4");
  options.repository = "group/sub/app";
  const auto request = MakeForgeRequest(options, "tok");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target, "/api/v4/projects/group%2Fsub%2Fapp/statuses/" + std::string(40, 'a') +
                                 "?state=failed&name=slipway%2Fapp&description=test%20%26%20build%3A%20no"
                                 "&target_url=https%3A%2F%2Fx%2Fy%3Fz");
  EXPECT_THAT(request->headers, Contains(Pair("PRIVATE-TOKEN", "tok")));
  EXPECT_EQ(request->body, "");
  for (const auto& [ours, theirs] : std::vector<std::pair<std::string, std::string>>{
           {"pending", "pending"}, {"success", "success"}, {"failure", "failed"}, {"error", "canceled"}}) {
    options.state = ours;
    EXPECT_THAT(MakeForgeRequest(options, "tok")->target, HasSubstr("?state=" + theirs + "&"));
  }
}

TEST(MakeForgeRequest, Refuses) {
  const auto refused = [](auto change, const std::string& token = "tok") {
    auto options = Options("GitHub", "https://api.github.com");
    change(options);
    const auto request = MakeForgeRequest(options, token);
    return request ? std::string("taken") : request.error().message;
  };
  for (const std::string url : {"", "api.github.com", "ftp://x", "https://", "https://x:0", "https://x:y",
                                "https://u:p@x", "https://x/a b", "https://x/?a", "https://x\r\nA: b"}) {
    EXPECT_THAT(refused([&](auto& o) { o.api_url = url; }), HasSubstr("--api-url")) << url;
  }
  for (const std::string name :
       {"", "app", "/app", "a/", "a//b", "../b", "a/..", "a/b?c", "a/b c", "a/%2e"}) {
    EXPECT_THAT(refused([&](auto& o) { o.repository = name; }), HasSubstr("--repository")) << name;
  }
  EXPECT_THAT(refused([](auto& o) { o.commit = "main"; }), HasSubstr("--commit"));
  EXPECT_THAT(refused([](auto& o) { o.state = "ok"; }), HasSubstr("--state"));
  EXPECT_THAT(refused([](auto& o) { o.provider = "Forge"; }), HasSubstr("--provider"));
  EXPECT_THAT(refused([](auto&) {}, ""), HasSubstr("token"));
  EXPECT_THAT(refused([](auto&) {}, "a\r\nX-Evil: b"), HasSubstr("token"));
}

TEST(MakeForgeRequest, FitsTheForgesBounds) {
  auto options = Options("GitHub", "https://api.github.com");
  options.description = std::string(5000, 'x') + "\n\xff";
  const auto request = MakeForgeRequest(options, "tok");
  ASSERT_TRUE(request);
  EXPECT_LE(nlohmann::json::parse(request->body)["description"].get<std::string>().size(), 140U);
}

TEST(JudgeForgeAnswer, Table) {
  struct Row {
    int code;
    int exit;
    bool may_pass;
  };
  for (const auto& row : std::vector<Row>{{401, kForgeDenied, false},
                                          {403, kForgeDenied, false},
                                          {404, kForgeRefused, false},
                                          {422, kForgeRefused, false},
                                          {301, kForgeRefused, false},
                                          {429, kForgeUnavailable, true},
                                          {500, kForgeUnavailable, true},
                                          {503, kForgeUnavailable, true}}) {
    const auto failure = JudgeForgeAnswer(row.code, "", "tok");
    ASSERT_TRUE(failure) << row.code;
    EXPECT_EQ(failure->exit_code, row.exit) << row.code;
    EXPECT_EQ(failure->may_pass, row.may_pass) << row.code;
  }
  EXPECT_FALSE(JudgeForgeAnswer(201, "", "tok"));
  EXPECT_FALSE(JudgeForgeAnswer(
      400, R"({"message":{"state":["Cannot transition status via :enqueue from :pending"]}})", "tok"));
}

TEST(JudgeForgeAnswer, NeverRepeatsTheToken) {
  const auto failure = JudgeForgeAnswer(401, R"({"message":"bad\ntoken s3cret, s3cret"})", "s3cret");
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->message, HasSubstr("bad token"));
  EXPECT_THAT(failure->message, Not(HasSubstr("s3cret")));
  EXPECT_THAT(ToJson(*failure), HasSubstr("ForgeDenied"));
}

}  // namespace
}  // namespace slipway::runner
