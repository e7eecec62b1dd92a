// What is delivered is scanned again: when, what is said of it and how often, and that nothing of the
// delivery is changed by it.
#include "release/rescan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "release/turn.h"
#include "unit/release/decides.h"
#include "unit/release/scans.h"

namespace slipway::release {
namespace {

using resources::Condition;
using resources::ConditionStatus;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// Image('a') is delivered, by run 7 of ImageBuild web.
World Delivered(Duration interval = hours(24)) {
  World world;
  world.platform.rescan_interval = interval;
  world.Run('a');
  auto& delivery = world.Ended("Promoted");
  delivery.image_build = "web";
  delivery.build_run = 7;
  world.release.status.image = Image('a');
  world.release.status.commit = delivery.commit;
  world.release.status.verified = kNow - hours(1);
  Next(world);
  return world;
}

// Another image is delivered by now.
void Moves(World& world, char image) {
  world.Build(image, "2222222222222222222222222222222222222222", 8);
  world.Run(image);
  const auto& delivery = world.Ended("Promoted");
  world.release.status.image = delivery.image;
  world.release.status.commit = delivery.commit;
}

const resources::ScanRecord& Record(const World& world) { return *world.release.status.rescan; }

// Goes on in time until a scan is begun; what was waited for.
Duration Wait(World& world) {
  const TimePoint before = world.now;
  for (int i = 0; i < 1000; ++i) {
    const Plan plan = Next(world);
    if (plan.rescan) return world.now - before;
    world.now += plan.recheck_after.value_or(hours(1000));
  }
  ADD_FAILURE() << "it is never scanned again";
  return Duration(0);
}

Plan Ends(World& world, const supply::ScanOutcome& outcome) {
  world.rescan = outcome;
  Plan plan = Next(world);
  world.rescan.reset();
  return plan;
}

// Scanned once, with that outcome.
World Scanned(const supply::ScanOutcome& outcome, Duration interval = hours(24)) {
  World world = Delivered(interval);
  Wait(world);
  Ends(world, outcome);
  return world;
}

Condition Vulnerable(const World& world) {
  const auto* condition = resources::Find(world.release.status.conditions, kVulnerable);
  return condition == nullptr ? Condition{} : *condition;
}

std::vector<Notice> Told(const Plan& plan) {
  std::vector<Notice> told;
  for (const auto& notice : plan.notices) {
    if (notice.reason == "VulnerabilitiesFound" || notice.reason == "NoneFound") told.push_back(notice);
  }
  return told;
}

// ---- when ----

TEST(Rescan, IsOfNobodyUnlessThePolicySaysHowOften) {
  World world = Delivered(Duration(0));
  EXPECT_FALSE(world.release.status.rescan);
  EXPECT_EQ(Vulnerable(world).type, "");
  world.platform.rescan_interval = hours(24);
  world.release.status.image.clear();
  EXPECT_FALSE(world.Decide().status.rescan) << "nothing is delivered";
  World elsewhere = Delivered();
  elsewhere.policy.reset();
  EXPECT_EQ(elsewhere.Decide().status.rescan, elsewhere.release.status.rescan) << "what is known stays";
}

TEST(Rescan, IsFirstWithinAPartOfTheIntervalAndThenAfterNoMoreThanIt) {
  World world = Delivered();
  EXPECT_EQ(Vulnerable(world).reason, "ScanPending");
  EXPECT_EQ(Vulnerable(world).status, ConditionStatus::kUnknown);
  EXPECT_LE(Wait(world), hours(1) + seconds(2));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Record(world).runs, i + 1);
    Ends(world, Clean());
    EXPECT_EQ(Record(world).at, std::chrono::floor<seconds>(world.now));
    ASSERT_TRUE(Record(world).next);
    const Duration wait = Wait(world);
    EXPECT_GE(wait, hours(21)) << i;
    EXPECT_LE(wait, hours(24) + seconds(2)) << i;
  }
}

TEST(Rescan, IsSpreadByTheReleasesUid) {
  std::set<TimePoint> first;
  std::set<TimePoint> again;
  for (int i = 0; i < 50; ++i) {
    World world = Delivered();
    world.release.status.rescan.reset();
    world.release.meta.uid = {"release-" + std::to_string(i)};
    Next(world);
    first.insert(*Record(world).next);
    Wait(world);
    Ends(world, Clean());
    again.insert(*Record(world).next);
  }
  EXPECT_GT(first.size(), 40U);
  EXPECT_GT(again.size(), 40U);
}

// What is written is what the next decision reads: the status comes to rest.
TEST(Rescan, ChangesNothingUntilItsTurnComes) {
  for (World world : {Delivered(), Scanned(Clean()), Scanned(Found()), Scanned(Broken())}) {
    world.now += std::chrono::milliseconds(300);
    Next(world);
    const auto before = world.release.status;
    world.now += std::chrono::milliseconds(700);
    EXPECT_EQ(Next(world).status, before);
  }
}

TEST(Rescan, AShorterIntervalCountsAtOnce) {
  World world = Scanned(Clean());
  world.platform.rescan_interval = minutes(10);
  EXPECT_LE(Wait(world), minutes(10) + seconds(2));
}

TEST(Rescan, BeginsWithWhatTheGateFoundOfIt) {
  World world = Delivered(Duration(0));
  resources::ScanRecord gate;
  gate.image = Image('a');
  gate.key = supply::KeyOf(supply::ScanRules{}) + ".mark";
  gate.runs = 2;
  gate.outcome = "Clean";
  gate.findings = Findings(0);
  gate.at = kNow - hours(2);
  world.release.status.scan = gate;
  world.platform.rescan_interval = hours(24);
  world.release.spec.gates.scan.emplace();
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.rescan);
  EXPECT_EQ(Record(world).key, supply::KeyOf(supply::ScanRules{}));
  EXPECT_EQ(Record(world).at, kNow - hours(2));
  EXPECT_EQ(Vulnerable(world).reason, "NoneFound");
  EXPECT_GE(Wait(world), hours(19));
  EXPECT_EQ(Record(world).runs, 3) << "another Job's name";
}

TEST(Rescan, WaitsWhileTheGateLooks) {
  World world = Scanned(Clean());
  world.release.spec.gates.scan.emplace();
  world.Build('b', "2222222222222222222222222222222222222222", 8);
  ASSERT_TRUE(Next(world).scan);
  world.now += hours(25);
  world.scan = supply::ScanOutcome{};
  EXPECT_FALSE(Next(world).rescan);
  world.scan = Found();
  EXPECT_TRUE(Next(world).rescan);
}

TEST(Rescan, IsAtOnceWhenSomethingElseCounts) {
  World world = Scanned(Found());
  EXPECT_FALSE(Next(world).rescan);
  world.release.spec.gates.scan.emplace();
  world.release.spec.gates.scan->exceptions = {{"CVE-2024-1", "", "2099-01-01", "why"}};
  world.now += kLeastApart;
  const Plan plan = Next(world);
  ASSERT_TRUE(plan.rescan);
  EXPECT_EQ(plan.rescan->rules.exceptions.size(), 1U);
  EXPECT_EQ(Vulnerable(world).status, ConditionStatus::kTrue) << "as long as nothing else is known";
  Ends(world, Clean());
  EXPECT_EQ(Vulnerable(world).status, ConditionStatus::kFalse);
}

TEST(Rescan, AfterAFailureIsWithBackOff) {
  World world = Delivered();
  Wait(world);
  Duration expected = minutes(1);
  for (int run = 1; run <= 12; ++run) {
    Ends(world, Broken());
    EXPECT_EQ(Record(world).failures, run);
    const Duration wait = Wait(world);
    EXPECT_GE(wait, expected / 2 - seconds(1)) << run;
    EXPECT_LE(wait, expected + seconds(2)) << run;
    expected = std::min<Duration>(expected * 2, hours(1));
  }
}

TEST(Rescan, OfAnImageThatIsNotDeliveredAnyMoreIsForgotten) {
  World world = Scanned(Found());
  Moves(world, 'b');
  Next(world);
  EXPECT_EQ(Record(world).image, Image('b'));
  EXPECT_FALSE(Record(world).findings);
  EXPECT_EQ(Vulnerable(world).reason, "ScanPending");
  world.platform.rescan_interval = Duration(0);
  Next(world);
  EXPECT_FALSE(world.release.status.rescan);
  EXPECT_EQ(Vulnerable(world).type, "") << "nobody would keep it up to date";
}

TEST(Rescan, OfTheSameBytesInAnotherRepositoryIsOfThatOne) {
  World world = Scanned(Found());
  const std::string moved = "registry.example.com/team/moved" + Image('a').substr(Image('a').find('@'));
  world.release.status.image = moved;
  Next(world);
  EXPECT_EQ(Record(world).image, moved);
  EXPECT_TRUE(Record(world).findings) << "what is known of the bytes stays";
  EXPECT_LE(Wait(world), hours(24) + seconds(2));
  EXPECT_EQ(Record(world).runs, 2);
  // While one looks, the record is of what that one looks at.
  world.rescan = supply::ScanOutcome{};
  world.release.status.image = Image('a');
  Next(world);
  EXPECT_EQ(Record(world).image, moved);
  Ends(world, Clean());
  Next(world);
  EXPECT_EQ(Record(world).image, Image('a'));
}

// ---- what is said ----

struct Saying {
  const char* what;
  std::vector<supply::ScanOutcome> outcomes;  // one after the other
  ConditionStatus status;
  const char* reason;
  std::vector<const char*> says;
};

TEST(Vulnerable, SaysWhatIsKnown) {
  const std::vector<Saying> rows{
      {"clean", {Clean()}, ConditionStatus::kFalse, "NoneFound", {"has no vulnerability that counts"}},
      {"found",
       {Found(2)},
       ConditionStatus::kTrue,
       "VulnerabilitiesFound",
       {"of commit 1111111111111111111111111111111111111111 (ImageBuild web, run 7)",
        "2 fixable vulnerabilities of severity High or worse: CVE-2024-1 zlib 1.0 -> 1.1", "2 high",
        "a database of", "Nothing was changed"}},
      {"found and gone", {Found(), Clean()}, ConditionStatus::kFalse, "NoneFound", {}},
      {"failed", {Broken()}, ConditionStatus::kUnknown, "ScanFailed", {"connection refused", "again"}},
      {"an old database", {Stale()}, ConditionStatus::kUnknown, "DatabaseTooOld", {"mirror"}},
      {"clean, then failed", {Clean(), Broken()}, ConditionStatus::kFalse, "NoneFound", {"told nothing"}},
      {"clean, then failed again and again",
       {Clean(), Broken(), Broken(), Broken()},
       ConditionStatus::kUnknown,
       "ScanFailed",
       {"none was found when it was scanned at"}},
      {"found, then failed again and again",
       {Found(), Broken(), Broken(), Broken(), Broken()},
       ConditionStatus::kTrue,
       "VulnerabilitiesFound",
       {"Since then 4 scans told nothing: the image can't be read"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    World world = Delivered();
    for (const auto& outcome : row.outcomes) {
      Wait(world);
      Ends(world, outcome);
    }
    const Condition condition = Vulnerable(world);
    EXPECT_EQ(condition.status, row.status);
    EXPECT_EQ(condition.reason, row.reason);
    for (const char* words : row.says) EXPECT_THAT(condition.message, HasSubstr(words));
    EXPECT_LE(condition.message.size(), 1024U);
    EXPECT_EQ(condition.observed_generation, world.release.meta.generation);
    EXPECT_EQ(Ready(world.Decide()).reason, "Delivered") << "nothing of the delivery changes";
    EXPECT_THAT(world.release.status.history.at(0).outcome, "Promoted");
  }
}

TEST(Vulnerable, IsToldByOneEventForEachNewSet) {
  World world = Delivered();
  const auto next = [&world](const supply::ScanOutcome& outcome) {
    Wait(world);
    return Told(Ends(world, outcome));
  };
  EXPECT_THAT(next(Clean()), IsEmpty()) << "nothing to tell";
  auto told = next(Found(2));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].warning);
  EXPECT_EQ(told[0].reason, "VulnerabilitiesFound");
  EXPECT_THAT(told[0].note, AllOf(HasSubstr("CVE-2024-1"), HasSubstr("ImageBuild web, run 7")));
  EXPECT_THAT(next(Found(2)), IsEmpty()) << "the same";
  EXPECT_THAT(next(Broken()), IsEmpty());
  EXPECT_THAT(next(Found(2)), IsEmpty()) << "the same still";
  EXPECT_EQ(next(Found(2, "CVE-2025-7")).size(), 1U);
  told = next(Clean());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_FALSE(told[0].warning);
  EXPECT_EQ(told[0].reason, "NoneFound");
  EXPECT_EQ(next(Found(2)).size(), 1U) << "it is back";
  EXPECT_THAT(Told(Next(world)), IsEmpty());
}

// Only how many there are beyond the worst ten is known of them.
TEST(Vulnerable, OneMoreBeyondTheWorstIsNew) {
  World world = Scanned(Found(10));
  Wait(world);
  auto more = Found(10);
  more.findings->closing = 11;
  EXPECT_EQ(Told(Ends(world, more)).size(), 1U);
}

TEST(Vulnerable, IsNotToldAgainOfAnotherImageWithTheSame) {
  World world = Scanned(Found());
  Moves(world, 'b');
  EXPECT_THAT(Told(Next(world)), IsEmpty());
  Wait(world);
  EXPECT_THAT(Told(Ends(world, Found())), IsEmpty());
  EXPECT_EQ(Vulnerable(world).status, ConditionStatus::kTrue);
}

}  // namespace
}  // namespace slipway::release
