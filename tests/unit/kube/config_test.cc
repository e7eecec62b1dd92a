#include "kube/config.h"

#include <gtest/gtest.h>

#include "files.h"

namespace slipway::kube {
namespace {

constexpr std::string_view kTwoContexts = R"(
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: near, user: token, namespace: shop}
- name: two
  context: {cluster: far, user: cert}
clusters:
- name: near
  cluster:
    server: https://127.0.0.1:6443/
    certificate-authority-data: bmVhciBDQQ==
- name: far
  cluster:
    server: https://[::1]:8443/proxy/cluster/
    certificate-authority: ca.pem
    tls-server-name: api.example
users:
- name: token
  user: {token: secret}
- name: cert
  user:
    client-certificate: cert.pem
    client-key-data: a2V5IHRleHQ=
)";

class Kubeconfig : public ::testing::Test {
 protected:
  Result<ClientConfig> Load(std::string_view text, std::string_view context = "") {
    return LoadKubeconfig(folder_.Write("config", text), context);
  }
  Folder folder_;
};

TEST_F(Kubeconfig, TakesTheCurrentContext) {
  const auto config = Load(kTwoContexts);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->scheme, "https");
  EXPECT_EQ(config->host, "127.0.0.1");
  EXPECT_EQ(config->port, "6443");
  EXPECT_EQ(config->base_path, "");
  EXPECT_EQ(config->ca_pem, "near CA");
  EXPECT_EQ(config->ca_file, "");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->default_namespace, "shop");
  EXPECT_FALSE(config->exec);
}

TEST_F(Kubeconfig, TakesTheContextThatIsNamedAndFilesBesideIt) {
  folder_.Write("ca.pem", "far CA");
  folder_.Write("cert.pem", "certificate text");
  const auto config = Load(kTwoContexts, "two");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "::1");
  EXPECT_EQ(config->port, "8443");
  EXPECT_EQ(config->base_path, "/proxy/cluster");
  EXPECT_EQ(config->ca_pem, "far CA");
  EXPECT_EQ(config->ca_file, folder_.Path("ca.pem"));
  EXPECT_EQ(config->tls_server_name, "api.example");
  EXPECT_EQ(config->client_cert_pem, "certificate text");
  EXPECT_EQ(config->client_key_pem, "key text");
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->default_namespace, "default");
}

std::string With(std::string_view cluster, std::string_view user) {
  return "current-context: c\n"
         "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "clusters: [{name: k, cluster: " +
         std::string(cluster) + "}]\nusers: [{name: u, user: " + std::string(user) + "}]\n";
}

constexpr std::string_view kServer = "{server: 'https://api.example'}";

TEST_F(Kubeconfig, ReadsAServerWithEachOfItsParts) {
  const struct {
    std::string_view server;
    std::string_view scheme, host, port, base_path;
  } rows[] = {
      {"https://api.example", "https", "api.example", "443", ""},
      {"https://api.example/", "https", "api.example", "443", ""},
      {"https://api.example:6443/k8s/c-1//", "https", "api.example", "6443", "/k8s/c-1"},
      {"http://127.0.0.1:8001", "http", "127.0.0.1", "8001", ""},
      {"http://localhost", "http", "localhost", "80", ""},
      {"http://[::1]:8001", "http", "::1", "8001", ""},
      {"https://[2001:db8::1]", "https", "2001:db8::1", "443", ""},
      {"https://api.example:65535", "https", "api.example", "65535", ""},
  };
  for (const auto& row : rows) {
    const auto config = Load(With("{server: '" + std::string(row.server) + "'}", "{}"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->scheme, row.scheme) << row.server;
    EXPECT_EQ(config->host, row.host) << row.server;
    EXPECT_EQ(config->port, row.port) << row.server;
    EXPECT_EQ(config->base_path, row.base_path) << row.server;
  }
}

TEST_F(Kubeconfig, RefusesAServerThatItCannotOrMustNotReach) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", "cluster.server"},
      {"api.example", "write https://HOST:PORT"},
      {"ftp://api.example", "neither https nor http"},
      {"https://", "no host"},
      {"https://:6443", "no host"},
      {"https://api.example:", "port"},
      {"https://api.example:x", "port"},
      {"https://api.example:0", "port"},
      {"https://api.example:65536", "port"},
      {"https://api.example:99999", "port"},
      {"https://user:pass@api.example", "users list"},
      {"http://api.example", "loopback"},
      {"http://10.0.0.1:8080", "loopback"},
      {"http://127.evil.example", "loopback"},
  };
  for (const auto& [server, says] : rows) {
    const auto config = Load(With("{server: '" + std::string(server) + "'}", "{token: t}"));
    ASSERT_FALSE(config) << server;
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalid) << server;
    EXPECT_NE(config.error().message.find(says), std::string::npos) << config.error().message;
  }
}

TEST_F(Kubeconfig, ReadsEachWayToSayWhoWeAre) {
  const auto basic = Load(With(kServer, "{username: me, password: pass}"));
  ASSERT_TRUE(basic) << basic.error().message;
  EXPECT_EQ(basic->username, "me");
  EXPECT_EQ(basic->password, "pass");
  const auto file = Load(With(kServer, "{tokenFile: sub/token}"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->token_file, folder_.Path("sub/token"));
  const auto absolute = Load(With(kServer, "{tokenFile: /run/token}"));
  ASSERT_TRUE(absolute) << absolute.error().message;
  EXPECT_EQ(absolute->token_file, "/run/token");
  const auto nobody = Load(With(kServer, "{}"));
  ASSERT_TRUE(nobody) << nobody.error().message;
  EXPECT_TRUE(nobody->token.empty() && nobody->client_cert_pem.empty() && nobody->username.empty());
}

TEST_F(Kubeconfig, ReadsACredentialPlugin) {
  const auto config = Load(With(kServer,
                                "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login, "
                                "args: [get, --now], env: [{name: A, value: b}], "
                                "interactiveMode: Never}}"));
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(config->exec->command, "login");
  EXPECT_EQ(config->exec->args, (std::vector<std::string>{"get", "--now"}));
  EXPECT_EQ(config->exec->env.at("A"), "b");
  EXPECT_EQ(config->exec->api_version, "client.authentication.k8s.io/v1");
  const auto bare =
      Load(With(kServer,
                "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: login, args: "
                "null, env: null}}"));
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_TRUE(bare->exec && bare->exec->args.empty() && bare->exec->env.empty());
}

TEST_F(Kubeconfig, InlineDataWinsOverAFile) {
  folder_.Write("ca.pem", "from the file");
  const auto config =
      Load(With("{server: 'https://api.example', certificate-authority: ca.pem, "
                "certificate-authority-data: aW5saW5l}",
                "{}"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, "inline");
  EXPECT_EQ(config->ca_file, "");
}

TEST_F(Kubeconfig, ReadsBase64WithEachPaddingAndLineBreaks) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"YQ==", "a"}, {"YWI=", "ab"}, {"YWJj", "abc"}, {"\"YW\\nJj\\n\"", "abc"}};
  for (const auto& [data, text] : rows) {
    const auto config =
        Load(With("{server: 'https://h', certificate-authority-data: " + std::string(data) + "}", "{}"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->ca_pem, text) << data;
  }
}

struct BadConfig {
  std::string_view name;
  std::string text;
  std::string_view says;
};

class RefusesKubeconfig : public ::testing::TestWithParam<BadConfig> {};

TEST_P(RefusesKubeconfig, AndNamesTheField) {
  const Folder folder;
  const std::string path = folder.Write("config", GetParam().text);
  const auto config = LoadKubeconfig(path);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(config.error().message.find(GetParam().says), std::string::npos) << config.error().message;
  EXPECT_NE(config.error().message.find(path), std::string::npos) << config.error().message;
}

constexpr std::string_view kExec = "apiVersion: client.authentication.k8s.io/v1, command: login";

INSTANTIATE_TEST_SUITE_P(
    Broken, RefusesKubeconfig,
    ::testing::Values(
        BadConfig{"Empty", "", "not a kubeconfig"},                                    //
        BadConfig{"AList", "[]", "not a kubeconfig"},                                  //
        BadConfig{"NoYaml", "a: [", "line"},                                           //
        BadConfig{"NoCurrentContext", "clusters: []", "current-context"},              //
        BadConfig{"CurrentContextIsAMap", "current-context: {}", "current-context"},   //
        BadConfig{"NoSuchContext", "current-context: x", "no entry 'x' in contexts"},  //
        BadConfig{"ContextWithoutContent", "current-context: x\ncontexts: [{name: x}]", "context"},
        BadConfig{"NoSuchCluster",
                  "current-context: x\ncontexts: [{name: x, context: {cluster: k, user: u}}]",
                  "no entry 'k' in clusters"},
        BadConfig{"NoSuchUser",
                  "current-context: x\ncontexts: [{name: x, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {server: 'https://h'}}]",
                  "no entry 'u' in users"},
        BadConfig{"ListIsAString", "current-context: x\ncontexts: [x]", "kubeconfig"},
        BadConfig{"ServerIsAList", With("{server: []}", "{}"), "clusters[k].cluster.server is not a string"},
        BadConfig{"SkipVerify", With("{server: 'https://h', insecure-skip-tls-verify: true}", "{}"),
                  "insecure-skip-tls-verify"},
        BadConfig{"Proxy", With("{server: 'https://h', proxy-url: 'http://p'}", "{}"), "proxy-url"},
        BadConfig{"CaIsNoBase64", With("{server: 'https://h', certificate-authority-data: '*'}", "{}"),
                  "clusters[k].cluster.certificate-authority-data is not base64"},
        BadConfig{"CaFileIsMissing", With("{server: 'https://h', certificate-authority: gone.pem}", "{}"),
                  "gone.pem can't be read"},
        BadConfig{"KeyIsNoBase64", With(kServer, "{client-certificate-data: YQ==, client-key-data: '*'}"),
                  "users[u].user.client-key-data is not base64"},
        BadConfig{"CertificateWithoutKey", With(kServer, "{client-certificate-data: YQ==}"), "client-key"},
        BadConfig{"KeyWithoutCertificate", With(kServer, "{client-key-data: YQ==}"), "certificate"},
        BadConfig{"AuthProvider", With(kServer, "{auth-provider: {name: gcp}}"), "auth-provider"},
        BadConfig{"ExecWithoutCommand",
                  With(kServer, "{exec: {apiVersion: client.authentication.k8s.io/v1}}"), "exec.command"},
        BadConfig{"ExecOfAnOldVersion",
                  With(kServer, "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}"),
                  "exec.apiVersion"},
        BadConfig{"ExecWithoutVersion", With(kServer, "{exec: {command: x}}"), "exec.apiVersion"},
        BadConfig{"ExecArgsAreText", With(kServer, "{exec: {" + std::string(kExec) + ", args: get}}"),
                  "exec.args"},
        BadConfig{"ExecArgIsAMap", With(kServer, "{exec: {" + std::string(kExec) + ", args: [{}]}}"),
                  "exec.args"},
        BadConfig{"ExecEnvIsAMap", With(kServer, "{exec: {" + std::string(kExec) + ", env: {A: b}}}"),
                  "exec.env"},
        BadConfig{"ExecEnvWithoutValue",
                  With(kServer, "{exec: {" + std::string(kExec) + ", env: [{name: A}]}}"), "exec.env"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Kubeconfig, ThatIsNotThereIsNamed) {
  const auto config = LoadKubeconfig(folder_.Path("none"));
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find(folder_.Path("none")), std::string::npos);
}

TEST_F(Kubeconfig, ErrorNeverRepeatsASecret) {
  const auto config = Load(With(kServer, "{token: [hunter2]}"));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message.find("hunter2"), std::string::npos) << config.error().message;
}

TEST(InClusterConfig, OutsideOfAPodNamesTheVariableAndTheFlag) {
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  const auto config = InCluster();
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("KUBERNETES_SERVICE_HOST"), std::string::npos);
  EXPECT_NE(config.error().message.find("--kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace slipway::kube
