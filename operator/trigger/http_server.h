// A small HTTP/1.1 server for deliveries: one request a connection, everything about it bounded. What a
// request means is the handler's; it answers at once and may not wait.
//
// Too large: 413 (body), 431 (head). Not whole in time: 408. Not HTTP: 400. Too many at once: 503, unread.
// Plain HTTP: TLS is ended before it, by an Ingress or a Gateway.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "trigger/delivery.h"

namespace slipway::trigger {

struct HttpServerOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;  // 0: any free one
  std::size_t most_connections = 64;
  std::size_t most_body = 1U << 20;
  std::uint32_t most_head = 16U << 10;
  Duration request_within = std::chrono::seconds(10);
  Duration answer_within = std::chrono::seconds(5);
};

struct HttpRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
};

struct HttpResponse {
  int code = 200;
  std::string body;  // plain text
};

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Throws boost::system::system_error when it can't listen there.
  HttpServer(asio::any_io_executor executor, HttpServerOptions options, Handler handler);
  ~HttpServer();
  std::uint16_t port() const;
  // Serves until cancelled; what is being answered then is cut off.
  asio::awaitable<void> Run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::trigger
