#include "unit/image_build/world.h"

#include "image_build/names.h"
#include "image_build/report.h"

namespace slipway::image_build {
namespace {

const std::string kClean = R"({"counts":{"CRITICAL":0,"HIGH":0,"LOW":0,"MEDIUM":0,"UNKNOWN":0}})";

Job JobNamed(const std::string& name, const std::string& uid) {
  Job job;
  job.meta.key = {"team", name};
  job.meta.uid = {uid};
  job.meta.created = kNow - std::chrono::seconds(20);
  job.started = job.meta.created;
  job.active = 1;
  return job;
}

Pod PodOf(const Job& job, std::vector<ContainerState> containers) {
  Pod pod;
  pod.meta.key = {"team", job.meta.key.name + "-abcde"};
  pod.meta.uid = {job.meta.uid.value + "-pod"};
  pod.meta.created = kNow - std::chrono::seconds(19);
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

World::World() {
  build.meta.key = {"team", "app"};
  build.meta.uid = {"build-uid"};
  build.meta.generation = 3;
  build.spec.source.url = "https://git.example.com/team/app.git";
  build.spec.source.revision = "main";
  build.spec.output.repository = kRepository;
  policy.emplace();
  policy->repositories = {"registry.example.com/team/"};
}

Seen World::AsSeen() const {
  Seen seen{
      .build = build, .policy = policy ? &*policy : nullptr, .resolve = {}, .image = {}, .owned = owned};
  seen.resolve.job = resolve_job ? &*resolve_job : nullptr;
  seen.resolve.pod = resolve_pod ? &*resolve_pod : nullptr;
  if (resolve_pod) seen.resolve.reports = ReadReports(*resolve_pod);
  seen.image.job = image_job ? &*image_job : nullptr;
  seen.image.pod = image_pod ? &*image_pod : nullptr;
  if (image_pod) seen.image.reports = ReadReports(*image_pod);
  seen.resolve.trouble = seen.image.trouble = trouble;
  return seen;
}

Plan World::Decide() const { return image_build::Decide(AsSeen(), now); }
Plan World::NameTaken(const Plan& planned, const std::string& difference) const {
  return image_build::NameTaken(AsSeen(), planned, difference, now);
}

Pod& World::Resolving(std::vector<ContainerState> containers) {
  Store(Decide());
  Run().started = kNow - std::chrono::seconds(30);
  resolve_job = JobNamed(ResolveJobName(build.meta, Run().number), "resolve-uid");
  Run().resolve_job = resources::JobRef{resolve_job->meta.key.name, resolve_job->meta.uid};
  resolve_pod = PodOf(*resolve_job, std::move(containers));
  return *resolve_pod;
}

Pod& World::Building(std::vector<ContainerState> containers) {
  Resolving({Ended("resolve", 0, R"({"sha":")" + kSha + "\"}")});
  resolve_job->complete = true;
  Store(Decide());
  image_job = JobNamed(BuildJobName(build.meta, Run().number), "image-uid");
  Run().build_job = resources::JobRef{image_job->meta.key.name, image_job->meta.uid};
  image_pod = PodOf(*image_job, std::move(containers));
  return *image_pod;
}

void World::Pushed() {
  Building({Ended("source", 0, R"({"sha":")" + kSha + R"(","author":"Ada","subject":"Add it"})"),
            Ended("build"), Ended("scan", 0, kClean), Ended("push", 0, kImage + "\n")});
  image_pod->phase = "Succeeded";
  image_job->complete = true;
  image_job->finished = kNow - std::chrono::seconds(1);
}

BuildRun& World::Over(bool success, int number) {
  BuildRun run;
  run.number = number;
  run.generation = build.meta.generation;
  run.key = KeyOf(build);
  run.commit.emplace().sha = kSha;
  run.build_job = resources::JobRef{BuildJobName(build.meta, number), {"job-" + std::to_string(number)}};
  run.started = kNow - std::chrono::hours(2);
  run.finished = kNow - std::chrono::hours(1);
  if (success) run.image = kImage;
  if (!success) run.failure = resources::Failure{"build", "DockerfileFailed", "it broke", "pod", "build"};
  build.status.runs.insert(build.status.runs.begin(), run);
  return build.status.runs.front();
}

std::string Reason(const Plan& plan) {
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  return ready == nullptr ? std::string() : ready->reason;
}

std::string Message(const Plan& plan) {
  const auto* ready = resources::Find(plan.status.conditions, "Ready");
  return ready == nullptr ? std::string() : ready->message;
}

}  // namespace slipway::image_build
