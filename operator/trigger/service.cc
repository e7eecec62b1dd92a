#include "trigger/service.h"

#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <csignal>
#include <random>
#include <set>

#include "base/log.h"
#include "kube/client.h"
#include "resources/observed.h"
#include "telemetry/health.h"
#include "trigger/poller.h"
#include "trigger/receiver.h"

namespace slipway::trigger {
namespace {

constexpr int kBug = 1;
constexpr int kCantWork = 2;

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

std::optional<Address> ParseAddress(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  Address address{std::string(text.substr(0, colon))};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(address) : std::nullopt;
}

Result<std::unique_ptr<kube::Client>> MakeClient(asio::io_context& io, const ServiceOptions& options) {
  auto config = options.kubeconfig.empty() ? kube::InCluster() : kube::LoadKubeconfig(options.kubeconfig);
  if (!config) return std::unexpected(config.error());
  kube::ClientOptions client;
  client.user_agent = "slipway-trigger";
  return kube::Client::Make(io.get_executor(), *config, client);
}

// Runs until SIGTERM or SIGINT has been answered by a whole stop. A second signal ends the process at once.
int Serve(asio::io_context& io, asio::awaitable<void> service) {
  bool failed = false;
  asio::cancellation_signal stop;
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    log::info("signal {}: stopping", number);
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(io, std::move(service),
                 asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& error) {
                   signals.cancel();
                   if (!error) return;
                   failed = true;
                   try {
                     std::rethrow_exception(error);
                   } catch (const std::exception& what) {
                     log::error("ended by a bug: {}", what.what());
                   }
                 }));
  io.run();
  return failed ? kBug : 0;
}

int Fail(std::string_view what, std::string_view why) {
  log::error("{}: {}", what, why);
  return kCantWork;
}

std::string HostName() {
  char host[256] = {};
  ::gethostname(host, sizeof(host) - 1);
  return host;
}

// The poller with its health beside it, as one task.
class PollService {
 public:
  PollService(asio::any_io_executor executor, telemetry::HealthOptions health, Poller& poller)
      : poller_(poller),
        health_(executor, std::move(health), metrics_,
                [this] { return std::string(poller_.synced() ? "" : "the builds are not known yet"); }),
        tasks_(executor) {}

  asio::awaitable<void> Run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    tasks_.Spawn("health", health_.Run());
    co_await poller_.Run();
    tasks_.Cancel();
    co_await tasks_.Join();
  }

 private:
  Poller& poller_;
  telemetry::Metrics metrics_;
  telemetry::HealthServer health_;
  TaskGroup tasks_;
};

}  // namespace

int RunReceive(const ReceiveOptions& options) {
  log::Init(options.service.log_level);
  const auto address = ParseAddress(options.address);
  if (!address) return Fail("--address", "not host:port");
  asio::io_context io(1);
  auto client = MakeClient(io, options.service);
  if (!client) return Fail("no client for the API server", client.error().message);
  const SystemClock clock;
  try {
    Receiver receiver(io.get_executor(), **client, clock,
                      {.ns = options.service.ns,
                       .keys_folder = options.keys_folder,
                       .server = {.address = address->host, .port = address->port}});
    return Serve(io, receiver.Run());
  } catch (const boost::system::system_error& error) {
    return Fail("--address " + options.address, error.what());
  }
}

int RunPoll(const PollOptions& options) {
  log::Init(options.service.log_level);
  const auto address = ParseAddress(options.health_address);
  if (!address) return Fail("--health-address", "not host:port");
  asio::io_context io(1);
  auto client = MakeClient(io, options.service);
  if (!client) return Fail("no client for the API server", client.error().message);
  const SystemClock clock;
  const LookupOptions lookups{.credentials_folder = options.credentials_folder,
                              .ca_folder = options.ca_folder,
                              .insecure_registries = options.insecure_registries};
  Poller poller(
      io.get_executor(), **client, clock,
      {.ns = options.service.ns,
       .instance = HostName(),
       .seed = std::random_device{}(),
       .look_up = [lookups](const Lookup& lookup) { return LookUp(lookup, lookups); },
       .may_ask =
           [allowed = std::set<std::string>(options.allowed.begin(), options.allowed.end())](
               const resources::ImageBuild& build) { return allowed.contains(resources::PollMark(build)); }});
  try {
    PollService service(io.get_executor(), {.address = address->host, .port = address->port}, poller);
    return Serve(io, service.Run());
  } catch (const boost::system::system_error& error) {
    return Fail("--health-address " + options.health_address, error.what());
  }
}

}  // namespace slipway::trigger
