// What keeps an image from being delivered until it may be: the earlier environment, soak, approvals, Reject.
#include "release/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "release/decide.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

std::vector<std::string> Actors(const std::vector<resources::DecisionRecord>& records) {
  std::vector<std::string> actors;
  for (const auto& record : records) actors.push_back(record.actor);
  return actors;
}

void ExpectHeld(const World& world, const std::string& reason, const testing::Matcher<std::string>& says) {
  const Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, reason);
  EXPECT_THAT(Ready(plan).message, says);
  EXPECT_FALSE(plan.start);
  EXPECT_FALSE(plan.migration);
  EXPECT_TRUE(plan.status.history.empty());
}

TEST(FromRelease, DeliversWhatItVerifiedWithItsWholeOrigin) {
  World world;
  world.Follow('d', hours(2));
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  const Delivery& delivery = plan.status.history.at(0);
  EXPECT_EQ(delivery.image, Image('d'));
  EXPECT_EQ(delivery.cause, resources::DeliveryCause::kRelease);
  EXPECT_EQ(delivery.from_release, "staging/web");
  EXPECT_EQ(delivery.soaked_since, world.now - hours(2));
  EXPECT_EQ(delivery.commit, world.source->status.commit);
  EXPECT_EQ(delivery.image_build, "web");
  EXPECT_EQ(delivery.build_run, 12);
  EXPECT_EQ(delivery.built, world.now - hours(9));
  EXPECT_EQ(PromotionSpec(world.release, plan.start->wanted).version, world.source->status.commit);
}

TEST(FromRelease, ThatIsNotThereIsNamed) {
  World world;
  world.Follow('d', hours(2));
  world.source.reset();
  ExpectHeld(world, "ReleaseNotFound", AllOf(HasSubstr("staging/web"), HasSubstr("create it")));
}

TEST(FromRelease, OfAnotherNamespaceMustConsentByNameAndNamespace) {
  for (const auto& to : std::vector<std::vector<resources::ReleaseRef>>{
           {}, {{"web", "elsewhere"}}, {{"other", "team"}}, {{"web", ""}}}) {
    World world;
    world.Follow('d', hours(2));
    world.source->spec.promotes_to = to;
    ExpectHeld(world, "NotConsented",
               AllOf(HasSubstr("{name: web, namespace: team}"), HasSubstr("spec.promotesTo")));
  }
}

TEST(FromRelease, OfTheSameNamespaceNeedsNoConsent) {
  World world;
  world.Follow('d', hours(2));
  world.release.spec.image_from->release = resources::ReleaseRef{"staging", ""};
  world.source->meta.key = {"team", "staging"};
  world.source->spec.promotes_to.clear();
  EXPECT_TRUE(world.Decide().start);
}

TEST(FromRelease, MustHaveVerifiedWhatItDelivered) {
  World world;
  world.Follow('d', hours(2));
  world.source->status.verified.reset();
  ExpectHeld(world, "NotVerified", HasSubstr("kubectl describe rel -n staging web"));
  world.source->status.verified = world.now;
  world.source->status.image.clear();
  ExpectHeld(world, "NotVerified", HasSubstr("no image"));
}

TEST(FromRelease, CannotBeItself) {
  World world;
  world.Follow('d', hours(2));
  world.release.spec.image_from->release = resources::ReleaseRef{"web", "team"};
  ExpectHeld(world, "InvalidSpec", HasSubstr("itself"));
}

TEST(Soak, WaitsUntilItsEndAndLooksAgainThen) {
  World world;
  world.Follow('d', minutes(10));
  world.release.spec.gates.soak = minutes(15);
  ExpectHeld(world, "Soaking", HasSubstr(FormatTime(world.now + minutes(5))));
  EXPECT_EQ(world.Decide().recheck_after, minutes(5));
  world.now += minutes(5) - seconds(1);
  ExpectHeld(world, "Soaking", HasSubstr("15m"));
  world.now += seconds(1);
  EXPECT_TRUE(world.Decide().start);
}

TEST(Soak, IsRefusedWhereThereIsNoEarlierEnvironment) {
  World world;
  world.Ask('d');
  world.release.spec.gates.soak = hours(10);
  ExpectHeld(world, "InvalidSpec", HasSubstr("soak"));
}

TEST(Approvals, SayHowManyAreMissingAndHowOneIsGiven) {
  World world;
  world.release.spec.gates.approvals = 2;
  ExpectHeld(world, "AwaitingApproval",
             AllOf(HasSubstr("0 of 2"), HasSubstr("kubectl create"), HasSubstr("Approve"),
                   HasSubstr(Digest('a')), HasSubstr(kReleaseUid.value)));
  world.Decided(Verb::kApprove, 'a', "ann");
  ExpectHeld(world, "AwaitingApproval", AllOf(HasSubstr("1 of 2"), HasSubstr("by ann")));
}

TEST(Approvals, CountEachPersonOnceAndOnlyForTheDigest) {
  World world;
  world.release.spec.gates.approvals = 2;
  world.Decided(Verb::kApprove, 'a', "ann");
  world.Decided(Verb::kApprove, 'a', "ann");
  world.Decided(Verb::kApprove, 'b', "bob");
  world.Decided(Verb::kRetry, 'a', "cid");
  EXPECT_THAT(Ready(world.Decide()).message, HasSubstr("1 of 2"));
  world.Decided(Verb::kApprove, 'a', "dan").spec.target.uid = {"another-release"};
  EXPECT_THAT(Ready(world.Decide()).message, HasSubstr("1 of 2"));
  world.Decided(Verb::kApprove, 'a', "bob");
  EXPECT_TRUE(world.Decide().start);
}

TEST(Approvals, StopToCountWhenTheyExpire) {
  World world;
  world.release.spec.gates.approvals = 1;
  world.Decided(Verb::kApprove, 'a').spec.expires = world.now + minutes(1);
  EXPECT_TRUE(world.Decide().start);
  world.now += minutes(1);
  ExpectHeld(world, "AwaitingApproval", HasSubstr("0 of 1"));
}

TEST(Approvals, AreInTheRecordOfWhatTheyLetThrough) {
  World world;
  world.release.spec.gates.approvals = 2;
  world.Decided(Verb::kApprove, 'a', "ann");
  world.Decided(Verb::kApprove, 'a', "bob");
  const Plan plan = world.Decide();
  EXPECT_THAT(Actors(plan.status.history.at(0).decisions), ElementsAre("ann", "bob"));
  EXPECT_THAT(Actors(plan.status.decisions), ElementsAre("ann", "bob"));
}

TEST(Approvals, DoNotCallOffWhatIsUnderWayBeforeTheyAreThere) {
  World world;
  world.UnderWay();
  world.Build('b', "2222", 8);
  world.release.spec.gates.approvals = 1;
  EXPECT_EQ(Ready(world.Decide()).reason, "Delivering");
  world.Decided(Verb::kApprove, 'b');
  EXPECT_EQ(Ready(world.Decide()).reason, "Superseding");
}

TEST(Reject, HoldsTheDigestWhateverWasApproved) {
  World world;
  world.release.spec.gates.approvals = 1;
  world.Decided(Verb::kApprove, 'a', "ann");
  world.Decided(Verb::kReject, 'a', "bob");
  ExpectHeld(world, "Rejected", AllOf(HasSubstr("bob rejected"), HasSubstr("because")));
  const Plan plan = world.Decide();
  EXPECT_EQ(plan.status.phase, ReleasePhase::kBlocked);
  EXPECT_THAT(Actors(plan.status.decisions), ElementsAre("bob"));
}

TEST(Reject, IsAboutOneDigestAndEndsWhenItExpires) {
  World other;
  other.Decided(Verb::kReject, 'b');
  EXPECT_TRUE(other.Decide().start);
  World world;
  world.Decided(Verb::kReject, 'a').spec.expires = world.now + minutes(3);
  ExpectHeld(world, "Rejected", HasSubstr("decision-1"));
  EXPECT_EQ(world.Decide().recheck_after, minutes(3));
  world.now += minutes(3);
  EXPECT_TRUE(world.Decide().start);
}

TEST(FromRelease, ThatIsOnItsWayBackGivesNothing) {
  World world;
  world.Follow('d', hours(2));
  world.source->status.rollback.emplace().image = Image('c');
  ExpectHeld(world, "NotVerified", HasSubstr("on its way back"));
  world.source->status.rollback->image = Image('d');
  EXPECT_TRUE(world.Decide().start) << "it is there";
}

// Its ConfigMaps changed: the image passed them before.
TEST(Gates, AskNothingMoreOfTheDigestThatIsDelivered) {
  World world;
  world.Follow('d', minutes(1));
  world.Configure("web-config-slipway-22222222", "web-config-slipway-11111111");
  world.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Run('d');
  world.release.status.image = Image('d');
  world.release.spec.gates.soak = hours(1);
  world.release.spec.gates.approvals = 1;
  EXPECT_TRUE(world.Decide().start);
  world.release.status.image = Image('c');
  EXPECT_EQ(Ready(world.Decide()).reason, "Soaking");
  world.release.status.image = Image('d');
  world.Decided(Verb::kReject, 'd');
  EXPECT_EQ(Ready(world.Decide()).reason, "Rejected");
}

// ---- what passed them here ----

// Its ConfigMaps changed, and Image('d') was delivered to this very target by a promotion that passed.
World DeliveredHere() {
  World world;
  world.Follow('d', minutes(1));
  world.Configure("web-config-slipway-22222222", "web-config-slipway-11111111");
  world.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Run('d');
  world.release.status.image = Image('d');
  return world;
}

struct Elsewhere {
  const char* name;
  std::function<void(World&)> arrange;
  bool passes = false;
};

TEST(Gates, AreAskedAgainUnlessTheNewestDeliveryPassedThemHere) {
  const std::vector<Elsewhere> rows{
      {"promoted here", [](World&) {}, true},
      {"its container is named no more", [](World& w) { w.release.spec.target.container = ""; }},
      {"on another Deployment",
       [](World& w) {
         w.release.spec.target.deployment = "shop";
         w.deployment->meta.key.name = "shop";
       }},
      {"found running there", [](World& w) { w.release.status.history[0].outcome = "AlreadyRunning"; }},
      {"left there by a delivery that failed",
       [](World& w) { w.release.status.history[0].outcome = "RolledBack"; }},
      {"recorded without a target",
       [](World& w) {
         w.release.status.history[0].deployment.clear();
         w.release.status.history[0].container.clear();
       }},
      {"before another that was found running",
       [](World& w) {
         Delivery found = w.release.status.history[0];
         found.number = 2;
         found.image = Image('e');
         found.outcome = "AlreadyRunning";
         w.release.status.history.insert(w.release.status.history.begin(), found);
       }},
      {"before one that was called off, which is no delivery",
       [](World& w) {
         Delivery off = w.release.status.history[0];
         off.number = 2;
         off.image = Image('e');
         off.outcome = "Superseded";
         w.release.status.history.insert(w.release.status.history.begin(), off);
       },
       true},
  };
  struct Gate {
    const char* reason;
    std::function<void(World&)> close;
  };
  const std::vector<Gate> gates{
      {"Soaking", [](World& w) { w.release.spec.gates.soak = hours(1); }},
      {"AwaitingApproval", [](World& w) { w.release.spec.gates.approvals = 1; }},
      {"ScanRunning", [](World& w) { w.release.spec.gates.scan.emplace(); }},
  };
  for (const auto& row : rows) {
    for (const auto& gate : gates) {
      World world = DeliveredHere();
      row.arrange(world);
      gate.close(world);
      const Seen seen = world.Sees();
      const auto closed = ClosedGate(seen, world.release.status, world.Wants(), false, world.now);
      EXPECT_EQ(closed ? closed->hold.reason : "", row.passes ? "" : gate.reason) << row.name;
    }
  }
}

// What moved to another Deployment is delivered there by the gates, whatever ran on the one before.
TEST(Gates, OfAnotherTargetAreNotPassedByWhatIsDeliveredNow) {
  World world;
  world.Ask('d');
  world.Run('d');
  Next(world);
  ASSERT_EQ(world.release.status.history.at(0).outcome, "AlreadyRunning");
  EXPECT_EQ(world.release.status.history[0].deployment, "web");
  EXPECT_EQ(world.release.status.history[0].container, "web");
  world.release.spec.target.deployment = "shop";
  world.deployment->meta.key.name = "shop";
  world.Run('0');
  world.deployment->meta.key.name = "shop";
  world.release.spec.gates.approvals = 2;
  const Plan plan = world.Decide();
  EXPECT_EQ(Ready(plan).reason, "AwaitingApproval");
  EXPECT_FALSE(plan.start);
}

TEST(ConfigMaps, ThatAreMissingAreWaitedFor) {
  World world;
  world.Configure("web-config-slipway-11111111", "web-config");
  world.config_maps[0].copy.clear();
  ExpectHeld(world, "ConfigMapNotFound", HasSubstr("\"web-config\""));
  EXPECT_EQ(world.Decide().recheck_after, seconds(60));
  world.config_maps.clear();
  ExpectHeld(world, "ConfigMapNotFound", HasSubstr("\"web-config\""));
}

TEST(ConfigMaps, ThatNoPodReadsAreSaid) {
  World world;
  world.Configure("web-config-slipway-11111111", "another-config");
  ExpectHeld(world, "ConfigMapNotUsed", HasSubstr("Deployment web"));
}

TEST(ConfigMaps, AreDeliveredAsCopies) {
  World world;
  world.Configure("web-config-slipway-11111111", "web-config");
  const Plan plan = world.Decide();
  const resources::ConfigVersion copy{"web-config", "web-config-slipway-11111111"};
  ASSERT_TRUE(plan.start);
  EXPECT_THAT(plan.copies, ElementsAre(copy));
  EXPECT_THAT(plan.status.history.at(0).config_maps, ElementsAre(copy));
  EXPECT_THAT(PromotionSpec(world.release, plan.start->wanted).config_maps, ElementsAre(copy));
}

TEST(ConfigMaps, ThatChangeAreANewDeliveryOfTheSameImage) {
  World world;
  world.Configure("web-config-slipway-11111111", "web-config-slipway-11111111");
  world.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Run('a');
  EXPECT_EQ(Ready(world.Decide()).reason, "Delivered");
  EXPECT_EQ(world.Decide().recheck_after, seconds(60));
  world.config_maps[0].copy = "web-config-slipway-22222222";
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.status.history.at(0).cause, resources::DeliveryCause::kConfig);
  EXPECT_EQ(plan.status.history.at(0).image, Image('a'));
}

TEST(ConfigMaps, ThatSomebodyPutBackAreADrift) {
  World world;
  world.Configure("web-config-slipway-11111111", "web-config");
  world.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.Run('a');
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "TargetDrifted");
  EXPECT_THAT(Ready(plan).message, HasSubstr("other ConfigMaps"));
}

TEST(ConfigMaps, OfDeliveriesThatAreNotKeptAreDeletedUnlessTheyAreRead) {
  World world;
  world.Configure("web-config-slipway-33333333", "web-config-slipway-33333333");
  world.release.spec.history_limit = 1;
  for (const char* copy :
       {"web-config-slipway-11111111", "web-config-slipway-22222222", "web-config-slipway-33333333"}) {
    world.Ended("Promoted").config_maps = {{"web-config", copy}};
  }
  world.Run('a');
  world.deployment->config_refs.push_back("web-config-slipway-22222222");
  EXPECT_THAT(world.Decide().old_copies, ElementsAre("web-config-slipway-11111111"))
      << "the other one is read";
  world.deployment->config_refs.pop_back();
  EXPECT_THAT(world.Decide().old_copies,
              ElementsAre("web-config-slipway-11111111", "web-config-slipway-22222222"));
  world.deployment.reset();
  EXPECT_TRUE(world.Decide().old_copies.empty());
}

TEST(Record, NamesTheSecretsOfTheTarget) {
  World world;
  world.deployment->secret_refs = {"db", "tls"};
  EXPECT_THAT(world.Decide().status.history.at(0).secrets, ElementsAre("db", "tls"));
}

}  // namespace
}  // namespace slipway::release
