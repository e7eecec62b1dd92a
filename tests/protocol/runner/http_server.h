// A small HTTP server on a loopback port of its own, one thread a connection, one request a connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace slipway::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

inline Response Answer(unsigned status, std::string body) {
  Response response;
  response.result(status);
  response.body() = std::move(body);
  return response;
}

class HttpServer {
 public:
  using Handler = std::function<Response(const Request&)>;  // called by one thread at a time

  explicit HttpServer(Handler handler)
      : handler_(std::move(handler)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    thread_ = std::thread([this] { Accept(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    // A blocked accept is woken by a connection, not by closing its socket under it.
    boost::system::error_code unused;
    asio::ip::tcp::socket(io_).connect(acceptor_.local_endpoint(), unused);
    thread_.join();
    for (auto& connection : connections_) connection.join();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  std::string url() const { return "http://" + address(); }

 private:
  void Accept() {
    while (true) {
      boost::system::error_code error;
      asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, error);
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      if (!error) connections_.emplace_back(&HttpServer::Serve, this, std::move(socket));
    }
  }

  void Serve(asio::ip::tcp::socket socket) {
    boost::system::error_code error;
    boost::beast::flat_buffer buffer;
    Request request;
    http::read(socket, buffer, request, error);
    if (error) return;
    Response response;
    {
      const std::lock_guard lock(handling_);
      response = handler_(request);
    }
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, error);
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  }

  Handler handler_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::mutex mutex_;
  std::mutex handling_;
  bool ended_ = false;
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace slipway::testing
