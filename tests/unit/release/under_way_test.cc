// What is decided while a promotion is under way, or was made and never written down: one row a situation.
#include "unit/release/decides.h"

namespace slipway::release {
namespace {

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

}  // namespace
}  // namespace slipway::release
