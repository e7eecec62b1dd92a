#include "runner/git.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/runner/git_fixture.h"
#include "runner/git_failure.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using ::slipway::testing::AgainstGit;
using ::slipway::testing::Contents;
using ::slipway::testing::GitServer;

TEST_F(AgainstGit, ABranchIsResolvedToItsCommit) {
  EXPECT_EQ(Resolve("main"), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", second_}, {"ref", "refs/heads/main"}}));
  EXPECT_EQ(Resolve("HEAD"), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", second_}, {"ref", "refs/heads/main"}}));
  server_.Git({"checkout", "--quiet", "--detach", first_});
  EXPECT_EQ(Resolve("HEAD"), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", first_}, {"ref", "HEAD"}}));
}

TEST_F(AgainstGit, AnAnnotatedTagIsResolvedToTheCommitBelowIt) {
  server_.Git({"tag", "--annotate", "--message=one", "v1", first_});
  for (const char* revision : {"v1", "refs/tags/v1"}) {
    EXPECT_EQ(Resolve(revision), 0);
    EXPECT_EQ(Report(), (nlohmann::json{{"sha", first_}, {"ref", "refs/tags/v1"}}));
  }
}

TEST_F(AgainstGit, APullRequestIsResolvedByItsRef) {
  for (const char* ref : {"refs/pull/7/head", "refs/merge-requests/8/head"}) {
    server_.Git({"update-ref", ref, first_});
    EXPECT_EQ(Resolve(ref), 0);
    EXPECT_EQ(Report(), (nlohmann::json{{"sha", first_}, {"ref", ref}}));
    EXPECT_EQ(Resolve(std::string(ref) + "s"), kRevisionNotFound);
  }
}

TEST_F(AgainstGit, TheHighestTagInARangeIsResolved) {
  server_.Git({"tag", "v1.9.0", second_});
  server_.Git({"tag", "--annotate", "--message=ten", "v1.10.0", first_});
  server_.Git({"tag", "v2.0.0-rc.1", second_});
  server_.Git({"tag", "latest", second_});
  EXPECT_EQ(Resolve("", server_.url(), "^1"), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", first_}, {"ref", "refs/tags/v1.10.0"}}));
  EXPECT_EQ(Resolve("", server_.url(), ">=2.0.0-0"), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", second_}, {"ref", "refs/tags/v2.0.0-rc.1"}}));
  EXPECT_EQ(Resolve("", server_.url(), ">=2"), kRevisionNotFound);
  EXPECT_EQ(Message(), server_.url() + " has no tag in the range '>=2'");
  EXPECT_EQ(Resolve("", server_.url(), "latest"), kRevisionNotFound);
  EXPECT_EQ(Message(), "the range 'latest' can't be read: 'latest' is not a version");
}

TEST_F(AgainstGit, AServerThatIsBrokenMayBeAskedAgainLater) {
  for (const unsigned status : {500U, 503U, 429U}) {
    server_.broken = status;
    EXPECT_EQ(Resolve("main"), kGitHostUnreachable) << status;
    EXPECT_EQ(Clone(second_), kGitHostUnreachable) << status;
    EXPECT_EQ(Reason(), "GitHostUnreachable");
  }
}

TEST_F(AgainstGit, ABranchGoesBeforeATagAndOtherNamesWithTheSameEndAreLeftAlone) {
  server_.Git({"tag", "release", first_});
  server_.Git({"branch", "refs/heads/release", second_});
  server_.Git({"branch", "release", second_});
  EXPECT_EQ(Resolve("release"), 0);
  EXPECT_EQ(Sha(), second_);
  EXPECT_EQ(Resolve("refs/tags/release"), 0);
  EXPECT_EQ(Sha(), first_);
  server_.Git({"branch", "team/fix", second_});
  EXPECT_EQ(Resolve("fix"), kRevisionNotFound);
}

TEST_F(AgainstGit, AFullShaIsItsOwnAnswer) {
  EXPECT_EQ(Resolve(first_), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", first_}, {"ref", ""}}));
  EXPECT_TRUE(server_.asked.empty());
}

TEST_F(AgainstGit, WhatIsMissingIsNamed) {
  EXPECT_EQ(Resolve("nothing"), kRevisionNotFound);
  EXPECT_EQ(Report(), (nlohmann::json{{"reason", "RevisionNotFound"},
                                      {"message", server_.url() + " has no branch or tag 'nothing'"}}));
  EXPECT_EQ(Resolve("main", server_.host() + "/other/.git"), kRepositoryNotFound);
  EXPECT_EQ(Reason(), "RepositoryNotFound");
  EXPECT_EQ(Resolve("main", "http://127.0.0.1:1/repo/.git"), kGitHostUnreachable);
  EXPECT_EQ(Reason(), "GitHostUnreachable");
  EXPECT_EQ(Resolve("main", "ftp://127.0.0.1/repo"), kGitFailed);
  EXPECT_EQ(Reason(), "GitFailed");
  EXPECT_EQ(Resolve("--upload-pack=x"), kGitFailed);
  EXPECT_EQ(Reason(), "GitFailed");
}

TEST_F(AgainstGit, CredentialsOpenAPrivateRepository) {
  server_.password = "Basic " + Base64("ada:s3cret");
  EXPECT_EQ(Resolve("main"), kGitAuthFailed);
  EXPECT_EQ(Reason(), "GitAuthFailed");
  GiveCredentials("wrong");
  EXPECT_EQ(Resolve("main"), kGitAuthFailed);
  GiveCredentials("s3cret\n");
  EXPECT_EQ(Resolve("main"), 0);
  EXPECT_EQ(Sha(), second_);
  EXPECT_EQ(Clone(second_), 0);
}

TEST_F(AgainstGit, AnEmptySecretIsAFailureOfItsOwn) {
  credentials_ = scratch_ / "nothing";
  EXPECT_EQ(Resolve("main"), kGitAuthFailed);
  EXPECT_TRUE(server_.asked.empty());
}

TEST_F(AgainstGit, CredentialsAreNotTakenToWhereARedirectLeads) {
  GitServer other;
  server_.redirect = other.host();
  GiveCredentials("s3cret");
  EXPECT_EQ(Resolve("main"), kGitFailed);
  EXPECT_TRUE(other.asked.empty());
  credentials_.clear();
  EXPECT_EQ(Resolve("main"), kRepositoryNotFound);
  EXPECT_FALSE(other.asked.empty());
}

TEST_F(AgainstGit, ACommitIsClonedWithItsFactsAndWithoutItsRepository) {
  EXPECT_EQ(Clone(second_), 0);
  EXPECT_EQ(Report(), (nlohmann::json{{"sha", second_},
                                      {"author", "Ada \"the first\" Lovelace"},
                                      {"authorTime", "2026-01-02T02:04:05Z"},
                                      {"subject", "The \"second\""}}));
  EXPECT_EQ(Contents(scratch_ / "workspace/app/Dockerfile"), "FROM scratch\n");
  EXPECT_FALSE(fs::exists(scratch_ / "workspace/app/old"));
  EXPECT_FALSE(fs::exists(scratch_ / "workspace/.git"));
}

TEST_F(AgainstGit, AnOlderCommitIsClonedFromAServerThatRefusesBareCommits) {
  server_.old_protocol = true;
  EXPECT_EQ(Clone(first_), 0);
  EXPECT_EQ(Sha(), first_);
  EXPECT_TRUE(fs::exists(scratch_ / "workspace/app/old"));
  EXPECT_GE(std::ranges::count_if(server_.asked, [](const auto& a) { return a.starts_with("GET"); }), 2);
}

TEST_F(AgainstGit, ACommitThatIsNowhereIsNotFound) {
  EXPECT_EQ(Clone(std::string(40, '0')), kRevisionNotFound);
  EXPECT_EQ(Reason(), "RevisionNotFound");
  EXPECT_FALSE(fs::exists(scratch_ / "workspace/.git"));
  EXPECT_EQ(Clone("main"), kGitFailed);
}

TEST_F(AgainstGit, AReportIsBoundedWhateverTheCommitSays) {
  const std::string loud = server_.Commit(std::string(5000, '"') + "\x1b[31m");
  EXPECT_EQ(Clone(loud), 0);
  EXPECT_LE(Contents(scratch_ / "report").size(), 1536U);
  EXPECT_LE(Report().at("subject").get<std::string>().size(), 200U);
}

TEST_F(AgainstGit, TheContextAndTheDockerfileMustLieInTheCommit) {
  struct Case {
    const char* context;
    const char* dockerfile;
    int exit_code;
    const char* reason;
  };
  const Case cases[] = {
      {"nothing", "Dockerfile", kContextNotFound, "ContextNotFound"},
      {"..", "Dockerfile", kContextNotFound, "ContextNotFound"},
      {"/etc", "hostname", kContextNotFound, "ContextNotFound"},
      {"outside", "Dockerfile", kContextNotFound, "ContextNotFound"},
      {"outside/etc", "hostname", kContextNotFound, "ContextNotFound"},
      {"app/Dockerfile", "Dockerfile", kContextNotFound, "ContextNotFound"},
      {"app", "nothing", kContextNotFound, "DockerfileNotFound"},
      {"app", "Dockerfile.outside", kContextNotFound, "DockerfileNotFound"},
      {".", "app", kContextNotFound, "DockerfileNotFound"},
      {".git", "config", kContextNotFound, "ContextNotFound"},
      {"inside", "Dockerfile", 0, ""},
      {".", "app/Dockerfile", 0, ""},
      {"", "app/Dockerfile", 0, ""},
      {"app", "", 0, ""},
      {"nothing", "", kContextNotFound, "ContextNotFound"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Clone(second_, c.context, c.dockerfile), c.exit_code) << c.context << " " << c.dockerfile;
    EXPECT_EQ(Report().value("reason", ""), c.reason) << c.context << " " << c.dockerfile;
  }
}

}  // namespace
}  // namespace slipway::runner
