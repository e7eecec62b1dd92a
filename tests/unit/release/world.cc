#include "unit/release/world.h"

#include <gtest/gtest.h>

#include "release/ledger.h"

namespace slipway::release {

World::World() {
  release.meta.key = {"team", "web"};
  release.meta.uid = kReleaseUid;
  release.meta.generation = 3;
  release.meta.created = kNow - std::chrono::hours(100);
  release.spec.image_from = resources::ImageFrom{"web", {}};
  release.spec.target = {"web", "web", "web"};
  release.spec.canary.steps = {{10, std::chrono::seconds(5)}};
  release.spec.smoke_tests = {{}};
  Build('a', "1111111111111111111111111111111111111111", 7);
  Run('0');
  policy.emplace();
  policy->repositories = {"registry.example.com/team/"};
  policy->deployments = {"*"};
  policy->origin = policy->minimum_origin = "ConfigMap slipway-system/slipway-policy, namespaces.team";
  for (const char* name : {"release", "cloud"}) {
    resources::Signer signer;
    signer.name = name;
    signer.public_key = std::string("PEM of ") + name;
    platform.signers[name] = signer;
  }
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

void World::Follow(char image, Duration verified_ago) {
  release.spec.image_from = resources::ImageFrom{"", resources::ReleaseRef{"web", "staging"}};
  source.emplace();
  source->meta.key = {"staging", "web"};
  source->meta.uid = {"staging-uid"};
  source->spec.promotes_to = {{"other", "team"}, {"web", "team"}};
  source->status.image = Image(image);
  source->status.commit = "3333333333333333333333333333333333333333";
  source->status.verified = now - verified_ago;
  Delivery made;
  made.number = 4;
  made.image = Image(image);
  made.image_build = "web";
  made.build_run = 12;
  made.built = now - std::chrono::hours(9);
  source->status.history = {made};
}

resources::Decision& World::Decided(resources::Verb verb, char subject, const std::string& actor,
                                    Duration ago) {
  resources::Decision decision;
  const std::string name = "decision-" + std::to_string(decisions.size() + 1);
  decision.meta.key = {"team", name};
  decision.meta.uid = {name + "-uid"};
  decision.meta.created = std::chrono::floor<std::chrono::seconds>(now - ago);
  decision.spec.verb = verb;
  decision.spec.target = {"Release", "web", kReleaseUid};
  decision.spec.subject = Digest(subject);
  decision.spec.actor = actor;
  decision.spec.reason = "because";
  decisions.push_back(decision);
  return decisions.back();
}

void World::Migrates(resources::Compatibility compatibility) {
  release.spec.migration.emplace();
  release.spec.migration->command = {"migrate"};
  release.spec.migration->compatibility = compatibility;
  if (compatibility == resources::Compatibility::kBreaking) release.spec.rolling.emplace();
}

void World::Demand(const std::string& signer, std::vector<resources::Predicate> predicates) {
  release.spec.gates.signature = resources::SignatureGate{signer};
  release.spec.gates.attestations = std::move(predicates);
}

void World::Configure(const std::string& copy, const std::string& ref) {
  release.spec.config_maps = {"web-config"};
  config_maps = {{"web-config", copy}};
  deployment->config_refs = {"other", ref};
}

Delivery& World::Was(char image, const std::string& outcome, Duration ago) {
  auto& history = release.status.history;
  Delivery delivery;
  delivery.number = history.empty() ? 1 : history.front().number + 1;
  delivery.image = Image(image);
  delivery.commit = std::string("commit-") + image;
  delivery.key = std::string("key-") + image;
  delivery.deployment = release.spec.target.deployment;
  delivery.container = release.spec.target.container;
  delivery.outcome = outcome;
  delivery.finished = now - ago;
  delivery.promotion = PromotionName(release, delivery.number);
  delivery.promotion_uid = kube::Uid{"promotion-" + std::to_string(delivery.number)};
  if (outcome == "Promoted") {
    release.status.image = delivery.image;
    release.status.commit = delivery.commit;
    release.status.verified = delivery.finished;
  }
  return *history.insert(history.begin(), delivery);
}

resources::MigrationRecord& World::HasMigrated(char image, int number,
                                               resources::Compatibility compatibility) {
  resources::MigrationRecord record;
  record.image = Image(image);
  record.compatibility = compatibility;
  record.job = MigrationName(release, Image(image), number);
  record.job_uid = kube::Uid{"job-uid"};
  record.outcome = "Succeeded";
  auto& ledger = release.status.migrations;
  return *ledger.insert(ledger.begin(), record);
}

void World::Ask(char image) {
  release.spec.image_from.reset();
  release.spec.image = Image(image);
}

Wanted World::Wants() const {
  auto wanted = Resolve(release, {build ? &*build : nullptr, source ? &*source : nullptr, config_maps});
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
  step.canary_replicas = 1;
  step.stable_replicas = 9;
  step.verdict = "Passed";
  step.checks.results = {{.name = "answers", .verdict = resources::Verdict::kPassed, .requests = 200}};
  promotion.status.steps = {step};

  Delivery delivery;
  delivery.number = number;
  delivery.image = wanted.image;
  delivery.commit = wanted.commit;
  delivery.key = wanted.key;
  delivery.deployment = release.spec.target.deployment;
  delivery.container = release.spec.target.container;
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
  delivery.deployment = release.spec.target.deployment;
  delivery.container = release.spec.target.container;
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

Seen World::Sees() const {
  Seen seen{.release = release,
            .build = build ? &*build : nullptr,
            .source = source ? &*source : nullptr,
            .deployment = deployment ? &*deployment : nullptr,
            .policy = policy ? &*policy : nullptr,
            .platform = &platform,
            .promotions = {},
            .busy_with = busy_with,
            .decisions = {},
            .migration = migration,
            .verification = verification,
            .scan = scan,
            .rescan = rescan,
            .attestation = attestation,
            .other_attestation = other_attestation,
            .looks = looks,
            .config_maps = config_maps};
  for (const auto& decision : decisions)
    seen.decisions.push_back(std::make_shared<resources::Decision>(decision));
  for (const auto& promotion : promotions)
    seen.promotions.push_back(std::make_shared<CanaryPromotion>(promotion));
  return seen;
}

Plan World::Decide() const {
  const Seen seen = Sees();
  return release::Decide(seen, now);
}

bool World::CacheServes() const {
  std::vector<std::shared_ptr<const CanaryPromotion>> seen;
  for (const auto& promotion : promotions) seen.push_back(std::make_shared<CanaryPromotion>(promotion));
  return release::CacheServes(release, deployment ? &*deployment : nullptr, seen);
}

void Record(Plan& plan) {
  auto& history = plan.status.history;
  if (plan.start) history.front().promotion_uid = kube::Uid{plan.start->name + "-uid"};
  if (plan.verification) plan.status.verification->job_uid = kube::Uid{plan.verification->name + "-uid"};
  if (plan.scan) plan.status.scan->job_uid = kube::Uid{plan.scan->name + "-uid"};
  if (plan.rescan) plan.status.rescan->job_uid = kube::Uid{plan.rescan->name + "-uid"};
  if (plan.attestation) plan.status.attestation->job_uid = kube::Uid{plan.attestation->name + "-uid"};
  if (plan.migration) history.front().migration->job_uid = kube::Uid{plan.migration->name + "-uid"};
}

Plan Next(World& world) {
  Plan plan = world.Decide();
  Record(plan);
  world.release.status = plan.status;
  return plan;
}

std::string Digest(char c) { return "sha256:" + std::string(64, c); }

const resources::Condition& Ready(const Plan& plan) {
  static const resources::Condition kNone;
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  EXPECT_NE(ready, nullptr);
  return ready == nullptr ? kNone : *ready;
}

void End(CanaryPromotion& promotion, Completion completion, const std::string& reason,
         const std::string& message) {
  promotion.status.completion = completion;
  promotion.status.image_set = completion == Completion::kPromoted || completion == Completion::kRolledBack;
  promotion.status.phase =
      completion == Completion::kPromoted ? CanaryPhase::kPromoted : CanaryPhase::kAborted;
  promotion.status.failure_reason = reason;
  promotion.status.failure_message = message;
  promotion.status.finished = kNow - std::chrono::seconds(2);
}

}  // namespace slipway::release
