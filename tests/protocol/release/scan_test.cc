// The shell of a look for vulnerabilities: its Job is made in the platform's namespace, once, and followed
// live, pod and all; where it can't be made the Release goes on; and what is delivered becomes figures.
#include <gmock/gmock.h>

#include "protocol/release/world.h"
#include "supply/names.h"

namespace slipway::release {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kClean =
    R"({"counts": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 1, "LOW": 2, "UNKNOWN": 0}, "closing": 0,
        "suppressed": 0, "worst": [], "used": [], "expired": []})";
constexpr const char* kFound =
    R"({"counts": {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 0, "LOW": 0, "UNKNOWN": 0}, "closing": 1,
        "suppressed": 0, "used": [], "expired": [],
        "worst": [{"id": "CVE-2024-1", "severity": "HIGH", "package": "p", "installed": "1", "fixed": "2"}]})";

TEST_F(ReconcilerTest, PostsTheScansJobInThePlatformsNamespaceAndRecordsItsUid) {
  Scan();
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/platform/jobs"), 1U);
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/team/jobs"), 0U);
  const auto job = At("jobs", Names("jobs").at(0));
  const auto& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(pod["initContainers"][0]["image"], "tools.example/trivy@sha256:t");
  EXPECT_EQ(pod["containers"][0]["image"], "tools.example/runner@sha256:r");
  const supply::Owner owner{"Release", {"team", "shop"}, {"release-uid"}};
  EXPECT_EQ(supply::OwnerOf(*kube::DecodeMeta(job)), owner);
  EXPECT_EQ(Shop().status.scan->job, Names("jobs").at(0));
  EXPECT_EQ(Shop().status.scan->job_uid, kube::Uid{"made-1"});
  EXPECT_EQ(Ready().reason, "ScanRunning");
  Settle();
  EXPECT_EQ(made_, 1);
  EXPECT_TRUE(Names("canarypromotions").empty());
}

// The cache has neither the Job nor its pod, and a Job that is complete says nothing by itself.
TEST_F(ReconcilerTest, DeliversWhatTheScanFoundClean) {
  Scan();
  EndScan(Names("jobs").at(0), 0, kClean);
  Settle();
  EXPECT_EQ(Names("canarypromotions").size(), 1U);
  EXPECT_EQ(Shop().status.scan->outcome, "Clean");
  EXPECT_EQ(made_, 2);
}

TEST_F(ReconcilerTest, HoldsWhatTheScanFoundVulnerable) {
  Scan();
  EndScan(Names("jobs").at(0), 10, kFound);
  Settle();
  EXPECT_EQ(Ready().reason, "VulnerabilitiesFound");
  EXPECT_THAT(Ready().message, HasSubstr("CVE-2024-1 p 1 -> 2"));
  EXPECT_TRUE(Names("canarypromotions").empty());
}

// Neither clean nor a finding.
TEST_F(ReconcilerTest, AScanWhoseJobIsCompleteAndItsPodGoneIsUnknown) {
  Scan();
  EndScan(Names("jobs").at(0), 0, kClean);
  Forget("pods", Names("pods").at(0));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "ScanFailed");
  EXPECT_THAT(Ready().message, HasSubstr("the pod of Job"));
}

TEST_F(ReconcilerTest, AScansPodThatIsNotTheJobsDoesNotCount) {
  Scan();
  EndScan(Names("jobs").at(0), 0, kClean);
  At("pods", Names("pods").at(0))["metadata"]["ownerReferences"][0]["uid"] = "another";
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "ScanFailed");
}

TEST_F(ReconcilerTest, WhereTheScanIsForbiddenTheStatusIsWrittenAllTheSame) {
  auto answer = api_.on_call;
  api_.on_call = [answer](const kube::Request& request) -> Result<Json> {
    const bool look = request.verb == Verb::kPost && request.target.contains("/namespaces/platform/");
    if (look) return Fail(ErrorKind::kForbidden, "jobs is forbidden");
    return answer(request);
  };
  auto release = Made();
  release.spec.gates.scan.emplace();
  Put(release);
  ASSERT_TRUE(Reconcile());
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Ready().reason, "ScanFailed");
  EXPECT_THAT(Ready().message, HasSubstr("jobs is forbidden"));
  EXPECT_EQ(Sent(Verb::kPost, "/namespaces/platform/jobs"), 1U);
}

// ---- what is delivered ----

class RescanTest : public ReconcilerTest {
 protected:
  // The target runs kNewImage, and the policy has it scanned.
  RescanTest() {
    auto policies = *policies_.Get({"slipway-system", "policy"});
    policies.policy->rescan_interval = std::chrono::hours(24);
    policies.meta.resource_version = {"2"};
    policies_.Put(policies);
    auto release = Made();
    release.status.image = kNewImage;
    release.status.commit = "v2";
    release.spec.suspend = true;  // what is delivered is of interest here, and no delivery
    Put(release);
  }

  // In time, a Job is made; its name.
  std::string AwaitJob() {
    for (int i = 0; i < 20 && Names("jobs").empty(); ++i) {
      const auto outcome = Reconcile();
      EXPECT_TRUE(outcome) << outcome.error().message;
      clock_.now += outcome->recheck_after.value_or(std::chrono::hours(1));
    }
    EXPECT_EQ(Names("jobs").size(), 1U);
    return Names("jobs").empty() ? "" : Names("jobs").front();
  }
  resources::Condition Vulnerable() const {
    const resources::Release shop = Shop();
    const auto* condition = resources::Find(shop.status.conditions, "Vulnerable");
    return condition == nullptr ? resources::Condition{} : *condition;
  }
};

TEST_F(RescanTest, ANewFindingBecomesAConditionAndFigures) {
  const std::string job = AwaitJob();
  EXPECT_EQ(Shop().status.rescan->job_uid, kube::Uid{"made-1"});
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("slipway_release_")));
  EndScan(job, 10, kFound);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Vulnerable().status, resources::ConditionStatus::kTrue);
  EXPECT_EQ(Vulnerable().reason, "VulnerabilitiesFound");
  EXPECT_THAT(Vulnerable().message, HasSubstr("of commit v2"));
  EXPECT_EQ(Ready().reason, "Suspended");
  const std::string text = metrics_.Text();
  EXPECT_THAT(text,
              HasSubstr(R"(slipway_release_findings{namespace="team",release="shop",severity="high"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(slipway_release_scan_age_seconds{namespace="team",release="shop"})"));
}

TEST_F(RescanTest, AReleaseThatGoesTakesItsFiguresAlong) {
  const std::string job = AwaitJob();
  EndScan(job, 0, kClean);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Vulnerable().status, resources::ConditionStatus::kFalse);
  EXPECT_THAT(metrics_.Text(), HasSubstr("slipway_release_findings"));
  releases_.Erase({"team", "shop"});
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("slipway_release_")));
}

}  // namespace
}  // namespace slipway::release
