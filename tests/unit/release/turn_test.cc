// Looks are bounded: one at a time of each kind, some time apart whatever they are about, and so many at once
// of all Releases and of those of one namespace.
#include "release/turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/release/decides.h"
#include "unit/release/scans.h"

namespace slipway::release {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

// The two kinds of looks at what is wanted, for what is true of both.
struct Kind {
  const char* name;
  const char* running;  // the reason while one looks
  std::function<void(World&)> demand;
  std::function<bool(const Plan&)> begins;
  std::function<void(World&)> runs;
  std::function<void(World&)> ends;  // refused
};

const std::vector<Kind>& Kinds() {
  using Verify = supply::VerifyOutcome;
  static const std::vector<Kind> kKinds{
      {"verification", "VerificationRunning", [](World& w) { w.Demand("release"); },
       [](const Plan& plan) { return plan.verification.has_value(); },
       [](World& w) { w.verification = Verify{}; },
       [](World& w) {
         w.verification = Verify{Verify::State::kRefused, "SignatureMissing", {"Signature"}, "no"};
       }},
      {"scan", "ScanRunning", [](World& w) { w.release.spec.gates.scan.emplace(); },
       [](const Plan& plan) { return plan.scan.has_value(); },
       [](World& w) { w.scan = supply::ScanOutcome{}; }, [](World& w) { w.scan = Found(); }},
  };
  return kKinds;
}

World Looks(const Kind& kind) {
  World world;
  kind.demand(world);
  EXPECT_TRUE(kind.begins(Next(world))) << kind.name;
  return world;
}

void Retry(World& world, int mark) {
  world.release.meta.annotations[std::string(kRetryAnnotation)] = std::to_string(mark);
}

TEST(Turn, ALookAtSomethingElseWaitsForTheEndOfTheOneThatIsUnderWay) {
  for (const auto& kind : Kinds()) {
    for (const bool image : {false, true}) {
      World world = Looks(kind);
      kind.runs(world);
      world.now += hours(1);
      image ? world.Build('b', "2222222222222222222222222222222222222222", 8) : Retry(world, 2);
      Plan plan = Next(world);
      EXPECT_FALSE(kind.begins(plan)) << kind.name;
      EXPECT_EQ(Ready(plan).reason, "LookQueued");
      EXPECT_THAT(Ready(plan).message, AllOf(HasSubstr("has ended"), HasSubstr(Image('a'))));
      ExpectReadiness(plan.status.conditions, kWaits);
      EXPECT_TRUE(plan.recheck_after);
      kind.ends(world);
      plan = Next(world);
      EXPECT_TRUE(kind.begins(plan)) << kind.name;
      EXPECT_EQ(Ready(plan).reason, kind.running);
    }
  }
}

// Whoever sets the annotation in a loop.
TEST(Turn, OneBeginsSomeTimeAfterTheLastWhateverItIsAbout) {
  for (const auto& kind : Kinds()) {
    World world = Looks(kind);
    int begun = 0;
    for (int second = 0; second < 100; ++second) {
      world.now += seconds(1);
      Retry(world, second + 2);
      kind.ends(world);
      const Plan plan = Next(world);
      begun += kind.begins(plan) ? 1 : 0;
      EXPECT_TRUE(plan.recheck_after && *plan.recheck_after <= kLeastApart) << kind.name;
    }
    EXPECT_EQ(begun, 100 / 10) << kind.name;
  }
}

struct Room {
  LooksRunning looks;
  const char* says;  // nullptr: there is room
};

// What two busy namespaces may fill does not keep a third waiting.
TEST(Turn, ThereIsRoomForSoManyOfAllAndOfANamespace) {
  const std::vector<Room> rows{
      {{0, 0}, nullptr},
      {{kMostLooks - 1, kMostOfNamespace - 1}, nullptr},
      {{kMostLooks, 1},
       "20 Jobs of the supply chain's namespace look at images for Releases, and no more than 20 do at once"},
      {{kMostLooks + 3, 1}, "23 Jobs"},
      {{kMostLooks, 0}, nullptr},
      {{kMostWithFirst - 1, 0}, nullptr},
      {{kMostWithFirst, 0}, "no more than 20 do at once, 40 with the first of each namespace"},
      {{kMostOfNamespace, kMostOfNamespace}, "for Releases of this namespace, and no more than 10"},
  };
  for (const auto& kind : Kinds()) {
    for (const auto& row : rows) {
      World world;
      kind.demand(world);
      world.looks = row.looks;
      Plan plan = Next(world);
      EXPECT_EQ(kind.begins(plan), row.says == nullptr) << kind.name << row.looks.all;
      if (row.says == nullptr) continue;
      EXPECT_EQ(Ready(plan).reason, "LookQueued");
      EXPECT_THAT(Ready(plan).message, HasSubstr(row.says));
      ASSERT_EQ(plan.notices.size(), 1U);
      EXPECT_FALSE(plan.notices[0].warning);
      ASSERT_TRUE(plan.recheck_after);
      world.now += *plan.recheck_after;
      world.looks = {};
      plan = Next(world);
      EXPECT_TRUE(kind.begins(plan)) << kind.name;
      EXPECT_EQ(Ready(plan).reason, kind.running);
    }
  }
}

// What is known of an image is said until the next look has ended, though that has to wait.
TEST(Turn, WithoutRoomWhatWasFoundStays) {
  for (const auto& kind : Kinds()) {
    World world = Looks(kind);
    kind.ends(world);
    const std::string reason = Ready(Next(world)).reason;
    world.now += hours(48);
    world.looks = {kMostLooks, 1};
    World full = world;
    full.verification.reset();
    full.scan.reset();
    const Plan plan = full.Decide();
    EXPECT_FALSE(kind.begins(plan)) << kind.name;
    EXPECT_EQ(Ready(plan).reason, reason);
    EXPECT_EQ(plan.recheck_after, kLeastApart);
  }
}

TEST(Turn, WithoutRoomWhatIsDeliveredIsScannedLater) {
  World world;
  world.platform.rescan_interval = hours(24);
  world.Run('a');
  world.Ended("Promoted");
  world.release.status.image = Image('a');
  Next(world);
  world.now += hours(24);
  world.looks = {kMostLooks, 1};
  const Plan plan = Next(world);
  EXPECT_FALSE(plan.rescan);
  EXPECT_TRUE(plan.recheck_after);
  world.looks = {};
  EXPECT_TRUE(Next(world).rescan);
}

// Its exceptions are edited in a loop: each edit counts otherwise, and would be a Job.
TEST(Turn, WhatIsDeliveredIsScannedSomeTimeAfterTheLast) {
  World world;
  world.platform.rescan_interval = hours(24);
  world.Run('a');
  world.Ended("Promoted");
  world.release.status.image = Image('a');
  Next(world);
  world.now += hours(24);
  ASSERT_TRUE(Next(world).rescan);
  world.release.spec.gates.scan.emplace();
  int begun = 0;
  for (int second = 0; second < 100; ++second) {
    world.now += seconds(1);
    world.release.spec.gates.scan->exceptions = {{"CVE-" + std::to_string(second), "", "2099-01-01", "why"}};
    world.rescan = Clean();
    begun += Next(world).rescan ? 1 : 0;
  }
  EXPECT_EQ(begun, 100 / 10);
}

}  // namespace
}  // namespace slipway::release
