#include "runner/http_ask.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>

#include "kube/connection.h"

namespace slipway::runner {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Parser = http::response_parser<http::buffer_body>;

HttpAnswer Unanswered(std::string_view doing, std::string_view why) {
  HttpAnswer answer;
  answer.failed = fmt::format("{}: {}", doing, why);
  return answer;
}

HttpAnswer Unanswered(std::string_view doing, const error_code& error) {
  return Unanswered(doing, error == boost::beast::error::timeout ? "timed out" : error.message());
}

http::request<http::string_body> ToRequest(const HttpQuestion& question) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(question.method);
  request.target(question.target);
  for (const auto& [name, value] : question.headers) request.set(name, value);
  request.set(http::field::user_agent, "slipway-runner");
  request.set(http::field::connection, "close");
  request.body() = question.body;
  const bool bodiless = question.method == "GET" || question.method == "HEAD";
  if (!bodiless || !question.body.empty()) request.prepare_payload();
  return request;
}

// Reads into `text` until it is full. buffer_body rather than string_body: that one makes room at once for
// whatever length the server announces.
asio::awaitable<error_code> ReadInto(std::shared_ptr<kube::Connection> connection,
                                     std::shared_ptr<Parser> parser, std::shared_ptr<std::string> text) {
  parser->get().body() = {.data = text->data(), .size = text->size(), .more = true};
  const error_code error = co_await connection->Read(parser);
  text->resize(text->size() - parser->get().body().size);
  co_return error;
}

HttpAnswer Answered(const Parser& parser, std::string body, bool cut) {
  HttpAnswer answer;
  answer.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) answer.headers.emplace_back(field.name_string(), field.value());
  answer.body = std::move(body);
  answer.cut = cut;
  return answer;
}

asio::awaitable<HttpAnswer> Exchange(std::shared_ptr<kube::Connection> connection, HttpQuestion question) {
  error_code error = co_await connection->Connect(question.to);
  if (error) co_return Unanswered("connect", error);
  if (question.trust) {
    error_code no_address;
    asio::ip::make_address(question.server, no_address);
    error = co_await connection->Handshake(question.server, !no_address);
    const std::string refused = connection->WhyRefused();
    if (error && !refused.empty()) co_return Unanswered("the certificate is refused", refused);
    if (error) co_return Unanswered("TLS", error);
  }
  error = co_await connection->Write(ToRequest(question));
  if (error) co_return Unanswered("send", error);
  const auto parser = std::make_shared<Parser>();
  parser->body_limit(boost::none);
  parser->skip(question.method == "HEAD");
  error = co_await connection->ReadHeader(parser);
  if (error) co_return Unanswered("receive", error);
  const auto text = std::make_shared<std::string>(question.most, '\0');
  if (!parser->is_done()) {
    error = co_await ReadInto(connection, parser, text);
  } else {
    text->clear();
  }
  const bool cut = error == http::error::need_buffer;
  if (error && !cut) co_return Unanswered("receive", error);
  co_return Answered(*parser, std::move(*text), cut);
}

}  // namespace

asio::awaitable<HttpAnswer> AskHttp(HttpQuestion question) {
  const auto executor = co_await asio::this_coro::executor;
  const auto began = std::chrono::steady_clock::now();
  const auto connection = std::make_shared<kube::Connection>(executor, question.trust);
  connection->Expire(question.deadline);
  HttpAnswer answer = co_await Exchange(connection, std::move(question));
  answer.took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  co_return answer;
}

asio::awaitable<Result<Endpoints>> LookUp(std::string host, std::string port) {
  tcp::resolver resolver(co_await asio::this_coro::executor);
  error_code error;
  auto results = co_await resolver.async_resolve(host, port, tcp::resolver::numeric_service,
                                                 asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Fail(ErrorKind::kTransient, error.message());
  if (results.empty()) co_return Fail(ErrorKind::kTransient, "it has no address");
  co_return results;
}

Endpoints EndpointsOf(const std::string& ip, const std::string& port) {
  const tcp::endpoint endpoint(asio::ip::make_address(ip), static_cast<std::uint16_t>(std::stoi(port)));
  return Endpoints::create(endpoint, ip, port);
}

}  // namespace slipway::runner
