// What holds a run up or calls it off: a suspension, an approval, an annotation.
#include <gtest/gtest.h>

#include <functional>

#include "image_build/decide.h"
#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using resources::Decision;
using resources::Verb;

TEST(Suspended, BeginsNothing) {
  World world;
  world.build.spec.suspend = true;
  const auto plan = world.Decide();
  EXPECT_TRUE(plan.status.runs.empty());
  EXPECT_EQ(plan.status.phase, BuildPhase::kSuspended);
  EXPECT_EQ(Reason(plan), "Suspended");
}

TEST(Suspended, LetsARunUnderWayGoOn) {
  World world;
  world.Building();
  world.build.spec.suspend = true;
  world.build.meta.generation = 4;
  const auto plan = world.Decide();
  EXPECT_FALSE(plan.status.runs[0].finished);
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(Reason(plan), "Building");
}

// Else its later Jobs would be made from another spec than the earlier ones, and what is attested be of
// neither.
TEST(Suspended, ARunWhoseSpecChangedEndsAllTheSame) {
  const std::vector<std::function<void(resources::ImageBuildSpec&)>> changes{
      [](auto& s) { s.source.url = "https://git.example.com/team/other.git"; },
      [](auto& s) { s.build.target = "other"; }, [](auto& s) { s.scan.fail_on = resources::Severity::kLow; },
      [](auto& s) { s.output.push = !s.output.push; },
      [](auto& s) { s.attest = resources::AttestSpec{"release", {}, true}; }};
  for (const auto& change : changes) {
    World world;
    world.Building();
    world.build.spec.suspend = true;
    change(world.build.spec);
    world.build.meta.generation = 4;
    const auto plan = world.Decide();
    ASSERT_FALSE(plan.status.runs.empty());
    ASSERT_TRUE(plan.status.runs[0].failure) << Reason(plan) << ": " << Message(plan);
    EXPECT_EQ(plan.status.runs[0].failure->reason, "Superseded");
    EXPECT_TRUE(plan.starts.empty());
    EXPECT_EQ(plan.removals.size(), 1U);
  }
}

TEST(Suspended, HoldsARunThatHasNotBegun) {
  World world;
  world.admitted = false;
  world.Begun();
  world.admitted = true;
  world.build.spec.suspend = true;
  auto plan = world.Step();
  EXPECT_EQ(plan.status.phase, BuildPhase::kSuspended);
  EXPECT_FALSE(world.Run().started);
  EXPECT_FALSE(world.Run().finished);
  EXPECT_TRUE(plan.starts.empty());
  world.build.spec.suspend = false;
  world.Step();
  EXPECT_TRUE(world.Run().started);
}

TEST(Suspended, KeepsTheNextCauseForLater) {
  World world;
  world.Over(true);
  world.Saw(kOtherSha);
  world.build.spec.suspend = true;
  EXPECT_EQ(world.Step().status.runs.size(), 1U);
  world.build.spec.suspend = false;
  EXPECT_EQ(world.Step().status.runs.size(), 2U);
}

// ---- the cancel annotation ----

TEST(Cancelled, IsTheRunThatTheAnnotationNumbers) {
  World world;
  world.Building();
  world.Annotate(resources::kCancelAnnotation, "1");
  const auto plan = world.Step();
  EXPECT_EQ(world.Run().failure->reason, "Cancelled");
  EXPECT_EQ(plan.status.phase, BuildPhase::kCancelled);
  EXPECT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.status.runs.size(), 1U) << "it is not begun again by itself";
  EXPECT_EQ(world.Step().status.runs.size(), 1U);
}

TEST(Cancelled, OnlyThatRunAndInWhateverState) {
  const struct {
    std::string value;
    std::function<void(World&)> state;
    bool ends;
  } cases[] = {
      {"1", [](World& w) { w.Step(); }, true},
      {"1", [](World& w) { w.Resolving(); }, true},
      {"1",
       [](World& w) {
         w.admitted = false;
         w.Begun();
       },
       true},
      {"1",
       [](World& w) {
         w.Building();
         w.build.spec.suspend = true;
       },
       true},
      {"2", [](World& w) { w.Building(); }, false},
      {"01", [](World& w) { w.Building(); }, false},
      {"", [](World& w) { w.Building(); }, false},
      {"1", [](World& w) { w.Pushed(); }, false},
  };
  for (const auto& c : cases) {
    World world;
    c.state(world);
    world.Annotate(resources::kCancelAnnotation, c.value);
    world.Step();
    const auto& run = world.build.status.runs.back();
    EXPECT_EQ(run.failure && run.failure->reason == "Cancelled", c.ends) << c.value;
    for (const auto& job : run.jobs) EXPECT_EQ(c.ends && job.state == StageState::kRunning, false);
  }
}

TEST(Cancelled, RunIsFollowedByANewCommit) {
  World world;
  world.Building();
  world.Annotate(resources::kCancelAnnotation, "1");
  world.Step();
  world.Saw(kOtherSha);
  world.Step();
  EXPECT_EQ(world.Run().number, 2);
  EXPECT_EQ(world.Run().commit->sha, kOtherSha);
  EXPECT_FALSE(world.Run().finished) << "the annotation is about run 1";
}

// ---- approval ----

World Asking() {
  World world;
  world.build.spec.require_approval = true;
  world.Begun();
  return world;
}

TEST(Approval, IsWaitedForAfterResolvingAndBeforeAnythingElse) {
  World world = Asking();
  const auto plan = world.Step();
  EXPECT_EQ(plan.status.phase, BuildPhase::kAwaitingApproval);
  EXPECT_EQ(Reason(plan), "AwaitingApproval");
  EXPECT_TRUE(Message(plan).contains("subject " + kSha)) << Message(plan);
  EXPECT_TRUE(Message(plan).contains("uid: build-uid")) << Message(plan);
  EXPECT_TRUE(plan.starts.empty());
  EXPECT_FALSE(world.Run().started);
  for (const auto& job : world.Run().jobs) EXPECT_EQ(job.role, JobRole::kResolve);
  world.now += std::chrono::hours(100);
  EXPECT_FALSE(world.Step().status.runs[0].finished) << "however long";
}

TEST(Approval, IsWhoGaveItInWhichDecision) {
  World world = Asking();
  world.Act(Verb::kApprove);
  world.Step();
  ASSERT_TRUE(world.Run().approval);
  EXPECT_EQ(world.Run().approval->actor, "ada");
  EXPECT_EQ(world.Run().approval->decision, "decision-0");
  EXPECT_EQ(Started(world.Step(), JobRole::kBuild).size(), 1U);
}

TEST(Approval, CountsOnlyForThisObjectAndCommitAndWhileItLasts) {
  const struct {
    const char* name;
    std::function<void(Decision&)> change;
    bool counts;
  } cases[] = {
      {"as it is", [](Decision&) {}, true},
      {"another commit", [](Decision& d) { d.spec.subject = kOtherSha; }, false},
      {"a short commit", [](Decision& d) { d.spec.subject = kSha.substr(0, 12); }, false},
      {"no subject", [](Decision& d) { d.spec.subject.clear(); }, false},
      {"another object's UID", [](Decision& d) { d.spec.target.uid = {"of-its-predecessor"}; }, false},
      {"another object's name", [](Decision& d) { d.spec.target.name = "app2"; }, false},
      {"another kind", [](Decision& d) { d.spec.target.kind = "Release"; }, false},
      {"another namespace", [](Decision& d) { d.meta.key.ns = "other"; }, false},
      {"expired", [](Decision& d) { d.spec.expires = kNow; }, false},
      {"to expire", [](Decision& d) { d.spec.expires = kNow + std::chrono::seconds(1); }, true},
      {"another verb", [](Decision& d) { d.spec.verb = Verb::kRetry; }, false},
  };
  for (const auto& c : cases) {
    World world = Asking();
    c.change(world.Act(Verb::kApprove));
    world.Step();
    EXPECT_EQ(world.Run().approval.has_value(), c.counts) << c.name;
    EXPECT_EQ(world.Run().started.has_value(), c.counts) << c.name;
  }
}

TEST(Approval, ThatIsRefusedEndsTheRunWhateverElseIsThere) {
  for (const bool first : {true, false}) {
    World world = Asking();
    world.Act(first ? Verb::kReject : Verb::kApprove);
    world.Act(first ? Verb::kApprove : Verb::kReject);
    const auto plan = world.Step();
    EXPECT_EQ(Reason(plan), "Rejected");
    EXPECT_TRUE(Message(plan).contains("ada rejected it")) << Message(plan);
    EXPECT_TRUE(Message(plan).contains("I looked")) << Message(plan);
    EXPECT_TRUE(plan.starts.empty());
    EXPECT_EQ(world.Step().status.runs.size(), 1U) << "and it is not tried again";
  }
}

TEST(Approval, OfARunThatWaitsGivesWayToANewCommit) {
  World world = Asking();
  world.Step();
  world.Saw(kOtherSha);
  world.Step();
  EXPECT_EQ(world.Run().commit->sha, kOtherSha);
  world.Act(Verb::kApprove, kSha);
  world.Step();
  EXPECT_FALSE(world.Run().approval) << "that was another commit";
}

TEST(Approval, IsNotAskedForWhereTheSpecDoesNot) {
  World world;
  world.Begun();
  EXPECT_FALSE(world.Run().approval);
  EXPECT_TRUE(world.Run().started);
}

}  // namespace
}  // namespace slipway::image_build
