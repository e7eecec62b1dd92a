// The operator put together: the watches of each namespace, the three controllers, the election, the health
// server. Everything lives on one thread; Run returns when everything that it spawned has ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "image_build/reconciler.h"
#include "kube/api.h"
#include "telemetry/health.h"

namespace slipway {

struct OperatorOptions {
  std::vector<std::string> namespaces;  // watched; at least one
  std::string operator_namespace;       // of the lease and of the policy
  std::string policy_configmap = "slipway-policy";
  image_build::Tools tools;
  std::string supply_namespace;  // the platform's, where images are signed and verified; empty: none are
  image_build::Concurrency concurrency;
  bool leader_elect = true;
  std::string lease_name = "slipway-operator";
  std::string identity;  // unique per process: the pod's name and a random part
  telemetry::HealthOptions health;
};

class Operator {
 public:
  Operator(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics,
           OperatorOptions options);
  ~Operator();

  // Runs until cancelled, or until the lead is lost. True: it was lost, and the process should end and be
  // started anew, so that no state of the former leader stays.
  asio::awaitable<bool> Run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway
