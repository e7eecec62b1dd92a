#include "telemetry/health.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/log.h"

namespace slipway::telemetry {
namespace {

using asio::ip::tcp;

constexpr std::size_t kMostRequestBytes = 8192;
constexpr std::size_t kMostConnections = 32;
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

struct RequestLine {
  std::string method;
  std::string path;  // without the query
};

struct Answer {
  int code = 200;
  std::string_view reason = "OK";
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
};

// RFC 9112: method SP target SP HTTP/1.x. Nothing else of the head matters here.
std::optional<RequestLine> ParseRequestLine(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!line.substr(last + 1).starts_with("HTTP/1.") || !target.starts_with('/')) return std::nullopt;
  return RequestLine{std::string(line.substr(0, first)), std::string(target.substr(0, target.find('?')))};
}

std::string Render(const Answer& answer, bool with_body) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n"
      "X-Content-Type-Options: nosniff\r\n\r\n{}",
      answer.code, answer.reason, answer.type, answer.body.size(), with_body ? answer.body : std::string());
}

}  // namespace

class HealthServer::Impl {
 public:
  Impl(asio::any_io_executor executor, const HealthOptions& options, Metrics& metrics,
       std::function<std::string()> ready)
      : executor_(executor),
        metrics_(metrics),
        ready_(std::move(ready)),
        exchange_within_(options.exchange_within),
        acceptor_(executor, tcp::endpoint(asio::ip::make_address(options.address), options.port)),
        port_(acceptor_.local_endpoint().port()),
        connections_(executor) {}

  std::uint16_t port() const { return port_; }
  asio::awaitable<void> Run();

 private:
  using Socket = std::shared_ptr<tcp::socket>;

  asio::awaitable<void> Serve(Socket socket);
  asio::awaitable<void> Exchange(Socket socket);
  Answer Respond(std::string_view head) const;
  Answer Get(const std::string& path) const;

  asio::any_io_executor executor_;
  Metrics& metrics_;
  std::function<std::string()> ready_;
  Duration exchange_within_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  TaskGroup connections_;
};

asio::awaitable<void> HealthServer::Impl::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) break;
    auto [error, socket] = co_await acceptor_.async_accept(kNoThrow);
    if (error) {
      // Out of file descriptors, most likely: they come back as connections end.
      if (error != asio::error::operation_aborted) co_await Sleep(std::chrono::milliseconds(200));
      continue;
    }
    if (connections_.size() >= kMostConnections) continue;  // closes it
    connections_.Spawn("health connection", Serve(std::make_shared<tcp::socket>(std::move(socket))));
  }
  connections_.Cancel();
  co_await connections_.Join();
}

// The socket is shared with the deadline's handler, which may run after this coroutine has ended.
asio::awaitable<void> HealthServer::Impl::Serve(Socket socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  asio::steady_timer deadline(executor_, exchange_within_);
  deadline.async_wait([socket](const boost::system::error_code& error) {
    if (error) return;
    boost::system::error_code ignored;
    socket->close(ignored);
  });
  co_await Exchange(socket);
  deadline.cancel();
}

asio::awaitable<void> HealthServer::Impl::Exchange(Socket socket) {
  std::string head;
  const auto [read_error, length] = co_await asio::async_read_until(
      *socket, asio::dynamic_buffer(head, kMostRequestBytes), "\r\n\r\n", kNoThrow);
  if (read_error) co_return;
  const Answer answer = Respond(std::string_view(head).substr(0, length));
  const std::string bytes = Render(answer, !head.starts_with("HEAD "));
  const auto [write_error, written] = co_await asio::async_write(*socket, asio::buffer(bytes), kNoThrow);
  if (write_error) co_return;
  boost::system::error_code ignored;
  socket->shutdown(tcp::socket::shutdown_both, ignored);
}

Answer HealthServer::Impl::Respond(std::string_view head) const {
  const auto line = ParseRequestLine(head);
  if (!line) return {.code = 400, .reason = "Bad Request", .body = "not an HTTP/1.1 request\n"};
  if (line->method != "GET" && line->method != "HEAD") {
    return {.code = 405, .reason = "Method Not Allowed", .body = "GET or HEAD\n"};
  }
  return Get(line->path);
}

Answer HealthServer::Impl::Get(const std::string& path) const {
  if (path == "/healthz" || path == "/livez") return {.body = "ok\n"};
  if (path == "/metrics")
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.Text()};
  if (path != "/readyz") return {.code = 404, .reason = "Not Found", .body = "not here\n"};
  std::string why = ready_();
  if (why.empty()) return {.body = "ok\n"};
  return {.code = 503, .reason = "Service Unavailable", .body = "not ready: " + why + "\n"};
}

HealthServer::HealthServer(asio::any_io_executor executor, HealthOptions options, Metrics& metrics,
                           std::function<std::string()> ready)
    : impl_(std::make_unique<Impl>(std::move(executor), options, metrics, std::move(ready))) {}
HealthServer::~HealthServer() = default;

std::uint16_t HealthServer::port() const { return impl_->port(); }

asio::awaitable<void> HealthServer::Run() { return impl_->Run(); }

}  // namespace slipway::telemetry
