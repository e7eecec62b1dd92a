#include "watches.h"

#include <fmt/format.h>

namespace slipway {

using runtime::ReflectorOptions;

namespace {

ReflectorOptions Watching(const kube::ApiResource& resource, const std::string& ns) {
  ReflectorOptions options;
  options.resource = resource;
  options.ns = ns;
  return options;
}

// Only our own Jobs: an admission policy keeps the label for us, and a Job counts only by its recorded UID.
ReflectorOptions WatchingJobs(const std::string& ns) {
  ReflectorOptions options = Watching(kube::kJobs, ns);
  options.label_selector = std::string(resources::kOwnerKindLabel);
  return options;
}

template <class T>
std::string MissingOf(std::string_view what, const std::string& ns, const runtime::Informer<T>& informer) {
  if (informer.synced()) return "";
  const auto& error = informer.last_error();
  return fmt::format("{} in {}: {}\n", what, ns, error ? error->message : "first list under way");
}

template <class T>
bool IsRefused(const runtime::Informer<T>& informer) {
  const auto& error = informer.last_error();
  return !informer.synced() && error && error->kind == ErrorKind::kForbidden;
}

}  // namespace

ReflectorOptions WatchingPolicy(const std::string& ns, const std::string& name) {
  ReflectorOptions options = Watching(kube::kConfigMaps, ns);
  options.field_selector = "metadata.name=" + name;
  return options;
}

NamespaceWatch::NamespaceWatch(kube::Api& api, const std::string& name, Stores& stores)
    : ns(name),
      builds(api, Watching(kube::kImageBuilds, name), stores.builds),
      releases(api, Watching(kube::kReleases, name), stores.releases),
      promotions(api, Watching(kube::kCanaryPromotions, name), stores.promotions),
      decisions(api, Watching(kube::kDecisions, name), stores.made),
      jobs(api, WatchingJobs(name), stores.jobs),
      pods(api, Watching(kube::kPods, name), stores.pods),
      deployments(api, Watching(kube::kDeployments, name), stores.deployments),
      services(api, Watching(kube::kServices, name), stores.services),
      autoscalers(api, Watching(kube::kHorizontalPodAutoscalers, name), stores.autoscalers) {}

bool NamespaceWatch::synced() const {
  bool all = true;
  Each(*this, [&](std::string_view, const auto& informer) { all = all && informer.synced(); });
  return all;
}

std::string NamespaceWatch::Missing() const {
  std::string missing;
  Each(*this, [&](std::string_view what, const auto& informer) { missing += MissingOf(what, ns, informer); });
  return missing;
}

bool NamespaceWatch::Refused() const {
  bool refused = false;
  Each(*this, [&](std::string_view, const auto& informer) { refused = refused || IsRefused(informer); });
  return refused;
}

asio::awaitable<void> NamespaceWatch::Run(asio::any_io_executor executor) {
  TaskGroup group(std::move(executor));
  Each(*this, [&](std::string_view what, auto& informer) {
    std::string name = fmt::format("watch {} in {}", what, ns);
    group.Spawn(name, informer.Run([name] { log::info("{}: complete", name); }));
  });
  co_await group.Join();
}

SupplyWatch::SupplyWatch(kube::Api& api, const std::string& name, Stores& stores)
    : ns(name),
      jobs(api, WatchingJobs(name), stores.jobs),
      pods(api, Watching(kube::kPods, name), stores.pods) {}

std::string SupplyWatch::Missing() const { return MissingOf("jobs", ns, jobs) + MissingOf("pods", ns, pods); }

bool SupplyWatch::Refused() const { return IsRefused(jobs) || IsRefused(pods); }

asio::awaitable<void> SupplyWatch::Run(asio::any_io_executor executor) {
  TaskGroup group(std::move(executor));
  group.Spawn("watch jobs in " + ns, jobs.Run([this] { log::info("watch jobs in {}: complete", ns); }));
  group.Spawn("watch pods in " + ns, pods.Run([this] { log::info("watch pods in {}: complete", ns); }));
  co_await group.Join();
}

}  // namespace slipway
