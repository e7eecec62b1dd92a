// What the caches can't know yet is read from the API server: a Job right after its creation, and the pod of
// a Job that has ended, where the watch of pods is behind that of Jobs.
#include "jobs/find.h"

#include "protocol/runtime/scripted_api.h"

namespace slipway::jobs {
namespace {

using kube::Json;

class Finding : public ::testing::Test {
 protected:
  Finding() {
    job_.meta.key = {"team", "app-build-1"};
    job_.meta.uid = {"job-uid"};
    api_.on_call = [this](const kube::Request&) { return answer_; };
  }

  Json PodJson(const std::string& name, const std::string& phase) const {
    Json owner = {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", job_.meta.key.name}};
    owner["uid"] = job_.meta.uid.value;
    owner["controller"] = true;
    Json pod;
    pod["metadata"] = {
        {"name", name}, {"namespace", "team"}, {"uid", name + "-uid"}, {"resourceVersion", "7"}};
    pod["metadata"]["ownerReferences"] = Json::array({owner});
    pod["metadata"]["labels"][resources::kJobLabel] = job_.meta.key.name;
    pod["status"]["phase"] = phase;
    return pod;
  }
  void See(const Json& pod) {
    auto decoded = resources::Pod::Decode(pod);
    ASSERT_TRUE(decoded) << decoded.error().message;
    pods_.Put(*decoded);
  }
  Result<JobPtr> Find() { return loop_.Get(finder_.Find(job_.meta.key, job_.meta.uid)); }
  Result<std::vector<PodPtr>> PodsOf(bool ended) { return loop_.Get(finder_.PodsOf(job_.meta, ended)); }

  runtime::Loop loop_;
  runtime::ScriptedApi api_;
  runtime::Store<resources::Job> jobs_;
  runtime::Store<resources::Pod> pods_;
  resources::Job job_;
  Result<Json> answer_ = Fail(ErrorKind::kNotFound, "nothing is there");
  Finder finder_{api_, jobs_, pods_};
};

TEST_F(Finding, AJobThatIsCachedIsNotReadAgain) {
  jobs_.Put(job_);
  const auto found = Find();
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, jobs_.Get(job_.meta.key));
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(Finding, AJobThatIsNotCachedIsReadAndCountsUnderItsUidOnly) {
  EXPECT_EQ(*Find(), nullptr);
  for (const bool same : {true, false}) {
    Json job;
    job["metadata"] = {{"name", job_.meta.key.name}, {"namespace", "team"}, {"resourceVersion", "7"}};
    job["metadata"]["uid"] = same ? job_.meta.uid.value : "another";
    answer_ = job;
    const auto found = Find();
    ASSERT_TRUE(found);
    EXPECT_EQ(*found != nullptr, same);
  }
  resources::Job another = job_;
  another.meta.uid = {"another"};
  jobs_.Put(another);
  EXPECT_EQ(*Find(), nullptr) << "the cache has one that was deleted and made again";
  EXPECT_EQ(api_.requests.size(), 4U);
}

TEST_F(Finding, AReadThatFailsIsNoJobThatIsGone) {
  answer_ = Fail(ErrorKind::kTransient, "the server is away");
  EXPECT_EQ(Find().error().kind, ErrorKind::kTransient);
  EXPECT_EQ(PodsOf(true).error().kind, ErrorKind::kTransient);
}

TEST_F(Finding, PodsOfAJobThatGoesOnAreThoseOfTheCache) {
  EXPECT_TRUE(PodsOf(false)->empty());
  See(PodJson("a", "Running"));
  EXPECT_EQ(PodsOf(false)->size(), 1U);
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(Finding, OfAJobThatHasEndedThePodIsReadAsItEnded) {
  for (const bool behind : {false, true}) {
    if (behind) See(PodJson("a", "Running"));
    answer_ = Json{{"items", Json::array({PodJson("a", "Succeeded")})}};
    const auto pods = PodsOf(true);
    ASSERT_TRUE(pods);
    const PodPtr pod = NewestPod(job_.meta, *pods);
    ASSERT_NE(pod, nullptr);
    EXPECT_TRUE(HasEnded(*pod));
  }
  ASSERT_EQ(api_.requests.size(), 2U);
  EXPECT_TRUE(api_.requests[0].target.contains("/namespaces/team/pods?")) << api_.requests[0].target;
  EXPECT_TRUE(api_.requests[0].target.contains("app-build-1")) << api_.requests[0].target;
  See(PodJson("a", "Failed"));
  EXPECT_EQ(PodsOf(true)->front()->phase, "Failed");
  EXPECT_EQ(api_.requests.size(), 2U) << "seen to have ended: it is not read again";
}

TEST_F(Finding, APodThatIsGoneIsNotThere) {
  See(PodJson("a", "Running"));
  answer_ = Json{{"items", Json::array()}};
  EXPECT_TRUE(PodsOf(true)->empty());
}

}  // namespace
}  // namespace slipway::jobs
