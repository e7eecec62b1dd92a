// The shell against an API server that keeps what it is sent: which Jobs are made, recorded and refused, and
// what is told when the server refuses or something is gone.
#include "protocol/image_build/world.h"

namespace slipway::image_build {
namespace {

TEST_F(ReconcilerTest, RecordsTheUidOfEachJobItStarts) {
  Add("app");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  ASSERT_EQ(run.jobs.size(), 2U);
  EXPECT_EQ(run.jobs[0].uid.value, "made-1");
  EXPECT_EQ(run.jobs[1].uid.value, "made-2");
  EXPECT_EQ(run.jobs[1].leg, "linux/arm64");
  EXPECT_EQ(run.jobs[1].name, made_[1]);
}

TEST_F(ReconcilerTest, AForeignJobOnOneNameEndsTheRunAndTakesTheOthersAway) {
  Add("app");
  taken_ = true;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  ASSERT_TRUE(run.failure);
  EXPECT_EQ(run.failure->reason, "JobNameTaken");
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/" + made_.at(0)), 1U);
}

TEST_F(ReconcilerTest, MakesNoJobFromAnObjectThatHasMovedOn) {
  Add("app");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Reconcile());
  moved_ = true;
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(made_.empty());
}

TEST_F(ReconcilerTest, LetsTheNextInWhenTheFirstIsGone) {
  Add("app");
  Add("next");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile("next"));
  EXPECT_FALSE(Build("next").status.runs.at(0).started);
  called_.clear();
  builds_.Erase({"team", "app"});
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(called_.size(), 1U);
  EXPECT_EQ(called_[0].name, "next");
  ASSERT_TRUE(Reconcile("next"));
  EXPECT_TRUE(Build("next").status.runs.at(0).started);
}

// ---- what is not as it should be ----

TEST_F(ReconcilerTest, AJobThatVanishedEndsTheRun) {
  Begin();
  ASSERT_TRUE(Reconcile());  // neither cached nor at the server
  const auto run = Build().status.runs.at(0);
  ASSERT_TRUE(run.failure);
  EXPECT_EQ(run.failure->reason, "JobVanished");
  EXPECT_EQ(Sent(Verb::kGet, "/jobs/" + made_.at(0)), 1U);
}

TEST_F(ReconcilerTest, AJobThatIsCachedIsNotReadAgain) {
  Begin();
  SeeJob(std::chrono::seconds(1));
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(Build().status.runs.at(0).failure);
  EXPECT_EQ(Sent(Verb::kGet, "/jobs/"), 0U);
  EXPECT_EQ(Sent(Verb::kGet, "/events"), 0U);  // it is too young to ask why it waits
}

Json Ran(const std::string& container, const Json& report) {
  Json ended = {{"exitCode", 0}, {"reason", "Completed"}, {"message", report.dump()}};
  return {{"name", container}, {"state", {{"terminated", ended}}}};
}

// The watch of Jobs may be ahead of that of pods: what the pod reports last is not lost by it.
TEST_F(ReconcilerTest, ACompleteJobWhosePodIsSeenAsItWasBeforeIsReadAsItEnded) {
  const std::string image = "registry.example.com/team/app@sha256:" + std::string(64, 'b');
  Begin();
  SeeJob(std::chrono::seconds(1));
  SeePod();
  const Json judged = Json::parse(R"({"closing": 0, "suppressed": 0, "used": [], "expired": [], "worst": [],
      "counts": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 0, "UNKNOWN": 0}})");
  Json pod;
  pod["spec"]["initContainers"] = Json::array({{{"name", "gate"}}});
  pod["spec"]["containers"] = Json::array({{{"name", "push"}}});
  pod["status"]["phase"] = "Succeeded";
  pod["status"]["initContainerStatuses"] = Json::array({Ran("gate", judged)});
  pod["status"]["containerStatuses"] =
      Json::array({Ran("push", {{"image", image}, {"tags", Json::array()}})});
  Complete(pod);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "Succeeded") << Ready().message;
  ASSERT_TRUE(Build().status.latest);
  EXPECT_EQ(Build().status.latest->image, image);
  EXPECT_EQ(Sent(Verb::kGet, "/pods?"), 1U);
}

TEST_F(ReconcilerTest, AReadThatIsRefusedIsToldInTheCondition) {
  Begin();
  Refuse(Verb::kGet, "/jobs/");
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(Ready().reason, "Forbidden");
  EXPECT_TRUE(Ready().message.contains("slipway may not do this")) << Ready().message;
  EXPECT_FALSE(Build().status.runs.at(0).failure);  // it goes on when the right is there
}

TEST_F(ReconcilerTest, ACreateThatIsRefusedIsToldAndTriedAgain) {
  Refuse(Verb::kPost, "/jobs");
  Add("app");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Reconcile());
  ASSERT_FALSE(Reconcile());
  EXPECT_EQ(Ready().reason, "Forbidden");
  Refuse(Verb::kPut, "nothing");
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(made_.size(), 2U);
  EXPECT_EQ(Ready().reason, "Building");
}

TEST_F(ReconcilerTest, ReadsEventsAtMostOnceInFiveSeconds) {
  Begin();
  SeeJob(std::chrono::seconds(61));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kGet, "/events"), 1U);
  clock_.Advance(std::chrono::milliseconds(4900));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kGet, "/events"), 1U);
  clock_.Advance(std::chrono::milliseconds(200));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kGet, "/events"), 2U);
  EXPECT_TRUE(std::ranges::any_of(api_.requests, [](const kube::Request& request) {
    return request.target.contains("/events") && request.target.contains("made-1");
  }));
}

TEST_F(ReconcilerTest, WhatWasReadOfEventsIsRememberedMeanwhile) {
  Begin();
  SeeJob(std::chrono::seconds(61));
  SeePod();
  Happen("FailedScheduling", "no node has room");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Reconcile());
    EXPECT_TRUE(Ready().message.contains("no node has room")) << Ready().message;
  }
  EXPECT_EQ(Sent(Verb::kGet, "/events"), 1U);
}

TEST_F(ReconcilerTest, AMissingSecretIsToldByTheFieldThatNamesIt) {
  Begin();
  SeeJob(std::chrono::seconds(61));
  SeePod();
  Happen("FailedMount", R"(MountVolume.SetUp failed for volume "git-credentials" : secret "git" not found)");
  ASSERT_TRUE(Reconcile());
  const auto run = Build().status.runs.at(0);
  ASSERT_TRUE(run.failure);
  EXPECT_EQ(run.failure->reason, "SecretNotFound");
  EXPECT_TRUE(run.failure->message.starts_with("spec.source.git.credentialsSecretRef: Secret git"))
      << run.failure->message;
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/" + made_.at(0)), 1U);
}

TEST_F(ReconcilerTest, EventsThatCantBeReadAreSaidAndHoldNothingUp) {
  Begin();
  SeeJob(std::chrono::seconds(61));
  SeePod();
  Refuse(Verb::kGet, "/events");
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(Build().status.runs.at(0).failure);
  EXPECT_TRUE(Ready().message.contains("its events can't be read")) << Ready().message;
}

}  // namespace
}  // namespace slipway::image_build
