// The operator killed with SIGKILL after every single thing that it writes for one build: each Job is made
// once, has one pod, and the image is there.
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "e2e/runs/fixture.h"
#include "support/operator_process.h"

namespace slipway::testing {
namespace {

class EveryWrite : public Runs {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Runs::SetUp());
    ASSERT_TRUE(operator_.Find());
  }

  OperatorProcess operator_;
};

// What was ever made in the namespace, however often it was told of: names of Jobs to UIDs.
struct Made {
  std::map<std::string, std::set<std::string>> jobs;
  std::map<std::string, std::set<std::string>> pods;

  void TakeJobs(const std::vector<Json>& changes) {
    for (const auto& change : changes) {
      jobs[Text(change, "/object/metadata/name")].insert(Text(change, "/object/metadata/uid"));
    }
  }
  void TakePods(const std::vector<Json>& changes) {
    for (const auto& change : changes) {
      pods[Text(change, "/object/metadata/labels/slipway.dev~1job")].insert(
          Text(change, "/object/metadata/uid"));
    }
  }
};

std::string TypeOf(const Json& change) { return change.value("type", ""); }

TEST_F(EveryWrite, KillsTheOperatorAndEachJobIsMadeOnceAndTheImagePushedOnce) {
  Changes builds(kSlipway, ns_, "imagebuilds");
  Changes jobs(kBatch, ns_, "jobs");
  Changes pods("/api/v1", ns_, "pods");
  Json spec = Spec();
  Json test = Test("test -f Dockerfile");
  test["matrix"] = Json::array({{{"name", "MODE"}, {"values", {"one", "two"}}}});
  spec["tests"] = Json::array({test});
  Create(spec);

  Made made;
  int kills = 0;
  int writes = 0;
  int at_a_job = 0;  // of them, those that may have come between the Job and its record
  Json status;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (std::chrono::steady_clock::now() < end && Text(status, "/phase") != "Succeeded") {
    const auto new_jobs = jobs.Next();
    const bool job = std::ranges::count(new_jobs, "ADDED", TypeOf) > 0;
    made.TakeJobs(new_jobs);
    const Json before = status;
    for (const auto& change : builds.Next()) {
      const auto next = change["object"].value("status", Json::object());
      writes += next == status ? 0 : 1;
      status = next;
    }
    writes += static_cast<int>(std::ranges::count(new_jobs, "ADDED", TypeOf));
    if (!job && before == status) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(operator_.Kill());
    ++kills;
    at_a_job += job ? 1 : 0;
  }
  std::cerr << kills << " kills after " << writes << " writes, " << at_a_job
            << " of them right after a Job was made" << '\n';
  RecordProperty("kills", kills);
  // Two that follow at once, such as a Job and its record, may meet one kill.
  EXPECT_GE(kills, 8);
  EXPECT_GE(kills * 2, writes);
  EXPECT_GE(at_a_job, 3);

  const auto build = WaitReady(ns_, "imagebuild", "web", "True", Seconds(30));
  ASSERT_EQ(build["status"]["runs"].size(), 1U) << build["status"];
  const auto run = Run(build, 1);
  EXPECT_EQ(run["jobs"].size(), 4U) << run;  // resolve, two tests, build
  made.TakeJobs(jobs.Stop());
  made.TakePods(pods.Stop());
  EXPECT_EQ(made.jobs.size(), 4U) << Json(made.jobs);
  EXPECT_EQ(made.pods.size(), 4U) << Json(made.pods);
  for (const auto& recorded : run["jobs"]) {
    const std::set<std::string> one{recorded["uid"].get<std::string>()};
    EXPECT_EQ(made.jobs[recorded["name"]], one) << recorded;
    EXPECT_EQ(made.pods[recorded["name"]].size(), 1U) << recorded;
    EXPECT_EQ(recorded["state"], "Succeeded");
  }
  const auto digest = Execute({"crane", "digest", "--insecure", Image() + ":" + Text(run, "/commit/sha")});
  EXPECT_EQ(Image() + "@" + digest.text.substr(0, 71), Text(run, "/image"));
}

}  // namespace
}  // namespace slipway::testing
