#include "kube/transport.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <list>
#include <vector>

#include "base/async.h"
#include "kube/connection.h"
#include "kube/tls.h"

namespace slipway::kube {
namespace {

constexpr Duration kConnectTime = std::chrono::seconds(10);
constexpr std::size_t kStreamBuffer = 16U << 10;
constexpr std::size_t kMaxIdle = 4;

Deadline Earlier(Deadline deadline, Duration from_now) {
  return std::min<Deadline>(deadline, std::chrono::steady_clock::now() + from_now);
}

Error Broken(std::string_view what, const error_code& error) {
  return {ErrorKind::kTransient, fmt::format("{}: {}", what, error.message()), std::nullopt};
}

asio::awaitable<bool> Cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

Error Stopped() { return {ErrorKind::kCancelled, "stopped", std::nullopt}; }

std::int64_t Modified(const std::string& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
}

http::verb ToBeast(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return http::verb::get;
    case Verb::kPost:
      return http::verb::post;
    case Verb::kPut:
      return http::verb::put;
    case Verb::kPatch:
      return http::verb::patch;
    case Verb::kDelete:
      return http::verb::delete_;
  }
  return http::verb::get;
}

template <class Message>
HttpAnswer HeadOf(const Message& message) {
  const auto retry_after = message[http::field::retry_after];
  return {static_cast<int>(message.result_int()), std::string(retry_after.data(), retry_after.size()), {}};
}

class BeastStream final : public ByteStream {
 public:
  using Parser = http::response_parser<http::buffer_body>;

  BeastStream(std::unique_ptr<Connection> connection, std::shared_ptr<Parser> parser)
      : connection_(std::move(connection)), parser_(std::move(parser)), bytes_(kStreamBuffer) {}

  asio::awaitable<Result<std::string_view>> Read(Duration idle) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!parser_->is_done()) {
      if (co_await Cancelled()) co_return std::unexpected(Stopped());
      auto& body = parser_->get().body();
      body.data = bytes_.data();
      body.size = bytes_.size();
      body.more = true;
      connection_->Expire(idle);
      const error_code error = co_await connection_->ReadSome(parser_);
      if (co_await Cancelled()) co_return std::unexpected(Stopped());
      // A full buffer is no error; everything else is the connection's end before the answer's.
      if (error && error != http::error::need_buffer)
        co_return std::unexpected(Broken("the watch broke off", error));
      const std::size_t count = bytes_.size() - parser_->get().body().size;
      if (count > 0) co_return std::string_view(bytes_.data(), count);
    }
    co_return std::string_view();
  }

 private:
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<Parser> parser_;
  std::vector<char> bytes_;
};

}  // namespace

class Transport::Impl {
 public:
  Impl(asio::any_io_executor executor, ClientConfig config, ClientOptions options)
      : executor_(std::move(executor)), config_(std::move(config)), options_(std::move(options)) {
    error_code error;
    asio::ip::make_address(VerifiedName(), error);
    name_is_address_ = !error;
  }

  Result<void> Prepare(const Identity& identity);
  asio::awaitable<Result<HttpAnswer>> Exchange(Request request, Identity identity);
  asio::awaitable<Result<OpenedStream>> Open(Request request, Identity identity);

 private:
  const std::string& VerifiedName() const {
    return config_.tls_server_name.empty() ? config_.host : config_.tls_server_name;
  }
  asio::awaitable<Result<tcp::resolver::results_type>> Resolve(Deadline deadline);
  asio::awaitable<Result<std::unique_ptr<Connection>>> Connect(Identity identity, Deadline deadline);
  struct Exchanged {
    Result<HttpAnswer> answer;
    bool nothing_came = false;  // not one byte: the server had closed the connection before
  };
  asio::awaitable<Exchanged> ExchangeOn(std::unique_ptr<Connection> connection, Request request,
                                        std::string authorization, Deadline deadline);
  http::request<http::string_body> ToHttp(const Request& request, const std::string& authorization) const;
  asio::awaitable<bool> TakeSlot(Duration at_most);
  void GiveSlot();

  asio::any_io_executor executor_;
  ClientConfig config_;
  ClientOptions options_;
  bool name_is_address_ = false;
  std::shared_ptr<ssl::context> context_;
  std::string context_key_;
  std::int64_t ca_modified_ = 0;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t in_use_ = 0;
  std::list<asio::steady_timer> waiters_;
};

// The TLS context, made anew when the authority's file or the client certificate changed.
Result<void> Transport::Impl::Prepare(const Identity& identity) {
  if (config_.scheme != "https") return {};
  const std::int64_t modified = Modified(config_.ca_file);
  const std::string key = identity.client_cert_pem + identity.client_key_pem;
  if (context_ && modified == ca_modified_ && key == context_key_) return {};
  if (context_ && modified != ca_modified_) config_.ca_pem = ReadAuthority(config_.ca_file, config_.ca_pem);
  auto context = MakeTlsContext(config_.ca_pem, identity);
  if (!context) return std::unexpected(context.error());
  context_ = std::move(*context);
  context_key_ = key;
  ca_modified_ = modified;
  idle_.clear();
  return {};
}

asio::awaitable<Result<tcp::resolver::results_type>> Transport::Impl::Resolve(Deadline deadline) {
  error_code error;
  const auto address = asio::ip::make_address(config_.host, error);
  if (!error) {
    const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(std::stoi(config_.port)));
    co_return tcp::resolver::results_type::create(endpoint, config_.host, config_.port);
  }
  using asio::experimental::awaitable_operators::operator||;
  tcp::resolver resolver(executor_);
  error_code failed;
  asio::steady_timer limit(executor_, Earlier(deadline, kConnectTime));
  error_code ignored;
  const auto first = co_await (
      resolver.async_resolve(config_.host, config_.port, asio::redirect_error(asio::use_awaitable, failed)) ||
      limit.async_wait(asio::redirect_error(asio::use_awaitable, ignored)));
  if (first.index() == 1)
    co_return Fail(ErrorKind::kTransient, fmt::format("{}: no answer from DNS", config_.host));
  if (failed) co_return std::unexpected(Broken(config_.host, failed));
  co_return std::get<0>(first);
}

asio::awaitable<Result<std::unique_ptr<Connection>>> Transport::Impl::Connect(Identity identity,
                                                                              Deadline deadline) {
  const auto prepared = Prepare(identity);
  if (!prepared) co_return std::unexpected(prepared.error());
  const auto addresses = co_await Resolve(deadline);
  if (co_await Cancelled()) co_return std::unexpected(Stopped());
  if (!addresses) co_return std::unexpected(addresses.error());
  auto connection = std::make_unique<Connection>(executor_, context_);
  connection->Expire(Earlier(deadline, kConnectTime));
  const std::string where = fmt::format("{}:{}", config_.host, config_.port);
  const error_code unreachable = co_await connection->Connect(*addresses);
  if (co_await Cancelled()) co_return std::unexpected(Stopped());
  if (unreachable) co_return std::unexpected(Broken("no connection to " + where, unreachable));
  connection->Expire(Earlier(deadline, kConnectTime));
  const error_code refused = co_await connection->Handshake(VerifiedName(), name_is_address_);
  if (co_await Cancelled()) co_return std::unexpected(Stopped());
  if (refused) {
    if (!config_.ca_file.empty())
      ca_modified_ = -1;  // perhaps it was rotated: read it again for the next try
    const std::string why = connection->WhyRefused();
    if (why.empty()) co_return std::unexpected(Broken("no TLS with " + where, refused));
    co_return Fail(ErrorKind::kTransient,
                   fmt::format("no TLS with {}: the server's certificate is refused: {}", where, why));
  }
  co_return connection;
}

http::request<http::string_body> Transport::Impl::ToHttp(const Request& request,
                                                         const std::string& authorization) const {
  http::request<http::string_body> message(ToBeast(request.verb), config_.base_path + request.target, 11);
  const bool ipv6 = config_.host.find(':') != std::string::npos;
  message.set(http::field::host,
              ipv6 ? fmt::format("[{}]:{}", config_.host, config_.port) : config_.host + ":" + config_.port);
  message.set(http::field::user_agent, options_.user_agent);
  message.set(http::field::accept, "application/json");
  if (!authorization.empty()) message.set(http::field::authorization, authorization);
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

asio::awaitable<bool> Transport::Impl::TakeSlot(Duration at_most) {
  if (in_use_ < options_.max_connections) {
    ++in_use_;
    co_return true;
  }
  // GiveSlot hands its slot to the first in line and ends that one's wait.
  waiters_.emplace_back(executor_, at_most);
  const auto place = std::prev(waiters_.end());
  error_code given;
  co_await place->async_wait(asio::redirect_error(asio::use_awaitable, given));
  const bool handed = place->expiry() == asio::steady_timer::time_point::min();
  waiters_.erase(place);
  if (handed && co_await Cancelled()) GiveSlot();
  const bool cancelled = co_await Cancelled();
  co_return handed && !cancelled;
}

void Transport::Impl::GiveSlot() {
  for (auto& waiter : waiters_) {
    if (waiter.expiry() == asio::steady_timer::time_point::min()) continue;
    waiter.expires_at(asio::steady_timer::time_point::min());  // the mark of a slot that was handed on
    return;
  }
  --in_use_;
}

asio::awaitable<Transport::Impl::Exchanged> Transport::Impl::ExchangeOn(
    std::unique_ptr<Connection> connection, Request request, std::string authorization, Deadline deadline) {
  auto message = ToHttp(request, authorization);
  connection->Expire(deadline);
  error_code error = co_await connection->Write(std::move(message));
  const auto parser = std::make_shared<http::response_parser<http::string_body>>();
  parser->body_limit(options_.max_response_bytes);
  if (!error) error = co_await connection->Read(parser);
  const bool nothing_came = !parser->got_some() && error != beast::error::timeout;
  if (co_await Cancelled()) co_return Exchanged{std::unexpected(Stopped()), nothing_came};
  if (error == http::error::body_limit) {
    co_return Exchanged{Fail(ErrorKind::kInvalid, fmt::format("{}: the answer is larger than {} bytes",
                                                              request.target, options_.max_response_bytes)),
                        nothing_came};
  }
  if (error) {
    auto broken = Broken(fmt::format("{} {}", ToString(request.verb), request.target), error);
    co_return Exchanged{std::unexpected(std::move(broken)), nothing_came};
  }
  HttpAnswer answer = HeadOf(parser->get());
  answer.body = std::move(parser->get().body());
  if (parser->get().keep_alive() && idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
  co_return Exchanged{std::move(answer), nothing_came};
}

asio::awaitable<Result<HttpAnswer>> Transport::Impl::Exchange(Request request, Identity identity) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Deadline deadline = std::chrono::steady_clock::now() + request.timeout;
  if (!co_await TakeSlot(request.timeout)) {
    if (co_await Cancelled()) co_return std::unexpected(Stopped());
    co_return Fail(ErrorKind::kTransient, "every connection to the API server is busy");
  }
  const auto prepared = Prepare(identity);
  Result<HttpAnswer> answer = prepared ? Result<HttpAnswer>(Fail(ErrorKind::kTransient, ""))
                                       : Result<HttpAnswer>(std::unexpected(prepared.error()));
  // A connection from the pool may have been closed by the server while it lay there. What can't do harm
  // twice is then sent again, once, on a fresh one.
  bool again = prepared.has_value();
  while (again) {
    again = false;
    // Perhaps while the credentials were fetched: no operation below would hear of it any more.
    const bool stopped = co_await Cancelled();
    if (stopped) {
      answer = std::unexpected(Stopped());
      break;
    }
    std::unique_ptr<Connection> connection;
    const bool reused = !idle_.empty();
    if (reused) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    } else {
      auto connected = co_await Connect(identity, deadline);
      if (!connected) {
        answer = std::unexpected(connected.error());
        break;
      }
      connection = std::move(*connected);
    }
    auto exchanged = co_await ExchangeOn(std::move(connection), request, identity.authorization, deadline);
    answer = std::move(exchanged.answer);
    const bool stale = reused && exchanged.nothing_came;
    const bool repeatable = request.verb != Verb::kPost;
    again = !answer && answer.error().kind == ErrorKind::kTransient && stale && repeatable;
    if (again) idle_.clear();
  }
  GiveSlot();
  co_return answer;
}

asio::awaitable<Result<OpenedStream>> Transport::Impl::Open(Request request, Identity identity) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Deadline deadline = std::chrono::steady_clock::now() + request.timeout;
  auto connected = co_await Connect(identity, deadline);
  if (!connected) co_return std::unexpected(connected.error());
  auto connection = std::move(*connected);
  auto message = ToHttp(request, identity.authorization);
  connection->Expire(deadline);
  error_code error = co_await connection->Write(std::move(message));
  auto parser = std::make_shared<BeastStream::Parser>();
  parser->body_limit(boost::none);
  if (!error) error = co_await connection->ReadHeader(parser);
  if (co_await Cancelled()) co_return std::unexpected(Stopped());
  if (error) co_return std::unexpected(Broken("GET " + request.target, error));
  OpenedStream opened;
  opened.answer = HeadOf(parser->get());
  const bool streams = opened.answer.code == 200;
  opened.bytes = std::make_unique<BeastStream>(std::move(connection), std::move(parser));
  constexpr std::size_t kLongestRefusal = 64U << 10;
  while (!streams && opened.answer.body.size() < kLongestRefusal) {
    const auto more = co_await opened.bytes->Read(request.timeout);
    if (!more || more->empty()) break;
    opened.answer.body += *more;
  }
  if (!streams) opened.bytes.reset();
  co_return opened;
}

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() = default;

Result<std::unique_ptr<Transport>> Transport::Make(asio::any_io_executor executor, ClientConfig config,
                                                   ClientOptions options) {
  const Identity identity{{}, config.client_cert_pem, config.client_key_pem};
  auto impl = std::make_unique<Impl>(std::move(executor), std::move(config), std::move(options));
  if (auto prepared = impl->Prepare(identity); !prepared) return std::unexpected(prepared.error());
  return std::unique_ptr<Transport>(new Transport(std::move(impl)));
}

asio::awaitable<Result<HttpAnswer>> Transport::Exchange(Request request, Identity identity) {
  return impl_->Exchange(std::move(request), std::move(identity));
}

asio::awaitable<Result<OpenedStream>> Transport::Open(Request request, Identity identity) {
  return impl_->Open(std::move(request), std::move(identity));
}

}  // namespace slipway::kube
