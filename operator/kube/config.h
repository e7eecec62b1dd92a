// Where the API server is and who we are: from a kubeconfig file or from the pod's ServiceAccount.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::kube {

// A credential plugin (client.authentication.k8s.io/v1): a program that prints an ExecCredential.
struct ExecPlugin {
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string api_version;
};

struct ClientConfig {
  std::string scheme = "https";  // plain http only for a server on loopback
  std::string host;
  std::string port = "443";
  std::string base_path;        // what a server URL has after the host, without the last slash
  std::string ca_pem;           // empty: the system's store
  std::string ca_file;          // read again when it changes, when not empty
  std::string tls_server_name;  // the name to verify instead of `host`
  std::string client_cert_pem;
  std::string client_key_pem;
  std::string token;               // a fixed bearer token
  std::string token_file;          // wins over `token`; read again as it rotates
  std::string username, password;  // basic auth
  std::optional<ExecPlugin> exec;
  std::string default_namespace = "default";
};

// $KUBECONFIG may be a list; here it is one file. An empty `context` means current-context. kInvalid names
// what is wrong and in which entry; insecure-skip-tls-verify is refused, with the mend.
Result<ClientConfig> LoadKubeconfig(const std::string& path, std::string_view context = "");

// KUBERNETES_SERVICE_HOST and _PORT, and the ServiceAccount's mounted token and CA.
Result<ClientConfig> InCluster();

}  // namespace slipway::kube
