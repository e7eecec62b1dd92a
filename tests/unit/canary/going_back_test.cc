// What ends a promotion before its time, and how it goes back.
#include <gtest/gtest.h>

#include <functional>

#include "canary/decide.h"
#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Completion;
using resources::Verdict;
using std::chrono::minutes;

TEST(Decide, AFailedSmokeTestGoesBackWithItsWordsAndRestoresStableFirst) {
  World world;
  world.Enter(CanaryPhase::kTesting);
  world.promotion.status.steps.back().checks.job_uid = kube::Uid{"job-1"};
  world.Ends(Verdict::kFailed, "RequestsFailed", "20 of 200 requests to /healthz failed");
  Plan plan = world.Step();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kAborting);
  EXPECT_EQ(plan.status.failure_reason, "RequestsFailed");
  EXPECT_NE(plan.status.failure_message.find("/healthz"), std::string::npos);
  EXPECT_TRUE(plan.effects.empty()) << "that it goes back is written down first";
  plan = world.Step();
  ASSERT_EQ(plan.effects.size(), 1U) << "the canary stays while it serves";
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 10);

  auto annotations = world.stable->meta.annotations;
  world.stable = World::Deployed("web", 10, Image('a'));
  world.stable->meta.annotations = annotations;
  plan = world.Step();
  EXPECT_NE(Find<DeleteCanary>(plan), nullptr);
  EXPECT_NE(Find<Unclaim>(plan), nullptr);
  world.canary.reset();
  world.stable->meta.annotations.clear();
  plan = world.Step();
  EXPECT_EQ(plan.status.completion, Completion::kAborted);
  EXPECT_EQ(Ready(plan).reason, "RequestsFailed");
  EXPECT_NE(Ready(plan).message.find(Image('a')), std::string::npos) << "it says what serves now";
}

TEST(Decide, ACanaryThatDoesNotServeGoesAtOnce) {
  World world;
  world.Enter(CanaryPhase::kAborting);
  world.promotion.status.failure_reason = "CanaryNotReady";
  world.canary->available_replicas = 0;
  const Plan plan = world.Decide();
  EXPECT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_NE(Find<DeleteCanary>(plan), nullptr);
}

struct FailureCase {
  const char* name;
  CanaryPhase phase;
  std::function<void(World&)> change;
  const char* reason;
};

const FailureCase kFailures[] = {
    {"no pod in time", CanaryPhase::kStarting,
     [](World& w) {
       w.canary->available_replicas = 0;
       w.now = kNow + minutes(2);
     },
     "CanaryNotReady"},
    {"the canary deleted", CanaryPhase::kStarting, [](World& w) { w.canary.reset(); }, "CanaryVanished"},
    {"the canary died in its hold", CanaryPhase::kHolding, [](World& w) { w.canary->available_replicas = 0; },
     "CanaryUnhealthy"},
    {"the probe broke", CanaryPhase::kTesting,
     [](World& w) {
       w.promotion.status.steps.back().checks.job_uid = kube::Uid{"job"};
       w.Ends(Verdict::kError, "NoReport");
     },
     "CheckError"},
    {"its Job is gone", CanaryPhase::kTesting,
     [](World& w) { w.promotion.status.steps.back().checks.job_uid = kube::Uid{"job"}; }, "CheckError"},
    {"no verdict in time", CanaryPhase::kTesting,
     [](World& w) {
       w.promotion.status.steps.back().checks.job_uid = kube::Uid{"job"};
       w.check = CheckOutcome{};
       w.now = kNow + minutes(10);
     },
     "CheckError"},
    {"stable not back in time", CanaryPhase::kRestoring,
     [](World& w) {
       w.stable->available_replicas = 9;
       w.now = kNow + minutes(2);
     },
     "StableNotReady"},
    {"stable not rolled out in time", CanaryPhase::kPromoting,
     [](World& w) {
       w.stable->containers[0].image = Image('b');
       w.stable->updated_replicas = 3;
       w.now = kNow + minutes(2);
     },
     "StableNotRolledOut"},
    {"the spec changed", CanaryPhase::kHolding, [](World& w) { w.promotion.spec.image = Image('c'); },
     "SpecChanged"},
    {"the template changed", CanaryPhase::kHolding, [](World& w) { w.stable->template_hash = "other"; },
     "StableChanged"},
    {"stable was scaled by somebody", CanaryPhase::kHolding, [](World& w) { w.stable->replicas = 20; },
     "StableScaled"},
    {"stable was scaled while the canary came up", CanaryPhase::kStarting,
     [](World& w) { w.stable->replicas = 30; }, "StableScaled"},
    {"stable would now go away before it comes back", CanaryPhase::kHolding,
     [](World& w) { w.stable->recreate = true; }, "StableChanged"},
    {"stable may now take half of its pods away", CanaryPhase::kPromoting,
     [](World& w) { w.stable->max_unavailable = "50%"; }, "StableChanged"},
    {"stable was paused", CanaryPhase::kTesting, [](World& w) { w.stable->paused = true; }, "StableChanged"},
    {"a pod of the canary was lost during its test", CanaryPhase::kTesting,
     [](World& w) {
       w.promotion.status.steps.back().checks.job_uid = kube::Uid{"job"};
       w.check = CheckOutcome{};
       w.canary->available_replicas = 0;
     },
     "CanaryUnhealthy"},
    {"the canary was lost before stable changes", CanaryPhase::kPromoting,
     [](World& w) { w.canary->available_replicas = 0; }, "CanaryUnhealthy"},
    {"the canary was scaled by somebody", CanaryPhase::kTesting, [](World& w) { w.canary->replicas = 5; },
     "CanaryChanged"},
    {"the canary's image was changed by somebody", CanaryPhase::kHolding,
     [](World& w) { w.canary->containers[0].image = Image('d'); }, "CanaryChanged"},
    {"the policy changed", CanaryPhase::kHolding,
     [](World& w) { w.violation = {"spec.image", "RegistryNotAllowed", "no more"}; }, "RegistryNotAllowed"},
    {"deleted", CanaryPhase::kTesting, [](World& w) { w.promotion.meta.deleted = kNow; }, "Deleted"},
    {"a status that makes no sense", CanaryPhase::kHolding,
     [](World& w) { w.promotion.status.current_step = 7; }, "StatusDamaged"},
};

TEST(Decide, EachFailureGoesBackForItsReason) {
  for (const auto& c : kFailures) {
    World world;
    world.Enter(c.phase);
    c.change(world);
    const Plan plan = world.Decide();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kAborting) << c.name;
    EXPECT_EQ(plan.status.failure_reason, c.reason) << c.name;
    EXPECT_TRUE(plan.status.aborted_at) << c.name;
    EXPECT_EQ(plan.status.completion, Completion::kNone) << c.name;
    EXPECT_TRUE(plan.effects.empty()) << c.name << ": that it goes back is written down first";
  }
}

TEST(Decide, APolicyThatCanNotBeReadStopsNothingHalfWay) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.violation = {"metadata.namespace", "PolicyMissing", "metadata.namespace: there is none"};
  EXPECT_EQ(world.Decide().status.phase, CanaryPhase::kHolding);
  World other;
  other.violation = world.violation;
  EXPECT_EQ(other.Decide().status.phase, CanaryPhase::kRefused) << "but nothing begins";
}

TEST(Decide, TheReasonOfPodsThatDoNotStartIsPassedOn) {
  World world;
  world.Enter(CanaryPhase::kStarting);
  world.canary->available_replicas = 0;
  world.now = kNow + minutes(2);
  auto pod = std::make_shared<resources::Pod>();
  pod->meta.key = {"team", "web-canary-1"};
  pod->containers = {{.name = "web", .reason = "ImagePullBackOff", .message = "no such image"}};
  world.canary_pods = {pod};
  const Plan plan = world.Decide();
  EXPECT_NE(plan.status.failure_message.find("ImagePullBackOff: no such image"), std::string::npos)
      << plan.status.failure_message;
}

TEST(Decide, AnImageThatWeHaveSetIsTakenBack) {
  World world;
  world.Enter(CanaryPhase::kPromoting);
  world.Step();
  world.stable->containers[0].image = Image('b');
  world.stable->updated_replicas = 3;
  world.now = kNow + minutes(2);
  EXPECT_TRUE(world.Step().effects.empty()) << "that it goes back is written down first";
  const Plan plan = world.Decide();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('a'));
  EXPECT_EQ(Find<DeleteCanary>(plan), nullptr);
}

// The operator died between its write and the record of it, and the spec was changed before it came back.
TEST(Decide, AnImageThatWeHaveSetIsTakenBackThoughTheWriteWasNotRecorded) {
  World world;
  world.Enter(CanaryPhase::kPromoting);
  world.stable->containers[0].image = Image('b');
  world.stable->template_hash = "hash-of-b";
  world.promotion.spec.image = Image('c');
  world.Step();
  const Plan plan = world.Decide();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->image, Image('a'));
}

TEST(Decide, ReplicasThatSomebodyAddedStay) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.stable->replicas = 20;
  world.Step();
  EXPECT_EQ(Find<WriteStable>(world.Step()), nullptr);
  world.stable->replicas = 4;
  const Plan plan = world.Decide();
  ASSERT_NE(Find<WriteStable>(plan), nullptr) << "but the baseline is kept";
  EXPECT_EQ(Find<WriteStable>(plan)->replicas, 10);
}

TEST(Decide, OneOfTheCanarysPodsLostInItsHoldIsTooMany) {
  World world;
  world.promotion.spec.steps = {{.weight = 50, .hold = minutes(5)}};
  world.Enter(CanaryPhase::kHolding);
  world.stable->replicas = 5;
  world.canary = World::Deployed("web-canary", 5, Image('b'));
  world.canary->available_replicas = 4;
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.failure_reason, "CanaryUnhealthy");
  EXPECT_NE(plan.status.failure_message.find("4 of 5"), std::string::npos);
}

TEST(Decide, AnImageThatSomebodyElseHasSetStays) {
  World world;
  world.Enter(CanaryPhase::kPromoting);
  world.Step();
  world.stable->containers[0].image = Image('d');
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.failure_reason, "StableChanged");
  EXPECT_EQ(Find<WriteStable>(plan), nullptr);
}

TEST(Decide, AChangeFromOutsideIsSupersededAndNotAFailureOfTheImage) {
  World world;
  world.Enter(CanaryPhase::kHolding);
  world.stable->template_hash = "other";
  world.Step();
  world.Step();
  auto annotations = world.stable->meta.annotations;
  world.stable = World::Deployed("web", 10, Image('a'));
  world.stable->template_hash = "other";
  world.canary.reset();
  const Plan plan = world.Step();
  EXPECT_EQ(plan.status.completion, Completion::kSuperseded);
  EXPECT_EQ(Ready(plan).reason, "Superseded");
}

TEST(Decide, AChangedSpecStartsAnewOnceTheOldOneHasEnded) {
  World world;
  world.promotion.status.phase = CanaryPhase::kAborted;
  world.promotion.status.completion = Completion::kAborted;
  world.promotion.status.spec_hash = "of-another";
  world.promotion.status.failure_reason = "RequestsFailed";
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, CanaryPhase::kStarting);
  EXPECT_EQ(plan.status.completion, Completion::kNone);
  EXPECT_TRUE(plan.status.failure_reason.empty());
}

TEST(Decide, ATargetThatIsGoneEndsItAndTheObjectCanGo) {
  for (const bool replaced : {false, true}) {
    World world;
    world.Enter(CanaryPhase::kHolding);
    world.promotion.meta.deleted = kNow;
    if (replaced) {
      world.stable->meta.uid = {"another"};
    } else {
      world.stable.reset();
    }
    Plan plan = world.Step();
    EXPECT_EQ(plan.status.phase, CanaryPhase::kAborted);
    plan = world.Step();
    EXPECT_NE(Find<RemoveFinalizer>(plan), nullptr);
  }
}

TEST(Decide, BeforeAnythingWasDoneADeletionOnlyLetsTheObjectGo) {
  World world;
  world.promotion.meta.finalizers = {std::string(resources::kFinalizer), "other.example.com/x"};
  world.promotion.meta.deleted = kNow;
  const Plan plan = world.Decide();
  ASSERT_EQ(plan.effects.size(), 1U);
  EXPECT_NE(Find<RemoveFinalizer>(plan), nullptr);
}

TEST(SpecHash, ChangesWithWhatIsPromotedAndNotWithHowLongPodsAreWaitedFor) {
  const World world;
  auto spec = world.promotion.spec;
  const std::string before = SpecHash(spec);
  spec.progress_deadline = minutes(99);
  EXPECT_EQ(SpecHash(spec), before);
  spec.steps[0].weight = 20;
  EXPECT_NE(SpecHash(spec), before);
}

}  // namespace
}  // namespace slipway::canary
