#include "unit/image_build/world.h"

#include <algorithm>

#include "image_build/names.h"
#include "image_build/report.h"

namespace slipway::image_build {
namespace {

std::string UidOf(const StartJob& start) {
  const std::string uid = "job-" + std::string(resources::ToString(start.role));
  return start.leg.empty() ? uid : uid + "/" + start.leg;
}

Job JobNamed(const std::string& name, const std::string& uid, TimePoint made) {
  Job job;
  job.meta.key = {"team", name};
  job.meta.uid = {uid};
  job.meta.created = made;
  job.started = made;
  job.active = 1;
  return job;
}

Pod PodNamed(const Job& job, std::vector<ContainerState> containers) {
  Pod pod;
  pod.meta.key = {"team", job.meta.key.name + "-abcde"};
  pod.meta.uid = {job.meta.uid.value + "-pod"};
  pod.meta.created = job.meta.created;
  pod.phase = "Running";
  pod.scheduled = true;
  pod.containers = std::move(containers);
  return pod;
}

}  // namespace

ContainerState Ended(const std::string& name, int exit_code, const std::string& message) {
  ContainerState container;
  container.name = name;
  container.terminated = true;
  container.exit_code = exit_code;
  container.reason = exit_code == 0 ? "Completed" : "Error";
  container.message = message;
  container.started = kNow - std::chrono::seconds(15);
  container.finished = kNow - std::chrono::seconds(10);
  return container;
}

ContainerState Running(const std::string& name) {
  ContainerState container;
  container.name = name;
  container.running = true;
  container.started = kNow - std::chrono::seconds(5);
  return container;
}

ContainerState Stuck(const std::string& name, const std::string& reason) {
  ContainerState container;
  container.name = name;
  container.reason = reason;
  container.message = "the kubelet's words";
  return container;
}

std::string FoundReport(const std::string& sha, const std::string& ref) {
  return R"({"sha":")" + sha + R"(","ref":")" + ref + "\"}";
}

std::string PushedReport(const std::string& image) { return R"({"image":")" + image + R"(","tags":["t"]})"; }

std::vector<ContainerState> AllWell(const std::string& image) {
  return {Ended("source", 0,
                R"({"sha":")" + kSha +
                    R"(","author":"Ada","authorTime":"2019-01-02T03:04:05Z","subject":"Add it"})"),
          Ended("prepare", 0, R"({"bases":[{"image":"base:1","digest":"sha256:0"}]})"),
          Ended("build", 0, R"({"hits":3,"misses":1,"failure":""})"),
          Ended("scan"),
          Ended("sarif"),
          Ended("gate", 0, kClean),
          Ended("push", 0, PushedReport(image))};
}

World::World() {
  build.meta.key = {"team", "app"};
  build.meta.uid = {"build-uid"};
  build.meta.generation = 3;
  build.meta.created = kNow - std::chrono::hours(24);
  build.spec.source.url = kUrl;
  build.spec.source.revision = "main";
  build.spec.output.repository = kRepository;
  policy.emplace();
  policy->repositories = {"registry.example.com/team/"};
}

Seen World::AsSeen() const {
  Seen seen{.build = build,
            .policy = policy ? &*policy : nullptr,
            .jobs = {},
            .owned = owned,
            .decisions = {},
            .admitted = admitted,
            .supply_namespace = supply_namespace};
  for (const auto& decision : decisions) {
    seen.decisions.push_back(std::make_shared<const resources::Decision>(decision));
  }
  if (build.status.runs.empty()) return seen;
  for (const auto& recorded : build.status.runs.front().jobs) {
    if (recorded.state != StageState::kRunning) continue;
    SeenJob one;
    const auto job = jobs.find(recorded.name);
    if (job != jobs.end() && job->second.meta.uid == recorded.uid) one.job = &job->second;
    const auto pod = pods.find(recorded.name);
    if (one.job != nullptr && pod != pods.end()) one.pod = &pod->second;
    if (one.pod != nullptr) one.reports = ReadReports(*one.pod);
    one.trouble = trouble;
    seen.jobs.emplace(recorded.name, one);
  }
  return seen;
}

Plan World::Decide() const { return image_build::Decide(AsSeen(), now); }
Plan World::NameTaken(const Plan& planned, const std::string& difference) const {
  return image_build::NameTaken(AsSeen(), planned, planned.starts.front(), difference, now);
}

Plan World::Step() {
  Plan plan = Decide();
  for (const auto& gone : plan.removals) {
    const auto job = jobs.find(gone.name);
    if (job == jobs.end() || job->second.meta.uid != gone.uid) continue;
    pods.erase(gone.name);
    jobs.erase(job);
  }
  Store(plan);
  for (const auto& start : plan.starts) {
    const Job job = JobNamed(start.name, UidOf(start), now);
    jobs[start.name] = job;
    pods[start.name] = PodNamed(job, {});
    Run().jobs.push_back({.name = start.name, .uid = job.meta.uid, .role = start.role, .leg = start.leg});
  }
  return plan;
}

Plan World::Settle() {
  Plan plan = Step();
  for (int i = 0; i < 20; ++i) {
    const auto before = build.status;
    plan = Step();
    if (plan.starts.empty() && before == build.status) break;
  }
  return plan;
}

resources::RunJob& World::Recorded(JobRole role, const std::string& leg) {
  auto& list = Run().jobs;
  const auto at = std::ranges::find_if(
      list, [&](const resources::RunJob& job) { return job.role == role && job.leg == leg; });
  return at == list.end() ? list.emplace_back() : *at;
}

Job& World::JobOf(JobRole role, const std::string& leg) { return jobs[Recorded(role, leg).name]; }
Pod& World::PodOf(JobRole role, const std::string& leg) { return pods[Recorded(role, leg).name]; }

void World::Finish(JobRole role, std::vector<ContainerState> containers, const std::string& leg) {
  auto& pod = PodOf(role, leg);
  pod.containers = std::move(containers);
  pod.phase = "Succeeded";
  auto& job = JobOf(role, leg);
  job.complete = true;
  job.active = 0;
  job.finished = kNow - std::chrono::seconds(1);
}

Pod& World::Resolving(std::vector<ContainerState> containers) {
  Step();
  now = kNow - std::chrono::seconds(20);
  Step();
  now = kNow;
  PodOf(JobRole::kResolve).containers = std::move(containers);
  return PodOf(JobRole::kResolve);
}

void World::Begun() {
  Resolving();
  Finish(JobRole::kResolve, {Ended("resolve", 0, FoundReport())});
  Step();
}

Pod& World::Building(std::vector<ContainerState> containers) {
  Begun();
  now = kNow - std::chrono::seconds(20);
  Step();
  now = kNow;
  PodOf(JobRole::kBuild).containers = std::move(containers);
  return PodOf(JobRole::kBuild);
}

void World::Pushed() {
  Building();
  Finish(JobRole::kBuild, AllWell());
}

BuildRun& World::Over(bool success, int number) {
  BuildRun run;
  run.number = number;
  run.generation = build.meta.generation;
  run.key = KeyOf(build);
  run.ref = "refs/heads/main";
  run.commit.emplace().sha = kSha;
  run.jobs.push_back({.name = JobName(build.meta, number, JobRole::kBuild),
                      .uid = {"job-" + std::to_string(number)},
                      .state = success ? StageState::kSucceeded : StageState::kFailed});
  run.queued = run.started = kNow - std::chrono::hours(2);
  run.finished = kNow - std::chrono::hours(1);
  if (success) run.image = kImage;
  if (!success) run.failure = resources::Failure{"build", "DockerfileFailed", "it broke", "pod", "build"};
  build.status.runs.insert(build.status.runs.begin(), run);
  return build.status.runs.front();
}

void World::Annotate(std::string_view name, const std::string& value) {
  build.meta.annotations[std::string(name)] = value;
}

void World::Saw(const std::string& commit) {
  Annotate(resources::kObservedCommitAnnotation,
           resources::Encode(resources::ObservedCommit{commit, "refs/heads/main", build.spec.source.Wanted(),
                                                       build.spec.source.url, "Poll", now}));
}

resources::Decision& World::Act(resources::Verb verb, const std::string& subject) {
  resources::Decision decision;
  decision.meta.key = {"team", "decision-" + std::to_string(decisions.size())};
  decision.spec.verb = verb;
  decision.spec.target = {"ImageBuild", build.meta.key.name, build.meta.uid};
  decision.spec.subject = subject;
  decision.spec.actor = "ada";
  decision.spec.reason = "I looked";
  decisions.push_back(decision);
  return decisions.back();
}

std::string Reason(const Plan& plan) {
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  return ready == nullptr ? std::string() : ready->reason;
}

std::string Message(const Plan& plan) {
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  return ready == nullptr ? std::string() : ready->message;
}

std::vector<std::string> Started(const Plan& plan, JobRole role) {
  std::vector<std::string> legs;
  for (const auto& start : plan.starts) {
    if (start.role == role) legs.push_back(start.leg);
  }
  return legs;
}

}  // namespace slipway::image_build
