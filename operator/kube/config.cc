#include "kube/config.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace slipway::kube {
namespace {

constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

std::unexpected<Error> Wrong(std::string message) { return Fail(ErrorKind::kInvalid, std::move(message)); }

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Wrong(fmt::format("{} can't be read", path.string()));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<std::string> Base64(const std::string& text, std::string_view field) {
  std::string compact;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ') compact += c;
  }
  std::string decoded(compact.size() / 4 * 3 + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                   reinterpret_cast<const unsigned char*>(compact.data()),
                                   static_cast<int>(compact.size()));
  if (size < 0) return Wrong(fmt::format("{} is not base64", field));
  std::size_t padding = 0;
  while (padding < 2 && padding < compact.size() && compact[compact.size() - 1 - padding] == '=') ++padding;
  decoded.resize(static_cast<std::size_t>(size) - padding);
  return decoded;
}

// Reads scalars of one mapping; the first thing that is wrong is kept.
class Entry {
 public:
  Entry(const YAML::Node& node, std::string where, std::filesystem::path folder)
      : node_(node), where_(std::move(where)), folder_(std::move(folder)) {}

  std::string Text(const char* name) {
    const YAML::Node value = node_[name];
    if (!value || value.IsNull()) return {};
    if (value.IsScalar()) return value.Scalar();
    Wrong(fmt::format("{}.{} is not a string", where_, name));
    return {};
  }

  // Paths in a kubeconfig are relative to it.
  std::string Path(const char* name) {
    const std::string path = Text(name);
    return path.empty() ? path : (folder_ / path).string();
  }

  // "<name>-data" as base64, or the content of the file that "<name>" names.
  std::string Pem(const char* name) {
    const std::string data = Text(fmt::format("{}-data", name).c_str());
    const std::string path = Path(name);
    if (data.empty() && path.empty()) return {};
    auto pem = data.empty() ? ReadFile(path) : Base64(data, fmt::format("{}.{}-data", where_, name));
    if (pem) return std::move(*pem);
    Wrong(pem.error().message);
    return {};
  }

  void Wrong(std::string message) {
    if (!error_) error_ = Error{ErrorKind::kInvalid, std::move(message), std::nullopt};
  }
  const YAML::Node& node() const { return node_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  YAML::Node node_;
  std::string where_;
  std::filesystem::path folder_;
  std::optional<Error> error_;
};

// The entry of that name in one of the three lists; `inner` is the member that holds its content.
Result<Entry> Named(const YAML::Node& file, const char* list, const std::string& name, const char* inner,
                    const std::filesystem::path& folder) {
  for (const auto& entry : file[list]) {
    if (entry["name"] && entry["name"].IsScalar() && entry["name"].Scalar() == name) {
      return Entry(entry[inner], fmt::format("{}[{}].{}", list, name, inner), folder);
    }
  }
  return Wrong(fmt::format("the kubeconfig has no entry '{}' in {}", name, list));
}

bool IsPort(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  const int port = std::stoi(text);
  return port > 0 && port <= 65535;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

// scheme://host[:port][/path], the host perhaps an IPv6 address in brackets.
Result<void> ParseServer(const std::string& server, ClientConfig& config) {
  const auto scheme_end = server.find("://");
  if (scheme_end == std::string::npos) {
    return Wrong(fmt::format("cluster.server '{}' is no URL; write https://HOST:PORT", server));
  }
  config.scheme = server.substr(0, scheme_end);
  if (config.scheme != "https" && config.scheme != "http") {
    return Wrong(fmt::format("cluster.server '{}' is neither https nor http", server));
  }
  std::string rest = server.substr(scheme_end + 3);
  const auto slash = rest.find('/');
  if (slash != std::string::npos) config.base_path = rest.substr(slash);
  while (config.base_path.ends_with('/')) config.base_path.pop_back();
  rest = rest.substr(0, slash);
  if (rest.find('@') != std::string::npos)
    return Wrong("cluster.server holds a user; use the users list instead");
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  config.port = colon != std::string::npos ? rest.substr(colon + 1) : config.scheme == "https" ? "443" : "80";
  config.host = rest.substr(0, colon);
  if (config.host.starts_with('[') && bracket != std::string::npos) config.host = rest.substr(1, bracket - 1);
  if (config.host.empty() || !IsPort(config.port))
    return Wrong(fmt::format("cluster.server '{}' has no host or no port between 1 and 65535", server));
  if (config.scheme == "http" && !IsLoopback(config.host)) {
    return Wrong(
        fmt::format("cluster.server '{}' would show the token to the network: plain http is only for "
                    "loopback, use https",
                    server));
  }
  return {};
}

Result<void> ReadCluster(Entry cluster, ClientConfig& config) {
  const std::string server = cluster.Text("server");
  if (cluster.Text("insecure-skip-tls-verify") == "true") {
    cluster.Wrong(
        "insecure-skip-tls-verify is not honoured: give the cluster's certificate-authority instead");
  }
  if (!cluster.Text("proxy-url").empty()) {
    cluster.Wrong(
        "proxy-url is not supported: give an address of the API server that can be reached directly");
  }
  config.ca_pem = cluster.Pem("certificate-authority");
  if (cluster.Text("certificate-authority-data").empty())
    config.ca_file = cluster.Path("certificate-authority");
  config.tls_server_name = cluster.Text("tls-server-name");
  if (cluster.error()) return std::unexpected(*cluster.error());
  return ParseServer(server, config);
}

Result<void> ReadVariables(const YAML::Node& list, ExecPlugin& plugin) {
  if (!list || list.IsNull()) return {};
  if (!list.IsSequence()) return Wrong("user.exec.env is not a list");
  for (const YAML::Node& variable : list) {
    const bool whole = variable.IsMap() && variable["name"] && variable["name"].IsScalar() &&
                       variable["value"] && variable["value"].IsScalar();
    if (!whole) return Wrong("user.exec.env is not a list of a name and a value each");
    plugin.env[variable["name"].Scalar()] = variable["value"].Scalar();
  }
  return {};
}

Result<std::optional<ExecPlugin>> ReadExec(const YAML::Node& node) {
  if (!node || node.IsNull()) return std::nullopt;
  ExecPlugin plugin;
  Entry entry(node, "user.exec", {});
  plugin.command = entry.Text("command");
  plugin.api_version = entry.Text("apiVersion");
  if (entry.error()) return std::unexpected(*entry.error());
  if (plugin.command.empty()) return Wrong("user.exec.command is missing");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return Wrong(fmt::format("user.exec.apiVersion '{}' is not client.authentication.k8s.io/v1 or v1beta1",
                             plugin.api_version));
  }
  if (const auto args = node["args"]; args && !args.IsNull()) {
    if (!args.IsSequence()) return Wrong("user.exec.args is not a list");
    for (const auto& arg : args) {
      if (!arg.IsScalar()) return Wrong("user.exec.args is not a list of strings");
      plugin.args.push_back(arg.Scalar());
    }
  }
  if (auto read = ReadVariables(node["env"], plugin); !read) return std::unexpected(read.error());
  return plugin;
}

Result<void> ReadUser(Entry user, ClientConfig& config) {
  config.client_cert_pem = user.Pem("client-certificate");
  config.client_key_pem = user.Pem("client-key");
  config.token = user.Text("token");
  config.token_file = user.Path("tokenFile");
  config.username = user.Text("username");
  config.password = user.Text("password");
  if (user.node()["auth-provider"]) user.Wrong("auth-provider was removed from Kubernetes in 1.26: use exec");
  if (user.error()) return std::unexpected(*user.error());
  if (config.client_cert_pem.empty() != config.client_key_pem.empty()) {
    return Wrong("a client-certificate needs its client-key, and a key its certificate");
  }
  auto exec = ReadExec(user.node()["exec"]);
  if (!exec) return std::unexpected(exec.error());
  config.exec = std::move(*exec);
  return {};
}

Result<ClientConfig> ReadContext(const YAML::Node& file, std::string_view wanted,
                                 const std::filesystem::path& folder) {
  if (!file.IsMap()) return Wrong("it is not a kubeconfig");
  const std::string name = wanted.empty() ? (file["current-context"] ? file["current-context"].Scalar() : "")
                                          : std::string(wanted);
  if (name.empty()) return Wrong("it has no current-context, and none was named");
  auto context = Named(file, "contexts", name, "context", folder);
  if (!context) return std::unexpected(context.error());
  ClientConfig config;
  auto cluster = Named(file, "clusters", context->Text("cluster"), "cluster", folder);
  if (!cluster) return std::unexpected(cluster.error());
  if (auto read = ReadCluster(std::move(*cluster), config); !read) return std::unexpected(read.error());
  auto user = Named(file, "users", context->Text("user"), "user", folder);
  if (!user) return std::unexpected(user.error());
  if (auto read = ReadUser(std::move(*user), config); !read) return std::unexpected(read.error());
  if (const std::string ns = context->Text("namespace"); !ns.empty()) config.default_namespace = ns;
  return config;
}

}  // namespace

Result<ClientConfig> LoadKubeconfig(const std::string& path, std::string_view context) {
  // yaml-cpp reports by exceptions: this is where they end.
  try {
    auto text = ReadFile(path);
    if (!text) return std::unexpected(text.error());
    auto config = ReadContext(YAML::Load(*text), context, std::filesystem::absolute(path).parent_path());
    if (!config) config.error().message = fmt::format("kubeconfig {}: {}", path, config.error().message);
    return config;
  } catch (const YAML::Exception& error) {
    return Wrong(fmt::format("kubeconfig {}: {}", path, error.what()));
  }
}

Result<ClientConfig> InCluster() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (host == nullptr || port == nullptr || *host == '\0' || *port == '\0') {
    return Wrong("this is no pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig");
  }
  ClientConfig config;
  config.host = host;
  config.port = port;
  config.ca_file = fmt::format("{}/ca.crt", kServiceAccount);
  config.token_file = fmt::format("{}/token", kServiceAccount);
  auto ca = ReadFile(config.ca_file);
  if (!ca) return std::unexpected(ca.error());
  config.ca_pem = std::move(*ca);
  if (const auto ns = ReadFile(fmt::format("{}/namespace", kServiceAccount)); ns)
    config.default_namespace = *ns;
  return config;
}

}  // namespace slipway::kube
