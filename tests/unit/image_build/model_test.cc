// Random histories of one ImageBuild: its spec, the cluster and the operator do what they like, in any order,
// and what must hold holds after each step. The seeds are fixed, so a failure comes again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "image_build/names.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

constexpr int kSteps = 1500;  // of each seed
constexpr int kRest = 60;     // decisions until a build that nothing happens to is at rest

struct Ran {
  int number = 0;
  StartJob start;
};

// The cluster behind a World: what its Jobs are of, and who made how many of them.
class Cluster {
 public:
  explicit Cluster(unsigned seed) : random_(seed) {
    world_.build.spec.build.retries = 1;
    world_.build.spec.history = {.successful = 2, .failed = 2, .cancelled = 1};
  }

  void Step() {
    world_.now += std::chrono::seconds(Below(40));
    switch (Below(30)) {
      case 0:
        ChangeSpec();
        break;
      case 1:
        world_.Saw(std::string(40, static_cast<char>('a' + Below(6))));
        break;
      case 2:
        Annotate();
        break;
      case 3:
        world_.admitted = !OneIn(3);
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        MoveAJob();
        break;
      default:
        Decide();
    }
    Check();
  }

  // Nothing happens but what the cluster owes: Jobs end, decisions are made and time goes by.
  void ComeToRest() {
    world_.admitted = true;
    world_.build.spec.suspend = false;
    world_.build.spec.require_approval = false;
    ++world_.build.meta.generation;
    for (int i = 0; i < kRest; ++i) {
      EndAll();
      Once(/*crash=*/false);
      world_.now += std::chrono::minutes(1);
      Check();
    }
    const auto before = world_.build.status;
    const auto plan = world_.Decide();
    EXPECT_EQ(plan.status, before) << Message(plan);
    EXPECT_TRUE(plan.starts.empty());
    EXPECT_TRUE(plan.removals.empty());
    ASSERT_FALSE(before.runs.empty());
    EXPECT_TRUE(before.runs.front().finished);
  }

  int runs() const { return highest_; }
  int successes() const { return successes_; }
  int refused() const { return refused_; }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }

  // Every write of the object is a new version, by which a decision from an older one is refused.
  void Touch() { ++version_; }

  void ChangeSpec() {
    auto& spec = world_.build.spec;
    switch (Below(9)) {
      case 0:
        spec.build.target = std::string(1, static_cast<char>('a' + Below(3)));
        break;
      case 1:
        spec.source.revision = OneIn(4) ? kSha : OneIn(2) ? "main" : "next";
        break;
      case 2:
        spec.suspend = !spec.suspend && OneIn(2);
        break;
      case 3:
        spec.output.push = !spec.output.push;
        break;
      case 4:
        spec.build.platforms =
            OneIn(2) ? std::vector<std::string>{} : std::vector<std::string>{"linux/amd64", "linux/arm64"};
        break;
      case 5:
        ToggleTests();
        break;
      case 6:
        spec.require_approval = !spec.require_approval && OneIn(2);
        break;
      case 7:
        ToggleReport();
        break;
      default:
        spec.trigger.on_new_commit =
            OneIn(2) ? resources::OnNewCommit::kCancel : resources::OnNewCommit::kFinish;
    }
    ++world_.build.meta.generation;
    Touch();
  }

  void ToggleTests() {
    auto& tests = world_.build.spec.tests;
    if (!tests.empty()) return tests.clear();
    resources::TestSpec test{.name = "unit", .image = kImage, .command = {"true"}};
    test.matrix = {{"OS", {"a", "b", "c"}}};
    test.fail_fast = OneIn(2);
    tests.push_back(test);
  }

  void ToggleReport() {
    auto& report = world_.build.spec.report;
    if (report) return report.reset();
    report = resources::ReportSpec{.api_url = "https://api.example.com", .credentials_secret_ref = {"token"}};
    world_.policy->secrets = {{"token", resources::SecretUse::kReport}};
  }

  void Annotate() {
    switch (Below(5)) {
      case 0:
        world_.Annotate(resources::kRebuildAnnotation, std::to_string(Below(1000)));
        break;
      case 1:
        world_.Annotate(resources::kCancelAnnotation, std::to_string(highest_));
        break;
      case 2:
        if (!world_.decisions.empty()) world_.decisions.clear();
        break;
      default:
        if (world_.build.status.runs.empty() || !world_.Run().commit) return;
        world_.Act(OneIn(4) ? resources::Verb::kReject : resources::Verb::kApprove, world_.Run().commit->sha);
    }
    Touch();
  }

  // ---- the operator ----

  void Decide() { Once(OneIn(4)); }

  // Between the look and the acts, and between each two of them, another may write or the process may die.
  void Once(bool crash) {
    const auto seen_version = version_;
    std::optional<World> stale;
    if (crash && previous_) stale = *previous_;
    previous_ = world_;
    World& from = stale ? *stale : world_;
    from.now = world_.now;
    if (stale) {  // the cache is behind: its own objects' fields too
      Plan old = from.Decide();
      if (stale->build.status != world_.build.status) {
        ++refused_;  // StillAsSeen, or the write's resourceVersion
        return;
      }
    }
    Owned();
    Plan plan = world_.Decide();
    if (crash && OneIn(3)) return;
    for (const auto& gone : plan.removals) Remove(gone);
    for (const auto& start : plan.starts) {
      Create(start, plan);
      if (crash && OneIn(3)) return;  // died before the status was written
    }
    if (seen_version != version_) return;
    if (plan.status != world_.build.status) Touch();
    world_.Store(plan);
    Learn();
  }

  void Owned() {
    world_.owned.clear();
    for (const auto& [name, job] : world_.jobs) world_.owned.push_back({name, job.meta.uid});
  }

  void Remove(const OwnedJob& gone) {
    const auto job = world_.jobs.find(gone.name);
    if (job == world_.jobs.end() || job->second.meta.uid != gone.uid) return;
    world_.pods.erase(gone.name);
    world_.jobs.erase(job);
  }

  // A POST: what is there already is adopted.
  void Create(const StartJob& start, Plan& plan) {
    auto& run = plan.status.runs.front();
    auto [job, made] = world_.jobs.try_emplace(start.name);
    if (made) {
      job->second.meta.key = {"team", start.name};
      job->second.meta.uid = {"uid-" + std::to_string(++uids_)};
      job->second.meta.created = world_.now;
      job->second.started = world_.now;
      job->second.active = 1;
      ran_[job->second.meta.uid.value] = {run.number, start};
      auto& pod = world_.pods[start.name];
      pod.meta.key = {"team", start.name + "-pod"};
      pod.meta.created = world_.now;
      pod.phase = "Running";
      pod.scheduled = true;
    }
    run.jobs.push_back(
        {.name = start.name, .uid = job->second.meta.uid, .role = start.role, .leg = start.leg});
  }

  // ---- the cluster ----

  void MoveAJob() {
    if (world_.jobs.empty()) return;
    auto job = world_.jobs.begin();
    std::advance(job, Below(static_cast<int>(world_.jobs.size())));
    if (job->second.complete || job->second.failed) return;
    const std::string name = job->first;
    switch (Below(14)) {
      case 0:
        world_.pods.erase(name);
        world_.jobs.erase(name);  // somebody deleted it
        break;
      case 1:
        world_.pods.erase(name);
        job->second.failed = true;
        job->second.failed_reason = OneIn(2) ? "PodFailurePolicy" : "BackoffLimitExceeded";
        job->second.finished = world_.now;
        break;
      case 2:
        EndBadly(job->second);
        break;
      default:
        EndWell(job->second);
    }
  }

  void EndAll() {
    for (auto& [name, job] : world_.jobs) {
      if (!job.complete && !job.failed) EndWell(job);
    }
  }

  static std::string FirstContainer(JobRole role) {
    if (role == JobRole::kResolve) return "resolve";
    if (role == JobRole::kIndex) return "index";
    return role == JobRole::kReport ? "report" : "source";
  }

  void EndBadly(Job& job) {
    const auto& ran = ran_.at(job.meta.uid.value);
    auto& pod = world_.pods[job.meta.key.name];
    pod.containers = {Ended(FirstContainer(ran.start.role), OneIn(2) ? 20 : 22)};
    pod.phase = "Failed";
    job.failed = true;
    job.failed_reason = "BackoffLimitExceeded";
    job.finished = world_.now;
  }

  void EndWell(Job& job) {
    const auto& ran = ran_.at(job.meta.uid.value);
    auto& pod = world_.pods[job.meta.key.name];
    const std::string role = FirstContainer(ran.start.role);
    pod.containers = {Ended(role)};
    if (ran.start.role == JobRole::kResolve) {
      pod.containers = {Ended(role, 0, FoundReport(std::string(40, static_cast<char>('a' + Below(6)))))};
    } else if (ran.start.role == JobRole::kIndex) {
      pod.containers = {Ended(role, 0, PushedReport())};
    } else if (ran.start.role == JobRole::kTest) {
      pod.containers = {Ended("source"), Ended("test")};
    } else if (ran.start.role == JobRole::kBuild) {
      pod.containers = AllWell();
      if (OneIn(8)) {
        std::ranges::find(pod.containers, "gate", &ContainerState::name)->message =
            OneIn(2) ? "no report" : "";
      } else {
        scanned_.insert(job.meta.uid.value);
      }
    }
    pod.phase = "Succeeded";
    job.complete = true;
    job.active = 0;
    job.finished = world_.now;
  }

  // ---- what must hold ----

  void Learn() {
    const auto& runs = world_.build.status.runs;
    if (runs.empty()) return;
    if (runs.front().number != highest_) {
      EXPECT_EQ(runs.front().number, highest_ + 1) << "no number is left out, none comes again";
      highest_ = runs.front().number;
    }
    const bool passed = runs.front().finished && !runs.front().failure;
    if (!passed || succeeded_ == highest_) return;
    succeeded_ = highest_;
    ++successes_;
    for (const auto& job : runs.front().jobs) {
      if (job.role != JobRole::kBuild) continue;
      EXPECT_TRUE(scanned_.contains(job.uid.value)) << "run " << highest_ << " without a scan's report";
    }
  }

  void Check() {
    const auto& runs = world_.build.status.runs;
    std::set<std::string> recorded;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      EXPECT_TRUE(i == 0 || runs[i].finished) << "run " << runs[i].number << " is open and not the newest";
      EXPECT_TRUE(i == 0 || runs[i].number < runs[i - 1].number);
      EXPECT_TRUE(!runs[i].failure || runs[i].finished || FindStage(runs[i], "test") != nullptr);
      CheckJobs(runs[i], recorded);
    }
    EXPECT_LE(runs.size(), 6U);
  }

  void CheckJobs(const BuildRun& run, std::set<std::string>& recorded) {
    std::set<std::pair<JobRole, std::string>> parts;
    for (const auto& job : run.jobs) {
      EXPECT_TRUE(recorded.insert(job.uid.value).second) << "one Job is in two places";
      EXPECT_TRUE(parts.emplace(job.role, job.leg).second) << "two Jobs of one part of run " << run.number;
      EXPECT_EQ(ran_.at(job.uid.value).number, run.number);
      const bool counts = run.finished && job.role != JobRole::kReport;
      EXPECT_FALSE(counts && job.state == StageState::kRunning) << "run " << run.number << " goes on";
      const auto live = world_.jobs.find(job.name);
      const bool lives = live != world_.jobs.end() && live->second.meta.uid == job.uid;
      EXPECT_FALSE(counts && lives && !live->second.complete && !live->second.failed)
          << "a Job of run " << run.number << ", which has ended, still runs";
    }
  }

  std::mt19937 random_;
  World world_;
  std::optional<World> previous_;
  std::map<std::string, Ran> ran_;
  std::set<std::string> scanned_;
  int version_ = 0;
  int uids_ = 0;
  int highest_ = 0;
  int succeeded_ = 0;
  int successes_ = 0;
  int refused_ = 0;
};

class Histories : public ::testing::TestWithParam<unsigned> {};

TEST_P(Histories, KeepWhatMustHoldAndComeToRest) {
  Cluster cluster(GetParam());
  for (int i = 0; i < kSteps; ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    cluster.Step();
    if (HasFailure()) return;
  }
  cluster.ComeToRest();
  EXPECT_GT(cluster.runs(), 5);
  EXPECT_GT(cluster.successes(), 0) << "else the histories say little";
  EXPECT_GT(cluster.refused(), 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories,
                         ::testing::Values(1U, 2U, 3U, 5U, 8U, 13U, 21U, 34U, 55U, 89U, 144U, 233U, 377U,
                                           610U, 987U, 1597U));

}  // namespace
}  // namespace slipway::image_build
