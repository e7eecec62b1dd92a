// A webhook may say only that the ref moved: the commit is looked up, and nothing is built twice.
#include <gtest/gtest.h>

#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

const std::string kNewSha(40, 'b');

World Built() {
  World world;
  world.Pushed();
  world.Settle();
  return world;
}

void Hint(World& world, const std::string& at) {
  world.Annotate(resources::kObservedCommitAnnotation,
                 R"({"commit":"","ref":"refs/heads/main","revision":"main","url":")" +
                     world.build.spec.source.url + R"(","by":"Webhook","time":")" + at + R"("})");
}

TEST(Hint, HasTheRevisionLookedUpAgain) {
  World world = Built();
  Hint(world, "2026-01-01T00:00:01Z");
  world.Step();
  ASSERT_EQ(world.build.status.runs.size(), 2U);
  EXPECT_EQ(world.Run().reason, "NewCommit");
  EXPECT_EQ(world.Run().cause, "Webhook: refs/heads/main has moved");
  EXPECT_FALSE(world.Run().commit);
  EXPECT_EQ(Started(world.Step(), JobRole::kResolve), std::vector<std::string>{""});
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport(kNewSha))});
  world.Settle();
  EXPECT_EQ(world.Run().commit->sha, kNewSha);
  EXPECT_EQ(world.Run().number, 2);
}

TEST(Hint, OfWhatIsBuiltAlreadyLeavesNoRunAndIsNotTakenTwice) {
  World world = Built();
  const std::size_t notices = world.Decide().notices.size();
  Hint(world, "2026-01-01T00:00:01Z");
  world.Step();
  world.Step();
  world.Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport(kSha))});
  const auto plan = world.Step();
  ASSERT_EQ(plan.status.runs.size(), 1U);
  EXPECT_EQ(plan.status.runs[0].number, 1);
  EXPECT_EQ(plan.status.phase, BuildPhase::kSucceeded);
  ASSERT_EQ(plan.removals.size(), 1U) << "its resolve Job";
  EXPECT_EQ(notices, 0U);
  for (const auto& notice : plan.notices) EXPECT_NE(notice.reason, "StageDone") << notice.note;
  EXPECT_EQ(world.Settle().status.runs.size(), 1U);
  Hint(world, "2026-01-01T00:00:02Z");
  EXPECT_EQ(world.Step().status.runs.size(), 2U) << "another one is looked at again";
}

TEST(Hint, EndsNoRunThatIsUnderWay) {
  World world;
  world.Building();
  world.build.spec.trigger.on_new_commit = resources::OnNewCommit::kCancel;
  Hint(world, "2026-01-01T00:00:01Z");
  EXPECT_FALSE(world.Step().status.runs[0].finished);
}

TEST(Observed, CountsAfterARunThatNeverKnewItsCommit) {
  World world;
  world.Resolving({Ended("resolve", 22, R"({"reason":"RevisionNotFound","message":"no such branch"})")});
  world.Settle();
  ASSERT_EQ(world.Run().failure->reason, "RevisionNotFound");
  world.Saw(kNewSha);
  world.Step();
  ASSERT_EQ(world.build.status.runs.size(), 2U);
  EXPECT_EQ(world.Run().commit->sha, kNewSha);
}

}  // namespace
}  // namespace slipway::image_build
