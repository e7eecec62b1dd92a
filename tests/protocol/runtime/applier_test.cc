// Effects against a scripted API server: what is sent, and what each answer is taken for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/runtime/scripted_api.h"
#include "runtime/effects.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using kube::Verb;
using ::testing::HasSubstr;
using ::testing::Not;

const kube::ObjectKey kKey{"team", "shop-1"};

Json Job(const std::string& image = "runner@sha256:aa") {
  return Json::parse(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"shop-1","namespace":"team"},
    "spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":")" +
                     image + R"("}]}}}})");
}

Json Live(Json object, const std::string& uid, const std::string& version) {
  object["metadata"]["uid"] = uid;
  object["metadata"]["resourceVersion"] = version;
  return object;
}

Result<Json> Refused(ErrorKind kind, const std::string& words = "the server's words") {
  return std::unexpected(Error{kind, words, std::nullopt});
}

class ApplierTest : public ::testing::Test {
 protected:
  Result<Applied> Run(Effect effect) { return loop_.Get(applier_.Run(std::move(effect))); }
  std::vector<Verb> Verbs() const {
    std::vector<Verb> verbs;
    for (const auto& request : api_.requests) verbs.push_back(request.verb);
    return verbs;
  }

  Loop loop_;
  ScriptedApi api_;
  Applier applier_{api_};
};

TEST_F(ApplierTest, CreatesByPost) {
  api_.Replay({Live(Job(), "u1", "7")});
  const auto applied = Run(Create{kube::kJobs, Job()});
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->uid.value, "u1");
  EXPECT_EQ(applied->resource_version.value, "7");
  EXPECT_TRUE(applied->created);
  ASSERT_EQ(api_.requests.size(), 1U);
  EXPECT_EQ(api_.requests[0].verb, Verb::kPost);
  EXPECT_THAT(api_.requests[0].target, HasSubstr("/apis/batch/v1/namespaces/team/jobs"));
  EXPECT_EQ(BodyOf(api_.requests[0]), Job());
}

// F1: the answer to an earlier create was lost.
TEST_F(ApplierTest, ACreateThatMeetsOurOwnObjectAdoptsIt) {
  api_.Replay({Refused(ErrorKind::kAlreadyExists), Live(Job(), "u1", "7")});
  const auto applied = Run(Create{kube::kJobs, Job()});
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->uid.value, "u1");
  EXPECT_FALSE(applied->created);
  EXPECT_THAT(Verbs(), ::testing::ElementsAre(Verb::kPost, Verb::kGet));
}

TEST_F(ApplierTest, ACreateThatMeetsAForgeryIsRefusedAndSaysWhatDiffers) {
  api_.Replay({Refused(ErrorKind::kAlreadyExists), Live(Job("evil"), "u1", "7")});
  const auto applied = Run(Create{kube::kJobs, Job()});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(applied.error().message, HasSubstr("Job"));
  EXPECT_THAT(applied.error().message, HasSubstr("team/shop-1"));
  EXPECT_THAT(applied.error().message, HasSubstr("spec.template.spec.containers[0].image differs"));
  EXPECT_THAT(applied.error().message, Not(HasSubstr("evil")));
}

TEST_F(ApplierTest, WhatIsStillBeingDeletedIsNotAdopted) {
  Json live = Live(Job(), "u1", "7");
  live["metadata"]["deletionTimestamp"] = "2026-11-21T06:00:00Z";
  api_.Replay({Refused(ErrorKind::kAlreadyExists), live});
  const auto applied = Run(Create{kube::kJobs, Job()});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kConflict);
}

TEST_F(ApplierTest, WhatWentBetweenTheTwoCallsIsDecidedAgain) {
  api_.Replay({Refused(ErrorKind::kAlreadyExists), Refused(ErrorKind::kNotFound)});
  const auto applied = Run(Create{kube::kJobs, Job()});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kConflict);
}

TEST_F(ApplierTest, EveryOtherRefusalOfACreateIsTheServersOwnWords) {
  for (const ErrorKind kind : {ErrorKind::kForbidden, ErrorKind::kInvalid, ErrorKind::kTransient,
                               ErrorKind::kThrottled, ErrorKind::kCancelled, ErrorKind::kNotFound}) {
    api_.Replay({Refused(kind, "exceeded quota: pods")});
    const auto applied = Run(Create{kube::kJobs, Job()});
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().kind, kind);
    EXPECT_EQ(applied.error().message, "exceeded quota: pods");
  }
}

TEST_F(ApplierTest, ACreateWithoutANameIsNeverSent) {
  Json nameless = Job();
  nameless["metadata"].erase("name");
  const auto applied = Run(Create{kube::kJobs, nameless});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(ApplierTest, AppliesWithManagerForceAndPreconditions) {
  api_.Replay({Live(Job(), "u1", "8")});
  const Json body = {{"apiVersion", "apps/v1"},
                     {"kind", "Deployment"},
                     {"metadata", {{"name", "shop"}, {"uid", "u1"}, {"resourceVersion", "7"}}},
                     {"spec", {{"replicas", 3}}}};
  const auto applied = Run(Apply{kube::kDeployments, {"team", "shop"}, body, false, "slipway-canary"});
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->resource_version.value, "8");
  const auto& request = api_.requests.at(0);
  EXPECT_EQ(request.verb, Verb::kPatch);
  EXPECT_THAT(request.content_type, HasSubstr("apply-patch"));
  EXPECT_THAT(request.target, HasSubstr("fieldManager=slipway-canary"));
  EXPECT_THAT(request.target, Not(HasSubstr("force=true")));
  EXPECT_EQ(BodyOf(request)["metadata"]["resourceVersion"], "7");
}

TEST_F(ApplierTest, AnApplyThatConflictsIsPassedOn) {
  api_.Replay({Refused(ErrorKind::kConflict)});
  const auto applied = Run(Apply{kube::kDeployments, {"team", "shop"}, Json::object(), true});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kConflict);
}

Delete Removal(const std::string& version = "") {
  return {kube::kJobs, kKey, {{"u1"}, {version}}, kube::Propagation::kBackground};
}

TEST_F(ApplierTest, DeletesWithAUidPrecondition) {
  api_.Replay({Json::object()});
  const auto deleted = Run(Removal());
  ASSERT_TRUE(deleted);
  EXPECT_EQ(deleted->uid.value, "u1");
  EXPECT_TRUE(deleted->resource_version.empty());
  EXPECT_EQ(api_.requests.at(0).verb, Verb::kDelete);
  EXPECT_EQ(BodyOf(api_.requests[0])["preconditions"]["uid"], "u1");
}

TEST_F(ApplierTest, ADeleteWithoutAUidIsNeverSent) {
  const auto deleted = Run(Delete{kube::kJobs, kKey, {}, kube::Propagation::kBackground});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(ApplierTest, DeletingWhatIsGoneOrReplacedIsASuccess) {
  const std::vector<std::vector<Result<Json>>> scripts = {
      {Refused(ErrorKind::kNotFound)},
      {Refused(ErrorKind::kConflict), Refused(ErrorKind::kNotFound)},
      {Refused(ErrorKind::kConflict), Live(Job(), "another", "9")},
  };
  for (const auto& script : scripts) {
    api_.Replay(script);
    EXPECT_TRUE(Run(Removal("7")));
  }
}

TEST_F(ApplierTest, DeletingWhatHasMovedOnIsAConflict) {
  api_.Replay({Refused(ErrorKind::kConflict, "the version moved"), Live(Job(), "u1", "9")});
  const auto deleted = Run(Removal("7"));
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(deleted.error().message, "the version moved");
}

TEST_F(ApplierTest, ADeleteThatCantBeJudgedIsTriedAgain) {
  api_.Replay({Refused(ErrorKind::kConflict), Refused(ErrorKind::kTransient)});
  const auto deleted = Run(Removal("7"));
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().kind, ErrorKind::kTransient);
}

TEST_F(ApplierTest, StatusIsAppliedForcefullyWithUidAndObservedVersion) {
  api_.Replay({Live(Json::object(), "u1", "12")});
  const auto written = loop_.Get(
      applier_.WriteStatus(kube::kReleases, {"team", "shop"}, {"u1"}, {"11"}, Json{{"phase", "Canary"}}));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->value, "12");
  const auto& request = api_.requests.at(0);
  EXPECT_EQ(request.verb, Verb::kPatch);
  EXPECT_THAT(request.target, HasSubstr("/namespaces/team/releases/shop/status?"));
  EXPECT_THAT(request.target, HasSubstr("force=true"));
  const Json body = BodyOf(request);
  EXPECT_EQ(body["apiVersion"], "slipway.dev/v1alpha1");
  EXPECT_EQ(body["kind"], "Release");
  const Json metadata = {{"name", "shop"}, {"namespace", "team"}, {"uid", "u1"}, {"resourceVersion", "11"}};
  EXPECT_EQ(body["metadata"], metadata);
  EXPECT_EQ(body["status"], (Json{{"phase", "Canary"}}));
}

// F2, F5: decided from a stale cache.
TEST_F(ApplierTest, AStatusDecidedFromAnOldVersionEndsInAConflict) {
  api_.Replay({Refused(ErrorKind::kConflict)});
  const auto written =
      loop_.Get(applier_.WriteStatus(kube::kReleases, {"team", "shop"}, {"u1"}, {"11"}, Json::object()));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kConflict);
}

}  // namespace
}  // namespace slipway::runtime
