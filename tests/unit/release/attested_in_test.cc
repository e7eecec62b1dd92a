// What a Release demands of the attestations of another environment's delivery, and that it waits for those
// that are about to be made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/attest.h"
#include "release/verification.h"
#include "unit/release/decides.h"

namespace slipway::release {
namespace {

using resources::Predicate;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

// `team/web` follows `staging/web`, and demands what staging attests.
World Demanding() {
  World world;
  world.Follow('a', std::chrono::hours(1));
  world.Demand("release", {Predicate::kProvenance, Predicate::kSmokeTests, Predicate::kCanary});
  world.release.spec.gates.attested_in = {"staging"};
  return world;
}

// staging has delivered it, and attests it.
void Attests(World& world) {
  world.source->spec.attest = resources::DeliveryAttest{"release", ""};
  auto& delivery = world.source->status.history[0];
  delivery.outcome = "Promoted";
  delivery.promotion_uid = kube::Uid{"promotion"};
  delivery.finished = world.now;
}

TEST(AttestedIn, TheEnvironmentIsAskedForAndRecorded) {
  World world = Demanding();
  const auto demands = DemandsOf(world.Sees());
  ASSERT_TRUE(demands && *demands);
  EXPECT_EQ((*demands)->predicates, std::vector{Predicate::kProvenance});
  EXPECT_EQ(supply::NamesOf((*demands)->attested), (Strings{"SmokeTests in staging", "Canary in staging"}));
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.verification);
  EXPECT_EQ(plan.verification->demands.attested, (*demands)->attested);
  const auto& record = *world.release.status.verification;
  EXPECT_EQ(record.attested, (Strings{"SmokeTests in staging", "Canary in staging"}));
  EXPECT_THAT(Ready(plan).message, HasSubstr("Provenance, SmokeTests in staging, Canary in staging"));
  world.verification = supply::VerifyOutcome{supply::VerifyOutcome::State::kPassed, {}, {}, {}};
  const Plan begun = Next(world);
  ASSERT_TRUE(begun.start);
  EXPECT_EQ(begun.status.history[0].verified_by->attested, record.attested);
}

TEST(AttestedIn, ThePolicysAreDemandedBesideTheSpecs) {
  World world = Demanding();
  auto& minimum = world.policy->minimum;
  minimum.delivery_signer = "release";
  minimum.delivery_attestations = {Predicate::kApprovals, Predicate::kCanary};
  minimum.delivery_attested_in = {"qa", "staging"};
  auto demands = DemandsOf(world.Sees());
  ASSERT_TRUE(demands && *demands);
  EXPECT_EQ(supply::NamesOf((*demands)->attested),
            (Strings{"SmokeTests in staging", "Canary in staging", "Canary in qa", "Approvals in qa",
                     "Approvals in staging"}));
  world.release.spec.gates = {};
  demands = DemandsOf(world.Sees());
  ASSERT_TRUE(demands && *demands);
  EXPECT_EQ((*demands)->attested.size(), 4U) << "unasked";
}

TEST(AttestedIn, WhoseIsToBeSaidWhereOnlyThePolicyDemandsIt) {
  World world;
  world.policy->minimum.delivery_attestations = {Predicate::kCanary};
  world.policy->minimum.delivery_attested_in = {"staging"};
  const auto demands = DemandsOf(world.Sees());
  ASSERT_FALSE(demands);
  EXPECT_EQ(demands.error().reason, "GateLoosened");
}

TEST(AttestedIn, WhatIsAboutToBeAttestedIsWaitedFor) {
  World world = Demanding();
  Attests(world);
  Plan plan = Next(world);
  EXPECT_FALSE(plan.verification);
  EXPECT_EQ(Ready(plan).reason, "AttestationPending");
  EXPECT_THAT(Ready(plan).message, HasSubstr("staging/web"));
  EXPECT_LE(plan.recheck_after, kOpenRecheck);
  auto& record = world.source->status.attestation.emplace();
  record.delivery = world.source->status.history[0].number;
  record.digest = Digest('a');
  record.environment = "staging";
  record.signer = "release";
  record.state = "Running";
  EXPECT_EQ(Ready(world.Decide()).reason, "AttestationPending");
  for (const char* state : {"Attested", "Failed"}) {
    record.state = state;
    EXPECT_TRUE(world.Decide().verification) << state;
  }
  record.state = "Running";
  record.reason = "RegistryUnavailable";
  EXPECT_TRUE(world.Decide().verification) << "another attempt may take long";
}

TEST(AttestedIn, NothingIsWaitedForThatDoesNotCome) {
  using Arrange = std::function<void(World&)>;
  const std::vector<std::pair<const char*, Arrange>> rows{
      {"it attests nothing", [](World& w) { w.source->spec.attest.reset(); }},
      {"another environment", [](World& w) { w.source->spec.attest->environment = "qa"; }},
      {"another image", [](World& w) { w.source->status.history[0].image = Image('c'); }},
      {"it was found there", [](World& w) { w.source->status.history[0].outcome = "AlreadyRunning"; }},
      {"the policy forbids it",
       [](World& w) {
         w.source->status.conditions.push_back(
             {std::string(kAttested), resources::ConditionStatus::kFalse, "SignerNotAllowed", "", {}, 1});
       }},
      {"nothing of it is demanded",
       [](World& w) {
         w.release.spec.gates.attestations = {Predicate::kProvenance};
         w.release.spec.gates.attested_in.clear();
       }},
  };
  for (const auto& [what, arrange] : rows) {
    World world = Demanding();
    Attests(world);
    arrange(world);
    EXPECT_TRUE(world.Decide().verification) << what;
  }
}

}  // namespace
}  // namespace slipway::release
