// The operator killed with SIGKILL after every single thing that it writes for one build: each Job is made
// once, has one pod, and the image is there.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kSystem = "slipway-system";

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The operator's process in the pod, as soon as it runs: the kubelet reports it a second later. 0: not yet.
pid_t OperatorOf(std::string pod_uid) {
  std::string in_systemd = pod_uid;
  std::ranges::replace(in_systemd, '-', '_');
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (Content(entry.path() / "comm") != "slipway-operato\n") continue;  // cut by the kernel
    const auto group = Content(entry.path() / "cgroup");
    if (group.find(pod_uid) != std::string::npos || group.find(in_systemd) != std::string::npos) {
      return std::stoi(name);
    }
  }
  return 0;
}

class EveryWrite : public Runs {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Runs::SetUp());
    ASSERT_TRUE(Find());
  }

  // SIGKILL first: nothing that it had in mind is done. A container that is killed again and again is started
  // ever later by the kubelet (10 s, 20 s, … 5 min), and a lease that nobody let go is waited for (15 s). So
  // its pod is taken away, for which the ReplicaSet makes another at once, and, when that one's process is
  // there, the lease of the dead one. Nobody else writes meanwhile.
  void Kill() {
    ASSERT_EQ(::kill(pid_, SIGKILL), 0);
    const auto gone =
        Kubectl({"-n", kSystem, "delete", "pod", pod_, "--grace-period=0", "--force", "--wait=false"});
    ASSERT_TRUE(gone.ok()) << gone.text;
    ASSERT_TRUE(Find());
    Kubectl({"-n", kSystem, "delete", "lease", "slipway-operator", "--wait=false"});
  }

  // The one pod of the operator that is not the last one.
  bool Find() {
    return Eventually(Seconds(30), "the operator's process", [this](std::string& seen) {
      const auto pods = GetJson(kSystem, "pods").at("items");
      seen = std::to_string(pods.size()) + " pods";
      for (const auto& pod : pods) {
        const std::string name = pod["metadata"]["name"];
        if (name == pod_ || pod["metadata"].contains("deletionTimestamp")) continue;
        if (const pid_t pid = OperatorOf(pod["metadata"]["uid"]); pid > 0) {
          pod_ = name;
          pid_ = pid;
          return true;
        }
      }
      return false;
    });
  }

  std::string pod_;
  pid_t pid_ = 0;
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
    ASSERT_NO_FATAL_FAILURE(Kill());
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
