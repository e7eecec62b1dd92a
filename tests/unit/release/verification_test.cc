// What an image must have before anything is changed for it: what is demanded, the look at it from its Job to
// its outcome, when it is looked at again, and that everything else goes on meanwhile.
#include "release/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "release/turn.h"
#include "unit/release/decides.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Predicate;
using resources::Verb;
using State = supply::VerifyOutcome::State;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

supply::VerifyOutcome Refused(const std::string& reason, std::vector<std::string> missing,
                              const std::string& message) {
  return {State::kRefused, reason, std::move(missing), message};
}

const supply::VerifyOutcome kPasses{State::kPassed, {}, {}, {}};
const supply::VerifyOutcome kUnsigned = Refused("SignatureMissing", {"Signature"}, "it has no signature");
const supply::VerifyOutcome kBroken{State::kFailed, {}, {}, "dial tcp: connection refused"};

// A look at what is wanted is under way.
World Looking() {
  World world;
  world.Demand("release", {Predicate::kProvenance});
  Next(world);
  return world;
}

// Its outcome, written.
Plan Ends(World& world, const supply::VerifyOutcome& outcome) {
  world.verification = outcome;
  Plan plan = Next(world);
  world.verification.reset();
  return plan;
}

const resources::VerificationRecord& Look(const World& world) { return *world.release.status.verification; }

// ---- a look ----

TEST(Verification, IsAskedForBeforeAnythingIsChanged) {
  World world;
  world.Demand("release", {Predicate::kProvenance});
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.verification);
  EXPECT_EQ(plan.verification->image, Image('a'));
  EXPECT_EQ(plan.verification->demands.signer.name, "release");
  EXPECT_FALSE(plan.start);
  EXPECT_TRUE(plan.status.history.empty());
  EXPECT_EQ(Ready(plan).reason, "VerificationRunning");
  ExpectReadiness(plan.status.conditions, kWaits);
  EXPECT_THAT(Ready(plan).message, AllOf(HasSubstr("a Job is to look"), HasSubstr("signer \"release\""),
                                         HasSubstr("attestations Provenance")));
  EXPECT_EQ(plan.recheck_after, seconds(2));
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_FALSE(plan.notices[0].warning);
  const auto& record = Look(world);
  EXPECT_EQ(record.job, plan.verification->name);
  EXPECT_EQ(record.image, Image('a'));
  EXPECT_EQ(record.signer, "release");
  EXPECT_THAT(record.predicates, ElementsAre(Predicate::kProvenance));
  EXPECT_EQ(record.runs, 1);
  EXPECT_EQ(record.outcome, "");
  EXPECT_EQ(record.started, world.now);
}

TEST(Verification, IsWaitedForWithoutASecondJob) {
  World world = Looking();
  world.verification = supply::VerifyOutcome{State::kRunning, {}, {}, "pod x can't start: ImagePullBackOff"};
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.verification);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "VerificationRunning");
  EXPECT_THAT(Ready(plan).message, AllOf(HasSubstr(Look(world).job), HasSubstr("ImagePullBackOff")));
  EXPECT_EQ(plan.recheck_after, seconds(2));
}

TEST(Verification, ThatPassedIsKeptByTheDelivery) {
  World world = Looking();
  const Plan plan = Ends(world, kPasses);
  ASSERT_TRUE(plan.start);
  const auto& by = plan.status.history.at(0).verified_by;
  ASSERT_TRUE(by);
  EXPECT_EQ(by->signer, "release");
  EXPECT_THAT(by->predicates, ElementsAre(Predicate::kProvenance));
  EXPECT_EQ(by->key, supply::KeyOf(**DemandsOf(world.Sees())));
  EXPECT_EQ(by->at, world.now);
  EXPECT_EQ(Look(world).outcome, "Passed");
  EXPECT_EQ(Look(world).message, "");
  EXPECT_FALSE(plan.verification);
}

TEST(Verification, IsNotInTheRecordOfWhatAskedForNone) {
  const World world;
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_FALSE(plan.status.history.at(0).verified_by);
  EXPECT_FALSE(plan.verification);
}

TEST(Verification, ComesAfterApprovals) {
  World world;
  world.Demand("release");
  world.release.spec.gates.approvals = 1;
  EXPECT_EQ(Ready(Next(world)).reason, "AwaitingApproval");
  EXPECT_FALSE(world.release.status.verification);
  world.Decided(Verb::kApprove, 'a');
  EXPECT_TRUE(Next(world).verification);
}

TEST(Verification, IsOfNoInterestWhileSuspended) {
  World world;
  world.Demand("release");
  world.release.spec.suspend = true;
  EXPECT_FALSE(Next(world).verification);
}

TEST(Verification, OfWhatIsHeldAnywayIsNotAsked) {
  World world;
  world.Demand("release");
  world.Ended("RolledBack");
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.verification);
  EXPECT_EQ(Ready(plan).reason, "RolledBack");
}

// ---- what is found ----

struct Found {
  const char* what;
  supply::VerifyOutcome outcome;
  const char* recorded;
  const char* reason;
  resources::Readiness readiness;
  std::vector<const char*> says;
};

class Finds : public testing::TestWithParam<Found> {};

TEST_P(Finds, AsTheTableSays) {
  World world = Looking();
  const auto& row = GetParam();
  const Plan plan = Ends(world, row.outcome);
  EXPECT_FALSE(plan.start);
  EXPECT_FALSE(plan.verification);
  EXPECT_TRUE(plan.status.history.empty());
  EXPECT_EQ(plan.status.phase, kBlocked);
  EXPECT_EQ(Ready(plan).reason, row.reason);
  ExpectReadiness(plan.status.conditions, row.readiness);
  for (const char* words : row.says) EXPECT_THAT(Ready(plan).message, HasSubstr(words));
  EXPECT_LT(Ready(plan).message.size(), 1000U) << "it would be cut";
  EXPECT_EQ(Look(world).outcome, row.recorded);
  EXPECT_EQ(Look(world).missing, row.outcome.missing);
  EXPECT_EQ(Look(world).finished, world.now);
  EXPECT_TRUE(plan.notices.back().warning);
  ASSERT_TRUE(plan.recheck_after);
  EXPECT_GT(*plan.recheck_after, seconds(5));
  EXPECT_LE(*plan.recheck_after, minutes(2));
}

const std::vector<Found> kFound{
    {"no signature",
     kUnsigned,
     "Refused",
     "SignatureMissing",
     kFailed,
     {"must have the signature of signer \"release\" and its attestations Provenance in its registry",
      "nothing was changed for it: it has no signature", "spec.attest", "slipway.dev/retry"}},
    {"another key",
     Refused("SignatureByAnotherKey", {"Signature"}, "none is this signer's"),
     "Refused",
     "SignatureByAnotherKey",
     kFailed,
     {"none is this signer's"}},
    {"no attestation",
     Refused("AttestationMissing", {"Provenance"}, "Provenance: this signer attested none"),
     "Refused",
     "AttestationMissing",
     kFailed,
     {"Provenance: this signer attested none"}},
    {"a false one",
     Refused("AttestationInvalid", {"Provenance"}, "Provenance: conflicting values"),
     "Refused",
     "AttestationInvalid",
     kFailed,
     {"conflicting values"}},
    {"nothing known",
     kBroken,
     "Failed",
     "VerificationFailed",
     kWaits,
     {"is not known: dial tcp: connection refused", "asked again", "supplyChain.registrySecret",
      "in the supply chain's namespace"}},
};
INSTANTIATE_TEST_SUITE_P(Rows, Finds, testing::ValuesIn(kFound),
                         [](const auto& row) { return std::to_string(row.index); });

// ---- again ----

// How long after its end the look is repeated; the record's word stays meanwhile.
Duration WaitAfter(World& world) {
  const TimePoint ended = *Look(world).finished;
  const std::string reason = Ready(world.Decide()).reason;
  for (int i = 0; i < 10'000 && !world.Decide().verification; ++i) {
    EXPECT_EQ(Ready(world.Decide()).reason, reason);
    const auto plan = world.Decide();
    world.now += std::max<Duration>(plan.recheck_after.value_or(hours(2)), seconds(1));
  }
  return world.now - ended;
}

TEST(VerificationAgain, IsWithBackOffUpToACapAndUnderAnotherName) {
  for (const auto& [outcome, base, cap] :
       {std::tuple<supply::VerifyOutcome, Duration, Duration>{kBroken, seconds(20), minutes(10)},
        {kUnsigned, minutes(2), hours(1)}}) {
    World world = Looking();
    std::string before;
    Duration expected = base;
    for (int run = 1; run <= 40; ++run) {
      EXPECT_EQ(Look(world).runs, run);
      EXPECT_NE(Look(world).job, before);
      before = Look(world).job;
      Ends(world, outcome);
      const Duration wait = WaitAfter(world);
      EXPECT_GE(wait, std::min(expected, cap) / 2) << run;
      EXPECT_LE(wait, std::min(expected, cap) + seconds(1)) << run;
      expected = std::min(expected * 2, cap);
      ASSERT_TRUE(Next(world).verification);
    }
  }
}

TEST(VerificationAgain, KeepsTheFirstLooksWordUntilItEnds) {
  World world = Looking();
  Ends(world, kUnsigned);
  world.now += hours(2);
  Plan plan = Next(world);
  ASSERT_TRUE(plan.verification);
  EXPECT_EQ(Ready(plan).reason, "SignatureMissing");
  world.verification = supply::VerifyOutcome{};
  plan = Next(world);
  EXPECT_EQ(Ready(plan).reason, "SignatureMissing");
  EXPECT_THAT(plan.notices, IsEmpty());
  plan = Ends(world, kPasses);
  EXPECT_TRUE(plan.start);
  EXPECT_THAT(Look(world).missing, IsEmpty());
  EXPECT_EQ(Look(world).reason, "");
}

TEST(VerificationAgain, IsAtOnceWhenAPersonOrThePolicyAsksAnew) {
  const std::vector<std::function<void(World&)>> changes{
      [](World& w) { w.release.meta.annotations[std::string(kRetryAnnotation)] = "2"; },
      [](World& w) { w.Demand("release"); },
      [](World& w) { w.platform.signers["release"].public_key = "PEM of a new key"; },
      [](World& w) { w.platform.builder_id = "https://another.example"; },
      [](World& w) { w.Build('b', "2222222222222222222222222222222222222222", 8); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    World world = Looking();
    const std::string before = Look(world).job;
    Ends(world, kUnsigned);
    EXPECT_FALSE(Next(world).verification) << i;
    changes[i](world);
    world.now += kLeastApart;
    const Plan plan = Next(world);
    ASSERT_TRUE(plan.verification) << i;
    EXPECT_NE(plan.verification->name, before) << i;
    EXPECT_EQ(Look(world).runs, 1) << i;
    EXPECT_EQ(Ready(plan).reason, "VerificationRunning") << i;
  }
}

TEST(VerificationAgain, IsNotOfWhatPassedUnlessSomethingElseIsDemanded) {
  World world = Looking();
  Ends(world, kPasses);
  world.release.status.history.clear();
  EXPECT_TRUE(world.Decide().start);
  world.release.meta.annotations[std::string(kRetryAnnotation)] = "2";
  EXPECT_TRUE(world.Decide().start);
  world.platform.signers["release"].public_key = "PEM of a new key";
  world.now += kLeastApart;
  EXPECT_FALSE(world.Decide().start);
  EXPECT_TRUE(world.Decide().verification);
}

// A status that was written without the Job's UID says that there may be none.
TEST(VerificationAgain, IsAtOnceWhereNoJobIsRecorded) {
  World world = Looking();
  world.release.status.verification->job_uid.reset();
  world.now += kLeastApart;
  EXPECT_TRUE(world.Decide().verification);
}

TEST(VerificationAgain, OfAnotherRepositoryTrustsAPassAndNoRefusal) {
  World world = Looking();
  world.Ask('a');
  world.release.spec.image = "registry.example.com/team/other@" + Digest('a');
  world.Demand("release", {Predicate::kProvenance});
  World passed = world;
  Ends(world, kUnsigned);
  EXPECT_EQ(Ready(world.Decide()).reason, "VerificationRunning");
  Ends(passed, kPasses);
  EXPECT_EQ(passed.release.status.history.size(), 1U);
}

// ---- what goes on meanwhile ----

TEST(VerificationBeside, ADeliveryThatIsUnderWayGoesOnUntilTheNewImagePassed) {
  World world;
  world.UnderWay();
  world.Build('b', "2222222222222222222222222222222222222222", 8);
  world.Demand("release");
  Plan plan = Next(world);
  ASSERT_TRUE(plan.verification);
  EXPECT_EQ(plan.verification->image, Image('b'));
  EXPECT_EQ(Ready(plan).reason, "Delivering");
  EXPECT_EQ(plan.status.history.at(0).outcome, "");
  World refused = world;
  plan = Ends(refused, kUnsigned);
  EXPECT_EQ(plan.status.history.at(0).outcome, "");
  EXPECT_EQ(Ready(plan).reason, "Delivering");
  plan = Ends(world, kPasses);
  EXPECT_EQ(plan.status.history.at(0).outcome, "Superseded");
}

TEST(VerificationBeside, ARollbackIsAskedForWhatItsDeliveryWasNot) {
  for (const bool verified : {false, true}) {
    World world;
    world.Demand("release");
    Delivery& old = world.Was('1', "Promoted", hours(5));
    if (verified) {
      old.verified_by =
          resources::VerifiedBy{"release", {}, {}, supply::KeyOf(**DemandsOf(world.Sees())), world.now};
    }
    world.Was('a', "Promoted", hours(1));
    world.Run('a');
    world.Decided(Verb::kRollback, '1');
    Plan plan = Next(world);
    EXPECT_TRUE(plan.status.rollback);
    EXPECT_EQ(plan.start.has_value(), verified);
    EXPECT_EQ(plan.verification.has_value(), !verified);
    if (verified) {
      EXPECT_TRUE(plan.status.history.at(0).verified_by);
    } else {
      EXPECT_TRUE(Ends(world, kPasses).start);
    }
  }
}

// That it runs says nothing of its signature: what is demanded may be new.
TEST(VerificationBeside, OtherConfigMapsOfWhatIsDeliveredAreNoWayAroundIt) {
  World world;
  world.Configure("web-config-slipway-11111111", "web-config-slipway-11111111");
  world.Run('a');
  world.deployment->config_refs = {"web-config-slipway-11111111"};
  world.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-11111111"}};
  world.release.status.image = Image('a');
  world.config_maps = {{"web-config", "web-config-slipway-22222222"}};
  world.Demand("release");
  const Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_TRUE(plan.verification);
}

}  // namespace
}  // namespace slipway::release
