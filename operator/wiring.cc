#include "wiring.h"

#include <fmt/format.h>

#include <algorithm>

#include "wiring_impl.h"

namespace slipway {
namespace {

using kube::ObjectKey;
using resources::Autoscaler;
using resources::CanaryPromotion;
using resources::Decision;
using resources::Deployment;
using resources::ImageBuild;
using resources::Job;
using resources::Pod;
using resources::PolicyMap;
using resources::Release;
using resources::Service;
using runtime::Informer;

constexpr std::size_t kMostRefused = 1000;

}  // namespace

Operator::Impl::Impl(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics,
                     OperatorOptions options)
    : executor_(executor),
      metrics_(metrics),
      options_(std::move(options)),
      applier_(api),
      events_(executor, api, clock_, options_.identity),
      shell_{api, applier_, events_, clock_, metrics},
      policy_(api, WatchingPolicy(options_.operator_namespace, options_.policy_configmap), stores_.policies),
      honoured_(api, stores_.made, stores_.decisions, events_,
                [this](const Decision& decision) { DecisionChanged(decision); }),
      build_reconciler_(shell_,
                        {stores_.builds,
                         stores_.jobs,
                         stores_.pods,
                         stores_.decisions,
                         stores_.policies,
                         {options_.operator_namespace, options_.policy_configmap},
                         options_.supply_namespace},
                        options_.tools, options_.concurrency,
                        [this](const ObjectKey& key) { builds_.Enqueue(key); }),
      trigger_reconciler_(shell_,
                          {stores_.builds,
                           stores_.deployments,
                           stores_.services,
                           stores_.policies,
                           {options_.operator_namespace, options_.policy_configmap}},
                          options_.tools),
      canary_reconciler_(shell_,
                         {.promotions = stores_.promotions,
                          .deployments = stores_.deployments,
                          .services = stores_.services,
                          .jobs = stores_.jobs,
                          .pods = stores_.pods,
                          .decisions = stores_.decisions,
                          .autoscalers = stores_.autoscalers,
                          .policies = stores_.policies,
                          .policy_key = {options_.operator_namespace, options_.policy_configmap}},
                         options_.tools.runner_image),
      release_reconciler_(shell_,
                          {.releases = stores_.releases,
                           .builds = stores_.builds,
                           .promotions = stores_.promotions,
                           .deployments = stores_.deployments,
                           .decisions = stores_.decisions,
                           .jobs = stores_.jobs,
                           .pods = stores_.pods,
                           .policies = stores_.policies,
                           .policy_key = {options_.operator_namespace, options_.policy_configmap}},
                          {.tools = {.cosign_image = options_.tools.cosign_image,
                                     .trivy_image = options_.tools.trivy_image,
                                     .trivy_java_db_repository = options_.tools.trivy_java_db_repository,
                                     .trivy_db_repository = options_.tools.trivy_db_repository,
                                     .runner_image = options_.tools.runner_image},
                           .ns = options_.supply_namespace}),
      builds_(executor, "imagebuild",
              Gated(kube::kImageBuilds,
                    [this](ObjectKey key) { return build_reconciler_.Reconcile(std::move(key)); }),
              clock_, metrics),
      triggers_(executor, "trigger",
                Gated(kube::kDeployments,
                      [this](ObjectKey key) { return trigger_reconciler_.Reconcile(std::move(key)); }),
                clock_, metrics),
      promotions_(executor, "canarypromotion",
                  Gated(kube::kCanaryPromotions,
                        [this](ObjectKey key) { return canary_reconciler_.Reconcile(std::move(key)); }),
                  clock_, metrics),
      releases_(executor, "release",
                Gated(kube::kReleases,
                      [this](ObjectKey key) { return release_reconciler_.Reconcile(std::move(key)); }),
                clock_, metrics),
      health_(executor, options_.health, metrics, [this] { return NotReadyBecause(); }),
      elector_(api,
               {.lease = {options_.operator_namespace, options_.lease_name}, .identity = options_.identity},
               clock_),
      tasks_(executor),
      refusals_(executor, api, clock_) {
  policy_.OnChange([this](const PolicyMap& map) {
    // Until it is mended, nothing is allowed.
    if (!map.policy) log::error("policy: {}", map.policy.error().message);
    EnqueueAll();
  });
  for (const auto& ns : options_.namespaces) {
    watches_.push_back(std::make_unique<NamespaceWatch>(api, ns, stores_));
    WireNamespace(*watches_.back());
  }
  if (!options_.supply_namespace.empty()) WireSupply(api);
}

void Operator::Impl::WireSupply(kube::Api& api) {
  supply_ = std::make_unique<SupplyWatch>(api, options_.supply_namespace, stores_);
  supply_->jobs.OnChange([this](const Job& job) { JobChanged(job); });
  supply_->pods.OnChange([this](const Pod& pod) { PodChanged(pod); });
}

void Operator::Impl::WireNamespace(NamespaceWatch& watch) {
  watch.builds.OnChange([this](const ImageBuild& build) { BuildChanged(build); });
  watch.releases.OnChange([this](const Release& release) { ReleaseChanged(release); });
  watch.promotions.OnChange([this](const CanaryPromotion& promotion) { PromotionChanged(promotion); });
  watch.decisions.OnChange([this](const Decision& decision) { honoured_.Changed(decision); });
  watch.jobs.OnChange([this](const Job& job) { JobChanged(job); });
  watch.pods.OnChange([this](const Pod& pod) { PodChanged(pod); });
  watch.deployments.OnChange([this](const Deployment& deployment) {
    TargetChanged(deployment.meta.key.ns, deployment.meta.key.name);
    const bool trigger = deployment.meta.labels.contains(resources::kRoleLabel);
    if (trigger) triggers_.Enqueue({deployment.meta.key.ns, ""});
  });
  watch.services.OnChange([this](const Service& service) { ServiceChanged(service); });
  watch.autoscalers.OnChange([this](const Autoscaler& autoscaler) {
    if (autoscaler.target_kind != kube::kDeployments.kind) return;
    TargetChanged(autoscaler.meta.key.ns, autoscaler.target_name);
  });
  ReportUndecodable(watch.builds, kube::kImageBuilds);
  ReportUndecodable(watch.releases, kube::kReleases);
  ReportUndecodable(watch.promotions, kube::kCanaryPromotions);
}

void Operator::Impl::EnqueueAll() {
  for (const auto& watch : watches_) triggers_.Enqueue({watch->ns, ""});
  for (const auto& build : stores_.builds.All()) builds_.Enqueue(build->meta.key);
  for (const auto& promotion : stores_.promotions.All()) promotions_.Enqueue(promotion->meta.key);
  for (const auto& release : stores_.releases.All()) releases_.Enqueue(release->meta.key);
}

bool Operator::Impl::NamespaceSynced(const std::string& ns) const {
  if (!policy_.synced() || !honoured_.known()) return false;
  for (const auto& watch : watches_) {
    if (watch->ns == ns) return watch->synced();
  }
  return false;
}

// The earlier environment's Releases are listed, too, where they are watched at all.
bool Operator::Impl::SourceSynced(const ObjectKey& key) const {
  const auto release = stores_.releases.Get(key);
  if (!release || !release->spec.image_from || !release->spec.image_from->release) return true;
  const std::string& ns = release->spec.image_from->release->ns;
  const bool watched =
      std::ranges::any_of(options_.namespaces, [&ns](const auto& name) { return name == ns; });
  return ns.empty() || !watched || NamespaceSynced(ns);
}

// What signs, verifies, scans or attests what it delivers waits until the Jobs that do so are known. Nothing
// else does.
bool Operator::Impl::SupplySynced(const kube::ApiResource& resource, const ObjectKey& key) const {
  if (supply_ == nullptr || supply_->synced()) return true;
  if (resource == kube::kImageBuilds) {
    const auto build = stores_.builds.Get(key);
    return !build || !build->spec.attest;
  }
  if (resource != kube::kReleases) return true;
  const auto policies = stores_.policies.Get({options_.operator_namespace, options_.policy_configmap});
  const auto* space = resources::PolicyFor(policies.get(), key.ns);
  const bool asked = space != nullptr && (!space->minimum.delivery_signer.empty() ||
                                          space->minimum.delivery_scan || space->minimum.delivery_attest);
  const auto release = stores_.releases.Get(key);
  if (asked || !release) return !asked;
  const auto& spec = release->spec;
  return !spec.gates.signature && !spec.gates.scan && !spec.attest;
}

std::string Operator::Impl::NotReadyBecause() const {
  std::string reasons;
  if (!policy_.synced()) {
    const auto& error = policy_.last_error();
    reasons = fmt::format("configmaps in {}: {}\n", options_.operator_namespace,
                          error ? error->message : "first list under way");
  }
  if (!honoured_.known()) reasons += "the admission policy of Decisions: first list under way\n";
  for (const auto& watch : watches_) reasons += watch->Missing();
  return reasons;
}

// No decision from half a picture: an object waits until every kind of its namespace was listed once.
Operator::Impl::Reconcile Operator::Impl::Gated(kube::ApiResource resource, Reconcile reconcile) {
  return [this, resource,
          reconcile = std::move(reconcile)](ObjectKey key) -> asio::awaitable<Result<runtime::Outcome>> {
    const bool synced = NamespaceSynced(key.ns) && (resource != kube::kReleases || SourceSynced(key)) &&
                        SupplySynced(resource, key);
    if (synced) {
      blind_.erase({std::string(resource.plural), key});
      return reconcile(std::move(key));
    }
    ReportBlind(resource, key);
    return [](Result<runtime::Outcome> outcome) -> asio::awaitable<Result<runtime::Outcome>> {
      co_return outcome;
    }(runtime::Outcome{std::chrono::seconds(1)});
  };
}

// A right that is missing is said on the objects that wait for it, once, in the API server's words.
void Operator::Impl::ReportBlind(const kube::ApiResource& resource, const ObjectKey& key) {
  for (const auto& watch : watches_) {
    const bool apart = !SupplySynced(resource, key) && supply_->Refused();
    if (watch->ns != key.ns || (!watch->Refused() && !apart)) continue;
    const std::string missing = watch->Missing() + (apart ? supply_->Missing() : "");
    std::string message = "the operator may not see what it needs: " + missing;
    auto& said = blind_[{std::string(resource.plural), key}];
    if (said == message) return;
    said = message;
    refusals_.Put({resource, key, "Forbidden", false, std::move(message)});
  }
}

template <class T>
void Operator::Impl::ReportUndecodable(Informer<T>& informer, kube::ApiResource resource) {
  informer.OnChange(
      [this, resource](const T& object) { refused_.erase({std::string(resource.plural), object.meta.key}); });
  informer.OnUndecodable([this, resource](const ObjectKey& key, const Error& why) {
    if (refused_.size() >= kMostRefused) refused_.clear();
    auto& said = refused_[{std::string(resource.plural), key}];
    if (said == why.message || key.name.empty()) return;
    said = why.message;
    refusals_.Put({resource, key, "InvalidSpec", true, why.message});
  });
}

asio::awaitable<void> Operator::Impl::Lead() {
  log::info("leading as {}", options_.identity);
  metrics_.Leading(true);
  EnqueueAll();
  TaskGroup group(executor_);
  group.Spawn("imagebuild controller", builds_.Run());
  group.Spawn("trigger controller", triggers_.Run());
  group.Spawn("canarypromotion controller", promotions_.Run());
  group.Spawn("release controller", releases_.Run());
  group.Spawn("events", events_.Run());
  group.Spawn("refusals", refusals_.Run());
  co_await group.Join();
  metrics_.Leading(false);
}

asio::awaitable<bool> Operator::Impl::Run() {
  tasks_.Spawn("health server", health_.Run());
  tasks_.Spawn("watch policy", policy_.Run([] { log::info("policy: read"); }));
  tasks_.Spawn("watch admission", honoured_.Run(executor_));
  for (const auto& watch : watches_) tasks_.Spawn("watch " + watch->ns, watch->Run(executor_));
  if (supply_) tasks_.Spawn("watch " + supply_->ns, supply_->Run(executor_));
  bool lost = false;
  if (options_.leader_elect) {
    lost = co_await elector_.Run([this] { return Lead(); });
  } else {
    co_await Lead();
  }
  tasks_.Cancel();
  co_await tasks_.Join();
  co_return lost;
}

Operator::Operator(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics,
                   OperatorOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), api, metrics, std::move(options))) {}
Operator::~Operator() = default;

asio::awaitable<bool> Operator::Run() { return impl_->Run(); }

}  // namespace slipway
