// The seam between what Slipway does and the API server: everything above it takes an Api and nothing else of
// the network. The one real implementation is Client (kube/client.h); tests bring a scripted one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/result.h"
#include "kube/request.h"

namespace slipway::kube {

namespace asio = boost::asio;

enum class WatchEventType : std::uint8_t { kAdded, kModified, kDeleted, kBookmark, kError, kUnknown };

struct WatchFrame {
  WatchEventType type = WatchEventType::kUnknown;
  Json object;
};

// One open watch, on a connection of its own. Not to be used after it returned an error or the end.
class WatchStream {
 public:
  WatchStream() = default;
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;
  virtual ~WatchStream() = default;

  // The next frame; nullopt when the server ended the watch in good order. kTransient when nothing at all
  // arrived for `idle` (a half-open connection), or the connection broke (a partial frame is thrown away);
  // kInvalid when a frame does not parse or is larger than the cap; kCancelled on cancellation.
  virtual asio::awaitable<Result<std::optional<WatchFrame>>> Next(Duration idle) = 0;
};

class Api {
 public:
  Api() = default;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  virtual ~Api() = default;

  // Sends one request and reads its whole answer. A status of 400 and above becomes an Error by the server's
  // own Status object. Never throws; cancellation is kCancelled.
  virtual asio::awaitable<Result<Json>> Call(Request request) = 0;
  virtual asio::awaitable<Result<std::unique_ptr<WatchStream>>> Open(Request request) = 0;
};

}  // namespace slipway::kube
