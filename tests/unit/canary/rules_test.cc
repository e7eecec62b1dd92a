// Decide's rules beyond the plain course: pauses and Decisions, verdicts, rolling and first delivery,
// batches, autoscalers, ConfigMaps, and who is named.
#include <gtest/gtest.h>

#include <functional>

#include "canary/configs.h"
#include "canary/decide.h"
#include "canary/decisions.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;
using resources::Strategy;
using resources::Verb;
using resources::Verdict;
using std::chrono::minutes;
using std::chrono::seconds;

bool Says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const Notice* Told(const Plan& plan, std::string_view reason) {
  for (const auto& notice : plan.notices) {
    if (notice.reason == reason) return &notice;
  }
  return nullptr;
}

// ---- checks ----

TEST(ChecksOf, AreTheStepsSmokeTestsThenTheAnalysis) {
  World world;
  auto& spec = world.promotion.spec;
  spec.smoke_tests = {{.name = "one"}, {.name = "two"}};
  spec.analysis.compare.emplace();
  spec.analysis.prometheus = {{.name = "errors"}};
  spec.verification = {{.name = "after"}};
  spec.steps = {{.weight = 10}, {.weight = 20, .smoke_tests = {"two"}, .analysis = false}};
  const auto names = [&](int step) {
    std::string all;
    for (const auto& check : ChecksOf(spec, step)) all += check.name + " ";
    return all;
  };
  EXPECT_EQ(names(0), "one two compare errors ");
  EXPECT_EQ(names(1), "two ");
  EXPECT_EQ(names(kVerification), "after ");
}

struct VerdictCase {
  Verdict verdict;
  const char* reason;  // of the check
  resources::OnInconclusive unsure;
  CanaryPhase phase;
  const char* failure;
};

TEST(Verdicts, LeadOnOrBackOrToAPause) {
  using resources::OnInconclusive;
  const VerdictCase cases[] = {
      {Verdict::kPassed, "", OnInconclusive::kPause, CanaryPhase::kRestoring, ""},
      {Verdict::kFailed, "SplitNotReal", OnInconclusive::kPause, CanaryPhase::kAborting, "SplitNotReal"},
      {Verdict::kFailed, "", OnInconclusive::kPause, CanaryPhase::kAborting, "CheckFailed"},
      {Verdict::kError, "NoReport", OnInconclusive::kPause, CanaryPhase::kAborting, "CheckError"},
      {Verdict::kNone, "", OnInconclusive::kPause, CanaryPhase::kAborting, "CheckError"},
      {Verdict::kInconclusive, "", OnInconclusive::kAbort, CanaryPhase::kAborting, "Inconclusive"},
      {Verdict::kInconclusive, "", OnInconclusive::kPause, CanaryPhase::kTesting, ""},
  };
  for (const auto& c : cases) {
    World world;
    world.promotion.spec.analysis.on_inconclusive = c.unsure;
    world.Enter(CanaryPhase::kTesting);
    world.Ends(c.verdict, c.reason, "words");
    const Plan plan = world.Decide();
    EXPECT_EQ(plan.status.phase, c.phase) << resources::ToString(c.verdict);
    EXPECT_EQ(plan.status.failure_reason, c.failure) << resources::ToString(c.verdict);
    const auto& run = plan.status.steps.back().checks;
    ASSERT_EQ(run.results.size(), 1U);
    EXPECT_EQ(run.results[0].name, "default");
    EXPECT_FALSE(run.job_uid || run.job_name);
  }
}

TEST(Verdicts, AnInconclusiveOneIsBorneOnceItIsResumed) {
  World world;
  world.Enter(CanaryPhase::kTesting);
  world.Ends(Verdict::kInconclusive, "", "too few pairs");
  Plan plan = world.Step();
  ASSERT_TRUE(plan.status.paused);
  EXPECT_EQ(plan.status.paused->by, "Inconclusive");
  EXPECT_EQ(Ready(plan).reason, "Paused");
  EXPECT_TRUE(Says(Ready(plan).message, "too few pairs"));
  world.now += minutes(60);
  EXPECT_EQ(world.Step().status.phase, CanaryPhase::kTesting);
  world.Decided(Verb::kResume);
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kRestoring);
  EXPECT_EQ(plan.status.steps.back().verdict, "Passed");
}

// ---- Decisions ----

TEST(Decisions, APauseStopsTheHoldAndAResumeLetsItGoOn) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.Decided(Verb::kPause).spec.reason = "lunch";
  Plan plan = world.Step();
  EXPECT_EQ(Ready(plan).status, resources::ConditionStatus::kUnknown);
  EXPECT_EQ(Ready(plan).reason, "Paused");
  EXPECT_TRUE(Says(Ready(plan).message, "alice") && Says(Ready(plan).message, "lunch"));
  world.now += minutes(30);
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kHolding);
  EXPECT_TRUE(plan.effects.empty());
  world.Decided(Verb::kResume);
  EXPECT_NE(Find<CreateCheckJob>(world.Step()), nullptr);
}

TEST(Decisions, WhatIsBrokenIsTakenBackThoughItIsPaused) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.Decided(Verb::kPause);
  world.Step();
  world.canary->available_replicas = 0;
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.failure_reason, "CanaryUnhealthy");
  EXPECT_FALSE(plan.status.paused);
}

TEST(Decisions, PromoteSkipsTheStepsOnceTheCanaryIsWhole) {
  World world;
  world.promotion.spec.steps = {{.weight = 10, .hold = minutes(9)}, {.weight = 50}};
  world.Enter(CanaryPhase::kStarting);
  world.canary->available_replicas = 0;
  world.Decided(Verb::kPromote);
  EXPECT_TRUE(world.Step().status.decisions.empty()) << "it waits";
  world.Enter(CanaryPhase::kHolding);
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kRestoring);
  EXPECT_TRUE(plan.effects.empty()) << "written down first";
  ASSERT_EQ(plan.status.decisions.size(), 1U);
  EXPECT_TRUE(plan.status.decisions[0].refused.empty());
  EXPECT_EQ(Find<WriteStable>(world.Step())->replicas, 10);
}

TEST(Decisions, AbortGoesBackWithWhoAndWhy) {
  World world;
  world.Enter(CanaryPhase::kTesting);
  world.Decided(Verb::kAbort).spec.reason = "customers call";
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.failure_reason, "AbortedByDecision");
  EXPECT_TRUE(Says(plan.status.failure_message, "alice") &&
              Says(plan.status.failure_message, "customers call"));
}

TEST(Decisions, AbortBeforeAnythingBeganEndsIt) {
  World world;
  world.busy_with = "web-1";
  world.Step();
  world.Decided(Verb::kAbort);
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kAborted);
  EXPECT_EQ(plan.status.completion, Completion::kAborted);
  EXPECT_TRUE(plan.effects.empty());
  EXPECT_TRUE(world.Step().effects.empty()) << "and it rests";
}

struct RefusedCase {
  const char* why;
  std::function<void(World&, resources::Decision&)> change;
};

TEST(Decisions, StaleOnesAreRefusedOnceAndRecorded) {
  const RefusedCase cases[] = {
      {"it is about sha256:dead", [](World&, auto& d) { d.spec.subject = "sha256:dead"; }},
      {"expired", [](World&, auto& d) { d.spec.expires = kNow - seconds(1); }},
      {"before this promotion", [](World& w, auto&) { w.promotion.meta.created = kNow + seconds(1); }},
      {"nothing that a CanaryPromotion can do", [](World&, auto& d) { d.spec.verb = Verb::kApprove; }},
      {"not paused", [](World&, auto& d) { d.spec.verb = Verb::kResume; }},
  };
  for (const auto& c : cases) {
    World world;
    world.Enter(CanaryPhase::kHolding);
    c.change(world, world.Decided(Verb::kAbort));
    const Plan plan = world.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kHolding) << c.why;
    ASSERT_EQ(plan.status.decisions.size(), 1U) << c.why;
    EXPECT_TRUE(Says(plan.status.decisions[0].refused, c.why)) << plan.status.decisions[0].refused;
    ASSERT_NE(Told(plan, "DecisionRefused"), nullptr);
    EXPECT_TRUE(Told(plan, "DecisionRefused")->warning);
    EXPECT_EQ(world.Step().status.decisions.size(), 1U) << "taken up once";
  }
}

TEST(Decisions, OfTheReleaseCountWhenTheyAreOfThisDeliveryAndAPromotionsVerb) {
  World world;
  world.promotion.meta.owners = {{"slipway.dev/v1alpha1", "Release", "web", {"release-uid"}, true}};
  world.Enter(CanaryPhase::kHolding);
  const auto of_release = [&](Verb verb, TimePoint created) -> resources::Decision& {
    auto& decision = world.Decided(verb);
    decision.spec.target = {"Release", "web", {"release-uid"}};
    decision.meta.created = created;
    return decision;
  };
  world.promotion.meta.created = kNow;
  of_release(Verb::kAbort, kNow - seconds(1));
  of_release(Verb::kApprove, kNow);
  of_release(Verb::kAbort, kNow).spec.target.uid = {"another"};
  EXPECT_TRUE(world.Step().status.decisions.empty()) << "none of them is recorded";
  of_release(Verb::kPause, kNow);
  EXPECT_TRUE(world.Step().status.paused);
}

TEST(Decisions, MakeRoomOnlyForWhatCanNotBeTakenUpAgain) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  for (std::size_t i = 0; i < kMostDecisions; ++i) {
    world.now += seconds(i % 2);
    world.Decided(Verb::kApprove);
  }
  Plan plan = world.Step();
  ASSERT_EQ(plan.status.decisions.size(), kMostDecisions);
  EXPECT_FALSE(plan.status.decisions_before);
  world.now += seconds(1);
  world.Decided(Verb::kAbort);
  plan = world.Step();
  EXPECT_EQ(plan.status.failure_reason, "AbortedByDecision") << "whatever others have decided before";
  EXPECT_EQ(plan.status.decisions.size(), kMostDecisions) << "the one of the first second went";
  EXPECT_EQ(plan.status.decisions_before, kNow);
  EXPECT_EQ(Told(world.Step(), "DecisionRefused"), nullptr) << "and is not taken up again";
}

TEST(Decisions, AboutOneThatIsOverAreRefusedAndOnRecord) {
  World world;
  world.Enter(CanaryPhase::kFinishing);
  world.canary.reset();
  world.stable->meta.annotations.clear();
  ASSERT_EQ(world.Step().status.phase, CanaryPhase::kPromoted);
  world.Decided(Verb::kAbort);
  world.Decided(Verb::kAbort).spec.subject = "sha256:of-the-next-spec";
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kPromoted);
  ASSERT_EQ(plan.status.decisions.size(), 1U);
  EXPECT_TRUE(Says(plan.status.decisions[0].refused, "it is over: Promoted at 2026-11-21"));
}

// ---- rolling, first delivery, verification ----

TEST(Rolling, ClaimsAndPromotesWithoutACanary) {
  World world;
  world.promotion.spec.strategy = Strategy::kRolling;
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kPromoting);
  EXPECT_TRUE(plan.status.steps.empty());
  EXPECT_EQ(Find<WriteStable>(plan), nullptr) << "written down first";
  EXPECT_NE(Find<Claim>(world.Step()), nullptr);
  world.stable->meta.annotations.emplace(resources::kClaimAnnotation, "promotion-uid");
  plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('b'));
  EXPECT_EQ(Find<CreateCanary>(plan), nullptr);
}

TEST(Rolling, IsHowAStableThatServesNothingIsDelivered) {
  for (const int replicas : {0, 3}) {
    World world;
    world.stable = World::Deployed("web", replicas, Image('a'));
    world.stable->available_replicas = world.stable->ready_replicas = 0;
    const Plan plan = world.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kPromoting);
    EXPECT_FALSE(plan.status.baseline->served);
    EXPECT_NE(Told(plan, "FirstDelivery"), nullptr);
  }
}

TEST(Verifying, ComesAfterTheRolloutAndTheCanaryStays) {
  World world;
  world.promotion.spec.verification = {{.name = "after"}};
  world.Enter(CanaryPhase::kPromoting);
  world.Rolls();
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kVerifying);
  plan = world.Step();
  ASSERT_NE(Find<CreateCheckJob>(plan), nullptr);
  EXPECT_EQ(Find<CreateCheckJob>(plan)->step, kVerification);
  world.Ends(Verdict::kPassed);
  plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kFinishing);
  EXPECT_EQ(Find<DeleteCanary>(plan), nullptr);
}

TEST(Verifying, ThatFailsRestoresStableOrLetsItStay) {
  for (const bool stays : {false, true}) {
    World world;
    world.promotion.spec.verification = {{.name = "after"}};
    if (stays) world.promotion.spec.on_failure = resources::OnFailure::kStay;
    world.Enter(CanaryPhase::kVerifying);
    world.Ends(Verdict::kFailed, "RequestsFailed");
    EXPECT_EQ(world.Step().status.failure_reason, "RequestsFailed");
    Plan plan = world.Step();
    const auto* write = Find<WriteStable>(plan);
    ASSERT_EQ(write == nullptr, stays);
    if (write != nullptr) {
      EXPECT_EQ(write->image, Image('a'));
      world.stable->containers[0].image = Image('a');
    }
    world.canary.reset();
    world.stable->meta.annotations.clear();
    plan = world.Step();
    EXPECT_EQ(plan.status.completion, stays ? Completion::kAborted : Completion::kRolledBack);
    EXPECT_EQ(Says(Ready(plan).message, "Stay"), stays) << Ready(plan).message;
  }
}

// ---- capacity ----

TEST(Batches, NeverWantMoreThanTheBaselineAndItsSurge) {
  World world;
  world.promotion.spec.steps = {{.weight = 50}};
  world.promotion.spec.max_surge = "2";
  world.Enter(CanaryPhase::kStarting);
  world.promotion.status.canary_uid.reset();
  world.canary.reset();
  EXPECT_EQ(Find<CreateCanary>(world.Decide())->replicas, 2);
  world.canary = World::Deployed("web-canary", 2, Image('b'));
  world.promotion.status.canary_uid = world.canary->meta.uid;
  EXPECT_EQ(Find<WriteStable>(world.Decide())->replicas, 8);
  world.stable->replicas = 8;
  EXPECT_TRUE(world.Decide().effects.empty()) << "stable's pods are still there";
  world.stable->status_replicas = world.stable->updated_replicas = 8;
  EXPECT_EQ(Find<ScaleCanary>(world.Decide())->replicas, 4);
}

TEST(Surge, TheCanaryShrinksAfterStableAndNeverGrows) {
  World world;
  world.promotion.spec.capacity = Capacity::kSurge;
  world.promotion.spec.steps = {{.weight = 50, .hold = minutes(5)}};
  world.Enter(CanaryPhase::kHolding);
  EXPECT_EQ(world.promotion.status.steps.back().canary_replicas, 10);
  world.stable->replicas = 20;
  EXPECT_TRUE(world.Step().effects.empty());
  world.stable->replicas = 4;
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.steps.back().canary_replicas, 4);
  EXPECT_TRUE(plan.effects.empty()) << "written down first";
  plan = world.Step();
  ASSERT_NE(Find<ScaleCanary>(plan), nullptr);
  EXPECT_EQ(Find<ScaleCanary>(plan)->replicas, 4);
  EXPECT_EQ(Find<WriteStable>(plan), nullptr);
}

TEST(Autoscaler, IsRefusedWithSplitAndBorneWithSurgeOnlyWhenAccepted) {
  World world;
  world.autoscaler.emplace();
  world.autoscaler->meta.key = {"team", "web-hpa"};
  EXPECT_EQ(Ready(world.Decide()).reason, "Autoscaled");
  world.promotion.spec.capacity = Capacity::kSurge;
  EXPECT_EQ(Ready(world.Decide()).reason, "AutoscalerCountsCanary");
  EXPECT_TRUE(Says(Ready(world.Decide()).message, "web-hpa"));
  world.promotion.spec.accept_autoscaler_overlap = true;
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kStarting);
  EXPECT_NE(Told(plan, "AutoscalerCountsCanary"), nullptr);
}

// ---- who is named, what runs ----

TEST(Foreign, WritesAreNamedAndArgoCdIsToldWhatToDo) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.stable->replicas = 20;
  world.writers.replicas = {"argocd-controller", kNow};
  const auto said = world.Decide().status.failure_message;
  EXPECT_TRUE(Says(said, "argocd-controller at 2026-11-21")) << said;
  EXPECT_TRUE(Says(said,
                   "`ignoreDifferences: [{group: apps, kind: Deployment, name: web, managedFieldsManagers: "
                   "[slipway]}]` with syncOption `RespectIgnoreDifferences=true`"))
      << said;
  world.writers.replicas = {"kubectl-scale", kNow};
  EXPECT_FALSE(Says(world.Decide().status.failure_message, "ignoreDifferences"));
}

TEST(Foreign, ACanaryPodThatRunsAnotherDigestEndsIt) {
  for (const char digit : {'b', 'c'}) {
    World world;
    world.Enter(CanaryPhase::kHolding);
    auto pod = std::make_shared<resources::Pod>();
    pod->meta.key = {"team", "web-canary-1"};
    pod->ready = true;
    pod->containers = {{.name = "web", .image_id = "mirror.example.com/" + Image(digit)}};
    world.canary_pods = {pod};
    EXPECT_EQ(world.Decide().status.failure_reason, digit == 'b' ? "" : "CanaryImageMismatch");
  }
}

}  // namespace
}  // namespace slipway::canary
