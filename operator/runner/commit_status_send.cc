#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "base/async.h"
#include "base/backoff.h"
#include "base/log.h"
#include "kube/connection.h"
#include "kube/tls.h"
#include "runner/commit_status.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

namespace ssl = asio::ssl;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr int kTries = 3;
constexpr auto kTryTime = std::chrono::seconds(30);
constexpr std::size_t kMostAnswer = 256U << 10;
constexpr BackoffPolicy kBackoff{std::chrono::seconds(1), std::chrono::seconds(5), 2.0};

using Sent = std::optional<ForgeFailure>;  // none: it was taken

ForgeFailure Unreachable(std::string_view what, std::string_view why) {
  return MakeForgeFailure(kForgeUnreachable, "ForgeUnreachable", fmt::format("{}: {}", what, why), true);
}

// Who is trusted: the system's authorities, and those of the file.
std::expected<std::shared_ptr<ssl::context>, ForgeFailure> MakeTrust(const std::string& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  error_code error;
  context->set_default_verify_paths(error);
  if (!error && !ca_file.empty()) context->load_verify_file(ca_file, error);
  if (!error) return context;
  return std::unexpected(MakeForgeFailure(kForgeFailed, "ForgeFailed", "--ca holds no certificates"));
}

http::request<http::string_body> ToHttp(const ForgeRequest& request) {
  http::request<http::string_body> message(http::verb::post, request.target, 11);
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.keep_alive(false);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

// One try, on its own connection.
class Sender {
 public:
  Sender(asio::io_context& io, ForgeRequest request, std::shared_ptr<ssl::context> trust, std::string token)
      : resolver_(io),
        connection_(io.get_executor(), std::move(trust)),
        request_(std::move(request)),
        token_(std::move(token)),
        where_(request_.host + ":" + request_.port) {}

  asio::awaitable<void> Run() {
    result_ = co_await Connect();
    if (!result_) result_ = co_await Exchange();
  }
  const Sent& result() const { return result_; }

 private:
  asio::awaitable<Sent> Connect() {
    connection_.Expire(kTryTime);
    error_code error;
    const auto addresses = co_await resolver_.async_resolve(request_.host, request_.port,
                                                            asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Unreachable(request_.host, error.message());
    error = co_await connection_.Connect(addresses);
    if (error) co_return Unreachable("no connection to " + where_, error.message());
    error_code no_address;
    asio::ip::make_address(request_.host, no_address);
    const bool is_address = !no_address;
    error = co_await connection_.Handshake(request_.host, is_address);
    if (!error) co_return std::nullopt;
    const std::string why = connection_.WhyRefused();
    if (why.empty()) co_return Unreachable("no TLS with " + where_, error.message());
    co_return Untrusted(why);
  }

  ForgeFailure Untrusted(const std::string& why) const {
    return MakeForgeFailure(kForgeUnreachable, "ForgeUnreachable",
                            fmt::format("the certificate of {} is refused: {}", where_, why));
  }

  asio::awaitable<Sent> Exchange() {
    auto message = ToHttp(request_);
    error_code error = co_await connection_.Write(std::move(message));
    const auto parser = std::make_shared<http::response_parser<http::string_body>>();
    parser->body_limit(kMostAnswer);
    if (!error) error = co_await connection_.Read(parser);
    // What it is called is known from the head: the rest is only for people.
    const bool answered = !error || (error == http::error::body_limit && parser->is_header_done());
    if (!answered) co_return Unreachable("no answer from " + where_, error.message());
    co_return JudgeForgeAnswer(static_cast<int>(parser->get().result_int()), parser->get().body(), token_);
  }

  tcp::resolver resolver_;
  kube::Connection connection_;
  ForgeRequest request_;
  std::string token_;
  std::string where_;
  Sent result_ = Unreachable(where_, "no answer within 30s");
};

Sent SendOnce(const ForgeRequest& request, const std::shared_ptr<ssl::context>& trust,
              const std::string& token) {
  asio::io_context io(1);
  std::exception_ptr failure;
  Sender sender(io, request, request.tls ? trust : nullptr, token);
  asio::co_spawn(io, sender.Run(), [&](const std::exception_ptr& thrown) { failure = thrown; });
  // A name's lookup has no deadline of its own.
  io.run_for(kTryTime + std::chrono::seconds(1));
  if (failure) std::rethrow_exception(failure);
  return sender.result();
}

std::string ReadToken(const std::string& folder) {
  std::ifstream file(folder + "/token", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  std::string token = text.str();
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  return token;
}

Sent Send(const CommitStatusOptions& options) {
  const std::string token = ReadToken(options.credentials_folder);
  const auto request = MakeForgeRequest(options, token);
  if (!request) return request.error();
  const auto trust = MakeTrust(options.ca_file);
  if (!trust) return trust.error();
  std::minstd_rand random(std::random_device{}());
  Sent last;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    last = SendOnce(*request, *trust, token);
    if (!last || !last->may_pass || attempt + 1 == kTries) return last;
    log::warn("commit-status: {}: tried again", log::Quoted(last->message));
    const double unit = std::uniform_real_distribution<double>(0.0, 1.0)(random);
    std::this_thread::sleep_for(BackoffDelay(kBackoff, attempt, unit));
  }
  return last;
}

}  // namespace

int RunCommitStatus(const CommitStatusOptions& options) {
  const Sent failure = Send(options);
  if (!failure) {
    log::info("commit-status: {} of {} is told", options.state, options.commit);
    return WriteReport(options.report_path, "{}") ? 0 : kForgeFailed;
  }
  log::error("commit-status: {}: {}", failure->reason, log::Quoted(failure->message));
  WriteReport(options.report_path, ToJson(*failure));
  return failure->exit_code;
}

}  // namespace slipway::runner
