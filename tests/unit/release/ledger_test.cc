// The ledger of migrations, and what a breaking one leaves behind.
#include "release/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Compatibility;
using resources::MigrationRecord;
using resources::ReleaseStatus;
using std::chrono::hours;

std::string Numbered(int n) {
  std::string digits = std::to_string(n);
  return "registry.example.com/team/web@sha256:" + std::string(64 - digits.size(), '0') + digits;
}

MigrationRecord Ran(const std::string& image, const std::string& outcome = "Succeeded",
                    Compatibility compatibility = Compatibility::kBackward) {
  MigrationRecord record;
  record.image = image;
  record.outcome = outcome;
  record.compatibility = compatibility;
  return record;
}

bool Has(const ReleaseStatus& status, const std::string& image) {
  return std::ranges::find(status.migrations, image, &MigrationRecord::image) != status.migrations.end();
}

TEST(MigrationJob, HasANameOfItsReleaseDigestAndDelivery) {
  World world;
  const std::string name = MigrationName(world.release, Image('a'), 1);
  EXPECT_EQ(MigrationName(world.release, "other.example.com/web:v1@" + Digest('a'), 1), name);
  EXPECT_NE(MigrationName(world.release, Image('a'), 2), name);
  EXPECT_NE(MigrationName(world.release, Image('b'), 1), name);
  world.release.meta.uid = {"made-again"};
  EXPECT_NE(MigrationName(world.release, Image('a'), 1), name);
}

TEST(Ledger, KnowsADigestByWhatSucceededAlone) {
  ReleaseStatus status;
  Enter(status, Ran(Image('a'), "Failed", Compatibility::kBreaking));
  EXPECT_EQ(Migrated(status, Image('a')), nullptr);
  EXPECT_EQ(NewestBreaking(status), nullptr) << "a Job that failed has broken nothing for good";
  Enter(status, Ran(Image('a')));
  ASSERT_NE(Migrated(status, "other.example.com/web@" + Digest('a')), nullptr);
  EXPECT_EQ(Migrated(status, Image('b')), nullptr);
}

TEST(Ledger, DropsTheOldestThatFailedFirst) {
  ReleaseStatus status;
  Enter(status, Ran(Numbered(0)));
  Enter(status, Ran(Numbered(1), "Failed"));
  Enter(status, Ran(Numbered(2), "Failed"));
  for (int n = 3; n <= 60; ++n) Enter(status, Ran(Numbered(n)));
  ASSERT_EQ(status.migrations.size(), 60U);
  EXPECT_FALSE(Has(status, Numbered(1)));
  EXPECT_TRUE(Has(status, Numbered(2)));
  EXPECT_TRUE(Has(status, Numbered(0))) << "or it would run twice";
}

TEST(Ledger, KeepsWhatTheHistoryMayAskFor) {
  ReleaseStatus status;
  Delivery kept;
  kept.image = Numbered(0);
  status.history = {kept};
  for (int n = 0; n <= 61; ++n) Enter(status, Ran(Numbered(n)));
  EXPECT_TRUE(Has(status, Numbered(0)));
  EXPECT_FALSE(Has(status, Numbered(1)));
  EXPECT_FALSE(Has(status, Numbered(2)));
  EXPECT_TRUE(Has(status, Numbered(3)));
}

// Deliveries of a, then b, whose migration was declared breaking.
World Broken() {
  World world;
  world.Was('a', "Promoted", hours(9));
  world.Was('b', "Promoted", hours(5));
  world.HasMigrated('b', 2, Compatibility::kBreaking);
  return world;
}

struct Row {
  const char* name;
  void (*set)(World&);
  bool predates, works;  // Image('a')
};

const Row kRows[] = {
    {"it was delivered before", [](World&) {}, true, false},
    {"nothing was broken",
     [](World& w) { w.release.status.migrations[0].compatibility = Compatibility::kBackward; }, false, true},
    {"what broke has failed", [](World& w) { w.release.status.migrations[0].outcome = "Failed"; }, false,
     true},
    {"it is what broke", [](World& w) { w.HasMigrated('a', 1, Compatibility::kBreaking); }, false, true},
    {"it is not known", [](World& w) { w.release.status.history.pop_back(); }, false, false},
    {"it was tried before, and failed", [](World& w) { w.release.status.history[1].outcome = "Aborted"; },
     false, false},
    {"it was found running before", [](World& w) { w.release.status.history[1].outcome = "AlreadyRunning"; },
     true, false},
    {"it passed since", [](World& w) { w.Was('a', "Promoted", hours(1)); }, false, true},
    {"it failed since", [](World& w) { w.Was('a', "Aborted", hours(1)); }, true, false},
    {"somebody put it there since", [](World& w) { w.Was('a', "AlreadyRunning", hours(1)); }, true, false},
    {"its migration ran before, and no delivery is kept",
     [](World& w) {
       w.release.status.history.clear();
       auto& ledger = w.release.status.migrations;
       ledger.push_back(Ran(Image('a')));
     },
     true, false},
    {"its migration ran since",
     [](World& w) {
       w.release.status.history.pop_back();
       w.HasMigrated('a', 3);
     },
     false, false},
    {"what broke is not kept, and what is came later",
     [](World& w) {
       w.Was('c', "Promoted", hours(2));
       w.Was('a', "Promoted", hours(1));
       w.release.status.history.resize(2);
     },
     false, true},
};

TEST(Breaking, LeavesBehindWhatCameBefore) {
  for (const auto& row : kRows) {
    World world = Broken();
    row.set(world);
    const auto& status = world.release.status;
    EXPECT_EQ(Predates(world.release, status, Image('a')), row.predates) << row.name;
    EXPECT_EQ(WorksNow(world.release, status, Image('a')), row.works) << row.name;
  }
}

}  // namespace
}  // namespace slipway::release
