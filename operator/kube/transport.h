// HTTP/1.1 to the API server over verified TLS. Knows connections, deadlines and bytes; nothing of
// Kubernetes. Beast is seen by its source alone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kube/client.h"
#include "kube/credentials.h"

namespace slipway::kube {

struct HttpAnswer {
  int code = 0;
  std::string retry_after;
  std::string body;
};

// The body of an answer that goes on and on, on a connection of its own.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;
  // More bytes; an empty string at the end in good order. kTransient when nothing came for `idle`, or the
  // connection broke before its end. The view is good until the next call.
  virtual asio::awaitable<Result<std::string_view>> Read(Duration idle) = 0;
};

struct OpenedStream {
  HttpAnswer answer;                  // with its body, unless the code is 200
  std::unique_ptr<ByteStream> bytes;  // when it is
};

class Transport {
 public:
  static Result<std::unique_ptr<Transport>> Make(asio::any_io_executor executor, ClientConfig config,
                                                 ClientOptions options);
  ~Transport();

  asio::awaitable<Result<HttpAnswer>> Exchange(Request request, Identity identity);
  asio::awaitable<Result<OpenedStream>> Open(Request request, Identity identity);

 private:
  class Impl;
  explicit Transport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::kube
