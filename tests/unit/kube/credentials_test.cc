#include "kube/credentials.h"

#include <gtest/gtest.h>

#include "files.h"
#include "support/run.h"

namespace slipway::kube {
namespace {

class CredentialsTest : public ::testing::Test {
 protected:
  Result<Identity> Get(Credentials& credentials) { return slipway::testing::Run(io_, credentials.Get()); }
  std::string Header(Credentials& credentials) {
    const auto identity = Get(credentials);
    return identity ? identity->authorization : "error: " + identity.error().message;
  }
  ClientConfig Plugin(std::string_view script) {
    ClientConfig config;
    config.exec = ExecPlugin{folder_.Script("plugin", script), {}, {}, "client.authentication.k8s.io/v1"};
    return config;
  }
  int Runs() {
    std::ifstream log(folder_.Path("runs"));
    std::string line;
    int count = 0;
    while (std::getline(log, line)) ++count;
    return count;
  }
  std::string Counting(std::string_view then) {
    return "echo run >> " + folder_.Path("runs") + "\n" + std::string(then);
  }

  asio::io_context io_;
  Folder folder_;
};

TEST_F(CredentialsTest, AreAHeaderForEachKindOfUser) {
  ClientConfig nobody;
  ClientConfig token;
  token.token = "abc";
  ClientConfig basic;
  basic.username = "me";
  basic.password = "pa:ss";
  const std::pair<ClientConfig, std::string_view> rows[] = {
      {nobody, ""}, {token, "Bearer abc"}, {basic, "Basic bWU6cGE6c3M="}};
  for (const auto& [config, header] : rows) {
    Credentials credentials(config);
    EXPECT_EQ(Header(credentials), header);
  }
}

TEST_F(CredentialsTest, ClientCertificateIsPartOfTheIdentity) {
  ClientConfig config;
  config.client_cert_pem = "certificate";
  config.client_key_pem = "key";
  Credentials credentials(config);
  const auto identity = Get(credentials);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->client_cert_pem, "certificate");
  EXPECT_EQ(identity->client_key_pem, "key");
}

TEST_F(CredentialsTest, TokenFileWinsOverAFixedToken) {
  ClientConfig config;
  config.token = "fixed";
  config.token_file = folder_.Write("token", "from the file\r\n");
  Credentials credentials(config);
  EXPECT_EQ(Header(credentials), "Bearer from the file");
}

TEST_F(CredentialsTest, TokenFileThatChangedIsReadAgainAfterARefresh) {
  ClientConfig config;
  config.token_file = folder_.Write("token", "first");
  Credentials credentials(config);
  EXPECT_EQ(Header(credentials), "Bearer first");
  folder_.Write("token", "second\n");
  EXPECT_EQ(Header(credentials), "Bearer first") << "read again within its minute";
  credentials.Refresh();
  EXPECT_EQ(Header(credentials), "Bearer second");
}

TEST_F(CredentialsTest, LastTokenStaysWhileItsFileIsEmptyOrGone) {
  ClientConfig config;
  config.token_file = folder_.Write("token", "first");
  Credentials credentials(config);
  EXPECT_EQ(Header(credentials), "Bearer first");
  folder_.Write("token", "\n");
  credentials.Refresh();
  EXPECT_EQ(Header(credentials), "Bearer first");
  std::filesystem::remove(folder_.Path("token"));
  credentials.Refresh();
  EXPECT_EQ(Header(credentials), "Bearer first");
}

TEST_F(CredentialsTest, PluginGivesATokenAndRunsOnce) {
  Credentials credentials(Plugin(Counting(R"(echo '{"status":{"token":"from the plugin"}}')")));
  EXPECT_EQ(Header(credentials), "Bearer from the plugin");
  EXPECT_EQ(Header(credentials), "Bearer from the plugin");
  EXPECT_EQ(Runs(), 1);
  credentials.Refresh();
  EXPECT_EQ(Header(credentials), "Bearer from the plugin");
  EXPECT_EQ(Runs(), 2);
}

TEST_F(CredentialsTest, PluginRunsAgainOnceItsCredentialHasExpired) {
  const std::pair<std::string_view, int> rows[] = {{"2020-01-01T00:00:00Z", 2}, {"2199-01-01T00:00:00Z", 1}};
  for (const auto& [expiry, runs] : rows) {
    std::filesystem::remove(folder_.Path("runs"));
    Credentials credentials(Plugin(Counting(R"(echo '{"status":{"token":"t","expirationTimestamp":")" +
                                            std::string(expiry) + R"("}}')")));
    EXPECT_EQ(Header(credentials), "Bearer t");
    EXPECT_EQ(Header(credentials), "Bearer t");
    EXPECT_EQ(Runs(), runs) << expiry;
  }
}

TEST_F(CredentialsTest, PluginMayGiveACertificate) {
  Credentials credentials(
      Plugin(R"(printf '%s' '{"status":{"clientCertificateData":"c","clientKeyData":"k"}}')"));
  const auto identity = Get(credentials);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->authorization, "");
  EXPECT_EQ(identity->client_cert_pem, "c");
  EXPECT_EQ(identity->client_key_pem, "k");
}

TEST_F(CredentialsTest, PluginIsGivenItsArgumentsAndVariables) {
  ::setenv("SLIPWAY_TEST_OUTER", "outer", 1);
  ClientConfig config =
      Plugin(R"(printf '{"status":{"token":"%s"}}' "$1-$2-$SLIPWAY_TEST_OUTER-$SLIPWAY_TEST_OWN")");
  config.exec->args = {"a b", "c"};
  config.exec->env = {{"SLIPWAY_TEST_OWN", "own"}};
  Credentials credentials(config);
  EXPECT_EQ(Header(credentials), "Bearer a b-c-outer-own");
  ::unsetenv("SLIPWAY_TEST_OUTER");
}

// date(1) reads its zone by getenv(), which finds the first of two variables of one name.
TEST_F(CredentialsTest, VariableOfThePluginReplacesTheInheritedOne) {
  ::setenv("TZ", "OUTER-2", 1);
  ClientConfig config;
  config.exec = ExecPlugin{
      "date", {R"(+{"status":{"token":"%Z"}})"}, {{"TZ", "INNER3"}}, "client.authentication.k8s.io/v1"};
  Credentials credentials(config);
  EXPECT_EQ(Header(credentials), "Bearer INNER");
  ::unsetenv("TZ");
}

TEST_F(CredentialsTest, PluginIsToldWhichVersionToSpeak) {
  Credentials credentials(Plugin(R"(case "$KUBERNETES_EXEC_INFO" in
*'"apiVersion":"client.authentication.k8s.io/v1"'*'"interactive":false'*) echo '{"status":{"token":"yes"}}';;
esac)"));
  EXPECT_EQ(Header(credentials), "Bearer yes");
}

TEST_F(CredentialsTest, PluginThatGivesNothingIsUnauthorizedAndNamed) {
  const std::string_view scripts[] = {
      "exit 0",
      "exit 3",
      "kill -9 $$",
      "echo no JSON",
      "echo '[]'",
      "echo '{}'",
      R"(echo '{"status":null}')",
      R"(echo '{"status":{"token":7}}')",
      R"(echo '{"status":{"token":""}}')",
      R"(echo '{"status":{"clientCertificateData":"c"}}')",
      R"(echo '{"status":{"token":"t"}}'; exit 1)",
  };
  for (const auto script : scripts) {
    Credentials credentials(Plugin(script));
    const auto identity = Get(credentials);
    ASSERT_FALSE(identity) << script;
    EXPECT_EQ(identity.error().kind, ErrorKind::kUnauthorized) << script;
    EXPECT_NE(identity.error().message.find(folder_.Path("plugin")), std::string::npos) << script;
  }
}

TEST_F(CredentialsTest, PluginThatIsNotThereIsNamed) {
  ClientConfig config;
  config.exec = ExecPlugin{folder_.Path("missing"), {}, {}, "client.authentication.k8s.io/v1"};
  Credentials credentials(config);
  const auto identity = Get(credentials);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::kUnauthorized);
  EXPECT_NE(identity.error().message.find("missing can't be started"), std::string::npos);
}

TEST_F(CredentialsTest, PluginThatPrintsWithoutEndIsStopped) {
  Credentials credentials(Plugin("exec yes"));
  const auto identity = Get(credentials);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::kUnauthorized);
}

TEST_F(CredentialsTest, ErrorNeverRepeatsWhatThePluginPrinted) {
  Credentials credentials(Plugin("echo '{\"status\":{\"clientKeyData\":\"hunter2\"}}'"));
  const auto identity = Get(credentials);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().message.find("hunter2"), std::string::npos);
}

TEST_F(CredentialsTest, PluginIsTriedAgainAfterAFailure) {
  Credentials credentials(
      Plugin(Counting("test -e " + folder_.Path("ready") + R"( && echo '{"status":{"token":"late"}}')")));
  EXPECT_FALSE(Get(credentials));
  folder_.Write("ready", "");
  EXPECT_EQ(Header(credentials), "Bearer late");
  EXPECT_EQ(Runs(), 2);
}

// A request to stop that comes while the plugin runs must still be there when it has ended: the loops of the
// operator read it, and would go on for ever.
TEST_F(CredentialsTest, CancellationWhileThePluginRunsIsNotLost) {
  // It ends when it is told to, once the request has come.
  Credentials credentials(Plugin("until test -e " + folder_.Path("go") +
                                 R"(; do sleep 0.05; done; echo '{"status":{"token":"t"}}')"));
  bool seen = false;
  TaskGroup group(io_.get_executor());
  struct Task {
    static asio::awaitable<void> GetAndLook(Credentials& from, bool& was_cancelled) {
      const auto identity = co_await from.Get();
      const auto state = co_await asio::this_coro::cancellation_state;
      was_cancelled = state.cancelled() != asio::cancellation_type::none;
    }
  };
  group.Spawn("getter", Task::GetAndLook(credentials, seen));
  io_.poll();
  group.Cancel();
  folder_.Write("go", "");
  slipway::testing::Run(io_, group.Join());
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace slipway::kube
