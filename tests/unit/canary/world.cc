#include "unit/canary/world.h"

#include <gtest/gtest.h>

#include "canary/names.h"

namespace slipway::canary {

using resources::CanaryPhase;

World::World() {
  promotion.meta.key = {"team", "web-2"};
  promotion.meta.uid = {"promotion-uid"};
  promotion.meta.generation = 1;
  promotion.spec.target = {"web", "web", "web"};
  promotion.spec.image = Image('b');
  promotion.spec.version = "2222";
  promotion.spec.steps = {{.weight = 10, .hold = std::chrono::seconds(5)}};
  promotion.spec.smoke_tests = {{}};
  promotion.spec.progress_deadline = std::chrono::minutes(2);
  stable = Deployed("web", 10, Image('a'));
  service.emplace();
  service->meta.key = {"team", "web"};
  service->selector = {{"app", "web"}};
  service->port = 80;
  service->session_affinity = "None";
}

resources::Deployment World::Deployed(const std::string& name, int replicas, const std::string& image) {
  resources::Deployment d;
  d.meta.key = {"team", name};
  d.meta.uid = {name + "-uid"};
  d.meta.generation = d.observed_generation = 1;
  d.selector = d.template_labels = {{"app", "web"}};
  d.max_unavailable = "0";
  d.template_hash = "hash-of-" + image.substr(image.size() - 1);
  d.containers = {{.name = "web", .image = image, .ports = {{"http", 8080}}, .has_readiness_probe = true}};
  d.replicas = d.status_replicas = d.updated_replicas = d.ready_replicas = d.available_replicas = replicas;
  return d;
}

Plan World::Decide() const {
  Seen seen{.promotion = promotion,
            .stable = stable ? &*stable : nullptr,
            .canary = canary ? &*canary : nullptr,
            .service = service ? &*service : nullptr,
            .third_workloads = third,
            .canary_pods = canary_pods,
            .stable_digest = stable_digest,
            .check = check,
            .cannot_ask = cannot_ask,
            .autoscaler = autoscaler,
            .budgets = budgets,
            .decisions = decisions,
            .writers = writers,
            .busy_with = busy_with,
            .violation = violation};
  return canary::Decide(seen, now);
}

Plan World::Step() {
  Plan plan = Decide();
  promotion.status = plan.status;
  return plan;
}

resources::Decision& World::Decided(resources::Verb verb) {
  auto decision = std::make_shared<resources::Decision>();
  const std::string name = "decision-" + std::to_string(decisions.size() + 1);
  decision->meta.key = {"team", name};
  decision->meta.uid = {name + "-uid"};
  decision->meta.created = now;
  decision->spec = {.verb = verb,
                    .target = {"CanaryPromotion", promotion.meta.key.name, promotion.meta.uid},
                    .subject = promotion.spec.image.substr(promotion.spec.image.find('@') + 1),
                    .actor = "alice"};
  decisions.push_back(decision);
  return *decision;
}

void World::Ends(resources::Verdict verdict, std::string reason, std::string message) {
  auto& status = promotion.status;
  auto& run = status.phase == CanaryPhase::kVerifying ? status.verification : status.steps.back().checks;
  if (!run.job_uid) run.job_uid = kube::Uid{"job"};
  check = CheckOutcome{.running = false};
  check->result.verdict = verdict;
  check->result.reason = std::move(reason);
  check->result.message = std::move(message);
}

void World::Enter(CanaryPhase phase) {
  Step();
  promotion.meta.finalizers = {std::string(resources::kFinalizer)};
  stable->meta.annotations.emplace(resources::kClaimAnnotation, promotion.meta.uid.value);
  promotion.status.phase = phase;
  promotion.status.phase_since = now;
  if (promotion.status.steps.empty()) return;
  canary = Deployed("web-canary", promotion.status.steps.back().canary_replicas, Image('b'));
  promotion.status.canary_deployment = "web-canary";
  promotion.status.canary_uid = canary->meta.uid;
  if (phase == CanaryPhase::kStarting) return;
  promotion.status.steps.back().ready_at = now;
  const bool split =
      phase == CanaryPhase::kHolding || phase == CanaryPhase::kTesting || phase == CanaryPhase::kAborting;
  if (split) {
    auto claimed = stable->meta.annotations;
    stable = Deployed("web", promotion.status.steps.back().stable_replicas, Image('a'));
    stable->meta.annotations = claimed;
  }
  const bool set = phase == CanaryPhase::kFinishing || phase == CanaryPhase::kVerifying;
  if (phase == CanaryPhase::kPromoting || set) promotion.status.stable_image = Image('b');
  if (set) Rolls();
}

void World::Rolls() {
  stable->containers[0].image = Image('b');
  stable->template_hash = "hash-of-b";
  promotion.status.image_set = true;
}

const resources::Condition& Ready(const Plan& plan) {
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  EXPECT_NE(ready, nullptr);
  static const resources::Condition kNone;
  return ready == nullptr ? kNone : *ready;
}

}  // namespace slipway::canary
