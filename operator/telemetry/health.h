// /healthz, /readyz and /metrics over plain HTTP. Liveness does not depend on the API server: an operator
// that waits for it must not be restarted for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "telemetry/metrics.h"

namespace slipway::telemetry {

struct HealthOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;                           // 0: any free one
  Duration exchange_within = std::chrono::seconds(5);  // from accept to the end of the answer
};

class HealthServer {
 public:
  // `ready` answers empty when ready, otherwise the reason.
  HealthServer(asio::any_io_executor executor, HealthOptions options, Metrics& metrics,
               std::function<std::string()> ready);
  ~HealthServer();
  std::uint16_t port() const;
  // Serves until cancelled. Requests over 8 kB, slower than 5 s, or beyond 32 at once are dropped.
  asio::awaitable<void> Run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::telemetry
