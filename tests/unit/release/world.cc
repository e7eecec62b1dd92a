#include "unit/release/world.h"

#include <gtest/gtest.h>

namespace slipway::release {

World::World() {
  release.meta.key = {"team", "web"};
  release.meta.uid = kReleaseUid;
  release.meta.generation = 3;
  release.meta.created = kNow - std::chrono::hours(100);
  release.spec.image_from = resources::ImageFrom{"web"};
  release.spec.target = {"web", "web", "web"};
  release.spec.canary.steps = {{10, std::chrono::seconds(5)}};
  release.spec.smoke_tests = {{}};
  Build('a', "1111111111111111111111111111111111111111", 7);
  Run('0');
  policy.emplace();
  policy->repositories = {"registry.example.com/team/"};
  policy->deployments = {"*"};
}

void World::Build(char image, const std::string& commit, int run) {
  if (!build) build.emplace();
  build->meta.key = {"team", "web"};
  build->status.phase = resources::BuildPhase::kSucceeded;
  build->status.latest = {commit, Image(image), {}, kNow - std::chrono::minutes(5)};
  resources::BuildRun made;
  made.number = run;
  made.image = Image(image);
  build->status.runs.insert(build->status.runs.begin(), made);
}

void World::Run(char image, bool rolled_out) {
  if (!deployment) deployment.emplace();
  auto& d = *deployment;
  d.meta.key = {"team", "web"};
  d.meta.generation = d.observed_generation = 1;
  d.replicas = d.status_replicas = d.ready_replicas = d.available_replicas = 10;
  d.updated_replicas = rolled_out ? 10 : 3;
  d.containers = {{"web", Image(image), {}, false, true}};
}

void World::Ask(char image) {
  release.spec.image_from.reset();
  release.spec.image = Image(image);
}

Wanted World::Wants() const {
  auto wanted = Resolve(release, build ? &*build : nullptr);
  EXPECT_TRUE(wanted.has_value());
  return wanted.value_or(Wanted{});
}

CanaryPromotion World::Promotion(int number) const {
  CanaryPromotion promotion;
  promotion.meta.key = {"team", PromotionName(release, number)};
  promotion.meta.uid = {"promotion-" + std::to_string(number)};
  promotion.meta.owners = {{"slipway.dev/v1alpha1", "Release", "web", kReleaseUid, true}};
  promotion.meta.created = now;
  promotion.spec = PromotionSpec(release, Wants());
  return promotion;
}

CanaryPromotion& World::UnderWay(CanaryPhase phase) {
  const Wanted wanted = Wants();
  const int number = release.status.history.empty() ? 1 : release.status.history.front().number + 1;
  CanaryPromotion promotion = Promotion(number);
  promotion.status.phase = phase;
  promotion.status.baseline = resources::Baseline{{"deployment-uid"}, 10, Image('0'), Image('0'), "hash"};
  resources::StepStatus step;
  step.weight_wanted = 10;
  step.weight_got = 9;
  step.smoke = {{.name = "answers", .passed = true, .requests = 200}};
  promotion.status.steps = {step};

  Delivery delivery;
  delivery.number = number;
  delivery.image = wanted.image;
  delivery.commit = wanted.commit;
  delivery.key = wanted.key;
  delivery.promotion = promotion.meta.key.name;
  delivery.promotion_uid = promotion.meta.uid;
  delivery.started = now - std::chrono::minutes(1);
  release.status.history.insert(release.status.history.begin(), delivery);
  promotions.push_back(promotion);
  return promotions.back();
}

Delivery& World::Ended(const std::string& outcome, Duration ago) {
  const Wanted wanted = Wants();
  Delivery delivery;
  delivery.number = release.status.history.empty() ? 1 : release.status.history.front().number + 1;
  delivery.image = wanted.image;
  delivery.commit = wanted.commit;
  delivery.key = wanted.key;
  delivery.outcome = outcome;
  delivery.finished = now - ago;
  if (outcome != "AlreadyRunning") {
    delivery.promotion = PromotionName(release, delivery.number);
    delivery.promotion_uid = kube::Uid{"promotion-" + std::to_string(delivery.number)};
  }
  auto& history = release.status.history;
  return *history.insert(history.begin(), delivery);
}

CanaryPromotion& World::Lost() {
  const int number = release.status.history.empty() ? 1 : release.status.history.front().number + 1;
  promotions.push_back(Promotion(number));
  return promotions.back();
}

Plan World::Decide() const {
  Seen seen{.release = release,
            .build = build ? &*build : nullptr,
            .deployment = deployment ? &*deployment : nullptr,
            .policy = policy ? &*policy : nullptr,
            .promotions = {},
            .busy_with = busy_with};
  for (const auto& promotion : promotions)
    seen.promotions.push_back(std::make_shared<CanaryPromotion>(promotion));
  return release::Decide(seen, now);
}

void End(CanaryPromotion& promotion, Completion completion, const std::string& reason,
         const std::string& message) {
  promotion.status.completion = completion;
  promotion.status.phase =
      completion == Completion::kPromoted ? CanaryPhase::kPromoted : CanaryPhase::kAborted;
  promotion.status.failure_reason = reason;
  promotion.status.failure_message = message;
  promotion.status.finished = kNow - std::chrono::seconds(2);
}

}  // namespace slipway::release
