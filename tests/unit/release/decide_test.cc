// What is decided for each thing that can be seen: one row a situation.
#include "release/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <span>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::ConditionStatus;
using resources::Find;
using resources::Readiness;
using resources::ReleasePhase;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

struct Row {
  const char* name;
  std::function<void(World&)> arrange;
  ReleasePhase phase;
  Readiness readiness;
  const char* reason;
  const char* says = "";      // in the message
  const char* outcome = "-";  // of history[0]; "-": there is no history
  bool starts = false;
  std::size_t removals = 0;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Decides : public testing::TestWithParam<Row> {};

// The conditions that the table in resources/common.h asks for.
void ExpectReadiness(const resources::Conditions& conditions, Readiness readiness) {
  const auto* ready = Find(conditions, "Ready");
  ASSERT_NE(ready, nullptr);
  const bool is_false = readiness == Readiness::kFailed || readiness == Readiness::kWaiting;
  const auto otherwise = readiness == Readiness::kReady ? ConditionStatus::kTrue : ConditionStatus::kUnknown;
  EXPECT_EQ(ready->status, is_false ? ConditionStatus::kFalse : otherwise);
  EXPECT_EQ(Find(conditions, "Stalled") != nullptr, readiness == Readiness::kFailed);
  const bool reconciling = readiness == Readiness::kProgressing || readiness == Readiness::kWaiting;
  EXPECT_EQ(Find(conditions, "Reconciling") != nullptr, reconciling);
}

TEST_P(Decides, AsTheTableSays) {
  World world;
  GetParam().arrange(world);
  const Plan plan = world.Decide();
  const auto& row = GetParam();
  EXPECT_EQ(resources::ToString(plan.status.phase), resources::ToString(row.phase));
  ExpectReadiness(plan.status.conditions, row.readiness);
  const auto* ready = Find(plan.status.conditions, "Ready");
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->reason, row.reason);
  EXPECT_THAT(ready->message, HasSubstr(row.says));
  EXPECT_EQ(plan.status.history.empty() ? "-" : plan.status.history.front().outcome, row.outcome);
  EXPECT_EQ(plan.start.has_value(), row.starts);
  EXPECT_EQ(plan.removals.size(), row.removals);
  EXPECT_EQ(plan.status.observed_generation, world.release.meta.generation);
}

constexpr auto kPending = ReleasePhase::kPending;
constexpr auto kProgressing = ReleasePhase::kProgressing;
constexpr auto kDelivered = ReleasePhase::kDelivered;
constexpr auto kRolledBack = ReleasePhase::kRolledBack;
constexpr auto kBlocked = ReleasePhase::kBlocked;
constexpr auto kWorks = Readiness::kProgressing;
constexpr auto kReady = Readiness::kReady;
constexpr auto kFailed = Readiness::kFailed;
constexpr auto kWaits = Readiness::kWaiting;

void SetRetry(World& w, const char* value) { w.release.meta.annotations["slipway.dev/retry"] = value; }

// Nothing is under way, and something is in the way.
const Row kObstacles[] = {
    {"NoImageBuild", [](World& w) { w.build.reset(); }, kPending, kWaits, "ImageBuildNotFound",
     "spec.imageFrom.imageBuild names \"web\""},
    {"NoBuildYet", [](World& w) { w.build->status = {}; }, kPending, kWaits, "WaitingForBuild",
     "it is Pending"},
    {"ABuildThatFailed",
     [](World& w) {
       w.build->status.latest.reset();
       w.build->status.phase = resources::BuildPhase::kFailed;
     },
     kPending, kWaits, "WaitingForBuild", "it is Failed"},
    {"ATag",
     [](World& w) {
       w.Ask('a');
       w.release.spec.image = "registry.example.com/team/web:v1";
     },
     kBlocked, kFailed, "ImageNotPinned", "spec.image is \"registry.example.com/team/web:v1\""},
    {"ATagSaysWhatToWrite",
     [](World& w) {
       w.Ask('a');
       w.release.spec.image = "registry.example.com/team/web:v1";
     },
     kBlocked, kFailed, "ImageNotPinned", "write repository@sha256:"},
    {"ABuildThatSaysATag",
     [](World& w) { w.build->status.latest->image = "registry.example.com/team/web:v1"; }, kBlocked, kFailed,
     "ImageNotPinned", "status.latest.image of ImageBuild web"},
    {"NeitherImageNorBuild", [](World& w) { w.release.spec.image_from.reset(); }, kBlocked, kFailed,
     "InvalidSpec", "exactly one"},
    {"BothImageAndBuild", [](World& w) { w.release.spec.image = Image('b'); }, kBlocked, kFailed,
     "InvalidSpec", "exactly one"},
    {"NoDeployment", [](World& w) { w.deployment.reset(); }, kBlocked, kWaits, "TargetNotFound",
     "spec.target.deployment names \"web\""},
    {"NoSuchContainer", [](World& w) { w.release.spec.target.container = "main"; }, kBlocked, kWaits,
     "ContainerNotFound", "\"main\""},
    {"TwoContainersAndNoName",
     [](World& w) {
       w.release.spec.target.container.clear();
       w.deployment->containers.push_back({"proxy", "example.com/proxy", {}, false, false});
     },
     kBlocked, kWaits, "ContainerNotNamed", "spec.target.container"},
    {"AnOlderReleaseOnTheTarget", [](World& w) { w.busy_with = "first"; }, kBlocked, kWaits, "TargetBusy",
     "Release first is older"},
    {"ATargetThatIsBusyWithItsOwnImageStillWaits",
     [](World& w) {
       w.busy_with = "first";
       w.Run('a');
     },
     kBlocked, kWaits, "TargetBusy"},
    {"SuspendedWithoutHistory", [](World& w) { w.release.spec.suspend = true; }, ReleasePhase::kSuspended,
     Readiness::kSuspended, "Suspended", "spec.suspend"},
    {"SuspendedWithABuildMissing",
     [](World& w) {
       w.release.spec.suspend = true;
       w.build.reset();
     },
     ReleasePhase::kSuspended, Readiness::kSuspended, "Suspended"},
};
INSTANTIATE_TEST_SUITE_P(Obstacle, Decides, testing::ValuesIn(kObstacles),
                         [](const auto& at) { return at.param.name; });

// Nothing is under way.
const Row kAtRest[] = {
    {"AFirstImageIsDelivered", [](World&) {}, kProgressing, kWorks, "Delivering", "delivery 1", "", true},
    {"AnImageNamedInTheSpecIsDelivered", [](World& w) { w.Ask('b'); }, kProgressing, kWorks, "Delivering",
     "@sha256:bbbb", "", true},
    {"TheOnlyContainerNeedsNoName", [](World& w) { w.release.spec.target.container.clear(); }, kProgressing,
     kWorks, "Delivering", "", "", true},
    {"AnImageThatRunsAlready", [](World& w) { w.Run('a'); }, kDelivered, kReady, "AlreadyRunning",
     "before any delivery", "AlreadyRunning"},
    {"AnImageThatRunsAlreadyWithATagBesideItsDigest",
     [](World& w) {
       w.Run('a');
       w.deployment->containers[0].image = "registry.example.com/team/web:v1@sha256:" + std::string(64, 'a');
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"AnImageThatIsBeingRolledOutByHand", [](World& w) { w.Run('a', false); }, kProgressing, kWorks,
     "TargetRollingOut", "kubectl rollout status"},
    {"AnImageThatDoesNotComeUp",
     [](World& w) {
       w.Run('a', false);
       w.deployment->progress_deadline_exceeded = true;
     },
     kProgressing, kWaits, "TargetUnhealthy", "progress deadline"},
    {"AfterItWasPromoted",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
     },
     kDelivered, kReady, "Delivered", "commit 111111111111", "Promoted"},
    {"AfterItWasFoundRunning",
     [](World& w) {
       w.Ended("AlreadyRunning");
       w.Run('a', false);
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"RightAfterAPromotionTheDeploymentsCacheMayLag", [](World& w) { w.Ended("Promoted", seconds(3)); },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"SomebodyPutAnotherImageThere", [](World& w) { w.Ended("Promoted"); }, kBlocked, kFailed,
     "TargetDrifted", "slipway.dev/retry", "Promoted"},
    {"AskedToDeliverAgainAfterADrift",
     [](World& w) {
       w.Ended("Promoted");
       SetRetry(w, "1");
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"ARetryOfWhatRunsChangesNothing",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       SetRetry(w, "1");
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"ANewStrategyForWhatRunsChangesNothing",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.release.spec.canary.steps = {{50, seconds(1)}};
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"ANewBuild",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.Build('b', "2222", 8);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"TheSameDigestFromANewCommit",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.Build('a', "2222", 8);
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"BackToAnImageDeliveredBefore",
     [](World& w) {
       w.Ended("Promoted");
       w.Build('b', "2222", 8);
       w.Ended("Promoted");
       w.Run('b');
       w.Build('a', "1111", 7);
     },
     kProgressing, kWorks, "Delivering", "delivery 3", "", true},
    {"SuspendedAfterADelivery",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.release.spec.suspend = true;
       w.Build('b', "2222", 8);
     },
     ReleasePhase::kSuspended, Readiness::kSuspended, "Suspended", "", "Promoted"},
};
INSTANTIATE_TEST_SUITE_P(AtRest, Decides, testing::ValuesIn(kAtRest),
                         [](const auto& at) { return at.param.name; });

void Fail(World& w, Duration ago = hours(1)) {
  auto& delivery = w.Ended("Aborted", ago);
  delivery.reason = "SmokeTestFailed";
  delivery.message = "GET /healthz answered 500";
}

// The last delivery did not pass.
const Row kHeld[] = {
    {"AFailedDigestIsHeld", [](World& w) { Fail(w); }, kRolledBack, kFailed, "SmokeTestFailed",
     "GET /healthz answered 500", "Aborted"},
    {"AndSaysHowToTryAgain", [](World& w) { Fail(w); }, kRolledBack, kFailed, "SmokeTestFailed",
     "set annotation slipway.dev/retry", "Aborted"},
    {"ForAnyTime", [](World& w) { Fail(w, hours(24 * 300)); }, kRolledBack, kFailed, "SmokeTestFailed", "",
     "Aborted"},
    {"WithoutAReasonItIsRolledBack", [](World& w) { w.Ended("Aborted"); }, kRolledBack, kFailed, "RolledBack",
     "", "Aborted"},
    {"AChangedTemplateIsHeldToo", [](World& w) { w.Ended("Superseded"); }, kBlocked, kFailed, "Superseded",
     "", "Superseded"},
    {"UntilTheRetryMarkChanges",
     [](World& w) {
       Fail(w);
       SetRetry(w, "please");
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"UntilTheImageChanges",
     [](World& w) {
       Fail(w);
       w.Build('b', "2222", 8);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"UntilTheTestsChange",
     [](World& w) {
       Fail(w);
       w.release.spec.smoke_tests[0].p95_limit = seconds(3);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"UntilTheTargetChanges",
     [](World& w) {
       Fail(w);
       w.release.spec.target.service = "web-2";
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"ALongerHistoryIsNoReason",
     [](World& w) {
       Fail(w);
       w.release.spec.history_limit = 20;
       w.release.meta.generation = 9;
     },
     kRolledBack, kFailed, "SmokeTestFailed", "", "Aborted"},
    {"ANewCommitWithTheSameDigestIsNoReason",
     [](World& w) {
       Fail(w);
       w.Build('a', "2222", 8);
     },
     kRolledBack, kFailed, "SmokeTestFailed", "", "Aborted"},
    {"SomebodyRolledItOutByHand",
     [](World& w) {
       Fail(w);
       w.Run('a');
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"ButNotWhileTheDeploymentsCacheMayLag",
     [](World& w) {
       Fail(w, seconds(3));
       w.Run('a');
     },
     kRolledBack, kFailed, "SmokeTestFailed", "", "Aborted"},
    {"BackToWhatRuns",
     [](World& w) {
       Fail(w);
       w.Build('0', "0000", 9);
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"OneThatGaveWayIsTriedAgainWhenItIsWantedAgain", [](World& w) { w.Ended("Superseded").key.clear(); },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
};
INSTANTIATE_TEST_SUITE_P(Held, Decides, testing::ValuesIn(kHeld),
                         [](const auto& at) { return at.param.name; });

void Newer(World& w) { w.Build('b', "2222", 8); }

// A promotion is under way.
const Row kUnderWay[] = {
    {"ItIsFollowed", [](World& w) { w.UnderWay(); }, kProgressing, kWorks, "Delivering", "is Holding", ""},
    {"SuspendLetsItEnd",
     [](World& w) {
       w.UnderWay();
       w.release.spec.suspend = true;
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "", ""},
    {"APolicyThatWentLetsItEnd",
     [](World& w) {
       w.UnderWay();
       w.policy.reset();
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "", ""},
    {"ABuildThatWentLetsItEnd",
     [](World& w) {
       w.UnderWay();
       w.build.reset();
     },
     kProgressing, kWorks, "Delivering", "", ""},
    {"ANewerImageIsWrittenDownBeforeAnythingIsDeleted",
     [](World& w) {
       w.UnderWay();
       Newer(w);
     },
     kProgressing, kWorks, "Superseding", "called off", "Superseded"},
    {"ThenTheOldPromotionIsDeleted",
     [](World& w) {
       w.UnderWay();
       w.release.status.history[0].outcome = "Superseded";
       Newer(w);
     },
     kProgressing, kWorks, "Superseding", "", "Superseded", false, 1},
    {"OnceOnly",
     [](World& w) {
       w.UnderWay().meta.deleted = kNow;
       w.release.status.history[0].outcome = "Superseded";
       Newer(w);
     },
     kProgressing, kWorks, "Superseding", "", "Superseded", false, 0},
    {"TheNextBeginsWhenItIsGone",
     [](World& w) {
       w.UnderWay();
       w.promotions.clear();
       w.release.status.history[0].outcome = "Superseded";
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"ItEndedBeforeItCouldBeCalledOff",
     [](World& w) {
       End(w.UnderWay(), Completion::kPromoted);
       w.release.status.history[0].outcome = "Superseded";
       w.Run('a');
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"StableIsAlreadyChanging",
     [](World& w) {
       w.UnderWay(CanaryPhase::kPromoting);
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "is Promoting", ""},
    {"ItIsAlreadyGoingBack",
     [](World& w) {
       w.UnderWay(CanaryPhase::kAborting);
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "is Aborting", ""},
    {"ANewImageForATargetThatIsMissingCallsNothingOff",
     [](World& w) {
       w.UnderWay();
       Newer(w);
       w.deployment.reset();
     },
     kProgressing, kWorks, "Delivering", "", ""},
    {"Promoted",
     [](World& w) {
       End(w.UnderWay(), Completion::kPromoted);
       w.Run('a');
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"Aborted",
     [](World& w) { End(w.UnderWay(), Completion::kAborted, "SmokeTestFailed", "/healthz answered 500"); },
     kRolledBack, kFailed, "SmokeTestFailed", "/healthz answered 500", "Aborted"},
    {"StablesTemplateChanged",
     [](World& w) { End(w.UnderWay(), Completion::kSuperseded, "TemplateChanged", "somebody changed it"); },
     kBlocked, kFailed, "TemplateChanged", "somebody changed it", "Superseded"},
    {"AbortedWithANewerImageWaiting",
     [](World& w) {
       End(w.UnderWay(), Completion::kAborted, "SmokeTestFailed", "no");
       Newer(w);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"DeletedByHand",
     [](World& w) {
       w.UnderWay();
       w.promotions.clear();
     },
     kRolledBack, kFailed, "PromotionDeleted", "was deleted before it ended", "Aborted"},
    {"BeingDeletedByHand", [](World& w) { w.UnderWay().meta.deleted = kNow; }, kProgressing, kWorks,
     "Delivering", "", ""},
    {"AnotherOneUnderItsName",
     [](World& w) {
       w.UnderWay().meta.uid = {"somebody-elses"};
       End(w.promotions[0], Completion::kPromoted);
     },
     kRolledBack, kFailed, "PromotionDeleted", "", "Aborted"},
    {"Refused",
     [](World& w) {
       auto& promotion = w.UnderWay(CanaryPhase::kRefused);
       promotion.status.failure_reason = "ServiceSelectsOthers";
       promotion.status.failure_message = "Service web selects another workload";
     },
     kBlocked, kFailed, "ServiceSelectsOthers", "Service web selects another workload", ""},
    {"RefusedAndANewerImage",
     [](World& w) {
       w.UnderWay(CanaryPhase::kRefused);
       Newer(w);
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"HeldUpAtItsStart",
     [](World& w) {
       auto& promotion = w.UnderWay(CanaryPhase::kPending);
       resources::SetReadiness(promotion.status.conditions, kWaits, "TargetBusy", "web is claimed by other",
                               1, kNow);
     },
     kProgressing, kWaits, "TargetBusy", "claimed by other", ""},
};
INSTANTIATE_TEST_SUITE_P(UnderWay, Decides, testing::ValuesIn(kUnderWay),
                         [](const auto& at) { return at.param.name; });

// We died between a create and the status that records it, or a former leader came too late.
const Row kLost[] = {
    {"ThePromotionThatWeWouldMakeIsTakenUp", [](World& w) { w.Lost(); }, kProgressing, kWorks, "Delivering",
     "delivery 1", "", true},
    {"EvenWhenItEndedMeanwhile",
     [](World& w) {
       End(w.Lost(), Completion::kPromoted);
       w.Run('a');
     },
     kProgressing, kWorks, "Delivering", "", "", true},
    {"OneFromAnEarlierSpecIsWrittenDownFirst",
     [](World& w) {
       w.Lost();
       w.release.spec.smoke_tests[0].requests = 5;
     },
     kProgressing, kWorks, "Superseding", "", "Superseded", false, 0},
    {"ThenItIsDeletedWhateverItSays",
     [](World& w) {
       End(w.UnderWay(), Completion::kPromoted);
       w.release.status.history[0].outcome = "Superseded";
       w.release.status.history[0].key.clear();
     },
     kProgressing, kWorks, "Superseding", "", "Superseded", false, 1},
    {"OneOfALateLeaderIsTakenInToo",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.promotions.push_back(w.Promotion(9));
     },
     kProgressing, kWorks, "Superseding", "", "Superseded"},
    {"OneThatEndedAndIsInNobodysWayIsLeftAlone",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.promotions.push_back(w.Promotion(9));
       End(w.promotions.back(), Completion::kPromoted);
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
};
INSTANTIATE_TEST_SUITE_P(Lost, Decides, testing::ValuesIn(kLost),
                         [](const auto& at) { return at.param.name; });

TEST(Policy, OfAnotherRepositoryBlocksWithItsFieldAndReason) {
  World world;
  world.policy->repositories = {"registry.example.com/other/"};
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, kBlocked);
  ExpectReadiness(plan.status.conditions, kFailed);
  EXPECT_FALSE(plan.start);
  EXPECT_THAT(Find(plan.status.conditions, "Ready")->message, HasSubstr("registry.example.com/team/web"));
}

TEST(Policy, ThatIsMissingAllowsNothing) {
  World world;
  world.policy.reset();
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, kBlocked);
  EXPECT_FALSE(plan.start);
}

TEST(Policy, OfOtherDeploymentsBlocks) {
  World world;
  world.policy->deployments = {"api"};
  EXPECT_EQ(world.Decide().status.phase, kBlocked);
}

TEST(History, HoldsTheCausalRecordOfADelivery) {
  World world;
  const Plan begun = world.Decide();
  ASSERT_EQ(begun.status.history.size(), 1U);
  const Delivery& first = begun.status.history[0];
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(first.generation, 3);
  EXPECT_EQ(first.image, Image('a'));
  EXPECT_EQ(first.commit, "1111111111111111111111111111111111111111");
  EXPECT_EQ(first.image_build, "web");
  EXPECT_EQ(first.build_run, 7);
  EXPECT_EQ(first.built, kNow - std::chrono::minutes(5));
  EXPECT_EQ(first.previous_image, Image('0'));
  EXPECT_EQ(first.started, kNow);
  EXPECT_FALSE(first.finished);
  EXPECT_EQ(first.promotion, begun.start->name);
}

TEST(History, CopiesWeightsAndSmokeResultsWhileItRunsAndWhenItEnded) {
  World world;
  world.UnderWay();
  for (const bool ended : {false, true}) {
    if (ended) End(world.promotions[0], Completion::kPromoted);
    const Delivery delivery = world.Decide().status.history[0];
    EXPECT_EQ(delivery.weight_wanted, 10);
    EXPECT_EQ(delivery.weight_got, 9);
    ASSERT_EQ(delivery.smoke.size(), 1U);
    EXPECT_EQ(delivery.smoke[0].requests, 200);
    EXPECT_EQ(delivery.previous_image, Image('0'));
    EXPECT_EQ(delivery.finished.has_value(), ended);
  }
}

TEST(History, KeepsTheLastTenSmokeResults) {
  World world;
  auto& steps = world.UnderWay().status.steps;
  steps[0].smoke.resize(25);
  for (int i = 0; i < 25; ++i) steps[0].smoke[i].requests = i;
  const auto smoke = world.Decide().status.history[0].smoke;
  ASSERT_EQ(smoke.size(), 10U);
  EXPECT_EQ(smoke.front().requests, 15);
  EXPECT_EQ(smoke.back().requests, 24);
}

TEST(History, DropsTheOldestBeyondItsLimitAndDeletesTheirPromotionsByUid) {
  World world;
  world.release.spec.history_limit = 2;
  for (int number = 1; number <= 4; ++number) {
    world.promotions.push_back(world.Promotion(number));
    End(world.promotions.back(), Completion::kPromoted);
    world.Ended("Promoted");
  }
  world.Run('a');
  const Plan plan = world.Decide();
  ASSERT_EQ(plan.status.history.size(), 2U);
  EXPECT_EQ(plan.status.history[0].number, 4);
  ASSERT_EQ(plan.removals.size(), 2U);
  EXPECT_EQ(plan.removals[0].uid.value, "promotion-1");
  EXPECT_EQ(plan.removals[0].promotion, PromotionName(world.release, 1));
  EXPECT_EQ(plan.removals[1].uid.value, "promotion-2");
}

TEST(History, DropsEntriesWhosePromotionsAreGoneWithoutDeletingAnything) {
  World world;
  world.release.spec.history_limit = 1;
  world.Ended("Promoted");
  world.Ended("Promoted");
  world.promotions.push_back(world.Promotion(1));
  world.promotions.back().meta.uid = {"a-later-one-of-that-name"};
  End(world.promotions.back(), Completion::kPromoted);
  world.Run('a');
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.history.size(), 1U);
  EXPECT_TRUE(plan.removals.empty());
}

TEST(History, OfLimitZeroStillKeepsTheLast) {
  World world;
  world.release.spec.history_limit = 0;
  world.Ended("Promoted");
  world.Run('a');
  EXPECT_EQ(world.Decide().status.history.size(), 1U);
}

TEST(StatusImage, IsWhatWasDeliveredAndStaysThroughAFailure) {
  World world;
  world.release.status.image = Image('0');
  End(world.UnderWay(), Completion::kAborted, "SmokeTestFailed", "no");
  EXPECT_EQ(world.Decide().status.image, Image('0'));
  End(world.promotions[0], Completion::kPromoted);
  EXPECT_EQ(world.Decide().status.image, Image('a'));
  EXPECT_EQ(world.Decide().status.commit, world.Wants().commit);
}

TEST(Deleted, ReleasesDoNothing) {
  World world;
  world.release.meta.deleted = kNow;
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.status, world.release.status);
}

TEST(Decision, MadeTwiceFromItsOwnResultIsTheSame) {
  for (const auto& rows :
       {std::span<const Row>(kAtRest), std::span<const Row>(kHeld), std::span<const Row>(kObstacles)}) {
    for (const auto& row : rows) {
      World world;
      row.arrange(world);
      const Plan first = world.Decide();
      if (first.start) continue;  // then its promotion is there, which another row shows
      world.release.status = first.status;
      const Plan second = world.Decide();
      EXPECT_EQ(first.status, second.status) << row.name;
      EXPECT_TRUE(second.notices.empty()) << row.name;
    }
  }
}

TEST(Events, AreOneAChangeOfPhaseOrReason) {
  World world;
  world.UnderWay();
  Plan plan = world.Decide();
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_EQ(plan.notices[0].reason, "Delivering");
  EXPECT_FALSE(plan.notices[0].warning);

  world.release.status = plan.status;
  world.promotions[0].status.phase = CanaryPhase::kTesting;
  EXPECT_TRUE(world.Decide().notices.empty());

  End(world.promotions[0], Completion::kAborted, "SmokeTestFailed", "/healthz answered 500");
  plan = world.Decide();
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_EQ(plan.notices[0].reason, "SmokeTestFailed");
  EXPECT_TRUE(plan.notices[0].warning);
  EXPECT_THAT(plan.notices[0].note, HasSubstr("/healthz"));
}

TEST(Names, OfPromotionsFollowFromTheReleaseAndTheNumberAlone) {
  World world;
  const std::string name = PromotionName(world.release, 1);
  world.release.spec.smoke_tests[0].requests = 7;
  EXPECT_EQ(PromotionName(world.release, 1), name);
  EXPECT_NE(PromotionName(world.release, 2), name);
  world.release.meta.uid = {"made-again"};
  EXPECT_NE(PromotionName(world.release, 1), name);
  world.release.meta.key.name = std::string(253, 'x');
  EXPECT_LE(PromotionName(world.release, 1).size(), 63U);
}

std::shared_ptr<const Release> Rival(const std::string& name, Duration younger,
                                     const std::string& target = "web") {
  World world;
  world.release.meta.key = {"team", name};
  world.release.meta.uid = {name + "-uid"};
  world.release.meta.created += younger;
  world.release.spec.target.deployment = target;
  return std::make_shared<const Release>(world.release);
}

TEST(OneTarget, IsTheOldestReleases) {
  const auto old = Rival("old", seconds(0));
  const auto young = Rival("young", seconds(5));
  const auto third = Rival("third", seconds(9));
  const std::vector<std::shared_ptr<const Release>> all{young, third, old};
  EXPECT_EQ(BusyWith(*old, all), "");
  EXPECT_EQ(BusyWith(*young, all), "old");
  EXPECT_EQ(BusyWith(*third, all), "old");
}

TEST(OneTarget, OfTwoMadeInTheSameSecondIsOneReleases) {
  const auto a = Rival("a", seconds(0));
  const auto b = Rival("b", seconds(0));
  EXPECT_EQ(BusyWith(*a, {a, b}), "");
  EXPECT_EQ(BusyWith(*b, {a, b}), "a");
}

TEST(OneTarget, IsNotSharedAcrossDeploymentsOrNamespaces) {
  const auto web = Rival("web", seconds(5));
  const auto api = Rival("api", seconds(0), "api");
  Release elsewhere = *Rival("elsewhere", seconds(0));
  elsewhere.meta.key.ns = "other";
  EXPECT_EQ(BusyWith(*web, {web, api, std::make_shared<const Release>(elsewhere)}), "");
}

}  // namespace
}  // namespace slipway::release
