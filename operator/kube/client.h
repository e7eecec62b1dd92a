// The Kubernetes client: verified TLS, HTTP/1.1 over pooled connections for calls, one connection a watch.
// Lives on one io_context and one thread. Credentials are read again when a token file changes (at the latest
// every minute) and at once after a 401, which is then tried one more time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "kube/api.h"
#include "kube/config.h"

namespace slipway::kube {

struct ClientOptions {
  std::string user_agent = "slipway/dev";
  std::size_t max_connections = 4;  // for calls; watches are beyond this count
  std::size_t max_response_bytes = 64U << 20;
  std::size_t max_frame_bytes = 8U << 20;                     // an object of etcd's largest size is 1.5 MiB
  std::function<void(Verb, int code)> on_response = nullptr;  // for metrics; code 0: no answer came
};

class Client final : public Api {
 public:
  // Fails (kInvalid) on a CA or client certificate that does not parse.
  static Result<std::unique_ptr<Client>> Make(asio::any_io_executor executor, const ClientConfig& config,
                                              ClientOptions options);
  ~Client() override;

  asio::awaitable<Result<Json>> Call(Request request) override;
  asio::awaitable<Result<std::unique_ptr<WatchStream>>> Open(Request request) override;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::kube
