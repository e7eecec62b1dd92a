// What is decided while nothing is under way: one row a situation.
#include <span>

#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;
using std::chrono::hours;
using std::chrono::seconds;

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
     "without a delivery", "AlreadyRunning"},
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

}  // namespace
}  // namespace slipway::release
