// slipway-operator: flags, signals, exit codes. Exit codes: 0 asked to stop and did; 1 the lead was lost, or
// a bug (start it again); 2 flags or credentials that can't work.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <random>

#include "base/log.h"
#include "kube/client.h"
#include "wiring.h"

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "dev"
#endif

namespace {

using slipway::OperatorOptions;
namespace asio = boost::asio;

struct Flags {
  OperatorOptions options;
  std::string health_address = "0.0.0.0:8080";
  std::string log_level = "info";
  std::string kubeconfig;
  std::string context;
};

std::string FromEnvironment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

// Each program that the operator runs is named by digest: a tag can be moved to other code.
CLI::Validator ByDigest() {
  return {[](std::string& value) -> std::string {
            if (value.find("@sha256:") != std::string::npos) return {};
            return "name the image by digest (repository@sha256:…); a tag can move";
          },
          "IMAGE@DIGEST", "by-digest"};
}

void Declare(CLI::App& app, Flags& flags) {
  auto& options = flags.options;
  options.operator_namespace = FromEnvironment("POD_NAMESPACE", "slipway-system");
  options.supply_namespace = "slipway-supply-chain";
  app.set_version_flag("--version", SLIPWAY_VERSION);
  app.add_option("--namespaces", options.namespaces, "Namespaces to watch")->delimiter(',')->required();
  app.add_option("--operator-namespace", options.operator_namespace,
                 "Namespace of the lease and of the policy")
      ->capture_default_str();
  app.add_option("--policy-configmap", options.policy_configmap, "ConfigMap that holds policy.yaml")
      ->capture_default_str();
  app.add_option("--runner-image", options.tools.runner_image, "slipway-runner")
      ->required()
      ->check(ByDigest());
  app.add_option("--kaniko-image", options.tools.kaniko_image, "Kaniko")->required()->check(ByDigest());
  app.add_option("--trivy-image", options.tools.trivy_image, "Trivy")->required()->check(ByDigest());
  app.add_option("--trivy-db-repository", options.tools.trivy_db_repository,
                 "Vulnerability database, an OCI artifact")
      ->required();
  app.add_option("--trivy-java-db-repository", options.tools.trivy_java_db_repository,
                 "Java index of the same")
      ->required();
  app.add_option("--cosign-image", options.tools.cosign_image,
                 "cosign; without it nothing is signed or verified")
      ->check(ByDigest());
  app.add_option("--supply-chain-namespace", options.supply_namespace,
                 "Namespace of the platform's where images are signed and verified, and no tenant is")
      ->capture_default_str();
  app.add_option("--max-runs", options.concurrency.overall, "Runs of ImageBuilds at once, in all namespaces")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--max-runs-per-namespace", options.concurrency.per_namespace,
                 "The same in one namespace, unless its policy says otherwise")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--leader-elect", options.leader_elect, "Act only while holding the lease")
      ->capture_default_str();
  app.add_option("--lease-name", options.lease_name, "Name of the lease")->capture_default_str();
  app.add_option("--health-address", flags.health_address, "Where /healthz, /readyz and /metrics are served")
      ->capture_default_str();
  app.add_option("--log-level", flags.log_level, "trace, debug, info, warn or error")->capture_default_str();
  app.add_option("--kubeconfig", flags.kubeconfig, "Outside a cluster: the kubeconfig file");
  app.add_option("--context", flags.context, "The context in it");
}

// "host:port"; false when it is not.
bool ParseAddress(const std::string& text, slipway::telemetry::HealthOptions& health) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  const int port = std::atoi(text.c_str() + colon + 1);
  if (port < 0 || port > 65535) return false;
  health.address = text.substr(0, colon);
  health.port = static_cast<std::uint16_t>(port);
  return true;
}

// Keys are there, so it is no tenant's; and a namespace is watched once.
bool PlaceSupplyChain(OperatorOptions& options) {
  if (options.tools.cosign_image.empty()) options.supply_namespace.clear();
  const auto& names = options.namespaces;
  const bool tenant = std::find(names.begin(), names.end(), options.supply_namespace) != names.end();
  if (tenant) {
    slipway::log::error(
        "--supply-chain-namespace: {} is one of --namespaces: it must be the platform's alone",
        options.supply_namespace);
  }
  return !tenant;
}

std::string Identity() {
  char host[256] = {};
  ::gethostname(host, sizeof(host) - 1);
  std::random_device random;
  return fmt::format("{}_{:08x}", host, random());
}

// Runs until SIGTERM or SIGINT has been answered by a whole stop. A second signal ends the process at once.
int Serve(asio::io_context& io, slipway::Operator& op) {
  bool lost = false;
  bool failed = false;
  asio::cancellation_signal stop;
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    slipway::log::info("signal {}: stopping", number);
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(
      io, op.Run(),
      asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& error, bool lead_lost) {
        signals.cancel();
        lost = lead_lost;
        if (!error) return;
        failed = true;
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& what) {
          slipway::log::error("ended by a bug: {}", what.what());
        }
      }));
  io.run();
  if (lost) slipway::log::error("the lead was lost: ending, to be started anew");
  return lost || failed ? 1 : 0;
}

}  // namespace

// An exception before anything runs is a bug: it ends the process in its own words.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app("Takes a git commit to a verified production rollout, from declared objects.",
               "slipway-operator");
  Flags flags;
  Declare(app, flags);
  CLI11_PARSE(app, argc, argv);
  slipway::log::Init(flags.log_level);
  if (!ParseAddress(flags.health_address, flags.options.health)) {
    slipway::log::error("--health-address: '{}' is not host:port", flags.health_address);
    return 2;
  }
  if (!PlaceSupplyChain(flags.options)) return 2;
  flags.options.identity = Identity();

  auto config = flags.kubeconfig.empty() ? slipway::kube::InCluster()
                                         : slipway::kube::LoadKubeconfig(flags.kubeconfig, flags.context);
  if (!config) {
    slipway::log::error("no credentials for the API server: {}", config.error().message);
    return 2;
  }
  asio::io_context io(1);
  slipway::telemetry::Metrics metrics;
  slipway::kube::ClientOptions options;
  options.user_agent = "slipway-operator/" SLIPWAY_VERSION;
  options.on_response = [&metrics](slipway::kube::Verb verb, int code) {
    metrics.Request(slipway::kube::ToString(verb), code);
  };
  auto client = slipway::kube::Client::Make(io.get_executor(), *config, options);
  if (!client) {
    slipway::log::error("no client for the API server: {}", client.error().message);
    return 2;
  }
  slipway::Operator op(io.get_executor(), **client, metrics, std::move(flags.options));
  return Serve(io, op);
}
