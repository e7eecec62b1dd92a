// `slipway-runner receive`: forges' webhooks of one namespace, turned into annotations of its ImageBuilds.
//
// POST /hooks/NAME with the key of KEYS/NAME/secret is answered 202 as soon as it is authentic; what it says
// is written behind that answer. Unknown names, builds without a webhook and bad signatures get the same 401
// after the same work. 503: the builds are not known yet, or too much waits to be written. GET /healthz: 200.
#pragma once

#include "runtime/informer.h"
#include "trigger/http_server.h"
#include "trigger/patcher.h"

namespace slipway::trigger {

struct ReceiverOptions {
  std::string ns;
  std::string keys_folder;
  HttpServerOptions server;
  PatcherOptions patcher;
};

class Receiver {
 public:
  Receiver(asio::any_io_executor executor, kube::Api& api, const Clock& clock, ReceiverOptions options);

  std::uint16_t port() const { return server_.port(); }
  bool synced() const { return informer_.synced(); }
  // Until cancelled.
  asio::awaitable<void> Run();

 private:
  HttpResponse Handle(const HttpRequest& request);
  HttpResponse Deliver(const HttpRequest& request, std::string_view name);
  HttpResponse Accept(const Delivery& delivery, const resources::ImageBuild& build);

  const Clock& clock_;
  ReceiverOptions options_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Informer<resources::ImageBuild> informer_;
  Patcher patcher_;
  HttpServer server_;
  TaskGroup tasks_;
};

}  // namespace slipway::trigger
