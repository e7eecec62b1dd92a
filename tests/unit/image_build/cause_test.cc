// Why runs are made, and which runs give way to what is newer.
#include "image_build/cause.h"

#include <gtest/gtest.h>

#include <functional>

#include "image_build/outcome.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using resources::ObservedBases;
using resources::ObservedCommit;
using resources::OnNewCommit;

// Its last run succeeded an hour ago, of kSha, and was queued two hours ago.
World Built() {
  World world;
  world.Over(true).stages = StagesOf(world.build.spec);
  return world;
}

// What is annotated now was known when the newest run was made.
void Known(World& world) {
  world.Run().seen_commit = resources::MarkOf(world.build.meta, resources::kObservedCommitAnnotation);
  world.Run().seen_bases = resources::MarkOf(world.build.meta, resources::kObservedBasesAnnotation);
}

// Its last run failed just now.
World FailedWith(const std::string& reason, int attempt = 1) {
  World world;
  auto& run = world.Over(false);
  run.failure->reason = reason;
  run.attempt = attempt;
  run.finished = kNow;
  run.stages = StagesOf(world.build.spec);
  return world;
}

ObservedCommit Seen(const std::string& commit, TimePoint time) {
  return {commit, "refs/heads/main", "main", kUrl, "Webhook", time};
}

void Tell(World& world, const ObservedCommit& seen) {
  world.Annotate(resources::kObservedCommitAnnotation, resources::Encode(seen));
}

void Tell(World& world, const ObservedBases& seen) {
  world.Annotate(resources::kObservedBasesAnnotation, resources::Encode(seen));
}

std::string ReasonOf(const World& world) {
  const auto cause = NextCause(world.build);
  return cause ? cause->reason : "";
}

TEST(NextCause, IsNoneWhenNothingHappened) { EXPECT_EQ(ReasonOf(Built()), ""); }

TEST(NextCause, IsANewerCommitOfThisUrlAndRevisionOnly) {
  const auto at = kNow - std::chrono::minutes(1);
  const struct {
    const char* name;
    ObservedCommit seen;
    bool counts;
  } cases[] = {
      {"newer", Seen(kOtherSha, at), true},
      {"the same", Seen(kSha, at), false},
      {"of another URL", {kOtherSha, "refs/heads/main", "main", kUrl + "x", "Webhook", at}, false},
      {"of another revision", {kOtherSha, "refs/heads/next", "next", kUrl, "Webhook", at}, false},
      {"by whom nobody knows", {kOtherSha, "refs/heads/main", "main", kUrl, "Somebody", at}, false},
      {"no commit", Seen("main", at), false},
      {"no ref", {kOtherSha, "main", "main", kUrl, "Poll", at}, false},
      {"by a clock that is behind", Seen(kOtherSha, kNow - std::chrono::hours(3)), true},
  };
  for (const auto& c : cases) {
    World world = Built();
    Tell(world, c.seen);
    EXPECT_EQ(ReasonOf(world), c.counts ? "NewCommit" : "") << c.name;
    EXPECT_EQ(Overtaken(world.build, world.Run()).has_value(), c.counts) << c.name;
  }
}

TEST(NextCause, IsNotWhatWasKnownWhenTheRunWasMade) {
  World world = Built();
  Tell(world, Seen(kOtherSha, kNow));
  Known(world);
  EXPECT_EQ(ReasonOf(world), "") << "the run looked itself, later";
  Tell(world, Seen(std::string(40, 'c'), kNow));
  EXPECT_EQ(ReasonOf(world), "NewCommit");
}

TEST(NextCause, OfACommitSaysWhereItWasSeen) {
  World world = Built();
  Tell(world, Seen(kOtherSha, kNow));
  const auto cause = NextCause(world.build);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->commit, kOtherSha);
  EXPECT_EQ(cause->ref, "refs/heads/main");
  EXPECT_EQ(cause->text, "Webhook: refs/heads/main is at bbbbbbbbbbbb");
  world.Step();
  EXPECT_EQ(world.Run().commit->sha, kOtherSha);
  EXPECT_EQ(world.Run().stages[0].state, StageState::kSkipped);
}

TEST(NextCause, IsNotWhatABrokenAnnotationSays) {
  for (const char* value : {"", "{", "7", "[]", R"({"commit":7})", "null"}) {
    World world = Built();
    world.Annotate(resources::kObservedCommitAnnotation, value);
    world.Annotate(resources::kObservedBasesAnnotation, value);
    EXPECT_EQ(ReasonOf(world), "") << value;
  }
}

TEST(NextCause, OfAFullShaIsNeverAnObservation) {
  World world;
  world.build.spec.source.revision = kSha;
  world.Over(true);
  world.Annotate(resources::kObservedCommitAnnotation,
                 resources::Encode(ObservedCommit{kOtherSha, "refs/heads/main", kSha, kUrl, "Poll", kNow}));
  EXPECT_EQ(ReasonOf(world), "");
}

TEST(NextCause, OfTheFirstRunTakesWhatWasSeenTogetherWithTheObject) {
  World world;
  Tell(world, Seen(kOtherSha, kNow));
  const auto cause = NextCause(world.build);
  EXPECT_EQ(cause->reason, "NewSpec");
  EXPECT_EQ(cause->commit, kOtherSha);
}

// The annotation is one value: whoever was told by it is overtaken as soon as it says something else, however
// the clocks of who wrote it go.
TEST(Overtaken, ARunThatWasToldItsCommitGoesByTheValueAndNotByTheTime) {
  World world = Built();
  Tell(world, Seen(kOtherSha, kNow));
  world.Step();
  ASSERT_EQ(world.Run().reason, "NewCommit");
  const std::string third(40, 'c');
  Tell(world, Seen(third, kNow - std::chrono::seconds(5)));
  ASSERT_TRUE(Overtaken(world.build, world.Run()));
  EXPECT_EQ(Overtaken(world.build, world.Run())->commit, third);
}

// Else what was pushed between the first run and its retry would never be built.
TEST(Overtaken, WhatIsSeenBetweenARunAndItsRetryComesBeforeTheRetry) {
  World world = FailedWith("Evicted");
  Tell(world, Seen(kOtherSha, kNow));
  world.now = kNow + std::chrono::minutes(1);
  world.Step();
  EXPECT_EQ(world.Run().reason, "NewCommit");
  EXPECT_EQ(world.Run().commit->sha, kOtherSha);
}

TEST(BaseImages, ThatMovedBuildTheSameCommitAgain) {
  const std::string old = "sha256:" + std::string(64, '0');
  const std::string moved = "sha256:" + std::string(64, '9');
  const struct {
    const char* name;
    std::function<void(World&)> change;
    bool counts;
  } cases[] = {
      {"moved", [](World&) {}, true},
      {"not asked for", [](World& w) { w.build.spec.trigger.base_images.reset(); }, false},
      {"the same digest", [&](World& w) { Tell(w, {{{"base:1", old}}, kNow}); }, false},
      {"another image", [&](World& w) { Tell(w, {{{"other:1", moved}}, kNow}); }, false},
      {"known when the run was made", [](World& w) { Known(w); }, false},
      {"of a run that failed, which the new one may mend",
       [](World& w) { w.Run().failure.emplace().reason = "DockerfileFailed"; }, true},
      {"of a run that failed too early to know them",
       [](World& w) {
         auto failed = w.Run();
         failed.number = 2;
         failed.bases.clear();
         failed.failure.emplace().reason = "DockerfileNotFound";
         w.build.status.runs.insert(w.build.status.runs.begin(), failed);
       },
       true},
  };
  for (const auto& c : cases) {
    World world;
    world.build.spec.trigger.base_images.emplace();
    world.Over(true).stages = StagesOf(world.build.spec);
    world.Run().bases = {{"base:0", old}, {"base:1", old}};
    Tell(world, {{{"base:1", moved}}, kNow});
    c.change(world);
    const auto cause = NextCause(world.build);
    EXPECT_EQ(cause.has_value(), c.counts) << c.name;
    if (!cause) continue;
    EXPECT_EQ(cause->reason, "BaseImageMoved");
    EXPECT_EQ(cause->commit, kSha);
    EXPECT_EQ(cause->text, "base:1 is " + moved + " now, and was " + old);
  }
}

TEST(Retry, IsForWhatMayPassOnly) {
  for (const char* reason :
       {"Evicted", "PodVanished", "JobVanished", "GitHostUnreachable", "RegistryUnreachable",
        "RegistryUnavailable", "PodFailed", "PodNotCreated", "QuotaExceeded", "DatabaseUnavailable"}) {
    EXPECT_EQ(ReasonOf(FailedWith(reason)), "Retry") << reason;
  }
  for (const char* reason :
       {"DockerfileFailed", "TestFailed", "VulnerabilitiesFound", "BuildTimeout", "TagTaken", "ScanError",
        "ExceptionExpired", "DatabaseTooOld", "RegistryDenied", "SecretNotFound", "Superseded", "Cancelled",
        "Rejected", "JobNameTaken", "BuildOutOfMemory", "DiskFull", "ImagePullFailed", "GitAuthFailed", ""}) {
    EXPECT_EQ(ReasonOf(FailedWith(reason)), "") << reason;
  }
}

TEST(Retry, WaitsLongerEachTimeAndEnds) {
  const struct {
    int attempt;
    int retries;
    int seconds;  // 0: not tried again
  } cases[] = {{1, 2, 10}, {2, 2, 20}, {3, 2, 0},     {1, 0, 0},
               {1, 1, 10}, {2, 1, 0},  {9, 100, 640}, {90, 100, 640}};
  for (const auto& c : cases) {
    World world = FailedWith("Evicted", c.attempt);
    world.build.spec.build.retries = c.retries;
    const auto at = RetryAt(world.build);
    EXPECT_EQ(at.has_value(), c.seconds > 0) << c.attempt;
    if (at) EXPECT_EQ(*at, kNow + std::chrono::seconds(c.seconds)) << c.attempt;
  }
}

TEST(Retry, IsMadeOfTheSameCommitWhenItsTimeHasCome) {
  World world = FailedWith("Evicted");
  auto plan = world.Step();
  EXPECT_EQ(plan.status.runs.size(), 1U);
  EXPECT_EQ(plan.recheck_after, std::chrono::seconds(10));
  EXPECT_EQ(Reason(plan), "Evicted");
  EXPECT_TRUE(Message(plan).ends_with("; tried again in 10s")) << Message(plan);
  world.now = kNow + std::chrono::seconds(10);
  plan = world.Step();
  ASSERT_EQ(plan.status.runs.size(), 2U);
  EXPECT_EQ(plan.status.runs[0].reason, "Retry");
  EXPECT_EQ(plan.status.runs[0].attempt, 2);
  EXPECT_EQ(plan.status.runs[0].commit->sha, kSha);
  EXPECT_EQ(plan.status.runs[0].ref, "refs/heads/main");
}

TEST(Retry, GivesWayToANewCommit) {
  World world = FailedWith("Evicted");
  Tell(world, Seen(kOtherSha, kNow));
  EXPECT_EQ(ReasonOf(world), "NewCommit");
  EXPECT_EQ(NextCause(world.build)->attempt, 1);
}

// ---- runs that are not over ----

TEST(Superseded, RunIsClosedItsJobsGoAndTheNextBegins) {
  World world;
  world.Building();
  world.build.spec.source.revision = "next";
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 2U);
  EXPECT_EQ(plan.status.runs[1].failure->reason, "Superseded");
  EXPECT_TRUE(plan.status.runs[1].finished);
  EXPECT_EQ(plan.status.runs[0].number, 2);
  EXPECT_EQ(plan.status.runs[0].generation, 4);
  EXPECT_FALSE(plan.status.runs[0].commit) << "it is of another revision";
  ASSERT_EQ(plan.removals.size(), 1U) << "the one that ended stays, for its logs";
  EXPECT_EQ(plan.removals[0].uid.value, "job-Build");
  EXPECT_TRUE(plan.starts.empty());
}

// Its last Job ended well in the same look: by the spec of now nothing of it is judged, nor counted.
TEST(Superseded, EvenWhenItSucceededJustNow) {
  World world;
  world.Pushed();
  world.build.spec.source.revision = "next";
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  ASSERT_EQ(plan.status.runs.size(), 2U);
  EXPECT_EQ(plan.status.runs[1].failure->reason, "Superseded");
  EXPECT_FALSE(plan.status.latest);
}

TEST(Superseded, BeforeItsJobWasMadeStartsNothing) {
  World world;
  world.Step();
  world.build.spec.source.revision = "next";
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_EQ(plan.status.runs.size(), 2U);
}

TEST(Superseded, ByANewCommitWhileItWaitsAlwaysAndUnderWayIfAskedTo) {
  for (const auto policy : {OnNewCommit::kFinish, OnNewCommit::kCancel}) {
    for (const bool waits : {true, false}) {
      World world;
      world.build.spec.trigger.on_new_commit = policy;
      world.admitted = !waits;
      waits ? world.Begun() : static_cast<void>(world.Building());
      world.Saw(kOtherSha);
      const auto plan = world.Decide();
      const bool ends = waits || policy == OnNewCommit::kCancel;
      ASSERT_EQ(plan.status.runs.size(), ends ? 2U : 1U) << waits;
      if (!ends) continue;
      EXPECT_EQ(plan.status.runs[1].failure->reason, "Superseded");
      EXPECT_TRUE(plan.status.runs[1].failure->message.contains("refs/heads/main is at bbbbbbbbbbbb now"))
          << plan.status.runs[1].failure->message;
      EXPECT_EQ(plan.status.runs[0].commit->sha, kOtherSha);
      EXPECT_EQ(plan.removals.size(), waits ? 0U : 1U);
    }
  }
}

TEST(Superseded, ThatFinishesIsFollowedByTheNewestCommitAlone) {
  World world;
  world.Building();
  world.Saw(kOtherSha);
  world.Step();
  world.Saw(std::string(40, 'c'));
  world.Step();
  world.Finish(JobRole::kBuild, AllWell());
  world.Step();
  ASSERT_EQ(world.build.status.runs.size(), 2U);
  EXPECT_EQ(world.Run().commit->sha, std::string(40, 'c'));
}

}  // namespace
}  // namespace slipway::image_build
