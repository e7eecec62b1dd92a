// The shell of the Release controller: what it makes is made once, whatever is lost on the way, and what is
// somebody else's is neither taken nor deleted.
#include "protocol/release/world.h"

namespace slipway::release {
namespace {

// ---- the migration's Job ----

TEST_F(ReconcilerTest, RecordsTheUidOfTheMigrationsJob) {
  auto release = Made();
  Migrates(release);
  Put(release);
  Settle();
  ASSERT_EQ(Names("jobs").size(), 1U);
  const auto record = Shop().status.history.at(0).migration;
  ASSERT_TRUE(record);
  EXPECT_EQ(record->job, Names("jobs").at(0));
  EXPECT_EQ(record->job_uid, kube::Uid{"made-1"});
  EXPECT_TRUE(Names("canarypromotions").empty());
}

TEST_F(ReconcilerTest, MakesTheJobOnceThoughTheStatusIsLost) {
  LoseTheJobsRecord();
  Settle();
  EXPECT_EQ(Names("jobs").size(), 1U);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 0U);
  EXPECT_EQ(Shop().status.history.at(0).migration->job_uid, kube::Uid{"made-1"});
}

// Labels say whose it is, and nothing of what it ran: not where somebody's admission completed it, nor where
// it is of an earlier spec.
TEST_F(ReconcilerTest, AJobOfAnotherTemplateIsMadeAgain) {
  LoseTheJobsRecord();
  auto& container = At("jobs", Names("jobs").at(0))["spec"]["template"]["spec"]["containers"][0];
  container["args"] = {"migrate", "nothing"};
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 1U);
  Settle();
  EXPECT_EQ(made_, 2);
  EXPECT_EQ(Shop().status.history.at(0).migration->job_uid, kube::Uid{"made-2"});
  const auto& anew = At("jobs", Names("jobs").at(0))["spec"]["template"]["spec"]["containers"][0];
  EXPECT_EQ(anew["args"], Json::array({"migrate"}));
}

TEST_F(ReconcilerTest, AJobThatIsNotOursIsNeitherTakenNorDeleted) {
  LoseTheJobsRecord();
  At("jobs", Names("jobs").at(0))["metadata"]["labels"].erase("slipway.dev/release");
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(Ready().reason, "NameTaken");
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 0U);
}

// What the earlier environment has verified may have been taken back since the cache saw it.
TEST_F(ReconcilerTest, NothingBeginsFromASourceThatHasMovedOn) {
  auto source = Made();
  source.meta.key.name = "first";
  source.meta.uid = {"first-uid"};
  source.spec.target.deployment = "staging";
  source.spec.promotes_to = {{"shop", "team"}};
  source.status.image = kNewImage;
  source.status.verified = clock_.now - std::chrono::hours(1);
  Put(source);
  auto release = Made();
  release.spec.image.clear();
  release.spec.image_from.emplace().release = resources::ReleaseRef{"first", "team"};
  Put(release);
  moved_ = "first";
  for (int i = 0; i < 3; ++i) {
    const auto outcome = Reconcile();
    if (!outcome) {
      EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict) << outcome.error().message;
    }
  }
  EXPECT_TRUE(Names("canarypromotions").empty());
  moved_.clear();
  Settle();
  EXPECT_EQ(Names("canarypromotions").size(), 1U) << Ready().reason << ": " << Ready().message;
}

TEST_F(ReconcilerTest, AJobThatWasCutShortIsRunAgain) {
  auto release = Made();
  Migrates(release);
  Put(release);
  Settle();
  ASSERT_EQ(Names("jobs").size(), 1U);
  Json failed = {{"type", "Failed"}, {"status", "True"}, {"reason", "PodFailurePolicy"}};
  At("jobs", Names("jobs").at(0))["status"]["conditions"] = Json::array({failed});
  for (int i = 0; i < 6; ++i) static_cast<void>(Reconcile());
  ASSERT_EQ(Names("jobs").size(), 1U);
  EXPECT_EQ(made_, 2);
  EXPECT_EQ(Sent(Verb::kDelete, "/jobs/"), 1U);
  EXPECT_EQ(Shop().status.history.at(0).migration->job_uid, kube::Uid{"made-2"});
  EXPECT_FALSE(Shop().status.history.at(0).finished);
}

// ---- the target ----

// The promotion before ended a moment ago, and the Deployment's informer has yet to see what it wrote.
TEST_F(ReconcilerTest, AnOldCacheOfTheTargetDoesNotEndADeliveryBeforeItBegan) {
  Put(Made());
  SeeInCache(kNewImage);
  Settle();
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
  EXPECT_EQ(Ready().reason, "Delivering");
}

TEST_F(ReconcilerTest, WhereTheCacheShowsWhatWasDeliveredItServes) {
  auto release = Made();
  resources::Delivery last;
  last.number = 1;
  last.image = kNewImage;
  last.outcome = "Promoted";
  last.finished = clock_.now - std::chrono::seconds(1);
  release.status.history = {last};
  Put(release);
  SeeInCache(kNewImage);
  Settle();
  EXPECT_EQ(Ready().reason, "Delivered");
  EXPECT_EQ(Sent(Verb::kGet, "/deployments/"), 0U);
}

// ---- copies of ConfigMaps ----

TEST_F(ReconcilerTest, ACopyThatWasMadeBeforeACrashIsAdopted) {
  auto release = Made();
  release.spec.config_maps = {"prices"};
  Put(release);
  Have("prices", "one");
  lose_statuses_ = 1;
  ASSERT_FALSE(Reconcile());
  ASSERT_EQ(Names("configmaps").size(), 2U);
  const std::string copy = Names("configmaps").at(1);
  At("configmaps", copy)["metadata"]["annotations"] = {{"somebody", "was here"}};
  Settle();
  EXPECT_EQ(Names("configmaps").size(), 2U);
  EXPECT_EQ(Shop().status.history.at(0).config_maps.at(0).copy, copy);
  EXPECT_EQ(At("configmaps", copy)["immutable"], true);
  EXPECT_EQ(At("configmaps", copy)["data"]["key"], "one");
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
}

TEST_F(ReconcilerTest, ACopyThatIsNotOursStopsTheDeliveryAndIsNamed) {
  auto release = Made();
  release.spec.config_maps = {"prices"};
  Put(release);
  Have("prices", "one");
  lose_statuses_ = 1;
  ASSERT_FALSE(Reconcile());
  const std::string copy = Names("configmaps").at(1);
  const Json promotion = At("canarypromotions", Names("canarypromotions").at(0));
  At("configmaps", copy)["metadata"].erase("ownerReferences");
  const auto outcome = Reconcile();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->recheck_after, std::chrono::seconds(60));
  EXPECT_EQ(Ready().reason, "ConfigCopyTaken");
  EXPECT_TRUE(Ready().message.contains(copy)) << Ready().message;
  EXPECT_TRUE(Shop().status.history.empty());
  EXPECT_EQ(Sent(Verb::kDelete, "/configmaps/"), 0U);
}

TEST_F(ReconcilerTest, ACopyIsNoSource) {
  auto release = Made();
  release.spec.config_maps = {"prices"};
  Put(release);
  Have("prices", "one");
  At("configmaps", "prices")["metadata"]["labels"] = {{"slipway.dev/kind", "Release"},
                                                      {"slipway.dev/role", "config"}};
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "ConfigMapIsACopy");
  EXPECT_EQ(made_, 0);
}

TEST_F(ReconcilerTest, AConfigMapThatIsNotThereIsWaitedFor) {
  auto release = Made();
  release.spec.config_maps = {"prices"};
  Put(release);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "ConfigMapNotFound");
  EXPECT_EQ(made_, 0);
  Have("prices", "one");
  Settle();
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
}

TEST_F(ReconcilerTest, ConfigMapsAreReadOnlyWhereSomeAreNamed) {
  Put(Made());
  Settle();
  EXPECT_EQ(Sent(Verb::kGet, "/configmaps/"), 0U);
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
}

}  // namespace
}  // namespace slipway::release
