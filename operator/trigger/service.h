// The long-running subcommands as processes: the API server by the pod's ServiceAccount, health, signals.
// Exit codes: 0 asked to stop and did; 1 a bug (start it again); 2 flags or credentials that can't work.
#pragma once

#include <string>
#include <vector>

namespace slipway::trigger {

// What both are told. Outside a cluster a kubeconfig stands in for the ServiceAccount.
struct ServiceOptions {
  std::string ns;
  std::string kubeconfig;  // empty: in a cluster
  std::string log_level = "info";
};

struct ReceiveOptions {
  ServiceOptions service;
  std::string keys_folder;
  std::string address = "0.0.0.0:8080";  // of the webhooks and of /healthz
};

struct PollOptions {
  ServiceOptions service;
  std::string credentials_folder;                // FOLDER/SECRET/KEY
  std::string ca_folder;                         // FOLDER/CONFIGMAP/ca.crt
  std::vector<std::string> insecure_registries;  // HOST[:PORT]
  std::vector<std::string> allowed;  // resources::PollMark of what may be asked, and of nothing else
  std::string health_address = "0.0.0.0:8081";
};

int RunReceive(const ReceiveOptions& options);
int RunPoll(const PollOptions& options);

}  // namespace slipway::trigger
