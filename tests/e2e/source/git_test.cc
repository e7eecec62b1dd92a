// Where a commit comes from: private repositories over TLS and SSH, what a branch, a range of tags or a
// proposed change resolves to, submodules, and what is left of git in the checkout.
#include "e2e/source/fixture.h"

namespace slipway::testing {
namespace {

class Git : public Source {
 protected:
  void StartBuilds() override {
    ASSERT_NO_FATAL_FAILURE(StartPrivate());
    StartPublic();
    StartChecked();
  }

  // Of a repository that asks for credentials.
  void StartPrivate() {
    const auto created = Execute({SourcePath("hack/testbed/sample-repo"), "create", "private/" + ns_});
    ASSERT_TRUE(created.ok()) << created.text;
    BasicAuth("testbed");
    Authority();
    SshAuth(Execute({"cat", StateFile("ssh/known_hosts")}).text);
    Make("wary", From("wary", kTlsUrl, "git-credentials"));
    Make("trusting", Trusting("trusting"));
    Make("url", From("url", kSshUrl, "git-ssh"));
    Make("short", From("short", "git@git.slipway.test:private/e2e-source.git", "git-ssh"));
  }

  void StartPublic() {
    proposed = Commit({{"site/proposed.txt", "proposed\n"}}, "refs/pull/1/head");
    Make("change", Spec("change", "refs/pull/1/head"));
    Make("sha", Spec("sha", proposed));
    Make("ignoring", Spec("ignoring", Push("dockerignore")));
    Push("submodule");
    Json with = Spec("with", Commit({{"Dockerfile",
                                      "FROM registry.slipway.test:5000/slipway/sample-base:1\n"
                                      "COPY site/ /site/\nRUN test -s /site/index.html\n"}}));
    Make("without", with);
    with["source"]["git"]["submodules"] = true;
    with["output"]["repository"] = Repository("with");
    Make("with", with);
  }

  void StartChecked() {
    const std::string commit = Commit({{"Dockerfile", "FROM scratch\nCOPY .gitmodules /\n"}});
    Make("none", Checked("none", commit, "test ! -e .git"));
    Json shallow = Checked("shallow", commit, "test -d .git && test -f .git/shallow");
    shallow["source"]["git"]["depth"] = 1;
    Make("shallow", shallow);
    Json whole = Checked("whole", commit, "test -d .git && test ! -e .git/shallow");
    whole["source"]["git"]["depth"] = 0;
    Make("whole", whole);
    // So that a test that sees nothing at all would be seen here.
    Make("contrary", Checked("contrary", commit, "test -d .git"));
  }

  Json From(const std::string& name, const std::string& url, const std::string& secret) const {
    Json spec = Spec(name);
    spec["source"]["git"]["url"] = url;
    spec["source"]["git"]["credentialsSecretRef"] = Ref(secret);
    return spec;
  }

  Json Trusting(const std::string& name) const {
    Json spec = From(name, kTlsUrl, "git-credentials");
    spec["caBundleRef"] = Ref("authority");
    return spec;
  }

  // One leg of a test that runs in the checkout: its script decides.
  Json Checked(const std::string& name, const std::string& commit, const std::string& script) const {
    const std::string image = std::string(kPublic) + "/slipway/sample-base";
    Json test = {{"name", "look"}, {"image", image + "@" + Crane({"digest", image + ":1"}).text}};
    test["command"] = {"sh", "-c", script};
    Json spec = Spec(name, commit);
    spec["tests"] = Json::array({test});
    spec["output"]["push"] = false;
    return spec;
  }

  static constexpr const char* kTlsUrl = "https://git.slipway.test:8443/private/e2e-source.git";
  static constexpr const char* kSshUrl = "ssh://git@git.slipway.test:2222/private/e2e-source.git";
  inline static std::string proposed;  // a commit that only refs/pull/1/head has
};

TEST_F(Git, APrivateRepositoryOverTlsOfAPrivateAuthority) {
  const auto run = Succeeds("trusting");
  EXPECT_TRUE(
      Crane({"digest", Repository("trusting") + ":" + run.value("/commit/sha"_json_pointer, "")}).ok())
      << run;
  Fails("wary", "CertificateUntrusted", {"spec.caBundleRef", kTlsUrl});

  BasicAuth("not-the-one");
  Make("locked-out", Trusting("locked-out"));
  const auto refused =
      Fails("locked-out", "GitAuthFailed", {"spec.source.git.credentialsSecretRef", "git-credentials"});
  EXPECT_EQ(refused.dump().find("not-the-one"), std::string::npos) << "a password is never told";
}

TEST_F(Git, APrivateRepositoryOverSshInBothFormsOfAnAddress) {
  EXPECT_NE(Succeeds("url").value("image", "").find("@sha256:"), std::string::npos);
  EXPECT_NE(Succeeds("short").value("image", "").find("@sha256:"), std::string::npos);

  // A key for another host is none for this one.
  std::string hosts = Execute({"cat", StateFile("ssh/known_hosts")}).text;
  for (std::size_t at = 0; (at = hosts.find("git.slipway", at)) != std::string::npos;) {
    hosts.replace(at, 3, "elsewhere");
  }
  SshAuth(hosts);
  Make("stranger", From("stranger", kSshUrl, "git-ssh"));
  Fails("stranger", "HostKeyUnknown", {"spec.source.git.credentialsSecretRef", "known_hosts"});
}

TEST_F(Git, AProposedChangeAndACommitThatNoBranchHas) {
  const auto change = Succeeds("change");
  EXPECT_EQ(change.value("/commit/sha"_json_pointer, ""), proposed);
  EXPECT_EQ(change.value("ref", ""), "refs/pull/1/head");
  EXPECT_EQ(Succeeds("sha").value("/commit/sha"_json_pointer, ""), proposed);
}

TEST_F(Git, SubmodulesComeWhenTheyAreAskedFor) {
  Succeeds("with");
  Fails("without", "DockerfileFailed", {"spec.build.dockerfile"});
}

TEST_F(Git, WhatIsLeftOfGitInTheCheckout) {
  for (const char* name : {"none", "shallow", "whole"}) Succeeds(name);
  Fails("contrary", "TestFailed", {"look"});
}

TEST_F(Git, WhatDockerignoreNamesIsNotInTheContext) { Succeeds("ignoring"); }

}  // namespace
}  // namespace slipway::testing
