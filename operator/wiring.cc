#include "wiring.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "canary/reconciler.h"
#include "release/reconciler.h"
#include "runtime/elector.h"
#include "runtime/informer.h"

namespace slipway {
namespace {

using kube::ObjectKey;
using resources::CanaryPromotion;
using resources::Deployment;
using resources::ImageBuild;
using resources::Job;
using resources::Pod;
using resources::PolicyMap;
using resources::Release;
using resources::Service;
using runtime::Informer;
using runtime::ReflectorOptions;
using runtime::Store;

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

ReflectorOptions WatchingPolicy(const std::string& ns, const std::string& name) {
  ReflectorOptions options = Watching(kube::kConfigMaps, ns);
  options.field_selector = "metadata.name=" + name;
  return options;
}

struct Stores {
  Store<ImageBuild> builds;
  Store<Release> releases;
  Store<CanaryPromotion> promotions;
  Store<Job> jobs;
  Store<Pod> pods;
  Store<Deployment> deployments;
  Store<Service> services;
  Store<PolicyMap> policies;
};

// The watches of one namespace. A namespace whose watches are refused holds up nothing but itself.
struct NamespaceWatch {
  NamespaceWatch(kube::Api& api, const std::string& name, Stores& stores)
      : ns(name),
        builds(api, Watching(kube::kImageBuilds, name), stores.builds),
        releases(api, Watching(kube::kReleases, name), stores.releases),
        promotions(api, Watching(kube::kCanaryPromotions, name), stores.promotions),
        jobs(api, WatchingJobs(name), stores.jobs),
        pods(api, Watching(kube::kPods, name), stores.pods),
        deployments(api, Watching(kube::kDeployments, name), stores.deployments),
        services(api, Watching(kube::kServices, name), stores.services) {}

  bool synced() const {
    return builds.synced() && releases.synced() && promotions.synced() && jobs.synced() && pods.synced() &&
           deployments.synced() && services.synced();
  }

  asio::awaitable<void> Run(asio::any_io_executor executor) {
    TaskGroup group(std::move(executor));
    Each([&](std::string_view what, auto& informer) {
      std::string name = fmt::format("watch {} in {}", what, ns);
      group.Spawn(name, informer.Run([name] { log::info("{}: complete", name); }));
    });
    co_await group.Join();
  }

  template <class F>
  void Each(F&& f) {
    f("imagebuilds", builds);
    f("releases", releases);
    f("canarypromotions", promotions);
    f("jobs", jobs);
    f("pods", pods);
    f("deployments", deployments);
    f("services", services);
  }

  std::string ns;
  Informer<ImageBuild> builds;
  Informer<Release> releases;
  Informer<CanaryPromotion> promotions;
  Informer<Job> jobs;
  Informer<Pod> pods;
  Informer<Deployment> deployments;
  Informer<Service> services;
};

}  // namespace

class Operator::Impl {
 public:
  Impl(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics, OperatorOptions options);
  asio::awaitable<bool> Run();

 private:
  using Reconcile = runtime::Controller::Reconcile;

  void WireNamespace(NamespaceWatch& watch);
  void JobChanged(const Job& job);
  void PodChanged(const Pod& pod);
  void TargetChanged(const std::string& ns, const std::string& deployment);
  void ServiceChanged(const Service& service);
  void PromotionChanged(const CanaryPromotion& promotion);
  void BuildChanged(const ImageBuild& build);
  void EnqueueAll();
  bool NamespaceSynced(const std::string& ns) const;
  std::string NotReadyBecause() const;
  Reconcile Gated(Reconcile reconcile) const;
  template <class T>
  void ReportUndecodable(Informer<T>& informer, kube::ApiResource resource);
  asio::awaitable<void> Lead();
  asio::awaitable<void> WriteRefusals();

  asio::any_io_executor executor_;
  kube::Api& api_;
  telemetry::Metrics& metrics_;
  OperatorOptions options_;
  SystemClock clock_;
  Stores stores_;
  runtime::Applier applier_;
  runtime::EventRecorder events_;
  runtime::Shell shell_;
  Informer<PolicyMap> policy_;
  std::vector<std::unique_ptr<NamespaceWatch>> watches_;
  image_build::Reconciler build_reconciler_;
  canary::Reconciler canary_reconciler_;
  release::Reconciler release_reconciler_;
  runtime::Controller builds_;
  runtime::Controller promotions_;
  runtime::Controller releases_;
  telemetry::HealthServer health_;
  runtime::Elector elector_;
  TaskGroup tasks_;

  // Objects that can't be read, and what was said of each: said once, until they or the reason change.
  struct Refusal {
    kube::ApiResource resource;
    ObjectKey key;
    std::string message;
  };
  std::map<std::pair<std::string, ObjectKey>, std::string> refused_;
  std::deque<Refusal> refusals_;
  Signal refusal_wake_;
};

Operator::Impl::Impl(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics,
                     OperatorOptions options)
    : executor_(executor),
      api_(api),
      metrics_(metrics),
      options_(std::move(options)),
      applier_(api),
      events_(executor, api, clock_, options_.identity),
      shell_{api, applier_, events_, clock_, metrics},
      policy_(api, WatchingPolicy(options_.operator_namespace, options_.policy_configmap), stores_.policies),
      build_reconciler_(shell_,
                        {stores_.builds,
                         stores_.jobs,
                         stores_.pods,
                         stores_.policies,
                         {options_.operator_namespace, options_.policy_configmap}},
                        options_.tools),
      canary_reconciler_(shell_,
                         {stores_.promotions,
                          stores_.deployments,
                          stores_.services,
                          stores_.jobs,
                          stores_.pods,
                          stores_.policies,
                          {options_.operator_namespace, options_.policy_configmap}},
                         options_.tools.runner_image),
      release_reconciler_(shell_, {stores_.releases,
                                   stores_.builds,
                                   stores_.promotions,
                                   stores_.deployments,
                                   stores_.policies,
                                   {options_.operator_namespace, options_.policy_configmap}}),
      builds_(executor, "imagebuild",
              Gated([this](ObjectKey key) { return build_reconciler_.Reconcile(std::move(key)); }), clock_,
              metrics),
      promotions_(executor, "canarypromotion",
                  Gated([this](ObjectKey key) { return canary_reconciler_.Reconcile(std::move(key)); }),
                  clock_, metrics),
      releases_(executor, "release",
                Gated([this](ObjectKey key) { return release_reconciler_.Reconcile(std::move(key)); }),
                clock_, metrics),
      health_(executor, options_.health, metrics, [this] { return NotReadyBecause(); }),
      elector_(api,
               {.lease = {options_.operator_namespace, options_.lease_name}, .identity = options_.identity},
               clock_),
      tasks_(executor),
      refusal_wake_(executor) {
  policy_.OnChange([this](const PolicyMap& map) {
    // Until it is mended, nothing is allowed.
    if (!map.policy) log::error("policy: {}", map.policy.error().message);
    EnqueueAll();
  });
  for (const auto& ns : options_.namespaces) {
    watches_.push_back(std::make_unique<NamespaceWatch>(api, ns, stores_));
    WireNamespace(*watches_.back());
  }
}

void Operator::Impl::WireNamespace(NamespaceWatch& watch) {
  watch.builds.OnChange([this](const ImageBuild& build) { BuildChanged(build); });
  watch.releases.OnChange([this](const Release& release) {
    releases_.Enqueue(release.meta.key);
    TargetChanged(release.meta.key.ns, release.spec.target.deployment);
  });
  watch.promotions.OnChange([this](const CanaryPromotion& promotion) { PromotionChanged(promotion); });
  watch.jobs.OnChange([this](const Job& job) { JobChanged(job); });
  watch.pods.OnChange([this](const Pod& pod) { PodChanged(pod); });
  watch.deployments.OnChange([this](const Deployment& deployment) {
    TargetChanged(deployment.meta.key.ns, deployment.meta.key.name);
  });
  watch.services.OnChange([this](const Service& service) { ServiceChanged(service); });
  ReportUndecodable(watch.builds, kube::kImageBuilds);
  ReportUndecodable(watch.releases, kube::kReleases);
  ReportUndecodable(watch.promotions, kube::kCanaryPromotions);
}

void Operator::Impl::BuildChanged(const ImageBuild& build) {
  builds_.Enqueue(build.meta.key);
  for (const auto& release : stores_.releases.All()) {
    const bool follows = release->spec.image_from &&
                         release->spec.image_from->image_build == build.meta.key.name &&
                         release->meta.key.ns == build.meta.key.ns;
    if (follows) releases_.Enqueue(release->meta.key);
  }
}

void Operator::Impl::JobChanged(const Job& job) {
  const auto* owner = job.meta.Controller();
  if (owner == nullptr) return;
  const ObjectKey key{job.meta.key.ns, owner->name};
  if (owner->kind == kube::kImageBuilds.kind) builds_.Enqueue(key);
  if (owner->kind == kube::kCanaryPromotions.kind) promotions_.Enqueue(key);
}

void Operator::Impl::PodChanged(const Pod& pod) {
  const auto* owner = pod.meta.Controller();
  if (owner == nullptr || owner->kind != kube::kJobs.kind) return;
  if (const auto job = stores_.jobs.Get({pod.meta.key.ns, owner->name})) JobChanged(*job);
}

// A Deployment changed: as a target, or as the canary beside one.
void Operator::Impl::TargetChanged(const std::string& ns, const std::string& deployment) {
  for (const auto& promotion : stores_.promotions.All()) {
    if (promotion->meta.key.ns != ns) continue;
    const bool concerned =
        promotion->spec.target.deployment == deployment || promotion->status.canary_deployment == deployment;
    if (concerned) promotions_.Enqueue(promotion->meta.key);
  }
  for (const auto& release : stores_.releases.All()) {
    if (release->meta.key.ns == ns && release->spec.target.deployment == deployment) {
      releases_.Enqueue(release->meta.key);
    }
  }
}

void Operator::Impl::ServiceChanged(const Service& service) {
  for (const auto& promotion : stores_.promotions.All()) {
    const bool concerned = promotion->meta.key.ns == service.meta.key.ns &&
                           promotion->spec.target.service == service.meta.key.name;
    if (concerned) promotions_.Enqueue(promotion->meta.key);
  }
}

void Operator::Impl::PromotionChanged(const CanaryPromotion& promotion) {
  promotions_.Enqueue(promotion.meta.key);
  // Its end frees the target for whoever waits for it, and is what its Release waits for.
  TargetChanged(promotion.meta.key.ns, promotion.spec.target.deployment);
}

void Operator::Impl::EnqueueAll() {
  for (const auto& build : stores_.builds.All()) builds_.Enqueue(build->meta.key);
  for (const auto& promotion : stores_.promotions.All()) promotions_.Enqueue(promotion->meta.key);
  for (const auto& release : stores_.releases.All()) releases_.Enqueue(release->meta.key);
}

bool Operator::Impl::NamespaceSynced(const std::string& ns) const {
  if (!policy_.synced()) return false;
  for (const auto& watch : watches_) {
    if (watch->ns == ns) return watch->synced();
  }
  return false;
}

std::string Operator::Impl::NotReadyBecause() const {
  std::string reasons;
  const auto add = [&](std::string_view what, const auto& informer, std::string_view ns) {
    if (informer.synced()) return;
    const auto& error = informer.last_error();
    reasons += fmt::format("{} in {}: {}\n", what, ns, error ? error->message : "first list under way");
  };
  add("configmaps", policy_, options_.operator_namespace);
  for (const auto& watch : watches_) {
    watch->Each([&](std::string_view what, const auto& informer) { add(what, informer, watch->ns); });
  }
  return reasons;
}

// No decision from half a picture: an object waits until every kind of its namespace was listed once.
Operator::Impl::Reconcile Operator::Impl::Gated(Reconcile reconcile) const {
  return
      [this, reconcile = std::move(reconcile)](ObjectKey key) -> asio::awaitable<Result<runtime::Outcome>> {
        if (NamespaceSynced(key.ns)) return reconcile(std::move(key));
        return [](Result<runtime::Outcome> outcome) -> asio::awaitable<Result<runtime::Outcome>> {
          co_return outcome;
        }(runtime::Outcome{std::chrono::seconds(1)});
      };
}

template <class T>
void Operator::Impl::ReportUndecodable(Informer<T>& informer, kube::ApiResource resource) {
  informer.OnUndecodable([this, resource](const ObjectKey& key, const Error& why) {
    auto& said = refused_[{std::string(resource.plural), key}];
    if (said == why.message || key.name.empty()) return;
    said = why.message;
    refusals_.push_back({resource, key, why.message});
    refusal_wake_.Notify();
  });
}

// One bad object stops nothing but itself: it gets a condition that says what to change.
asio::awaitable<void> Operator::Impl::WriteRefusals() {
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    if (refusals_.empty()) {
      co_await refusal_wake_.Wait();
      continue;
    }
    const Refusal refusal = std::move(refusals_.front());
    refusals_.pop_front();
    kube::Json conditions = kube::Json::array();
    for (const auto& [type, status] : {std::pair{"Ready", "False"}, std::pair{"Stalled", "True"}}) {
      conditions.push_back({{"type", type},
                            {"status", status},
                            {"reason", "InvalidSpec"},
                            {"message", refusal.message.substr(0, 1024)},
                            {"lastTransitionTime", FormatTime(clock_.Now())}});
    }
    kube::Json body{{"apiVersion", kube::ApiVersion(refusal.resource)},
                    {"kind", refusal.resource.kind},
                    {"metadata", {{"name", refusal.key.name}, {"namespace", refusal.key.ns}}},
                    {"status", {{"conditions", std::move(conditions)}}}};
    auto written = co_await api_.Call(kube::ApplyStatus(refusal.resource, refusal.key, body));
    if (!written) log::warn("condition InvalidSpec not written: {}", written.error().message);
  }
}

asio::awaitable<void> Operator::Impl::Lead() {
  log::info("leading as {}", options_.identity);
  metrics_.Leading(true);
  EnqueueAll();
  TaskGroup group(executor_);
  group.Spawn("imagebuild controller", builds_.Run());
  group.Spawn("canarypromotion controller", promotions_.Run());
  group.Spawn("release controller", releases_.Run());
  group.Spawn("events", events_.Run());
  group.Spawn("refusals", WriteRefusals());
  co_await group.Join();
  metrics_.Leading(false);
}

asio::awaitable<bool> Operator::Impl::Run() {
  tasks_.Spawn("health server", health_.Run());
  tasks_.Spawn("watch policy", policy_.Run([] { log::info("policy: read"); }));
  for (const auto& watch : watches_) tasks_.Spawn("watch " + watch->ns, watch->Run(executor_));
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
