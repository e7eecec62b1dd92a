// A commit status over TLS, to a server that answers as a script says.
#include "runner/commit_status.h"

#include <gmock/gmock.h>

#include "fixture.h"

namespace slipway::runner {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Received;
using testing::Reply;
using testing::ScriptedServer;

class CommitStatusTest : public ::testing::Test {
 protected:
  CommitStatusTest()
      : folder_(std::filesystem::temp_directory_path() / ("status-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    Write("token", "s3cret\n");
  }
  ~CommitStatusTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string ReadReport() {
    std::ifstream file(folder_ / "report");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int Tell(const ScriptedServer& server, bool trusted = true, const std::string& provider = "GitHub") {
    Write("ca.crt", server.authority().pem());
    const auto config = server.Config();
    return RunCommitStatus({.provider = provider,
                            .api_url = config.scheme + "://" + config.host + ":" + config.port + "/api",
                            .repository = "team/app",
                            .commit = std::string(40, 'a'),
                            .state = "success",
                            .context = "slipway/app",
                            .credentials_folder = folder_,
                            .ca_file = trusted ? std::string(folder_ / "ca.crt") : "",
                            .report_path = folder_ / "report"});
  }

  std::filesystem::path folder_;
};

TEST_F(CommitStatusTest, IsToldOverVerifiedTls) {
  const ScriptedServer server([](const Received&) { return Reply{.code = 201}; });
  EXPECT_EQ(Tell(server), 0);
  EXPECT_EQ(ReadReport(), "{}");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/api/repos/team/app/statuses/" + std::string(40, 'a'));
  EXPECT_EQ(requests[0].headers.at("authorization"), "Bearer s3cret");
  EXPECT_EQ(nlohmann::json::parse(requests[0].body).at("state"), "success");
}

TEST_F(CommitStatusTest, GitLabTakesAPostWithoutABody) {
  const ScriptedServer server([](const Received&) { return Reply{.code = 201}; });
  EXPECT_EQ(Tell(server, true, "GitLab"), 0);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].headers.at("private-token"), "s3cret");
  EXPECT_EQ(requests[0].headers.at("content-length"), "0");
}

TEST_F(CommitStatusTest, TheTokenIsNotSentToWhomNobodyVouchesFor) {
  const ScriptedServer server([](const Received&) { return Reply{.code = 201}; });
  EXPECT_EQ(Tell(server, false), kForgeUnreachable);
  EXPECT_THAT(ReadReport(), HasSubstr("certificate"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CommitStatusTest, WhatMayPassIsTriedThreeTimes) {
  int asked = 0;
  const ScriptedServer server([&](const Received&) { return Reply{.code = ++asked < 3 ? 503 : 201}; });
  EXPECT_EQ(Tell(server), 0);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(CommitStatusTest, ARefusalIsFinalAndKeepsTheToken) {
  const ScriptedServer server(
      [](const Received&) { return Reply{.code = 401, .body = R"({"message":"no s3cret"})"}; });
  EXPECT_EQ(Tell(server), kForgeDenied);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(ReadReport(), HasSubstr("ForgeDenied"));
  EXPECT_THAT(ReadReport(), Not(HasSubstr("s3cret")));
}

TEST_F(CommitStatusTest, AConnectionThatBreaksIsUnreachable) {
  const ScriptedServer server(
      [](const Received&) { return Reply{.raw = {{"HTTP/1.1 20"}}, .close_after = true}; });
  EXPECT_EQ(Tell(server), kForgeUnreachable);
  EXPECT_EQ(server.requests().size(), 3U);
}

}  // namespace
}  // namespace slipway::runner
