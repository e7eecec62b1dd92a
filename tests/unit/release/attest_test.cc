// What became of a delivery is attested: which, when, how often, and what is said of it. Nothing of the
// delivery is changed by it.
#include "release/attest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::Condition;
using resources::ConditionStatus;
using resources::Predicate;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using State = supply::AttestOutcome::State;

const supply::AttestOutcome kSucceeds{State::kAttested, {}, {}};
const supply::AttestOutcome kDown{State::kFailed, "RegistryUnavailable", "attest-canary: dial tcp"};

// Image('a') is delivered and runs, by a canary with a smoke test that passed and an approval; attested as
// `staging` by `release`.
World Delivered(const std::string& outcome = "Promoted") {
  World world;
  world.release.spec.attest = resources::DeliveryAttest{"release", "staging"};
  world.policy->signers = {"release", "cloud"};
  world.policy->environments = {"staging", "qa"};
  world.Run('a');
  auto& delivery = world.Ended(outcome);
  delivery.checks.resize(1);
  delivery.checks[0].verdict = resources::Verdict::kPassed;
  delivery.decisions = {{"by-ann", {"uid-ann"}, resources::Verb::kApprove, "ann", "", kNow, ""}};
  if (outcome == "Promoted") {
    world.release.status.image = delivery.image;
    world.release.status.commit = delivery.commit;
    world.release.status.verified = delivery.finished;
  }
  return world;
}

const resources::AttestationRecord& Record(const World& world) { return *world.release.status.attestation; }

Condition Attested(const World& world) {
  const auto* condition = resources::Find(world.release.status.conditions, kAttested);
  return condition == nullptr ? Condition{} : *condition;
}

Plan Ends(World& world, const supply::AttestOutcome& outcome) {
  world.attestation = outcome;
  Plan plan = Next(world);
  world.attestation.reset();
  return plan;
}

// Goes on in time until a Job is made, an hour at most; what was waited for.
std::optional<Duration> Wait(World& world) {
  const TimePoint before = world.now;
  while (world.now - before <= hours(1)) {
    const Plan plan = Next(world);
    if (plan.attestation) return world.now - before;
    world.now += plan.recheck_after.value_or(hours(2));
  }
  return std::nullopt;
}

std::vector<std::string> Told(const Plan& plan) {
  static const std::set<std::string> kReasons{
      "Attested",         "AttestFailed",          "RegistryUnavailable",
      "SignerNotAllowed", "EnvironmentNotAllowed", "SignerNotFound"};
  std::vector<std::string> told;
  for (const auto& notice : plan.notices) {
    if (kReasons.contains(notice.reason)) told.push_back(notice.reason);
  }
  return told;
}

TEST(Attest, IsOfNobodyWhoDoesNotAsk) {
  World world = Delivered();
  world.release.spec.attest.reset();
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.attestation);
  EXPECT_FALSE(world.release.status.attestation);
  EXPECT_EQ(Attested(world).type, "");
}

TEST(Attest, OneJobSaysWhatBecameOfTheDelivery) {
  World world = Delivered();
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.attestation);
  EXPECT_EQ(plan.attestation->delivery, world.release.status.history[0]);
  EXPECT_EQ(plan.attestation->environment, "staging");
  EXPECT_EQ(plan.attestation->signer, "release");
  EXPECT_EQ(Record(world).delivery, 1);
  EXPECT_EQ(Record(world).digest, Digest('a'));
  EXPECT_EQ(Record(world).job, plan.attestation->name);
  EXPECT_EQ(Record(world).state, "Running");
  EXPECT_EQ(Record(world).predicates,
            (std::vector{Predicate::kSmokeTests, Predicate::kCanary, Predicate::kApprovals}));
  EXPECT_EQ(Attested(world).reason, "Attesting");
  EXPECT_EQ(Attested(world).status, ConditionStatus::kUnknown);
  world.attestation = supply::AttestOutcome{};
  EXPECT_FALSE(Next(world).attestation) << "it is under way";
  const Plan ended = Ends(world, kSucceeds);
  EXPECT_FALSE(ended.attestation);
  EXPECT_EQ(Told(ended), std::vector<std::string>{"Attested"});
  EXPECT_EQ(Record(world).state, "Attested");
  EXPECT_EQ(Attested(world).status, ConditionStatus::kTrue);
  EXPECT_THAT(Attested(world).message,
              HasSubstr("SmokeTests, Canary, Approvals of delivery 1, as staging, by signer \"release\""));
  EXPECT_EQ(Ready(ended).reason, "Delivered");
  const auto before = world.release.status;
  const Plan rest = Next(world);
  EXPECT_EQ(rest.status, before) << "it comes to rest";
  EXPECT_TRUE(Told(rest).empty());
}

TEST(Attest, WithoutAnEnvironmentItIsTheNamespace) {
  World world = Delivered();
  world.release.spec.attest->environment.clear();
  EXPECT_EQ(world.Decide().attestation->environment, "team");
}

// The end of the delivery is written first: whatever is lost then, the same Job is made of the same record.
TEST(Attest, WaitsUntilTheEndIsInTheStatus) {
  World world = Delivered();
  world.release.status.history.clear();
  world.Run('0');
  CanaryPromotion& promotion = world.UnderWay(CanaryPhase::kFinishing);
  End(promotion, Completion::kPromoted, "", "");
  world.Run('a');
  const Plan ended = Next(world);
  ASSERT_EQ(ended.status.history[0].outcome, "Promoted");
  EXPECT_FALSE(ended.attestation);
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.attestation);
  EXPECT_EQ(world.Decide().attestation->name, plan.attestation->name) << "decided again, after a crash";
}

TEST(Attest, IsOfTheNewestThatWasJudged) {
  struct Row {
    const char* outcome;
    int expected;  // 0: nothing
  };
  for (const Row& row : {Row{"Promoted", 2}, Row{"Aborted", 2}, Row{"RolledBack", 2}, Row{"Superseded", 1},
                         Row{"AlreadyRunning", 1}}) {
    World world = Delivered();
    world.Was('b', row.outcome, minutes(1));
    const Plan plan = world.Decide();
    ASSERT_TRUE(plan.attestation) << row.outcome;
    EXPECT_EQ(plan.attestation->delivery.number, row.expected) << row.outcome;
  }
  World none = Delivered("AlreadyRunning");
  EXPECT_FALSE(Next(none).attestation);
  EXPECT_EQ(Attested(none).reason, "NothingDelivered");
  World old = Delivered();
  for (int i = 0; i < 5; ++i) old.Was('b', "Superseded", minutes(1));
  EXPECT_FALSE(old.Decide().attestation) << "its details are gone";
}

TEST(Attest, ANextDeliveryIsAttestedAnewAndOnlyOnce) {
  World world = Delivered();
  const Plan first = Next(world);
  world.Was('b', "Aborted", minutes(1));
  world.attestation = supply::AttestOutcome{};
  EXPECT_FALSE(Next(world).attestation) << "one at a time";
  EXPECT_EQ(Record(world).delivery, 1);
  world.now += seconds(20);
  const Plan second = Ends(world, kDown);
  ASSERT_TRUE(second.attestation) << "the older one is tried no more";
  EXPECT_NE(second.attestation->name, first.attestation->name);
  EXPECT_EQ(Record(world).delivery, 2);
  EXPECT_EQ(Record(world).runs, 1);
  EXPECT_EQ(Record(world).predicates, std::vector{Predicate::kCanary});
  Ends(world, kSucceeds);
  EXPECT_FALSE(Wait(world));
}

TEST(Attest, AnotherEnvironmentOrSignerIsSaidToo) {
  World world = Delivered();
  const Plan first = Next(world);
  Ends(world, kSucceeds);
  world.release.spec.attest->environment = "qa";
  const Plan soon = Next(world);
  EXPECT_FALSE(soon.attestation) << "no edit makes a pod at once";
  EXPECT_LE(soon.recheck_after, seconds(10));
  world.now += seconds(10);
  const Plan second = Next(world);
  ASSERT_TRUE(second.attestation);
  EXPECT_EQ(second.attestation->environment, "qa");
  EXPECT_NE(second.attestation->name, first.attestation->name);
  Ends(world, kSucceeds);
  world.release.spec.attest->signer = "cloud";
  world.now += seconds(10);
  EXPECT_TRUE(Next(world).attestation);
}

TEST(Attest, WhatFailsIsTriedAgainSoOftenAndNoMore) {
  World world = Delivered();
  std::set<std::string> names{Next(world).attestation->name};
  Duration expected = seconds(30);
  for (int run = 1; run < kMostAttestRuns; ++run) {
    const Plan failed = Ends(world, kDown);
    EXPECT_EQ(Told(failed).size(), run == 1 ? 1U : 0U) << "told once";
    EXPECT_EQ(Attested(world).status, ConditionStatus::kFalse);
    EXPECT_EQ(Attested(world).reason, "RegistryUnavailable");
    EXPECT_THAT(Attested(world).message, HasSubstr("attest-canary: dial tcp; it is tried again at"));
    EXPECT_EQ(Ready(failed).reason, "Delivered") << "nothing of the delivery changes";
    const auto wait = Wait(world);
    ASSERT_TRUE(wait) << run;
    EXPECT_GE(*wait, expected / 2 - seconds(1)) << run;
    EXPECT_LE(*wait, expected + seconds(2)) << run;
    expected = std::min<Duration>(expected * 2, minutes(30));
    EXPECT_TRUE(names.insert(Record(world).job).second) << "a Job that failed is not met again";
    EXPECT_EQ(Attested(world).reason, "RegistryUnavailable") << "until it is known better";
  }
  Ends(world, kDown);
  EXPECT_FALSE(Wait(world));
  EXPECT_EQ(Record(world).runs, kMostAttestRuns);
  EXPECT_THAT(Attested(world).message, HasSubstr("it was tried 8 times, and is not again"));
  world.Was('b', "Promoted", minutes(1));
  EXPECT_TRUE(Next(world).attestation) << "the next delivery begins anew";
  EXPECT_EQ(Record(world).runs, 1);
}

TEST(Attest, ASecondAttemptThatSucceedsIsTold) {
  World world = Delivered();
  Next(world);
  Ends(world, kDown);
  ASSERT_TRUE(Wait(world));
  EXPECT_EQ(Told(Ends(world, kSucceeds)), std::vector<std::string>{"Attested"});
  EXPECT_EQ(Attested(world).status, ConditionStatus::kTrue);
  EXPECT_EQ(Record(world).reason, "");
}

TEST(Attest, NotBesideAnotherJobAboutTheSameDigest) {
  World world = Delivered();
  world.other_attestation = "app-attest-1";
  const Plan waits = Next(world);
  EXPECT_FALSE(waits.attestation);
  EXPECT_EQ(waits.recheck_after, kSoon);
  EXPECT_THAT(Attested(world).message, HasSubstr("app-attest-1"));
  world.other_attestation.clear();
  EXPECT_TRUE(Next(world).attestation);
}

TEST(Attest, WaitsForRoom) {
  World world = Delivered();
  world.looks.of_namespace = 10;
  const Plan waits = Next(world);
  EXPECT_FALSE(waits.attestation);
  EXPECT_LE(waits.recheck_after, seconds(10));
  EXPECT_EQ(Attested(world).reason, "Attesting");
  world.looks.of_namespace = 9;
  EXPECT_TRUE(Next(world).attestation);
}

// Of the time between the delivery and its attestation: before it, nothing is delivered.
TEST(Attest, WhatThePolicyForbidsByNowIsNotSigned) {
  struct Row {
    const char* reason;
    std::function<void(World&)> arrange;
  };
  const std::vector<Row> rows{
      {"SignerNotAllowed", [](World& w) { w.policy->signers = {"cloud"}; }},
      {"EnvironmentNotAllowed", [](World& w) { w.policy->environments = {"qa"}; }},
      {"SignerNotFound", [](World& w) { w.platform.signers.erase("release"); }},
      {"PolicyMissing", [](World& w) { w.policy.reset(); }},
  };
  for (const Row& row : rows) {
    World world = Delivered();
    row.arrange(world);
    const Plan plan = Next(world);
    EXPECT_FALSE(plan.attestation) << row.reason;
    EXPECT_EQ(Attested(world).status, ConditionStatus::kFalse);
    EXPECT_EQ(Attested(world).reason, row.reason);
  }
}

TEST(Attest, WithoutTheRightToSignNothingIsDelivered) {
  World world;
  world.release.spec.attest = resources::DeliveryAttest{"release", "production"};
  world.policy->signers = {"release"};
  Plan plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "EnvironmentNotAllowed");
  EXPECT_THAT(Ready(plan).message, HasSubstr("spec.attest.environment"));
  world.policy->environments = {"production"};
  EXPECT_TRUE(world.Decide().start);
  world.release.spec.attest.reset();
  world.policy->minimum.delivery_attest = true;
  plan = world.Decide();
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "GateLoosened");
}

TEST(Attest, SuspendedItIsAttestedAllTheSame) {
  World world = Delivered();
  world.release.spec.suspend = true;
  EXPECT_TRUE(world.Decide().attestation);
}

}  // namespace
}  // namespace slipway::release
