// Which vulnerabilities an image may have before anything is changed for it: what is demanded, the scan from
// its Job to its outcome, when it is made again, and that everything else goes on meanwhile.
#include "release/scan_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "release/turn.h"
#include "unit/release/decides.h"
#include "unit/release/scans.h"

namespace slipway::release {
namespace {

using resources::Severity;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

World Asking() {
  World world;
  world.release.spec.gates.scan.emplace();
  return world;
}

// A scan of what is wanted is under way.
World Scanning() {
  World world = Asking();
  Next(world);
  return world;
}

// Its outcome, written.
Plan Ends(World& world, const supply::ScanOutcome& outcome) {
  world.scan = outcome;
  Plan plan = Next(world);
  world.scan.reset();
  return plan;
}

const resources::ScanRecord& Record(const World& world) { return *world.release.status.scan; }

// ---- what is demanded ----

TEST(ScanGate, IsAskedForBeforeAnythingIsChanged) {
  World world = Asking();
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.scan);
  EXPECT_EQ(plan.scan->image, Image('a'));
  EXPECT_EQ(plan.scan->rules.fail_on, Severity::kHigh);
  EXPECT_TRUE(plan.scan->rules.ignore_unfixed);
  EXPECT_FALSE(plan.start);
  EXPECT_FALSE(plan.rescan);
  EXPECT_TRUE(plan.status.history.empty());
  EXPECT_EQ(Ready(plan).reason, "ScanRunning");
  ExpectReadiness(plan.status.conditions, kWaits);
  EXPECT_THAT(Ready(plan).message, HasSubstr("a Job is to look for vulnerabilities in"));
  EXPECT_EQ(plan.recheck_after, seconds(2));
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_FALSE(plan.notices[0].warning);
  EXPECT_EQ(Record(world).job, plan.scan->name);
  EXPECT_EQ(Record(world).image, Image('a'));
  EXPECT_EQ(Record(world).runs, 1);
  EXPECT_EQ(Record(world).outcome, "");
  EXPECT_EQ(Record(world).started, world.now);
}

TEST(ScanGate, IsNotAskedForUnlessSpecOrPolicySaySo) {
  World world;
  EXPECT_FALSE(world.Decide().scan);
  EXPECT_TRUE(world.Decide().start);
  world.policy->minimum.delivery_scan = resources::DeliveryScan{Severity::kMedium, hours(2)};
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.scan);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(plan.scan->rules.fail_on, Severity::kMedium) << "the policy's, where the spec says nothing";
}

TEST(ScanGate, ComesAfterApprovalsAndSignature) {
  World world = Asking();
  world.Demand("release");
  world.release.spec.gates.approvals = 1;
  EXPECT_EQ(Ready(Next(world)).reason, "AwaitingApproval");
  world.Decided(Verb::kApprove, 'a');
  Plan plan = Next(world);
  EXPECT_EQ(Ready(plan).reason, "VerificationRunning");
  EXPECT_FALSE(plan.scan);
  world.verification = supply::VerifyOutcome{supply::VerifyOutcome::State::kPassed, {}, {}, {}};
  plan = Next(world);
  EXPECT_TRUE(plan.scan);
  EXPECT_EQ(Ready(plan).reason, "ScanRunning");
}

struct Looser {
  const char* field;
  const char* term;
  std::function<void(World&)> loosen;
};

TEST(ScanGate, WhatTheSpecLoosensIsNamedWithThePolicysField) {
  const std::vector<Looser> rows{
      {"spec.gates.scan.failOn is Critical", "delivery.scan.failOn",
       [](World& w) { w.release.spec.gates.scan->fail_on = Severity::kCritical; }},
      {"spec.gates.scan.maxAge is 24h", "delivery.scan.maxAge",
       [](World& w) { w.policy->minimum.delivery_scan->max_age = hours(2); }},
      {"spec.gates.scan.ignoreUnfixed is true", "scan.countUnfixed",
       [](World& w) { w.policy->minimum.count_unfixed = true; }},
      {"spec.gates.scan.exceptions[0].expires is 2099-01-01", "scan.longestException",
       [](World& w) {
         w.policy->minimum.longest_exception = hours(24);
         w.release.spec.gates.scan->exceptions = {{"CVE-1", "", "2099-01-01", "why"}};
       }},
  };
  for (const auto& row : rows) {
    World world = Asking();
    world.policy->minimum.delivery_scan.emplace();
    row.loosen(world);
    const Plan plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, "GateLoosened") << row.field;
    EXPECT_THAT(Ready(plan).message,
                AllOf(HasSubstr(row.field), HasSubstr(std::string("namespaces.team.minimum.") + row.term)));
    EXPECT_FALSE(plan.scan) << row.field;
    EXPECT_FALSE(plan.start) << row.field;
  }
}

TEST(ScanGate, AStricterSpecCountsBesideThePolicy) {
  World world = Asking();
  world.policy->minimum.delivery_scan = resources::DeliveryScan{Severity::kCritical, hours(48)};
  world.release.spec.gates.scan->fail_on = Severity::kLow;
  world.release.spec.gates.scan->ignore_unfixed = false;
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.scan);
  EXPECT_EQ(plan.scan->rules.fail_on, Severity::kLow);
  EXPECT_FALSE(plan.scan->rules.ignore_unfixed);
}

// ---- what is found ----

TEST(ScanGate, IsWaitedForWithoutASecondJob) {
  World world = Scanning();
  world.scan = supply::ScanOutcome{ScanState::kRunning, {}, "pod x can't start: ImagePullBackOff", {}};
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.scan);
  EXPECT_FALSE(plan.start);
  EXPECT_EQ(Ready(plan).reason, "ScanRunning");
  EXPECT_THAT(Ready(plan).message, AllOf(HasSubstr(Record(world).job), HasSubstr("ImagePullBackOff")));
  EXPECT_TRUE(plan.recheck_after);
}

TEST(ScanGate, ThatIsCleanOpens) {
  World world = Scanning();
  const Plan plan = Ends(world, Clean());
  EXPECT_TRUE(plan.start);
  EXPECT_EQ(Record(world).outcome, "Clean");
  EXPECT_EQ(Record(world).at, world.now);
  EXPECT_EQ(Record(world).message, "");
  EXPECT_EQ(Record(world).findings->database, kNow - hours(7));
}

// A Job of an earlier time that is taken for ours once more tells of then.
TEST(ScanGate, AScanIsAsOldAsItsJob) {
  World world = Scanning();
  auto outcome = Clean();
  outcome.finished = world.now - minutes(50);
  Ends(world, outcome);
  EXPECT_EQ(Record(world).at, world.now - minutes(50));
  EXPECT_EQ(Record(world).finished, world.now);
}

struct Outcome {
  const char* what;
  supply::ScanOutcome outcome;
  const char* recorded;
  const char* reason;
  resources::Readiness readiness;
  std::vector<const char*> says;
};

supply::ScanOutcome OverDue() {
  auto outcome = Found();
  outcome.findings->expired = {{"CVE-2024-1", kNow}};
  return outcome;
}

TEST(ScanGate, WhateverElseIsFoundHolds) {
  const std::vector<Outcome> rows{
      {"a finding",
       Found(2),
       "Found",
       "VulnerabilitiesFound",
       kFailed,
       {"is not delivered, and nothing was changed", "2 fixable vulnerabilities of severity High or worse",
        "CVE-2024-1 zlib 1.0 -> 1.1", "spec.gates.scan.exceptions", "slipway.dev/retry", "a database of"}},
      {"an exception that is over",
       OverDue(),
       "Found",
       "ExceptionExpired",
       kFailed,
       {"spec.gates.scan.exceptions: that of CVE-2024-1 expired on"}},
      {"an old database", Stale(), "Stale", "DatabaseTooOld", kWaits, {"older than the platform's policy"}},
      {"nothing known",
       Broken(),
       "Failed",
       "ScanFailed",
       kWaits,
       {"is not known", "connection refused", "supplyChain.registrySecret"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    World world = Scanning();
    const Plan plan = Ends(world, row.outcome);
    EXPECT_FALSE(plan.start);
    EXPECT_FALSE(plan.scan);
    EXPECT_TRUE(plan.status.history.empty());
    EXPECT_EQ(plan.status.phase, kBlocked);
    EXPECT_EQ(Ready(plan).reason, row.reason);
    ExpectReadiness(plan.status.conditions, row.readiness);
    for (const char* words : row.says) EXPECT_THAT(Ready(plan).message, HasSubstr(words));
    EXPECT_LT(Ready(plan).message.size(), 1000U) << "it would be cut";
    EXPECT_EQ(Record(world).outcome, row.recorded);
    EXPECT_TRUE(plan.notices.back().warning);
    EXPECT_TRUE(plan.recheck_after);
  }
}

// ---- again ----

// How long after its end the scan is repeated; the record's word stays meanwhile.
Duration WaitAfter(World& world) {
  const TimePoint ended = *Record(world).finished;
  const std::string reason = Ready(world.Decide()).reason;
  for (int i = 0; i < 10'000 && !world.Decide().scan; ++i) {
    const auto plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, reason);
    world.now += std::max<Duration>(plan.recheck_after.value_or(hours(2)), seconds(1));
  }
  return world.now - ended;
}

TEST(ScanAgain, AfterAFailureIsWithBackOffUpToACap) {
  for (const auto& [outcome, base, cap] :
       {std::tuple<supply::ScanOutcome, Duration, Duration>{Broken(), seconds(20), minutes(10)},
        {Stale(), minutes(2), hours(1)}}) {
    World world = Scanning();
    std::string before;
    Duration expected = base;
    for (int run = 1; run <= 20; ++run) {
      EXPECT_EQ(Record(world).runs, run);
      EXPECT_NE(Record(world).job, before);
      before = Record(world).job;
      Ends(world, outcome);
      EXPECT_EQ(Record(world).failures, run);
      const Duration wait = WaitAfter(world);
      EXPECT_GE(wait, std::min(expected, cap) / 2) << run;
      EXPECT_LE(wait, std::min(expected, cap) + seconds(2)) << run;
      expected = std::min(expected * 2, cap);
      ASSERT_TRUE(Next(world).scan);
    }
  }
}

TEST(ScanAgain, OfWhatWasFoundIsAfterTheAgeThatTheSpecNames) {
  World world = Scanning();
  world.release.spec.gates.scan->max_age = hours(3);
  Ends(world, Found());
  const Duration wait = WaitAfter(world);
  EXPECT_GE(wait, hours(3));
  EXPECT_LE(wait, hours(3) + seconds(2));
  ASSERT_TRUE(Next(world).scan);
  EXPECT_TRUE(Ends(world, Clean()).start) << "the database was wrong";
}

TEST(ScanAgain, KeepsTheFirstScansWordUntilItEnds) {
  World world = Scanning();
  Ends(world, Found());
  world.now += hours(25);
  Plan plan = Next(world);
  ASSERT_TRUE(plan.scan);
  EXPECT_EQ(Ready(plan).reason, "VulnerabilitiesFound");
  world.scan = supply::ScanOutcome{};
  plan = Next(world);
  EXPECT_EQ(Ready(plan).reason, "VulnerabilitiesFound");
  EXPECT_THAT(plan.notices, IsEmpty());
}

TEST(ScanAgain, IsAtOnceWhenAPersonOrThePolicyAsksAnew) {
  const std::vector<std::function<void(World&)>> changes{
      [](World& w) { w.release.meta.annotations[std::string(kRetryAnnotation)] = "2"; },
      [](World& w) { w.release.spec.gates.scan->exceptions = {{"CVE-2024-1", "", "2099-01-01", "why"}}; },
      [](World& w) { w.release.spec.gates.scan->fail_on = Severity::kCritical; },
      [](World& w) {
        w.policy->minimum.delivery_scan = resources::DeliveryScan{Severity::kHigh, hours(24)};
        w.release.spec.gates.scan->fail_on = Severity::kLow;
      },
      [](World& w) { w.Build('b', "2222222222222222222222222222222222222222", 8); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    World world = Scanning();
    const std::string before = Record(world).job;
    Ends(world, Found());
    EXPECT_FALSE(Next(world).scan) << i;
    changes[i](world);
    world.now += kLeastApart;
    const Plan plan = Next(world);
    ASSERT_TRUE(plan.scan) << i;
    EXPECT_NE(plan.scan->name, before) << i;
    EXPECT_EQ(Ready(plan).reason, "ScanRunning") << i;
  }
}

TEST(ScanAgain, OfWhatIsCleanIsOnlyWhenThatIsTooOld) {
  World world = Scanning();
  Ends(world, Clean());
  world.release.status.history.clear();
  world.release.meta.annotations[std::string(kRetryAnnotation)] = "2";
  world.now += hours(24);
  EXPECT_TRUE(world.Decide().start);
  world.now += seconds(1);
  EXPECT_FALSE(world.Decide().start);
  ASSERT_TRUE(world.Decide().scan);
}

TEST(ScanAgain, IsWhereAnExceptionIsOverSinceThen) {
  World world = Asking();
  world.release.spec.gates.scan->exceptions = {
      {"CVE-2024-1", "", FormatTime(world.now + hours(48)).substr(0, 10), "why"}};
  world.release.spec.gates.scan->max_age = hours(24 * 60);
  Next(world);
  Ends(world, Clean());
  world.release.status.history.clear();
  EXPECT_TRUE(world.Decide().start);
  world.now += hours(48);
  EXPECT_FALSE(world.Decide().start) << "what it bore counts now";
  EXPECT_TRUE(world.Decide().scan);
}

TEST(ScanAgain, IsAtOnceWhereNoJobIsRecorded) {
  World world = Scanning();
  world.release.status.scan->job_uid.reset();
  world.now += kLeastApart;
  EXPECT_TRUE(world.Decide().scan);
}

// ---- what goes on meanwhile ----

TEST(ScanBeside, ADeliveryThatIsUnderWayGoesOnUntilTheNewImageIsClean) {
  World world;
  world.UnderWay();
  world.Build('b', "2222222222222222222222222222222222222222", 8);
  world.release.spec.gates.scan.emplace();
  Plan plan = Next(world);
  ASSERT_TRUE(plan.scan);
  EXPECT_EQ(plan.scan->image, Image('b'));
  EXPECT_EQ(Ready(plan).reason, "Delivering");
  World refused = world;
  plan = Ends(refused, Found());
  EXPECT_EQ(plan.status.history.at(0).outcome, "");
  EXPECT_EQ(Ready(plan).reason, "Delivering");
  plan = Ends(world, Clean());
  EXPECT_EQ(plan.status.history.at(0).outcome, "Superseded");
}

TEST(ScanBeside, ARollbackPasses) {
  World world = Asking();
  world.Was('1', "Promoted", hours(5));
  world.Was('a', "Promoted", hours(1));
  world.Run('a');
  world.Decided(Verb::kRollback, '1');
  const Plan plan = Next(world);
  EXPECT_TRUE(plan.status.rollback);
  EXPECT_TRUE(plan.start);
  EXPECT_FALSE(plan.scan);
}

// In an outage nobody is sent to edit a spec first.
TEST(ScanBeside, ARollbackPassesUnderAPolicyThatAsksMoreThanTheSpec) {
  World world = Asking();
  world.Was('1', "Promoted", hours(5));
  world.Was('a', "Promoted", hours(1));
  world.Run('a');
  world.policy->minimum.delivery_scan = resources::DeliveryScan{Severity::kHigh, hours(1)};
  EXPECT_EQ(Ready(world.Decide()).reason, "GateLoosened");
  world.Decided(Verb::kRollback, '1');
  EXPECT_TRUE(Next(world).start);
}

TEST(ScanBeside, WhatIsDeliveredAlreadyIsNotAsked) {
  World world = Asking();
  world.Run('a');
  EXPECT_FALSE(world.Decide().scan) << "it runs without a delivery";
}

}  // namespace
}  // namespace slipway::release
