#include "runner/git_url.h"

#include <gtest/gtest.h>

#include <string>

#include "runner/git_access.h"

namespace slipway::runner {
namespace {

using Transport = GitUrl::Transport;

TEST(GitUrls, OfHttpHaveAnOriginThatCredentialsAreFor) {
  struct Case {
    const char* url;
    const char* origin;
  };
  const Case cases[] = {{"http://h/x.git", "http://h"},
                        {"https://h:8443/a/b@c", "https://h:8443"},
                        {"http://[::1]:80/x", "http://[::1]:80"},
                        {"https://h", "https://h"}};
  for (const auto& c : cases) {
    const auto url = ParseGitUrl(c.url);
    ASSERT_TRUE(url) << c.url;
    EXPECT_EQ(url->transport, Transport::kHttp) << c.url;
    EXPECT_EQ(url->origin, c.origin);
  }
}

TEST(GitUrls, OfSshAreWrittenInTwoWays) {
  for (const char* good :
       {"ssh://h/x", "ssh://git@h/x.git", "ssh://git@h.example.com:2222/team/x.git", "ssh://h/~ada/x",
        "git@h:x", "git@github.com:team/x.git", "git@h:/srv/x.git", "a_b-c.d@h:~ada/x"}) {
    const auto url = ParseGitUrl(good);
    ASSERT_TRUE(url) << good;
    EXPECT_EQ(url->transport, Transport::kSsh) << good;
    EXPECT_EQ(url->origin, "") << good;
  }
}

TEST(GitUrls, OfOtherKindsAreRefused) {
  for (const char* bad : {"",
                          "/etc",
                          "file:///etc",
                          "ext::sh",
                          "ext::ssh git@h:x",
                          "--upload-pack=x",
                          "http://",
                          "http:///x",
                          "https://bob@h/x",
                          "https://bob:pw@h",
                          "http://h/a b",
                          "http://h/a\nb",
                          "http://h\\@g/x",
                          "HTTP://h/x",
                          "http://-h/x",
                          "git://h/x",
                          "ftp://h/x",
                          "h:x",
                          "ssh://",
                          "ssh://h",
                          "ssh://h/",
                          "ssh:///x",
                          "ssh://-oProxyCommand=x/y",
                          "ssh://git@-oProxyCommand=x/y",
                          "ssh://-u@h/x",
                          "ssh://git:pw@h/x",
                          "ssh://git@h:x/y",
                          "ssh://git@h:/y",
                          "ssh://git@h:123456/y",
                          "ssh://git@h/-x",
                          "ssh://@h/x",
                          "ssh://git@/x",
                          "ssh://a@b@h/x",
                          "git@h:",
                          "git@h:-x",
                          "git@-h:x",
                          "-git@h:x",
                          "git@h::x",
                          "git@h://x",
                          "git:pw@h:x",
                          "git@h x:y",
                          "@h:x",
                          "./git@h:x",
                          "git@h/x",
                          "git@h$(id):x"}) {
    EXPECT_FALSE(IsGitUrl(bad)) << bad;
  }
}

TEST(Revisions, AreNamesThatGitCanNotTakeForAnOption) {
  for (const char* good : {"main", "v1.2.3", "feature/a_b-c+d", "refs/tags/v1", "HEAD", "_x", "a@b#c=d",
                           "refs/pull/1/head", "refs/merge-requests/1/head"}) {
    EXPECT_TRUE(IsRevision(good)) << good;
  }
  for (const char* bad :
       {"", "-x", "--upload-pack=x", "a..b", "a b", "a^{}", "refs/heads/*", "a:b", "~1", "a\n", "@{u}"}) {
    EXPECT_FALSE(IsRevision(bad)) << bad;
  }
}

TEST(Refs, AreWholeNames) {
  for (const char* good : {"HEAD", "refs/heads/main", "refs/pull/1/head"}) EXPECT_TRUE(IsRef(good)) << good;
  for (const char* bad : {"", "main", "-refs/x", "refs/a b", "refs/a:refs/b", "+refs/a", "refs/../x"}) {
    EXPECT_FALSE(IsRef(bad)) << bad;
  }
}

TEST(Shas, AreFortyDigits) {
  EXPECT_TRUE(IsSha(std::string(40, 'a')));
  EXPECT_TRUE(IsSha("0123456789abcdefABCDEF0123456789abcdefAB"));
  EXPECT_FALSE(IsSha(std::string(39, 'a')));
  EXPECT_FALSE(IsSha(std::string(40, 'g')));
}

TEST(SshCommands, TrustAndOfferNothingThatWasNotGiven) {
  const std::string given = SshCommand("/tmp/k", "/tmp/h");
  for (const char* part : {"-F /dev/null", "BatchMode=yes", "StrictHostKeyChecking=yes",
                           "UserKnownHostsFile='/tmp/h'", "GlobalKnownHostsFile=/dev/null",
                           "IdentitiesOnly=yes", "IdentityFile='/tmp/k'", "ConnectTimeout=20"}) {
    EXPECT_NE(given.find(part), std::string::npos) << part;
  }
  const std::string none = SshCommand("", "");
  EXPECT_NE(none.find("UserKnownHostsFile='/dev/null'"), std::string::npos);
  EXPECT_NE(none.find("IdentityFile='none'"), std::string::npos);
}

}  // namespace
}  // namespace slipway::runner
