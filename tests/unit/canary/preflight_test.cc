#include "canary/preflight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

struct Case {
  const char* reason;
  bool may_pass;
  const char* word;  // in the message: what to mend
  std::function<void(World&)> change;
};

const Case kCases[] = {
    {"RegistryNotAllowed", false, "spec.image",
     [](World& w) { w.violation = {"spec.image", "RegistryNotAllowed", "spec.image: not from there"}; }},
    {"ImageNotPinned", false, "spec.image",
     [](World& w) { w.promotion.spec.image = "registry.example.com/web:v1"; }},
    {"TargetNotFound", true, "spec.target.deployment", [](World& w) { w.stable.reset(); }},
    {"TargetNotFound", true, "create it", [](World& w) { w.stable->meta.deleted = kNow; }},
    {"ContainerNotFound", false, "spec.target.container",
     [](World& w) { w.promotion.spec.target.container = "other"; }},
    {"ContainerNotFound", false, "web, sidecar",
     [](World& w) {
       w.promotion.spec.target.container.clear();
       w.stable->containers.push_back({.name = "sidecar", .image = "x"});
     }},
    {"ServiceNotFound", true, "spec.target.service", [](World& w) { w.service.reset(); }},
    {"ServiceDoesNotSelectTarget", false, "labels",
     [](World& w) { w.service->selector = {{"app", "other"}}; }},
    {"ServiceDoesNotSelectTarget", false, "labels", [](World& w) { w.service->selector.clear(); }},
    {"ServiceDoesNotSelectTarget", false, "labels", [](World& w) { w.service->external_name = true; }},
    {"ServiceSelectsTrack", false, "slipway.dev/track",
     [](World& w) { w.service->selector.emplace("slipway.dev/track", "canary"); }},
    {"TargetPortNotFound", false, "\"grpc\"", [](World& w) { w.service->target_port = "grpc"; }},
    {"ServiceSelectsThirdWorkload", false, "Deployment old", [](World& w) { w.third = {"Deployment old"}; }},
    {"SessionAffinity", false, "None", [](World& w) { w.service->session_affinity = "ClientIP"; }},
    {"RecreateStrategy", false, "RollingUpdate", [](World& w) { w.stable->recreate = true; }},
    {"DeploymentPaused", false, "resume", [](World& w) { w.stable->paused = true; }},
    {"SelectorExpressions", false, "matchLabels", [](World& w) { w.stable->selector_expressions = true; }},
    {"RequiredAntiAffinity", false, "prefer", [](World& w) { w.stable->required_anti_affinity = true; }},
    {"HostPort", false, "Service", [](World& w) { w.stable->containers[0].host_port = true; }},
    {"VolumeClaim", false, "data", [](World& w) { w.stable->claims = {"data"}; }},
    {"TooFewReplicas", false, "spec.steps[1].weight",
     [](World& w) { w.promotion.spec.steps = {{.weight = 10}, {.weight = 100}}; }},
    {"MaxUnavailableBreaksPromise", false, "maxUnavailable",
     [](World& w) { w.stable->max_unavailable = "50%"; }},
    {"TargetBusy", true, "web-1", [](World& w) { w.busy_with = "web-1"; }},
    {"StableNotHealthy", true, "9 of 10", [](World& w) { w.stable->available_replicas = 9; }},
};

TEST(Preflight, RefusesWithItsReasonAndTheMend) {
  for (const auto& c : kCases) {
    World world;
    c.change(world);
    const Plan plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, c.reason);
    EXPECT_EQ(Ready(plan).status, resources::ConditionStatus::kFalse) << c.reason;
    EXPECT_NE(Ready(plan).message.find(c.word), std::string::npos) << Ready(plan).message;
    EXPECT_EQ(plan.status.phase,
              c.may_pass ? resources::CanaryPhase::kPending : resources::CanaryPhase::kRefused)
        << c.reason;
    EXPECT_EQ(resources::Find(plan.status.conditions, "Stalled") != nullptr, !c.may_pass) << c.reason;
    EXPECT_TRUE(plan.effects.empty()) << c.reason;
    EXPECT_FALSE(plan.status.baseline) << c.reason;
    EXPECT_TRUE(plan.recheck_after) << c.reason;
  }
}

struct Beginning {
  const char* name;
  bool rolling;  // is asked for
  std::function<void(resources::Deployment&)> change;
  const char* says;    // StableNotHealthy, or the phase in which it begins
  bool first = false;  // delivery
};

const Beginning kBeginnings[] = {
    {"it never came up", false,
     [](auto& d) { d.meta.annotations["deployment.kubernetes.io/revision"] = "1"; }, "Promoting", true},
    {"what it has can't come up", false,
     [](auto& d) {
       d.meta.annotations["deployment.kubernetes.io/revision"] = "7";
       d.progress_deadline_exceeded = true;
     },
     "Promoting", true},
    {"an outage of a moment", false,
     [](auto& d) { d.meta.annotations["deployment.kubernetes.io/revision"] = "7"; }, "StableNotHealthy"},
    {"minReadySeconds are not over", false, [](auto& d) { d.ready_replicas = 10; }, "StableNotHealthy"},
    {"an outage, and rolling is how one mends it", true,
     [](auto& d) { d.meta.annotations["deployment.kubernetes.io/revision"] = "7"; }, "Promoting"},
    {"half of it, and rolling", true, [](auto& d) { d.ready_replicas = d.available_replicas = 5; },
     "Promoting"},
    {"scaled to nothing", false,
     [](auto& d) {
       d.meta.annotations["deployment.kubernetes.io/revision"] = "7";
       d.replicas = d.status_replicas = d.updated_replicas = 0;
     },
     "Promoting", true},
};

TEST(Preflight, TellsAFirstDeliveryFromAnOutage) {
  for (const auto& c : kBeginnings) {
    World world;
    if (c.rolling) world.promotion.spec.strategy = resources::Strategy::kRolling;
    world.stable->ready_replicas = world.stable->available_replicas = 0;
    c.change(*world.stable);
    const Plan plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, c.says) << c.name;
    const bool told = std::ranges::find(plan.notices, "FirstDelivery", &Notice::reason) != plan.notices.end();
    EXPECT_EQ(told, c.first) << c.name;
    if (!plan.status.baseline) continue;
    EXPECT_EQ(plan.status.baseline->strategy, resources::Strategy::kRolling) << c.name;
    EXPECT_EQ(plan.status.baseline->served, world.stable->ready_replicas > 0) << c.name;
  }
}

TEST(Preflight, LetsASoundTargetPass) {
  const World world;
  const Plan plan = world.Decide();
  EXPECT_TRUE(plan.status.baseline);
}

TEST(Preflight, WhatWasRefusedGoesOnWhenTheWorldIsMended) {
  World world;
  world.stable->paused = true;
  world.Step();
  world.stable->paused = false;
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, resources::CanaryPhase::kStarting);
  EXPECT_TRUE(plan.status.failure_reason.empty());
}

TEST(Preflight, AnImageThatStableRunsAlreadyIsPromotedWithoutACanary) {
  World by_template;
  by_template.promotion.spec.image = Image('a');
  World by_pods;
  by_pods.stable->containers[0].image = "registry.example.com/team/web:v2";
  by_pods.stable_digest = Image('b');
  for (World* world : {&by_template, &by_pods}) {
    const Plan plan = world->Decide();
    EXPECT_EQ(plan.status.completion, resources::Completion::kPromoted);
    EXPECT_EQ(Ready(plan).status, resources::ConditionStatus::kTrue);
    EXPECT_TRUE(plan.effects.empty());
  }
}

TEST(Preflight, WhatTheTemplateNamesCountsMoreThanWhatPodsAreSeenToRun) {
  World world;
  world.stable_digest = Image('b');  // of pods that are on their way out
  EXPECT_EQ(world.Decide().status.phase, resources::CanaryPhase::kStarting);
}

TEST(Preflight, AnImageThatStableRunsAlreadyIsVerifiedWhereThatIsAsked) {
  for (const auto strategy : {resources::Strategy::kCanary, resources::Strategy::kRolling}) {
    World world;
    world.promotion.spec.strategy = strategy;
    world.stable->containers[0].image = "registry.example.com/team/web:v2";
    world.stable_digest = Image('b');
    world.promotion.spec.verification = {{.name = "after"}};
    EXPECT_EQ(world.Step().status.phase, resources::CanaryPhase::kPromoting);
    world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "promotion-uid");
    Plan plan = world.Step();
    EXPECT_EQ(Find<WriteStable>(plan), nullptr) << "nothing is to be written";
    EXPECT_EQ(plan.status.phase, resources::CanaryPhase::kVerifying);
    EXPECT_NE(Find<CreateCheckJob>(world.Step()), nullptr);
    world.Ends(resources::Verdict::kFailed, "RequestsFailed");
    world.Step();
    EXPECT_EQ(Find<WriteStable>(world.Step()), nullptr) << "nor to be taken back";
    world.stable->meta.annotations.clear();
    EXPECT_EQ(world.Step().status.completion, resources::Completion::kAborted);
  }
}

TEST(Preflight, AnImageThatStableHasAndThatIsNotHealthyIsNotPromotedYet) {
  World world;
  world.promotion.spec.strategy = resources::Strategy::kRolling;
  world.promotion.spec.image = Image('a');
  world.stable->available_replicas = 5;
  EXPECT_EQ(world.Step().status.phase, resources::CanaryPhase::kPromoting);
  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "promotion-uid");
  EXPECT_EQ(world.Step().status.phase, resources::CanaryPhase::kPromoting);
  world.now += std::chrono::minutes(3);
  EXPECT_EQ(world.Step().status.failure_reason, "StableNotRolledOut");
}

}  // namespace
}  // namespace slipway::canary
