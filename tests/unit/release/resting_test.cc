// What was delivered, and is left alone: while its source is away, after somebody else changed the
// Deployment, and where it failed and was left there. One row a situation.

#include "release/under_way.h"
#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::Compatibility;
using std::chrono::hours;

// ---- the source is away ----

// Image 'd' is delivered from the earlier environment, and runs.
void Taken(World& w) {
  w.Follow('d', hours(2));
  w.Ended("Promoted");
  w.release.status.image = Image('d');
  w.Run('d');
}

void TakenAndSourceUnverified(World& w) {
  Taken(w);
  w.source->status.verified.reset();
}

const Row kSource[] = {
    {"IsGone",
     [](World& w) {
       Taken(w);
       w.source.reset();
     },
     kDelivered, kReady, "Delivered", "Nothing new is delivered: spec.imageFrom.release names staging/web",
     "Promoted"},
    {"HasVerifiedNothing", TakenAndSourceUnverified, kDelivered, kReady, "Delivered",
     "Nothing new is delivered", "Promoted"},
    {"IsOnItsWayBack",
     [](World& w) {
       Taken(w);
       w.source->status.rollback.emplace().image = Image('c');
       w.source->status.rollback->decision.actor = "bob";
     },
     kDelivered, kReady, "Delivered", "on its way back to another image: bob rolled back", "Promoted"},
    {"IsBack",
     [](World& w) {
       Taken(w);
       w.source->status.rollback.emplace().image = Image('d');
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"IsABuildThatIsGone",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
       w.build.reset();
     },
     kDelivered, kReady, "Delivered", "there is no such ImageBuild", "Promoted"},
    {"IsABuildThatHasNoneAndWhatRunsWasFound",
     [](World& w) {
       w.Ended("AlreadyRunning");
       w.Run('a');
       w.build->status = {};
     },
     kDelivered, kReady, "AlreadyRunning", "no successful build yet", "AlreadyRunning"},
    {"DoesNotConsentAnyMore",
     [](World& w) {
       Taken(w);
       w.source->spec.promotes_to.clear();
     },
     kBlocked, kWaits, "NotConsented", "", "Promoted"},
    {"NamesATag",
     [](World& w) {
       Taken(w);
       w.source->status.image = "registry.example.com/team/web:v1";
     },
     kBlocked, kFailed, "ImageNotPinned", "", "Promoted"},
    {"IsThereAndAConfigMapIsNot",
     [](World& w) {
       Taken(w);
       w.release.spec.config_maps = {"web-config"};
     },
     kPending, kWaits, "ConfigMapNotFound", "", "Promoted"},
    {"IsAwayAndSomethingElseRuns",
     [](World& w) {
       TakenAndSourceUnverified(w);
       w.Run('z');
     },
     kPending, kWaits, "NotVerified", "", "Promoted"},
    {"IsAwayAndTheTargetIsGone",
     [](World& w) {
       TakenAndSourceUnverified(w);
       w.deployment.reset();
     },
     kPending, kWaits, "NotVerified", "", "Promoted"},
    {"IsAwayAndTheLastDeliveryFailed",
     [](World& w) {
       TakenAndSourceUnverified(w);
       w.release.status.history[0].outcome = "Aborted";
     },
     kPending, kWaits, "NotVerified", "", "Aborted"},
};
INSTANTIATE_TEST_SUITE_P(Source, Decides, testing::ValuesIn(kSource),
                         [](const auto& at) { return at.param.name; });

// ---- somebody else changed the Deployment ----

void Promoted(World& w) {
  w.Ended("Promoted");
  w.release.status.image = Image('a');
  w.release.status.verified = w.now - hours(1);
}

// The promotion found a template that names its image by a tag, whose pods ran the digest that is wanted.
void FoundByTag(World& w) {
  Promoted(w);
  w.promotions.push_back(w.Promotion(1));
  End(w.promotions.back(), Completion::kPromoted);
  w.promotions.back().status.stable_image = "registry.example.com/team/web:v1";
  w.deployment->containers[0].image = "registry.example.com/team/web:v1";
}

void SetRetry(World& w, const char* value) { w.release.meta.annotations["slipway.dev/retry"] = value; }

const Row kDrift[] = {
    {"IsNotOverwrittenByAChangeOfHowItIsDelivered",
     [](World& w) {
       Promoted(w);
       w.promotions.push_back(w.Promotion(1));
       End(w.promotions.back(), Completion::kPromoted);
       w.release.spec.smoke_tests[0].requests = 7;
     },
     kBlocked, kFailed, "TargetDrifted", "", "Promoted"},
    {"IsOverwrittenByAPersonWhoInsists",
     [](World& w) {
       Promoted(w);
       w.release.spec.smoke_tests[0].requests = 7;
       SetRetry(w, "1");
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"IsNotOverwrittenForTheMarkOfTheDeliveryItself",
     [](World& w) {
       SetRetry(w, "1");
       Promoted(w);
     },
     kBlocked, kFailed, "TargetDrifted", "", "Promoted"},
    {"IsOverwrittenByAnotherImage",
     [](World& w) {
       Promoted(w);
       w.Build('b', "2222", 8);
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"StaysThoughItsConfigMapChangedToo",
     [](World& w) {
       w.Configure("web-config-slipway-22222222", "web-config-slipway-11111111");
       Promoted(w);
       w.release.status.history[0].config_maps = {{"web-config", "web-config-slipway-11111111"}};
       w.release.status.history[0].key = "of the earlier contents";
       w.promotions.push_back(w.Promotion(1));
       End(w.promotions.back(), Completion::kPromoted);
     },
     kBlocked, kFailed, "TargetDrifted", "", "Promoted"},
    {"IsNoneWhereItWasFoundByTag", FoundByTag, kDelivered, kReady, "Delivered", "", "Promoted"},
    {"ToAnotherTagIsOne",
     [](World& w) {
       FoundByTag(w);
       w.deployment->containers[0].image = "registry.example.com/team/web:v2";
     },
     kBlocked, kFailed, "TargetDrifted", "registry.example.com/team/web:v2", "Promoted"},
    {"OfATargetThatIsNamedAnewIsADelivery",
     [](World& w) {
       Promoted(w);
       w.promotions.push_back(w.Promotion(1));
       End(w.promotions.back(), Completion::kPromoted);
       w.release.spec.target.deployment = "web-2";
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"OfAnotherContainerIsADelivery",
     [](World& w) {
       Promoted(w);
       w.promotions.push_back(w.Promotion(1));
       End(w.promotions.back(), Completion::kPromoted);
       w.release.spec.target.container = "side";
       w.deployment->containers.push_back({"side", Image('0'), {}, false, true});
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"OfATargetWhosePromotionIsKnownIsOneWhateverElseChanged",
     [](World& w) {
       Promoted(w);
       w.promotions.push_back(w.Promotion(1));
       End(w.promotions.back(), Completion::kPromoted);
       w.release.spec.target.service = "web-2";
     },
     kBlocked, kFailed, "TargetDrifted", "", "Promoted"},
};
INSTANTIATE_TEST_SUITE_P(Drift, Decides, testing::ValuesIn(kDrift),
                         [](const auto& at) { return at.param.name; });

// A change that brought nothing to the Deployment is no reason to overwrite what somebody sets there later.
TEST(Drift, AfterAChangeOfTheSpecThatWasNoDeliveryIsADriftAllTheSame) {
  World world;
  Promoted(world);
  world.Run('a');
  SetRetry(world, "1");
  world.release.spec.smoke_tests[0].requests = 7;
  const Plan rest = world.Decide();
  EXPECT_FALSE(rest.start);
  EXPECT_EQ(rest.status.history.at(0).key, world.Wants().key);
  world.release.status = rest.status;
  world.Run('z');
  EXPECT_FALSE(world.Decide().start);
  EXPECT_EQ(Ready(world.Decide()).reason, "TargetDrifted");
}

// ---- it failed, and was left there ----

// The newest delivery failed when its image was on the target, and stayed.
CanaryPromotion& LeftBehind(World& w) {
  auto& delivery = w.Ended("Aborted");
  delivery.reason = "VerificationFailed";
  w.promotions.push_back(w.Promotion(delivery.number));
  End(w.promotions.back(), Completion::kAborted, "VerificationFailed");
  w.promotions.back().status.image_set = true;
  w.Run('a');
  return w.promotions.back();
}

const Row kLeft[] = {
    {"IsHeldThoughItRuns", [](World& w) { LeftBehind(w); }, kBlocked, kFailed, "VerificationFailed", "",
     "Aborted"},
    {"IsJudgedAnewWhenAPersonInsists",
     [](World& w) {
       LeftBehind(w);
       SetRetry(w, "1");
     },
     kProgressing, kWorks, "Delivering", "delivery 2", "", true},
    {"IsJudgedAnewAfterAnAttemptThatWasCalledOff",
     [](World& w) {
       LeftBehind(w);
       w.Ended("Superseded").key.clear();
     },
     kProgressing, kWorks, "Delivering", "delivery 3", "", true},
    {"WasNotSetSoSomebodyElseBroughtIt", [](World& w) { LeftBehind(w).status.image_set = false; }, kDelivered,
     kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"WasBroughtBackBySomebodyElseAfterARollback",
     [](World& w) { LeftBehind(w).status.completion = Completion::kRolledBack; }, kDelivered, kReady,
     "AlreadyRunning", "", "AlreadyRunning"},
    {"AndItsPromotionIsGoneIsHeldWhereFailuresStay",
     [](World& w) {
       w.release.spec.rollback.on_failure = false;
       LeftBehind(w);
       w.promotions.clear();
     },
     kBlocked, kFailed, "VerificationFailed", "", "Aborted"},
    {"AndItsPromotionIsGoneCountsAsBroughtBySomebodyWhereFailuresGoBack",
     [](World& w) {
       LeftBehind(w);
       w.promotions.clear();
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"NeverByAMigrationThatFailed",
     [](World& w) {
       auto& delivery = w.Ended("Aborted");
       delivery.reason = "MigrationFailed";
       delivery.promotion_uid.reset();
       w.release.spec.rollback.on_failure = false;
       w.Run('a');
     },
     kDelivered, kReady, "AlreadyRunning", "", "AlreadyRunning"},
    {"AndPassedSinceIsDelivered",
     [](World& w) {
       LeftBehind(w);
       w.Ended("Promoted");
     },
     kDelivered, kReady, "Delivered", "", "Promoted"},
    {"SaysThatABreakingMigrationHasRun",
     [](World& w) {
       w.Was('0', "Promoted", hours(3));
       w.HasMigrated('a', 2, Compatibility::kBreaking);
       LeftBehind(w).status.image_set = false;
       w.Run('0');
     },
     kRolledBack, kFailed, "VerificationFailed", "A breaking migration has run", "Aborted"},
};
INSTANTIATE_TEST_SUITE_P(Left, Decides, testing::ValuesIn(kLeft),
                         [](const auto& at) { return at.param.name; });

TEST(StaysThere, IsWhatWasSetOrWasThereWhenItFailed) {
  const struct {
    const char* name;
    void (*set)(resources::CanaryPromotionStatus&);
    bool stays;
  } rows[] = {
      {"failed before it was set", [](auto&) {}, false},
      {"failed after", [](auto& s) { s.image_set = true; }, true},
      {"went back",
       [](auto& s) {
         s.image_set = true;
         s.completion = Completion::kRolledBack;
       },
       false},
      {"passed",
       [](auto& s) {
         s.image_set = true;
         s.completion = Completion::kPromoted;
       },
       false},
      {"under way",
       [](auto& s) {
         s.image_set = true;
         s.completion = Completion::kNone;
       },
       false},
      {"another one was there", [](auto& s) { s.baseline.emplace().image = Image('0'); }, false},
      {"it was there before", [](auto& s) { s.baseline.emplace().image = Image('a'); }, true},
      {"its pods ran it before, by a tag", [](auto& s) { s.baseline.emplace().stable_digest = Image('a'); },
       true},
  };
  for (const auto& row : rows) {
    World world;
    CanaryPromotion promotion = world.Promotion(1);
    promotion.status.completion = Completion::kAborted;
    row.set(promotion.status);
    EXPECT_EQ(StaysThere(promotion), row.stays) << row.name;
  }
}

// What runs is what an earlier environment would be asked for.
TEST(StaysThere, IsWhatTheStatusNamesAndNotVerified) {
  World world;
  world.release.status.image = Image('0');
  world.release.status.verified = world.now - hours(5);
  auto& promotion = world.UnderWay();
  End(promotion, Completion::kAborted, "VerificationFailed");
  Plan plan = world.Decide();
  EXPECT_EQ(plan.status.image, Image('0'));
  EXPECT_TRUE(plan.status.verified);
  promotion.status.image_set = true;
  world.Run('a');
  plan = world.Decide();
  EXPECT_EQ(plan.status.image, Image('a'));
  EXPECT_EQ(plan.status.commit, world.Wants().commit);
  EXPECT_FALSE(plan.status.verified);
}

TEST(Drift, IsWhatARollbackToTheLastDeliveryMends) {
  World world;
  world.Ended("Promoted");
  world.promotions.push_back(world.Promotion(1));
  End(world.promotions.back(), Completion::kPromoted);
  world.release.status.image = Image('a');
  world.Run('z');
  world.Decided(resources::Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.decisions.at(0).refused, "");
  EXPECT_TRUE(plan.start) << Ready(plan).reason;
}

}  // namespace
}  // namespace slipway::release
