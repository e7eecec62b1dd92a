#include "runner/git_failure.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace slipway::runner {
namespace {

struct Said {
  const char* name;
  const char* errors;
  int exit_code;
  const char* reason;
  const char* quoted;  // stands in the message
};

class GitSays : public ::testing::TestWithParam<Said> {};

TEST_P(GitSays, AndTheCauseIsKnown) {
  const GitFailure failure = Classify(GetParam().errors);
  EXPECT_EQ(failure.exit_code, GetParam().exit_code);
  EXPECT_EQ(failure.reason, GetParam().reason);
  EXPECT_NE(failure.message.find(GetParam().quoted), std::string::npos) << failure.message;
}

constexpr Said kSaid[] = {
    {"unknown_host", "fatal: unable to access 'http://nowhere/x/': Could not resolve host: nowhere\n", 20,
     "GitHostUnreachable", "Could not resolve host: nowhere"},
    {"refused_by_curl_7",
     "fatal: unable to access 'http://h/x/': Failed to connect to h port 80: Connection refused\n", 20,
     "GitHostUnreachable", "Connection refused"},
    {"refused_by_curl_8",
     "fatal: unable to access 'http://h/x/': Failed to connect to h port 80 after 0 ms: Couldn't connect to "
     "server\n",
     20, "GitHostUnreachable", "port 80"},
    {"no_route", "fatal: unable to access 'http://h/x/': Failed to connect to h port 80: No route to host\n",
     20, "GitHostUnreachable", "No route to host"},
    {"timed_out",
     "fatal: unable to access 'http://h/x/': Failed to connect to h port 80: Connection timed out\n", 20,
     "GitHostUnreachable", "timed out"},
    {"too_slow",
     "error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec transferred the last 30 "
     "seconds\n"
     "fatal: early EOF\n",
     20, "GitHostUnreachable", "too slow"},
    {"empty_reply", "fatal: unable to access 'http://h/x/': Empty reply from server\n", 20,
     "GitHostUnreachable", "Empty reply"},
    {"untrusted_gnutls",
     "fatal: unable to access 'https://h/x/': server certificate verification failed. CAfile: none CRLfile: "
     "none\n",
     26, "CertificateUntrusted", "certificate verification failed"},
    {"untrusted_openssl",
     "fatal: unable to access 'https://h/x/': SSL certificate problem: self-signed certificate\n", 26,
     "CertificateUntrusted", "self-signed"},
    {"no_tls_there",
     "fatal: unable to access 'https://h/x/': gnutls_handshake() failed: An unexpected TLS packet was "
     "received.\n",
     20, "GitHostUnreachable", "unexpected TLS packet"},
    {"wrong_password",
     "remote: Invalid username or password.\nfatal: Authentication failed for 'https://h/x/'\n", 21,
     "GitAuthFailed", "Authentication failed for 'https://h/x/'"},
    {"no_password", "fatal: could not read Username for 'https://h': terminal prompts disabled\n", 21,
     "GitAuthFailed", "could not read Username"},
    {"forbidden", "fatal: unable to access 'https://h/x/': The requested URL returned error: 403\n", 21,
     "GitAuthFailed", "403"},
    {"no_ref", "fatal: couldn't find remote ref refs/heads/x\n", 22, "RevisionNotFound", "refs/heads/x"},
    {"no_object", "fatal: remote error: upload-pack: not our ref 0123\n", 22, "RevisionNotFound",
     "not our ref 0123"},
    {"object_not_served", "error: Server does not allow request for unadvertised object 0123\n", 22,
     "RevisionNotFound", "unadvertised object"},
    {"no_tree", "fatal: reference is not a tree: 0123\n", 22, "RevisionNotFound", "0123"},
    {"no_repository", "remote: Not Found\nfatal: repository 'http://h/x.git/' not found\n", 24,
     "RepositoryNotFound", "repository 'http://h/x.git/' not found"},
    {"no_page", "fatal: unable to access 'http://h/x/': The requested URL returned error: 404\n", 24,
     "RepositoryNotFound", "404"},
    {"bad_gateway", "fatal: unable to access 'http://h/x/': The requested URL returned error: 502\n", 20,
     "GitHostUnreachable", "502"},
    {"disk_full", "fatal: write error: No space left on device\nfatal: index-pack failed\n", 1, "GitFailed",
     "No space left on device"},
    {"silence", "", 1, "GitFailed", "it said nothing"},
    {"only_an_echo", "fatal: early EOF\n", 1, "GitFailed", "early EOF"},
    {"the_server_speaks",
     "remote: fatal: Authentication failed for you\nfatal: protocol error: bad pack header\n", 1, "GitFailed",
     "bad pack header"},
    {"the_server_speaks_in_an_error", "fatal: remote error: Could not resolve host: h\n", 1, "GitFailed",
     "remote error"},
    {"too_many", "fatal: unable to access 'http://h/x/': The requested URL returned error: 429\n", 20,
     "GitHostUnreachable", "429"},
    {"broken_midway",
     "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503\nfatal: early EOF\n", 20,
     "GitHostUnreachable", "503"},
    {"another_name_on_the_certificate",
     "fatal: unable to access 'https://h/x/': SSL: no alternative certificate subject name matches target "
     "host name 'h'\n",
     26, "CertificateUntrusted", "target host name 'h'"},
    {"ssh_unknown_host", "ssh: Could not resolve hostname nowhere: Name or service not known\n", 20,
     "GitHostUnreachable", "hostname nowhere"},
    {"ssh_refused",
     "ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.\n\n"
     "Please make sure you have the correct access rights\nand the repository exists.\n",
     20, "GitHostUnreachable", "port 22: Connection refused"},
    {"ssh_timed_out", "ssh: connect to host h port 22: Connection timed out\n", 20, "GitHostUnreachable",
     "timed out"},
    {"ssh_no_route", "ssh: connect to host h port 22: No route to host\n", 20, "GitHostUnreachable",
     "No route"},
    {"ssh_closed", "kex_exchange_identification: Connection closed by remote host\r\n", 20,
     "GitHostUnreachable", "closed by remote host"},
    {"ssh_no_host_key",
     "No ED25519 host key is known for [h]:2222 and you have requested strict checking.\r\n"
     "Host key verification failed.\r\nfatal: Could not read from remote repository.\n",
     25, "HostKeyUnknown", "ED25519 host key is known for [h]:2222"},
    {"ssh_host_key_refused", "Host key verification failed.\r\n", 25, "HostKeyUnknown", "known_hosts"},
    {"ssh_host_key_changed",
     "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
     "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
     "The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc/def.\r\n"
     "Host key for h has changed and you have requested strict checking.\r\n"
     "Host key verification failed.\r\n",
     25, "HostKeyUnknown",
     "shows another key than the one in known_hosts of the Secret (it shows SHA256:abc"},
    {"ssh_wrong_key", "git@h: Permission denied (publickey,password).\r\n", 21, "GitAuthFailed",
     "Permission denied (publickey"},
    {"ssh_broken_key", "Load key \"/tmp/k\": error in libcrypto\r\ngit@h: Permission denied (publickey).\r\n",
     21, "GitAuthFailed", "error in libcrypto"},
    {"ssh_no_repository", "fatal: '/srv/x.git' does not appear to be a git repository\n", 24,
     "RepositoryNotFound", "/srv/x.git"},
    {"ssh_no_repository_github",
     "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n", 24,
     "RepositoryNotFound", "Repository not found"},
    {"ssh_no_user", "No user exists for uid 65532\r\nfatal: Could not read from remote repository.\n", 1,
     "GitFailed", "No user exists for uid 65532"},
    {"submodule_by_file",
     "fatal: transport 'file' not allowed\nfatal: clone of 'file:///x' into submodule path '/w/x' failed\n"
     "Failed to clone 'x'. Retry scheduled\nFailed to clone 'x' a second time, aborting\n",
     1, "GitFailed", "transport 'file' not allowed"},
    {"words_in_a_url",
     "fatal: unable to access 'http://h/Connection%20refused/': The requested URL returned error: 400\n", 1,
     "GitFailed", "400"},
};

INSTANTIATE_TEST_SUITE_P(Git, GitSays, ::testing::ValuesIn(kSaid),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GitFailures, HoldNoPassword) {
  const GitFailure failure = Classify("fatal: Authentication failed for 'https://bob:hunter2@h/x/'\n");
  EXPECT_EQ(failure.message,
            "the git host does not accept the credentials: Authentication failed for 'https://h/x/'");
}

TEST(GitFailures, AreOneBoundedLine) {
  const GitFailure failure = Classify("fatal: \x1b[31m" + std::string(5000, 'x') + "\n");
  EXPECT_LE(failure.message.size(), 800U);
  EXPECT_EQ(failure.message.find('\x1b'), std::string::npos);
}

TEST(GitFailures, AreReportedWithReasonAndMessage) {
  const auto report = nlohmann::json::parse(ToJson(MakeGitFailure(22, "RevisionNotFound", "no \"x\"")));
  EXPECT_EQ(report, (nlohmann::json{{"reason", "RevisionNotFound"}, {"message", "no \"x\""}}));
}

TEST(BareCommits, AreLookedForBelowBranchesWhenTheServerRefusesThem) {
  EXPECT_TRUE(RefusesBareCommit("error: Server does not allow request for unadvertised object 0123\n"));
  EXPECT_TRUE(RefusesBareCommit("fatal: remote error: upload-pack: not our ref 0123\n"));
  EXPECT_TRUE(RefusesBareCommit("fatal: dumb http transport does not support shallow capabilities\n"));
  EXPECT_FALSE(RefusesBareCommit("fatal: Authentication failed for 'https://h/x/'\n"));
}

}  // namespace
}  // namespace slipway::runner
