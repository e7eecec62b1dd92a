#include "image_build/history.h"

#include <gtest/gtest.h>

#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// "s", "f", "c" and "p": runs that succeeded, failed, were cancelled and superseded; "o" is open. Newest
// first; each has one Job, named for its number.
std::vector<BuildRun> Runs(const std::string& ends) {
  std::vector<BuildRun> runs;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    BuildRun run;
    run.number = static_cast<int>(ends.size() - i);
    run.jobs.push_back({.name = "j", .uid = {std::to_string(run.number)}, .state = StageState::kSucceeded});
    if (ends[i] != 'o') run.finished = kNow - hours(1);
    if (ends[i] == 'f') run.failure.emplace().reason = "TestFailed";
    if (ends[i] == 'c') run.failure.emplace().reason = kCancelled;
    if (ends[i] == 'p') run.failure.emplace().reason = kSuperseded;
    runs.push_back(std::move(run));
  }
  return runs;
}

std::string Numbers(const std::vector<BuildRun>& runs) {
  std::string numbers;
  for (const auto& run : runs) numbers += std::to_string(run.number);
  return numbers;
}

std::string Uids(const std::vector<OwnedJob>& jobs) {
  std::string uids;
  for (const auto& job : jobs) uids += job.uid.value;
  return uids;
}

TEST(Prune, KeepsTheNewestOfEachSortAndAlwaysTheNewest) {
  const struct {
    const char* ends;
    resources::HistorySpec limits;
    const char* kept;
    const char* removed;
  } cases[] = {
      {"sfsfsf", {2, 1, 1}, "654", "321"}, {"ssss", {3, 3, 1}, "432", "1"}, {"ssss", {0, 0, 0}, "4", "321"},
      {"osss", {1, 0, 0}, "43", "21"},     {"osss", {0, 0, 0}, "4", "321"}, {"scpcf", {3, 3, 1}, "541", "32"},
      {"pcs", {3, 3, 0}, "31", "2"},       {"ccc", {3, 3, 2}, "32", "1"},   {"fff", {0, 2, 0}, "32", "1"},
      {"fsss", {1, 1, 1}, "43", "21"},     {"", {1, 1, 1}, "", ""},
  };
  for (const auto& c : cases) {
    auto runs = Runs(c.ends);
    std::optional<Duration> next;
    const auto removed = Prune(c.limits, runs, kNow, next);
    EXPECT_EQ(Numbers(runs), c.kept) << c.ends;
    EXPECT_EQ(Uids(removed), c.removed) << c.ends;
    EXPECT_FALSE(next) << c.ends;
  }
}

TEST(TimeToLive, TakesJobsAndLeavesTheRecord) {
  auto runs = Runs("sf");
  resources::HistorySpec limits;
  limits.ttl_after_success = minutes(60);
  limits.ttl_after_failure = minutes(90);
  std::optional<Duration> next;
  const auto removed = Prune(limits, runs, kNow, next);
  EXPECT_EQ(Uids(removed), "2");
  EXPECT_EQ(Numbers(runs), "21");
  EXPECT_TRUE(runs[0].jobs.empty());
  EXPECT_EQ(runs[1].jobs.size(), 1U);
  EXPECT_EQ(next, minutes(30));
}

TEST(TimeToLive, IsNotOfARunThatIsOpenNorOfJobsThatStillRun) {
  resources::HistorySpec limits;
  limits.ttl_after_success = limits.ttl_after_failure = Duration(0);
  std::optional<Duration> next;
  auto open = Runs("o");
  EXPECT_TRUE(Prune(limits, open, kNow, next).empty());
  auto telling = Runs("s");
  telling[0].jobs[0].state = StageState::kRunning;
  EXPECT_TRUE(Prune(limits, telling, kNow, next).empty());
  EXPECT_FALSE(next);
}

TEST(TimeToLive, IsWaitedForAndThenTheJobsGoOnce) {
  World world;
  world.build.spec.history.ttl_after_success = hours(2);
  world.Over(true);
  auto plan = world.Step();
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(plan.recheck_after, hours(1));
  world.now += hours(1);
  EXPECT_EQ(Uids(world.Step().removals), "job-1");
  plan = world.Step();
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(plan.status.runs.size(), 1U);
  EXPECT_EQ(Reason(plan), "Succeeded");
}

TEST(History, IsPrunedByTheDecision) {
  World world;
  world.build.spec.history = {.successful = 2, .failed = 1};
  for (int i = 1; i <= 6; ++i) world.Over(i % 2 == 0, i);  // even ones succeeded
  const auto plan = world.Decide();
  EXPECT_EQ(Numbers(plan.status.runs), "654");
  EXPECT_EQ(Uids(plan.removals), "job-3job-2job-1");
}

}  // namespace
}  // namespace slipway::image_build
