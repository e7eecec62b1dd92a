// The shell of what is attested of a delivery: its Job is made in the platform's namespace, once, and
// followed live; and where it can't be made the Release goes on.
#include "release/attest.h"

#include <gmock/gmock.h>

#include "protocol/release/world.h"
#include "supply/names.h"

namespace slipway::release {
namespace {

using testing::HasSubstr;

Json Condition(const char* type, const char* reason) {
  Json condition = {{"type", type}, {"status", "True"}, {"reason", reason}};
  return Json::array({std::move(condition)});
}

class DeliveryAttestTest : public ReconcilerTest {
 protected:
  DeliveryAttestTest() {
    Json cluster;
    cluster["metadata"] = {{"name", "kube-system"}, {"uid", "cluster-uid"}, {"resourceVersion", "1"}};
    ReconcilerTest::Put("namespaces", cluster);
  }
  // Delivered, and not attested yet.
  resources::Release Delivered() {
    auto release = Made();
    release.spec.attest = resources::DeliveryAttest{"release", ""};
    resources::Delivery delivery;
    delivery.number = 1;
    delivery.image = kNewImage;
    delivery.outcome = "Promoted";
    delivery.promotion = "shop-cp-1";
    delivery.promotion_uid = kube::Uid{"promotion-uid"};
    delivery.finished = clock_.now - std::chrono::minutes(1);
    release.status.history = {delivery};
    release.status.image = kNewImage;
    release.status.verified = delivery.finished;
    return release;
  }
  // The Job that attests is made; it is recorded, if the status is not lost.
  void Attest(bool lose_status = false) {
    SeeInCache(kNewImage);
    At("deployments", "web")["spec"]["template"]["spec"]["containers"][0]["image"] = kNewImage;
    ReconcilerTest::Put(Delivered());
    lose_statuses_ = lose_status ? 1 : 0;
    ASSERT_EQ(Reconcile().has_value(), !lose_status);
    ASSERT_EQ(Names("jobs").size(), 1U);
    ASSERT_EQ(Shop().status.attestation.has_value(), !lose_status);
  }
  Json& Job() { return At("jobs", Names("jobs").at(0)); }
  // As the cache sees it.
  void SeeJob(const Json& json) {
    const auto job = resources::Job::Decode(json);
    ASSERT_TRUE(job) << job.error().message;
    jobs_.Put(*job);
  }
  const resources::AttestationRecord& Record() {
    static resources::AttestationRecord record;
    record = Shop().status.attestation.value_or(resources::AttestationRecord{});
    return record;
  }
  resources::Condition Attested() const { return *resources::Find(Shop().status.conditions, kAttested); }
};

TEST_F(DeliveryAttestTest, PostsOneJobInThePlatformsNamespaceAndRecordsItsUid) {
  Attest();
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/platform/jobs"), 1U);
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/team/jobs"), 0U);
  const Json job = Job();
  const supply::Owner owner{"Release", {"team", "shop"}, {"release-uid"}};
  EXPECT_EQ(supply::OwnerOf(*kube::DecodeMeta(job)), owner);
  EXPECT_EQ(job["metadata"]["labels"]["slipway.dev/role"], "attest");
  EXPECT_EQ(Record().job_uid, kube::Uid{"made-1"});
  EXPECT_EQ(Record().state, "Running");
  const auto said = Json::parse(
      job["spec"]["template"]["metadata"]["annotations"]["slipway.dev/input.canary.json"].get<std::string>());
  EXPECT_EQ(said["verdict"], "Promoted");
  EXPECT_EQ(said["delivery"]["cluster"], "cluster-uid");
  EXPECT_EQ(said["delivery"]["environment"], "team");
  const Json& container = job["spec"]["template"]["spec"]["initContainers"][0];
  EXPECT_EQ(container["name"], "attest-canary");
  EXPECT_THAT(container["args"].dump(), HasSubstr("--type=https://slipway.dev/attestations/canary/v1/team"));
  Settle();
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(Ready().reason, "Delivered");
}

TEST_F(DeliveryAttestTest, SaysThatItIsDone) {
  Attest();
  Job()["status"]["conditions"] = Condition("Complete", "");
  Settle();
  EXPECT_EQ(Record().state, "Attested");
  EXPECT_EQ(Attested().reason, "Attested");
  EXPECT_EQ(Attested().status, resources::ConditionStatus::kTrue);
  EXPECT_EQ(made_, 1);
}

TEST_F(DeliveryAttestTest, AttestsOnceThoughTheStatusIsLost) {
  Attest(true);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Names("jobs").size(), 1U);
  EXPECT_EQ(Record().job_uid, kube::Uid{"made-1"});
  EXPECT_EQ(made_, 1);
}

TEST_F(DeliveryAttestTest, AJobThatIsGoneIsMadeAgainLater) {
  Attest();
  ReconcilerTest::Forget("jobs", Record().job);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Record().state, "Failed");
  EXPECT_THAT(Attested().message, HasSubstr("was deleted"));
  EXPECT_TRUE(Names("jobs").empty()) << "not at once";
  clock_.now += std::chrono::minutes(1);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Names("jobs").size(), 1U);
  EXPECT_EQ(Record().runs, 2);
}

TEST_F(DeliveryAttestTest, WhatTheApiServerRefusesIsSaidAndTheReleaseGoesOn) {
  api_.on_call = [answer = api_.on_call](const kube::Request& request) -> Result<Json> {
    if (request.verb == Verb::kPost && request.target.contains("/namespaces/platform/jobs")) {
      return Fail(ErrorKind::kForbidden, "jobs is forbidden");
    }
    return answer(request);
  };
  SeeInCache(kNewImage);
  ReconcilerTest::Put(Delivered());
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Record().state, "Failed");
  ASSERT_TRUE(Reconcile());  // its status has changed
  EXPECT_THAT(Attested().message, HasSubstr("jobs is forbidden"));
  EXPECT_EQ(Record().runs, 1) << "not again at once";
  EXPECT_EQ(Ready().reason, "Delivered");
}

TEST_F(DeliveryAttestTest, WaitsForAnotherJobAboutTheSameDigest) {
  Json other = Json::parse(R"({"metadata": {"name": "app-attest-1", "namespace": "platform", "uid": "other",
                                            "resourceVersion": "1"}})");
  other["metadata"]["annotations"] = {{supply::kDigestAnnotation, "sha256:" + std::string(64, 'a')}};
  SeeJob(other);
  SeeInCache(kNewImage);
  ReconcilerTest::Put(Delivered());
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(made_, 0);
  EXPECT_THAT(Attested().message, HasSubstr("app-attest-1"));
  other["status"]["conditions"] = Condition("Complete", "");
  SeeJob(other);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(made_, 1);
  // Its own is none that it waits for, and one of another digest neither.
  SeeJob(Job());
  other.erase("status");
  other["metadata"]["annotations"] = {{supply::kDigestAnnotation, "sha256:" + std::string(64, 'b')}};
  SeeJob(other);
  Job()["status"]["conditions"] = Condition("Complete", "");
  SeeJob(Job());
  Settle();
  EXPECT_EQ(Record().state, "Attested");
}

}  // namespace
}  // namespace slipway::release
