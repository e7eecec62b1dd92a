#include "kube/client.h"

#include <boost/asio/this_coro.hpp>

#include "kube/credentials.h"
#include "kube/status_error.h"
#include "kube/transport.h"
#include "kube/watch_frame.h"

namespace slipway::kube {
namespace {

class JsonWatch final : public WatchStream {
 public:
  JsonWatch(std::unique_ptr<ByteStream> bytes, std::size_t max_frame_bytes)
      : bytes_(std::move(bytes)), decoder_(max_frame_bytes) {}

  asio::awaitable<Result<std::optional<WatchFrame>>> Next(Duration idle) override {
    for (;;) {
      auto frame = decoder_.Next();
      if (!frame || frame->has_value()) co_return frame;
      const auto more = co_await bytes_->Read(idle);
      if (!more) co_return std::unexpected(more.error());
      if (more->empty()) {
        if (!decoder_.Partial()) co_return std::nullopt;
        co_return Fail(ErrorKind::kTransient, "the watch ended in the middle of an event");
      }
      decoder_.Feed(*more);
    }
  }

 private:
  std::unique_ptr<ByteStream> bytes_;
  WatchDecoder decoder_;
};

}  // namespace

class Client::Impl {
 public:
  Impl(const ClientConfig& config, ClientOptions options, std::unique_ptr<Transport> transport)
      : options_(std::move(options)), credentials_(config), transport_(std::move(transport)) {}

  asio::awaitable<Result<HttpAnswer>> Send(Request request) {
    auto identity = co_await credentials_.Get();
    if (!identity) co_return std::unexpected(identity.error());
    auto answer = co_await transport_->Exchange(request, std::move(*identity));
    Count(request.verb, answer ? answer->code : 0);
    co_return answer;
  }

  asio::awaitable<Result<OpenedStream>> Start(Request request) {
    auto identity = co_await credentials_.Get();
    if (!identity) co_return std::unexpected(identity.error());
    auto opened = co_await transport_->Open(request, std::move(*identity));
    Count(request.verb, opened ? opened->answer.code : 0);
    co_return opened;
  }

  void Refresh() { credentials_.Refresh(); }
  const ClientOptions& options() const { return options_; }

 private:
  void Count(Verb verb, int code) const {
    if (options_.on_response) options_.on_response(verb, code);
  }

  ClientOptions options_;
  Credentials credentials_;
  std::unique_ptr<Transport> transport_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::Make(asio::any_io_executor executor, const ClientConfig& config,
                                             ClientOptions options) {
  auto transport = Transport::Make(std::move(executor), config, options);
  if (!transport) return std::unexpected(transport.error());
  auto impl = std::make_unique<Impl>(config, std::move(options), std::move(*transport));
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

asio::awaitable<Result<Json>> Client::Call(Request request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto answer = co_await impl_->Send(request);
  if (answer && answer->code == 401) {
    // The token may have been rotated a moment ago.
    impl_->Refresh();
    answer = co_await impl_->Send(request);
  }
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->code >= 300)
    co_return std::unexpected(ErrorFromAnswer(answer->code, answer->retry_after, answer->body));
  co_return ParseDocument(answer->body, request.keep_managed_fields);
}

asio::awaitable<Result<std::unique_ptr<WatchStream>>> Client::Open(Request request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto opened = co_await impl_->Start(request);
  if (opened && opened->answer.code == 401) {
    impl_->Refresh();
    opened = co_await impl_->Start(request);
  }
  if (!opened) co_return std::unexpected(opened.error());
  if (!opened->bytes) {
    const HttpAnswer& answer = opened->answer;
    co_return std::unexpected(ErrorFromAnswer(answer.code, answer.retry_after, answer.body));
  }
  co_return std::make_unique<JsonWatch>(std::move(opened->bytes), impl_->options().max_frame_bytes);
}

}  // namespace slipway::kube
