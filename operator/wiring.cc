#include "wiring.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "canary/reconciler.h"
#include "image_build/trigger_reconciler.h"
#include "release/reconciler.h"
#include "runtime/elector.h"
#include "watches.h"

namespace slipway {
namespace {

using kube::ObjectKey;
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

class Operator::Impl {
 public:
  Impl(asio::any_io_executor executor, kube::Api& api, telemetry::Metrics& metrics, OperatorOptions options);
  asio::awaitable<bool> Run();

 private:
  using Reconcile = runtime::Controller::Reconcile;

  // A condition that is not a decision's: the object can't be read, or what a decision needs can't.
  struct Refusal {
    kube::ApiResource resource;
    ObjectKey key;
    std::string reason;
    bool stalled = false;  // until the object changes
    std::string message;
  };
  void Refuse(Refusal refusal);
  void ReportBlind(const kube::ApiResource& resource, const ObjectKey& key);
  kube::Request RefusalPatch(const Refusal& refusal) const;

  void WireNamespace(NamespaceWatch& watch);
  void JobChanged(const Job& job);
  void PodChanged(const Pod& pod);
  void TargetChanged(const std::string& ns, const std::string& deployment);
  void ServiceChanged(const Service& service);
  void PromotionChanged(const CanaryPromotion& promotion);
  void BuildChanged(const ImageBuild& build);
  void DecisionChanged(const Decision& decision);
  void EnqueueAll();
  bool NamespaceSynced(const std::string& ns) const;
  std::string NotReadyBecause() const;
  Reconcile Gated(kube::ApiResource resource, Reconcile reconcile);
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
  image_build::TriggerReconciler trigger_reconciler_;
  canary::Reconciler canary_reconciler_;
  release::Reconciler release_reconciler_;
  runtime::Controller builds_;
  runtime::Controller triggers_;  // its keys are {namespace, ""}
  runtime::Controller promotions_;
  runtime::Controller releases_;
  telemetry::HealthServer health_;
  runtime::Elector elector_;
  TaskGroup tasks_;

  // Objects that can't be read, and what was said of each: said once, until they or the reason change.
  std::map<std::pair<std::string, ObjectKey>, std::string> refused_;
  std::map<std::pair<std::string, ObjectKey>, std::string> blind_;
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
                         stores_.decisions,
                         stores_.policies,
                         {options_.operator_namespace, options_.policy_configmap}},
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
  watch.decisions.OnChange([this](const Decision& decision) { DecisionChanged(decision); });
  watch.jobs.OnChange([this](const Job& job) { JobChanged(job); });
  watch.pods.OnChange([this](const Pod& pod) { PodChanged(pod); });
  watch.deployments.OnChange([this](const Deployment& deployment) {
    TargetChanged(deployment.meta.key.ns, deployment.meta.key.name);
    const bool trigger = deployment.meta.labels.contains(resources::kRoleLabel);
    if (trigger) triggers_.Enqueue({deployment.meta.key.ns, ""});
  });
  watch.services.OnChange([this](const Service& service) { ServiceChanged(service); });
  ReportUndecodable(watch.builds, kube::kImageBuilds);
  ReportUndecodable(watch.releases, kube::kReleases);
  ReportUndecodable(watch.promotions, kube::kCanaryPromotions);
}

void Operator::Impl::BuildChanged(const ImageBuild& build) {
  build_reconciler_.Observe(build);
  builds_.Enqueue(build.meta.key);
  triggers_.Enqueue({build.meta.key.ns, ""});
  // Of a pull request: its parent makes it again, should it go too early.
  const auto* owner = build.meta.Controller();
  const bool child = owner != nullptr && owner->kind == kube::kImageBuilds.kind;
  if (child) builds_.Enqueue({build.meta.key.ns, owner->name});
  for (const auto& release : stores_.releases.All()) {
    const bool follows = release->spec.image_from &&
                         release->spec.image_from->image_build == build.meta.key.name &&
                         release->meta.key.ns == build.meta.key.ns;
    if (follows) releases_.Enqueue(release->meta.key);
  }
}

void Operator::Impl::DecisionChanged(const Decision& decision) {
  const auto& target = decision.spec.target;
  if (target.kind == kube::kImageBuilds.kind) builds_.Enqueue({decision.meta.key.ns, target.name});
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
  for (const auto& watch : watches_) triggers_.Enqueue({watch->ns, ""});
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
  if (!policy_.synced()) {
    const auto& error = policy_.last_error();
    reasons = fmt::format("configmaps in {}: {}\n", options_.operator_namespace,
                          error ? error->message : "first list under way");
  }
  for (const auto& watch : watches_) reasons += watch->Missing();
  return reasons;
}

// No decision from half a picture: an object waits until every kind of its namespace was listed once.
Operator::Impl::Reconcile Operator::Impl::Gated(kube::ApiResource resource, Reconcile reconcile) {
  return [this, resource,
          reconcile = std::move(reconcile)](ObjectKey key) -> asio::awaitable<Result<runtime::Outcome>> {
    if (NamespaceSynced(key.ns)) {
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
    if (watch->ns != key.ns || !watch->Refused()) continue;
    std::string message = "the operator may not see what it needs: " + watch->Missing();
    auto& said = blind_[{std::string(resource.plural), key}];
    if (said == message) return;
    said = message;
    Refuse({resource, key, "Forbidden", false, std::move(message)});
  }
}

void Operator::Impl::Refuse(Refusal refusal) {
  refusals_.push_back(std::move(refusal));
  refusal_wake_.Notify();
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
    Refuse({resource, key, "InvalidSpec", true, why.message});
  });
}

// The conditions alone: what else the status records (a baseline, runs) stays.
kube::Request Operator::Impl::RefusalPatch(const Refusal& refusal) const {
  kube::Json conditions = kube::Json::array();
  for (const auto& [type, status] :
       {std::pair{"Ready", "False"}, std::pair{refusal.stalled ? "Stalled" : "Reconciling", "True"}}) {
    conditions.push_back({{"type", type},
                          {"status", status},
                          {"reason", refusal.reason},
                          {"message", Clip(refusal.message, 1000)},
                          {"lastTransitionTime", FormatTime(clock_.Now())}});
  }
  kube::Json patch;
  patch["status"]["conditions"] = std::move(conditions);
  return kube::MergePatchStatus(refusal.resource, refusal.key, patch);
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
    auto written = co_await api_.Call(RefusalPatch(refusal));
    if (!written) log::warn("a condition was not written: {}", written.error().message);
  }
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
