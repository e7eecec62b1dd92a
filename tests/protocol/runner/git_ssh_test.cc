#include <sys/stat.h>

#include <cstdlib>

#include "protocol/runner/git_fixture.h"
#include "protocol/runner/git_ssh_server.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using ::slipway::testing::AgainstGit;
using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::SshServer;

// Temporary files are made where the test can see that none is left.
class OverSsh : public AgainstGit {
 protected:
  OverSsh() {
    const char* const before = std::getenv("TMPDIR");
    if (before != nullptr) temporary_before_ = before;
    fs::create_directories(scratch_ / "tmp");
    ::setenv("TMPDIR", (scratch_ / "tmp").c_str(), 1);
  }
  ~OverSsh() override {
    EXPECT_TRUE(fs::is_empty(scratch_ / "tmp"));
    temporary_before_.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", temporary_before_.c_str(), 1);
  }

  // As the kubelet mounts it for a pod with an fsGroup.
  void GiveKey(const std::string& key, const std::string& known_hosts) {
    credentials_ = scratch_ / "ssh-secret";
    fs::remove_all(credentials_);
    fs::create_directories(credentials_);
    const std::string file = credentials_ + "/ssh-privatekey";
    if (!key.empty()) Put(file, key);
    if (!key.empty()) ::chmod(file.c_str(), S_IRUSR | S_IRGRP);
    if (!known_hosts.empty()) Put(credentials_ + "/known_hosts", known_hosts);
  }
  std::string SshUrl() const { return ssh_.Url(server_.File(".git")); }
  int CloneOverSsh(const std::string& commit) {
    auto options = CloneOf(commit);
    options.url = SshUrl();
    options.submodules = true;
    return RunClone(options);
  }
  bool Says(const std::string& words) const { return Message().find(words) != std::string::npos; }

  SshServer ssh_;
  std::string temporary_before_;
};

TEST_F(OverSsh, ARepositoryIsResolvedAndCloned) {
  GiveKey(ssh_.ClientKey(), ssh_.KnownHosts());
  EXPECT_EQ(Resolve("main", SshUrl()), 0) << Message();
  EXPECT_EQ(Sha(), second_);
  EXPECT_EQ(CloneOverSsh(first_), 0) << Message();
  EXPECT_EQ(Contents(Workspace("app/old")), "old\n");
  EXPECT_FALSE(fs::exists(Workspace(".git")));
}

TEST_F(OverSsh, AKeyWithoutItsLastLineEndOrWithThoseOfWindowsIsRead) {
  std::string key = ssh_.ClientKey();
  key.pop_back();
  GiveKey(key, ssh_.KnownHosts());
  EXPECT_EQ(Resolve("main", SshUrl()), 0) << Message();
  std::string windows;
  for (const char c : key) windows += c == '\n' ? "\r\n" : std::string(1, c);
  GiveKey(windows, ssh_.KnownHosts());
  EXPECT_EQ(Resolve("main", SshUrl()), 0) << Message();
}

TEST_F(OverSsh, ASubmoduleIsFetchedBesideItsRepository) {
  Put(server_.File("library.txt", "library"), "here\n");
  const std::string library = server_.Commit("Library", "library");
  server_.AddSubmodule("lib", "../../library/.git", library);
  const std::string commit = server_.Commit("With a submodule");
  GiveKey(ssh_.ClientKey(), ssh_.KnownHosts());
  EXPECT_EQ(CloneOverSsh(commit), 0) << Message();
  EXPECT_EQ(Contents(Workspace("lib/library.txt")), "here\n");
  EXPECT_TRUE(server_.asked.empty());
}

TEST_F(OverSsh, AHostWhoseKeyIsNotKnownIsNotTrusted) {
  GiveKey(ssh_.ClientKey(),
          "elsewhere.example.com " + ssh_.KnownHosts().substr(ssh_.KnownHosts().find(' ') + 1));
  EXPECT_EQ(Resolve("main", SshUrl()), kHostKeyUnknown);
  EXPECT_EQ(Reason(), "HostKeyUnknown");
  EXPECT_TRUE(Says("host key is known for [127.0.0.1]")) << Message();
  EXPECT_EQ(CloneOverSsh(first_), kHostKeyUnknown);
}

TEST_F(OverSsh, AHostWhoseKeyIsAnotherIsNotTrusted) {
  GiveKey(ssh_.ClientKey(), ssh_.KnownHosts(false));
  EXPECT_EQ(Resolve("main", SshUrl()), kHostKeyUnknown);
  EXPECT_EQ(Reason(), "HostKeyUnknown");
  EXPECT_TRUE(Says("shows another key")) << Message();
  EXPECT_TRUE(Says("(it shows SHA256:")) << Message();
}

TEST_F(OverSsh, AKeyThatTheHostDoesNotKnowOpensNothing) {
  GiveKey(ssh_.OtherKey(), ssh_.KnownHosts());
  EXPECT_EQ(Resolve("main", SshUrl()), kGitAuthFailed);
  EXPECT_EQ(Reason(), "GitAuthFailed");
  EXPECT_TRUE(Says("Permission denied (publickey")) << Message();
}

TEST_F(OverSsh, AKeyThatIsNoneIsNamed) {
  GiveKey("not a key\n", ssh_.KnownHosts());
  EXPECT_EQ(Resolve("main", SshUrl()), kGitAuthFailed);
  EXPECT_TRUE(Says("Load key")) << Message();
}

TEST_F(OverSsh, WhatASecretLacksIsSaid) {
  EXPECT_EQ(Resolve("main", SshUrl()), kGitAuthFailed);
  EXPECT_TRUE(Says("ssh-privatekey and known_hosts")) << Message();
  GiveKey("", "");
  EXPECT_EQ(Resolve("main", SshUrl()), kGitAuthFailed);
  EXPECT_TRUE(Says("must have the keys ssh-privatekey and known_hosts")) << Message();
  GiveKey(ssh_.ClientKey(), "");
  EXPECT_EQ(Resolve("main", SshUrl()), kHostKeyUnknown);
  EXPECT_TRUE(Says("add the key known_hosts")) << Message();
  EXPECT_EQ(Resolve("main"), kGitAuthFailed);
  EXPECT_TRUE(Says("username and password for an http URL")) << Message();
}

TEST_F(OverSsh, WhatIsNotThereIsNamed) {
  GiveKey(ssh_.ClientKey(), ssh_.KnownHosts());
  EXPECT_EQ(Resolve("nothing", SshUrl()), kRevisionNotFound);
  EXPECT_EQ(Resolve("main", ssh_.Url(scratch_ / "none.git")), kRepositoryNotFound) << Message();
  EXPECT_EQ(Resolve("main", "ssh://git@127.0.0.1:1/x.git"), kGitHostUnreachable) << Message();
}

}  // namespace
}  // namespace slipway::runner
