// One connection to a server, as Beast and Asio give it. Only sources that send include this (transport.cc,
// runner/commit_status_send.cc), for it brings all of Beast.
#pragma once

#include <netinet/tcp.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "kube/tls.h"

namespace slipway::kube {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Deadline = std::chrono::steady_clock::time_point;

inline constexpr int kUserTimeout = 60'000;  // milliseconds that sent data may go unacknowledged (RFC 5482)

// One connection, plain or TLS. Every operation has the deadline that Expire set.
class Connection {
 public:
  Connection(const asio::any_io_executor& executor, std::shared_ptr<ssl::context> context)
      : context_(std::move(context)) {
    if (context_) {
      tls_.emplace(executor, *context_);
    } else {
      plain_.emplace(executor);
    }
  }

  beast::tcp_stream& Socket() { return tls_ ? tls_->next_layer() : *plain_; }
  void Expire(Duration d) { Socket().expires_after(d); }
  void Expire(Deadline deadline) { Socket().expires_at(deadline); }
  std::string WhyRefused() { return tls_ ? kube::WhyRefused(tls_->native_handle()) : std::string(); }
  beast::flat_buffer& buffer() { return buffer_; }

  asio::awaitable<error_code> Connect(tcp::resolver::results_type addresses) {
    error_code error;
    co_await Socket().async_connect(addresses, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    auto& socket = Socket().socket();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeout, sizeof(kUserTimeout));
    const int idle = 30;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    co_return error;
  }

  asio::awaitable<error_code> Handshake(std::string name, bool is_address) {
    error_code error;
    if (!tls_) co_return error;
    if (!ExpectServer(tls_->native_handle(), name, is_address)) co_return asio::error::invalid_argument;
    co_await tls_->async_handshake(ssl::stream_base::client,
                                   asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  asio::awaitable<error_code> Write(http::request<http::string_body> request) {
    error_code error;
    if (tls_) {
      co_await http::async_write(*tls_, request, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_write(*plain_, request, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

  template <class Parser>
  asio::awaitable<error_code> ReadHeader(std::shared_ptr<Parser> parser) {
    error_code error;
    if (tls_) {
      co_await http::async_read_header(*tls_, buffer_, *parser,
                                       asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_read_header(*plain_, buffer_, *parser,
                                       asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

  template <class Parser>
  asio::awaitable<error_code> Read(std::shared_ptr<Parser> parser) {
    error_code error;
    if (tls_) {
      co_await http::async_read(*tls_, buffer_, *parser, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_read(*plain_, buffer_, *parser, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

  template <class Parser>
  asio::awaitable<error_code> ReadSome(std::shared_ptr<Parser> parser) {
    error_code error;
    if (tls_) {
      co_await http::async_read_some(*tls_, buffer_, *parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_read_some(*plain_, buffer_, *parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

 private:
  std::shared_ptr<ssl::context> context_;  // outlives the stream that uses it, also when it is replaced
  std::optional<ssl::stream<beast::tcp_stream>> tls_;
  std::optional<beast::tcp_stream> plain_;
  beast::flat_buffer buffer_;
};

}  // namespace slipway::kube
