#include "trigger/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::trigger {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr Duration kLinger = std::chrono::seconds(1);
constexpr std::size_t kMostLingering = 4U << 20;

// One connection. Shared with the timer's handler, which may run after the coroutine has ended.
struct Exchange {
  explicit Exchange(tcp::socket accepted) : socket(std::move(accepted)), deadline(socket.get_executor()) {}
  tcp::socket socket;
  asio::steady_timer deadline;
  beast::flat_buffer buffer;
  bool late = false;
  int limit = 0;  // which of its deadlines holds
};
using Shared = std::shared_ptr<Exchange>;

// While it lives, what the socket waits for ends at the deadline; not the socket: it can still be answered
// that it was too slow. What had just come when the deadline passed can't be cancelled, and the wait after it
// has to be: so again and again.
class Deadline {
 public:
  Deadline(Shared exchange, Duration within) : exchange_(std::move(exchange)) {
    Expire(exchange_, within, ++exchange_->limit);
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    ++exchange_->limit;
    exchange_->deadline.cancel();
  }

 private:
  static constexpr Duration kAgain = std::chrono::milliseconds(100);

  static void Expire(const Shared& exchange, Duration within, int limit) {
    exchange->deadline.expires_after(within);
    exchange->deadline.async_wait([exchange, limit](const error_code& cancelled) {
      if (cancelled || limit != exchange->limit) return;
      exchange->late = true;
      error_code ignored;
      exchange->socket.cancel(ignored);
      Expire(exchange, kAgain, limit);
    });
  }

  Shared exchange_;
};

HttpRequest ToRequest(Parser& parser) {
  auto& message = parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    // Said twice, the first counts: nobody may hide a value behind another.
    request.headers.emplace(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

HttpResponse Refusal(const error_code& error, bool late) {
  if (late) return {408, "the request was not whole in time\n"};
  if (error == http::error::body_limit) return {413, "the body is too large\n"};
  if (error == http::error::header_limit) return {431, "the head is too large\n"};
  return {400, "not an HTTP/1.1 request\n"};
}

http::response<http::string_body> Render(HttpResponse response) {
  http::response<http::string_body> message(http::int_to_status(static_cast<unsigned>(response.code)), 11);
  message.set(http::field::content_type, "text/plain; charset=utf-8");
  message.set("X-Content-Type-Options", "nosniff");
  message.keep_alive(false);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(asio::any_io_executor executor, HttpServerOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(executor, tcp::endpoint(asio::ip::make_address(options_.address), options_.port)),
        port_(acceptor_.local_endpoint().port()),
        connections_(executor) {}

  std::uint16_t port() const { return port_; }
  asio::awaitable<void> Run();

 private:
  asio::awaitable<void> Serve(Shared exchange);
  asio::awaitable<void> Answer(Shared exchange, HttpResponse response);
  HttpResponse Handle(const HttpRequest& request) const;

  HttpServerOptions options_;
  Handler handler_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  TaskGroup connections_;
};

// Without reading and without waiting: there are too many already.
static void TurnAway(tcp::socket socket) {
  constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kBusy), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> HttpServer::Impl::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (runtime::Asked(state)) break;
    auto [error, socket] = co_await acceptor_.async_accept(kNoThrow);
    if (error) {
      // Out of file descriptors, most likely: they come back as connections end.
      if (error != asio::error::operation_aborted) co_await Sleep(std::chrono::milliseconds(200));
      continue;
    }
    if (connections_.size() >= options_.most_connections) {
      TurnAway(std::move(socket));
      continue;
    }
    connections_.Spawn("delivery", Serve(std::make_shared<Exchange>(std::move(socket))));
  }
  connections_.Cancel();
  co_await connections_.Join();
}

HttpResponse HttpServer::Impl::Handle(const HttpRequest& request) const {
  try {
    return handler_(request);
  } catch (const std::exception& bug) {
    log::error("a delivery could not be handled: {}", log::Quoted(bug.what()));
    return {500, "this is our fault\n"};
  }
}

asio::awaitable<void> HttpServer::Impl::Serve(Shared exchange) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto parser = std::make_shared<Parser>();
  parser->body_limit(options_.most_body);
  parser->header_limit(options_.most_head);
  error_code error;
  {
    const Deadline deadline(exchange, options_.request_within);
    error = std::get<0>(co_await http::async_read(exchange->socket, exchange->buffer, *parser, kNoThrow));
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (runtime::Asked(state)) co_return;
  const bool nothing_came = !parser->got_some() && error == http::error::end_of_stream;
  if (nothing_came) co_return;
  HttpResponse response = error ? Refusal(error, exchange->late) : Handle(ToRequest(*parser));
  co_await Answer(exchange, std::move(response));
}

// What the client still sends is read and dropped for a moment: closing on it would tear down the answer
// before it is read.
asio::awaitable<void> HttpServer::Impl::Answer(Shared exchange, HttpResponse response) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto message = Render(std::move(response));
  error_code error;
  {
    const Deadline deadline(exchange, options_.answer_within);
    error = std::get<0>(co_await http::async_write(exchange->socket, message, kNoThrow));
  }
  if (error) co_return;
  error_code ignored;
  exchange->socket.shutdown(tcp::socket::shutdown_send, ignored);
  exchange->late = false;
  const Deadline deadline(exchange, kLinger);
  std::string rest(16U << 10, '\0');
  for (std::size_t dropped = 0; dropped < kMostLingering && !exchange->late;) {
    const auto [ended, got] = co_await exchange->socket.async_read_some(asio::buffer(rest), kNoThrow);
    if (ended) break;
    dropped += got;
  }
}

HttpServer::HttpServer(asio::any_io_executor executor, HttpServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const { return impl_->port(); }

asio::awaitable<void> HttpServer::Run() { return impl_->Run(); }

}  // namespace slipway::trigger
