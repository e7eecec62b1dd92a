// The key of a delivery: what makes it another one, and how a person's insistence is marked in it.
#include <gtest/gtest.h>

#include <algorithm>

#include "release/ledger.h"
#include "release/wanted.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Compatibility;
using resources::Verb;
using std::chrono::hours;
using std::chrono::minutes;

void Mark(World& world, const char* value) {
  world.release.meta.annotations[std::string(kRetryAnnotation)] = value;
}

TEST(Key, IsTakenApartAtItsDot) {
  const struct {
    const char *key, *plain, *mark;
  } rows[] = {{"", "", ""}, {"0a1b", "0a1b", ""}, {"0a1b.", "0a1b", ""}, {"0a1b.2c3d", "0a1b", "2c3d"}};
  for (const auto& row : rows) {
    EXPECT_EQ(PlainKey(row.key), row.plain) << row.key;
    EXPECT_EQ(MarkOf(row.key), row.mark) << row.key;
  }
}

TEST(Key, HasAMarkWhereTheAnnotationHasAValue) {
  World world;
  EXPECT_EQ(MarkedKey(world.release, "0a1b"), "0a1b");
  Mark(world, "");
  EXPECT_EQ(MarkedKey(world.release, "0a1b"), "0a1b");
  Mark(world, "once.more");
  const std::string marked = MarkedKey(world.release, "0a1b");
  EXPECT_EQ(PlainKey(marked), "0a1b");
  EXPECT_EQ(MarkOf(marked).size(), 8U);
  Mark(world, "and again");
  EXPECT_NE(MarkOf(MarkedKey(world.release, "0a1b")), MarkOf(marked));
}

TEST(Key, OfWhatIsWantedHasTheMarkBesideTheRest) {
  World world;
  const std::string plain = world.Wants().key;
  Mark(world, "once more");
  const std::string marked = world.Wants().key;
  EXPECT_NE(marked, plain);
  EXPECT_EQ(PlainKey(marked), plain);
}

// Each of these makes it another delivery.
TEST(Key, IsAnothersWhereTheDeliveryIs) {
  const World base;
  std::vector<std::string> keys{base.Wants().key};
  const auto changed = [&](auto change) {
    World world = base;
    change(world.release);
    keys.push_back(world.Wants().key);
  };
  changed([](Release& r) { r.spec.canary.steps[0].analysis = false; });
  changed([](Release& r) { r.spec.canary.steps[0].smoke_tests = {"default"}; });
  changed([](Release& r) { r.spec.canary.max_surge = "3"; });
  changed([](Release& r) { r.spec.canary.accept_autoscaler_overlap = true; });
  changed([](Release& r) { r.spec.canary.analysis.compare.emplace(); });
  changed([](Release& r) { r.spec.rolling.emplace(); });
  changed([](Release& r) { r.spec.smoke_tests[0].http.resize(1); });
  changed([](Release& r) { r.spec.verification.resize(1); });
  changed([](Release& r) { r.spec.migration.emplace(); });
  changed([](Release& r) { r.spec.migration.emplace().args = {"--all"}; });
  changed([](Release& r) { r.spec.rollback.on_failure = false; });
  changed([](Release& r) { r.meta.annotations["slipway.dev/retry"] = "1"; });
  changed([](Release& r) { r.spec.target.service = "other"; });
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

TEST(Key, IsTheSameWhateverTheStatusGatesAndCommitAre) {
  World world;
  const std::string key = world.Wants().key;
  world.Build('a', "2222", 9);
  world.release.spec.gates.approvals = 2;
  world.release.spec.history_limit = 3;
  world.HasMigrated('0', 1, Compatibility::kBreaking);
  world.Was('0', "Promoted", hours(2));
  EXPECT_EQ(world.Wants().key, key);
}

// Image 'b' took the place of 'a', and somebody rolled back to it: that is under way.
World RolledBack() {
  World world;
  world.Was('a', "Promoted", hours(50));
  world.Build('b', "2222", 8);
  world.Ended("Promoted", minutes(20));
  world.release.status.image = Image('b');
  world.Run('b');
  world.Decided(Verb::kRollback, 'a');
  Plan plan = world.Decide();
  EXPECT_TRUE(plan.start);
  Record(plan);
  world.release.status = plan.status;
  return world;
}

TEST(RetryMark, TriesARollbackThatFailedAgainAndDoesNotEndIt) {
  World world = RolledBack();
  Delivery& last = world.release.status.history.front();
  last.outcome = "Aborted";
  last.reason = "SmokeTestFailed";
  last.finished = world.now;
  EXPECT_EQ(Ready(world.Decide()).reason, "SmokeTestFailed");
  Mark(world, "once more");
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.start);
  EXPECT_EQ(plan.start->wanted.image, Image('a'));
  EXPECT_TRUE(plan.status.rollback);
  EXPECT_TRUE(plan.status.history[0].fast) << "as it was decided";
}

TEST(RetryMark, ThatIsTakenAwayDoesNotEndARollbackEither) {
  World world;
  Mark(world, "before");
  world.Was('a', "Promoted", hours(50));
  world.Build('b', "2222", 8);
  world.Ended("Promoted", minutes(20));
  world.release.status.image = Image('b');
  world.Run('b');
  world.Decided(Verb::kRollback, 'a');
  const Plan plan = world.Decide();
  ASSERT_TRUE(plan.status.rollback);
  EXPECT_EQ(MarkOf(plan.status.rollback->instead_of), "");
  world.release.status = plan.status;
  world.release.meta.annotations.clear();
  EXPECT_TRUE(world.Decide().status.rollback);
  world.release.spec.smoke_tests[0].requests = 5;
  EXPECT_FALSE(world.Decide().status.rollback) << "that does";
}

}  // namespace
}  // namespace slipway::release
