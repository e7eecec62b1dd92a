// One HTTP/1.1 request on a connection of its own, and what came of it: what the probe, the comparison and
// the queries share. Redirects are not followed. Nothing here throws or retries: a failure is an answer with
// status 0 and the cause in words.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/result.h"

namespace slipway::runner {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
using Endpoints = asio::ip::tcp::resolver::results_type;

struct HttpQuestion {
  Endpoints to;
  std::string method = "GET";
  std::string target = "/";
  HttpHeaders headers;  // Host among them; User-Agent and Connection are added
  std::string body;
  std::chrono::steady_clock::time_point deadline;
  std::size_t most = 64U << 10;               // what is longer is cut, and is an answer all the same
  std::shared_ptr<asio::ssl::context> trust;  // set: TLS, and the certificate must be for `server`
  std::string server;                         // a name, or an address
};

struct HttpAnswer {
  int status = 0;      // 0: there was no answer
  std::string failed;  // then: "connect: Connection refused"
  HttpHeaders headers;
  std::string body;
  bool cut = false;                   // the body is longer
  std::chrono::microseconds took{0};  // from before the connection to the end of what was read
};

asio::awaitable<HttpAnswer> AskHttp(HttpQuestion question);

// A name's addresses, or the address itself. It has no deadline of its own.
asio::awaitable<Result<Endpoints>> LookUp(std::string host, std::string port);

// `ip` must be an address.
Endpoints EndpointsOf(const std::string& ip, const std::string& port);

}  // namespace slipway::runner
