#include "support/scripted_server.h"

#include <fmt/format.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace slipway::testing {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using TlsStream = ssl::stream<tcp::socket&>;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string ClientName(SSL* tls) {
  X509* peer = SSL_get1_peer_certificate(tls);
  if (peer == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof(name));
  X509_free(peer);
  return name;
}

std::string Written(const Reply& reply) {
  std::string text = fmt::format("HTTP/1.1 {} Scripted\r\nContent-Type: application/json\r\n", reply.code);
  for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
  return text + fmt::format("Content-Length: {}\r\n\r\n{}", reply.body.size(), reply.body);
}

}  // namespace

Reply Chunked(std::vector<Piece> pieces, bool ends) {
  Reply reply;
  reply.raw.push_back(
      {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"});
  for (auto& piece : pieces) {
    reply.raw.push_back({fmt::format("{:x}\r\n{}\r\n", piece.bytes.size(), piece.bytes), piece.wait});
  }
  if (ends) reply.raw.push_back({"0\r\n\r\n"});
  reply.hang = !ends;
  return reply;
}

std::string Line(const std::string& type, const std::string& object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

class ScriptedServer::Impl {
 public:
  Impl(Script script, ServerOptions options)
      : authority_("slipway test authority"), script_(std::move(script)), options_(std::move(options)) {
    if (options_.certificate.key_pem.empty()) {
      options_.certificate = authority_.Issue("server", "IP:127.0.0.1,DNS:localhost");
    }
    context_.use_certificate_chain(asio::buffer(options_.certificate.certificate_pem));
    context_.use_private_key(asio::buffer(options_.certificate.key_pem), ssl::context::pem);
    if (!options_.client_authority_pem.empty()) {
      context_.add_certificate_authority(asio::buffer(options_.client_authority_pem));
      context_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    }
    acceptor_thread_ = std::thread([this] { Accept(); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
    }
    stopped_.notify_all();
    acceptor_thread_.join();
    for (auto& thread : threads_) thread.join();
  }

  std::string Port() const { return std::to_string(acceptor_.local_endpoint().port()); }

  void CutAll() {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }

  mutable std::mutex mutex_;
  Authority authority_;
  int accepted_ = 0;
  std::vector<Received> requests_;
  ServerOptions options() const { return options_; }

 private:
  // Polls, because nothing portable wakes a thread out of accept(2).
  void Accept() {
    for (;;) {
      pollfd ready{acceptor_.native_handle(), POLLIN, 0};
      const bool came = ::poll(&ready, 1, 10) > 0;
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (!came) continue;
      error_code error;
      auto socket = std::make_shared<tcp::socket>(io_);
      acceptor_.accept(*socket, error);
      if (error) continue;
      const int number = accepted_++;
      if (number < options_.cut_handshakes) continue;
      open_.insert(socket->native_handle());
      threads_.emplace_back([this, socket, number] { Serve(*socket, number); });
    }
  }

  void Serve(tcp::socket& socket, int number) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (options_.tls) {
      TlsStream tls(socket, context_);
      error_code refused;
      tls.handshake(ssl::stream_base::server, refused);
      if (!refused) {
        const char* name = SSL_get_servername(tls.native_handle(), TLSEXT_NAMETYPE_host_name);
        Received first{.connection = number};
        first.client_name = ClientName(tls.native_handle());
        first.server_name = name == nullptr ? "" : name;
        Answer(tls, socket, first);
      }
    } else {
      Answer(socket, socket, {.connection = number});
    }
    // Under the lock, so that no one shuts down a descriptor that is another's by then.
    const std::lock_guard lock(mutex_);
    open_.erase(socket.native_handle());
    socket.close(ignored);
  }

  template <class Stream>
  void Answer(Stream& stream, tcp::socket& socket, const Received& blank) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> message;
      error_code error;
      http::read(stream, buffer, message, error);
      if (error) return;
      Received received = blank;
      received.method = std::string(message.method_string());
      received.target = std::string(message.target());
      received.body = message.body();
      for (const auto& field : message) {
        received.headers[Lower(std::string(field.name_string()))] = std::string(field.value());
      }
      Reply reply = Ask(received);
      if (reply.raw.empty() && !reply.hang) reply.raw.push_back({Written(reply)});
      for (const auto& piece : reply.raw) {
        if (!Wait(piece.wait)) return;
        asio::write(stream, asio::buffer(piece.bytes), error);
        if (error) return;
      }
      if (reply.hang) {
        char byte = 0;
        asio::read(stream, asio::buffer(&byte, 1), error);  // ends when the client, or the server, closes
        return;
      }
      if (reply.close_after) {
        socket.shutdown(tcp::socket::shutdown_both, error);
        return;
      }
    }
  }

  Reply Ask(const Received& received) {
    const std::lock_guard lock(script_mutex_);
    {
      const std::lock_guard also(mutex_);
      requests_.push_back(received);
    }
    return script_(received);
  }

  // False when the server stops meanwhile.
  bool Wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !stopped_.wait_for(lock, time, [this] { return stopping_; });
  }

  std::mutex script_mutex_;
  Script script_;
  ServerOptions options_;
  asio::io_context io_;
  ssl::context context_{ssl::context::tls_server};
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  bool stopping_ = false;
  std::condition_variable stopped_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_thread_;
};

ScriptedServer::ScriptedServer(Script script, ServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(script), std::move(options))) {}
ScriptedServer::~ScriptedServer() = default;

kube::ClientConfig ScriptedServer::Config() const {
  kube::ClientConfig config;
  config.scheme = impl_->options().tls ? "https" : "http";
  config.host = "127.0.0.1";
  config.port = impl_->Port();
  config.ca_pem = impl_->authority_.pem();
  return config;
}

const Authority& ScriptedServer::authority() const { return impl_->authority_; }

int ScriptedServer::accepted() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->accepted_;
}

std::vector<Received> ScriptedServer::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

void ScriptedServer::CutAll() { impl_->CutAll(); }

}  // namespace slipway::testing
