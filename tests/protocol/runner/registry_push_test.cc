#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/runner/http_server.h"
#include "protocol/runner/registry_server.h"
#include "runner/index.h"
#include "runner/push.h"

namespace slipway::runner {
namespace {

using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::RegistryServer;
using ::slipway::testing::Scratch;
using Json = nlohmann::json;

class Pushing : public ::testing::Test {
 protected:
  int Push(const std::string& tarball, const std::string& repository, const std::vector<std::string>& tags,
           bool move = false) {
    return RunPush({tarball, {repository, tags, move, false}, credentials_, ca_file_, scratch_ / "report"});
  }
  int Index(const std::string& repository, const std::vector<std::string>& manifests,
            const std::vector<std::string>& tags, bool move = false) {
    return RunIndex(
        {manifests, {repository, tags, move, false}, credentials_, ca_file_, scratch_ / "report"});
  }
  Json Report() const { return Json::parse(Contents(scratch_ / "report")); }
  std::string Reason() const { return Report().at("reason"); }
  std::string Message() const { return Report().at("message"); }

  Scratch scratch_;
  std::string credentials_;
  std::string ca_file_;
};

class PushingToAnyone : public Pushing {
 protected:
  PushingToAnyone() {
    one_digest_ = server_.Make(server_ / "made:one", "one");
    two_digest_ = server_.Make(server_ / "made:two", "two");
    one_ = server_.Pull(server_ / "made:one", "one.tar");
    two_ = server_.Pull(server_ / "made:two", "two.tar");
  }
  RegistryServer server_;
  std::string one_digest_, two_digest_, one_, two_;
};

TEST_F(PushingToAnyone, AllTagsNameTheDigestThatIsReported) {
  const std::string repository = server_ / "team/app";
  for (int i = 0; i < 2; ++i) {  // The same image again is no move.
    EXPECT_EQ(Push(one_, repository, {"1", "latest"}), 0);
    EXPECT_EQ(Report(), (Json{{"image", repository + "@" + one_digest_}, {"tags", {"1", "latest"}}}));
  }
  EXPECT_EQ(server_.Crane({"digest", repository + ":1"}), one_digest_);
  EXPECT_EQ(server_.Crane({"digest", repository + ":latest"}), one_digest_);
}

TEST_F(PushingToAnyone, ATakenTagRefusesTheWholePush) {
  const std::string repository = server_ / "team/app";
  ASSERT_EQ(Push(one_, repository, {"taken"}), 0);
  EXPECT_EQ(Push(two_, repository, {"free", "taken"}), kTagTaken);
  EXPECT_EQ(Reason(), "TagTaken");
  for (const std::string& word : {repository + ":taken", one_digest_, two_digest_, std::string("moveTags")}) {
    EXPECT_NE(Message().find(word), std::string::npos) << word;
  }
  EXPECT_FALSE(server_.Has(repository + ":free"));
  EXPECT_FALSE(server_.Has(repository + "@" + two_digest_)) << "not even without a tag";
  EXPECT_EQ(server_.Crane({"digest", repository + ":taken"}), one_digest_);

  EXPECT_EQ(Push(two_, repository, {"free", "taken"}, true), 0);
  EXPECT_EQ(server_.Crane({"digest", repository + ":taken"}), two_digest_);
  EXPECT_EQ(server_.Crane({"digest", repository + ":free"}), two_digest_);
}

TEST_F(PushingToAnyone, WhatCantBePushedIsTold) {
  EXPECT_EQ(Push(scratch_ / "none.tar", server_ / "team/app", {"1"}), kImageRefused);
  EXPECT_EQ(Reason(), "ImageTarInvalid");
  Put(scratch_ / "broken.tar", "no tarball");
  EXPECT_EQ(Push(scratch_ / "broken.tar", server_ / "team/app", {"1"}), kImageRefused);
  EXPECT_EQ(Push(one_, server_ / "team/app", {}), kRegistryFailed);
  EXPECT_EQ(Push(one_, server_ / "team/app", {"--insecure"}), kRegistryFailed);
  EXPECT_EQ(Push(one_, "127.0.0.1:1/team/app", {"1"}), kRegistryUnreachable);
  EXPECT_EQ(Reason(), "RegistryUnreachable");
}

TEST_F(PushingToAnyone, ARegistryThatIsDownForNow) {
  testing::Response down = testing::Answer(503, "later");
  testing::HttpServer server([&](const testing::Request&) { return down; });
  EXPECT_EQ(Push(one_, server.address() + "/team/app", {"1"}), kRegistryUnavailable);
  EXPECT_EQ(Reason(), "RegistryUnavailable");
}

TEST_F(Pushing, CredentialsDecide) {
  const RegistryServer server(RegistryServer::Users::kAda);
  server.Make(server / "made:one", "one");
  const std::string tarball = server.Pull(server / "made:one", "one.tar");
  EXPECT_EQ(Push(tarball, server / "team/app", {"1"}), kRegistryDenied);
  EXPECT_EQ(Reason(), "RegistryDenied");
  credentials_ = server.Credentials("wrong", server.host(), "wrong-pw");
  EXPECT_EQ(Push(tarball, server / "team/app", {"1"}), kRegistryDenied);
  EXPECT_EQ(Message().find("wrong-pw"), std::string::npos);
  credentials_ = server.Credentials("right", server.host());
  EXPECT_EQ(Push(tarball, server / "team/app", {"1"}), 0);
  credentials_ = server.Credentials("exact", server / "team/app");
  EXPECT_EQ(Push(tarball, server / "team/app", {"2"}), 0);
}

TEST_F(Pushing, ACertificateMustBeVouchedFor) {
  const testing::Authority authority("Test");
  const testing::KeyPair pair = authority.Issue("registry", "IP:127.0.0.1");
  const RegistryServer server(RegistryServer::Users::kAnyone, &pair);
  const std::string digest = server.Make(server / "made:one", "one");
  const std::string tarball = server.Pull(server / "made:one", "one.tar");
  EXPECT_EQ(Push(tarball, server / "team/app", {"1"}), kRegistryUntrusted);
  EXPECT_EQ(Reason(), "CertificateUntrusted");
  EXPECT_NE(Message().find("x509"), std::string::npos) << Message();
  ca_file_ = scratch_ / "ca/ca.crt";
  Put(ca_file_, authority.pem());
  EXPECT_EQ(Push(tarball, server / "team/app", {"1"}), 0);
  EXPECT_EQ(server.Crane({"digest", server / "team/app:1"}), digest);
}

TEST_F(PushingToAnyone, AnIndexOfTwoPlatforms) {
  const std::string repository = server_ / "team/app";
  const std::string amd = repository + "@" + server_.Make(repository + ":amd", "amd", "linux/amd64");
  const std::string arm = repository + "@" + server_.Make(repository + ":arm", "arm", "linux/arm64/v8");
  ASSERT_EQ(Index(repository, {amd, arm}, {"1", "latest"}), 0);
  const std::string digest = server_.Crane({"digest", repository + ":1"});
  EXPECT_EQ(Report(), (Json{{"image", repository + "@" + digest}, {"tags", {"1", "latest"}}}));
  EXPECT_EQ(server_.Crane({"digest", repository + ":latest"}), digest);
  EXPECT_EQ(repository + "@" + server_.Crane({"digest", "--platform=linux/arm64/v8", repository + ":1"}),
            arm);
  EXPECT_EQ(repository + "@" + server_.Crane({"digest", "--platform=linux/amd64", repository + ":1"}), amd);

  EXPECT_EQ(Index(repository, {amd, arm}, {"1"}), 0) << "the same again is no move";
  EXPECT_EQ(Index(repository, {arm, amd}, {"new", "1"}), kTagTaken);
  EXPECT_FALSE(server_.Has(repository + ":new"));
  EXPECT_EQ(server_.Crane({"digest", repository + ":1"}), digest);
  EXPECT_EQ(Index(repository, {arm, amd}, {"new", "1"}, true), 0);
  EXPECT_NE(server_.Crane({"digest", repository + ":1"}), digest);
}

TEST_F(PushingToAnyone, AnIndexOfWhatIsNotThere) {
  const std::string repository = server_ / "made";
  EXPECT_EQ(Index(repository, {repository + "@sha256:" + std::string(64, '0')}, {"1"}), kImageNotFound);
  EXPECT_EQ(Index(server_ / "team/app", {repository + "@" + one_digest_}, {"1"}), kRegistryFailed)
      << "of another repository";
  EXPECT_EQ(Index(repository, {repository + ":one"}, {"1"}), kRegistryFailed) << "by tag";
  EXPECT_EQ(Index(repository, {}, {"1"}), kRegistryFailed);
  const std::string one = repository + "@" + one_digest_;
  EXPECT_EQ(Index(repository, {one, one}, {"1"}), kRegistryFailed) << "one platform twice";
}

}  // namespace
}  // namespace slipway::runner
