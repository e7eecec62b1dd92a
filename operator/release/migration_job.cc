#include "release/migration_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "base/text.h"
#include "jobs/disruption.h"
#include "runtime/containers.h"

namespace slipway::release {
namespace {

using kube::Json;
using resources::ContainerState;
using resources::Job;
using resources::Pod;
using State = MigrationOutcome::State;

constexpr std::string_view kContainer = "migrate";
constexpr std::string_view kRole = "migration";
constexpr std::chrono::seconds kPodGrace{20};
constexpr int kKeptSeconds = 7 * 24 * 60 * 60;  // for whoever reads its log
constexpr std::size_t kQuoted = 400;            // of Kubernetes' words

// ---- manifest ----

Json Labels(const resources::Release& release) {
  return {{resources::kOwnerKindLabel, kube::kReleases.kind},
          {resources::kOwnerNameLabel, LabelValue(release.meta.key.name)},
          {resources::kRoleLabel, kRole}};
}

// What is written in the spec is what the program gets.
Json Literals(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const auto& text : texts) list.push_back(runtime::Literal(text));
  return list;
}

Json Environment(const resources::Migration& migration, const std::string& image,
                 const std::string& version) {
  Json env = Json::array({runtime::Variable("HOME", "/tmp")});
  for (const auto& [name, value] : migration.env) {
    env.push_back(runtime::Variable(name, runtime::Literal(value)));
  }
  // Of two variables of one name the last counts: these tell the truth.
  env.push_back(runtime::Variable("SLIPWAY_IMAGE", image));
  env.push_back(runtime::Variable("SLIPWAY_VERSION", runtime::Literal(version)));
  return env;
}

// The Secrets' values go from the kubelet to the program: the operator reads none of them.
Json FromSecrets(const std::vector<std::string>& names) {
  Json sources = Json::array();
  for (const auto& name : names) {
    Json source;
    source["secretRef"] = {{"name", name}};
    sources.push_back(std::move(source));
  }
  return sources;
}

Json Container(const resources::Migration& migration, const std::string& image, const std::string& version) {
  Json container = {{"name", kContainer}, {"image", image}};
  if (!migration.command.empty()) container["command"] = Literals(migration.command);
  if (!migration.args.empty()) container["args"] = Literals(migration.args);
  container["env"] = Environment(migration, image, version);
  if (!migration.env_from_secrets.empty()) container["envFrom"] = FromSecrets(migration.env_from_secrets);
  container["resources"] = runtime::Requests("50m", "64Mi");
  container["securityContext"] = runtime::Restricted();
  container["securityContext"].erase("readOnlyRootFilesystem");
  container["terminationMessagePolicy"] = "File";
  container["volumeMounts"] = Json::array({runtime::Mount("tmp", "/tmp", false)});
  return container;
}

// The image is pulled with what the ServiceAccount names: imagePullSecrets of the target's own template are
// not taken over, because which Secrets a pod of ours may use is the policy's to say.
Json PodSpec(Json container, const std::string& service_account) {
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", service_account}};
  pod["securityContext"]["fsGroup"] = runtime::kUser;
  pod["securityContext"]["seccompProfile"]["type"] = "RuntimeDefault";
  Json scratch = {{"name", "tmp"}, {"emptyDir", Json::object()}};
  pod["volumes"] = Json::array({std::move(scratch)});
  pod["containers"] = Json::array({std::move(container)});
  return pod;
}

// ---- outcome ----

std::string Logs(const Pod& pod) {
  return fmt::format("read its log with: kubectl -n {} logs {} -c {}", pod.meta.key.ns, pod.meta.key.name,
                     kContainer);
}

const ContainerState* ContainerOf(const Pod& pod) {
  const auto it = std::ranges::find(pod.containers, kContainer, &ContainerState::name);
  return it == pod.containers.end() ? nullptr : &*it;
}

std::string ExitOf(const ContainerState& container, const Pod& pod) {
  if (container.reason == "OOMKilled") {
    return fmt::format("pod {} was killed because it used more memory than its node or its limit gives it",
                       pod.meta.key.name);
  }
  // The runtime's words, not the program's: it never ran.
  if (container.reason == "StartError" || container.reason == "ContainerCannotRun") {
    return fmt::format("its program can't be started: {}: see spec.migration.command",
                       Clip(container.message, kQuoted));
  }
  return fmt::format("it ended with exit code {} ({}); {}", container.exit_code, Clip(container.reason, 60),
                     Logs(pod));
}

// What a pod that has not begun waits for; empty: nothing that is said.
std::string Waiting(const Pod& pod) {
  const auto* container = ContainerOf(pod);
  if (container != nullptr && !container->running && !container->terminated && !container->reason.empty() &&
      container->reason != "ContainerCreating") {
    return fmt::format("pod {} can't start: {}: {}", pod.meta.key.name, Clip(container->reason, 60),
                       Clip(container->message, kQuoted));
  }
  if (pod.scheduled || pod.unschedulable.empty()) return {};
  return fmt::format("pod {} has no node: {}", pod.meta.key.name, Clip(pod.unschedulable, kQuoted));
}

std::string Overdue(const Pod* pod) {
  std::string said = "it was not done within spec.migration.timeout";
  if (pod == nullptr) return said;
  const std::string waited = Waiting(*pod);
  return said + "; " + (waited.empty() ? Logs(*pod) : waited);
}

std::string WhyFailed(const Job& job, const Pod* pod) {
  const bool late = job.failed_reason == "DeadlineExceeded";
  if (late || (pod != nullptr && pod->reason == "DeadlineExceeded")) return Overdue(pod);
  if (pod != nullptr && !pod->reason.empty()) {
    return fmt::format("the node ended pod {}: {}: {}", pod->meta.key.name, Clip(pod->reason, 60),
                       Clip(pod->message, kQuoted));
  }
  const auto* container = pod == nullptr ? nullptr : ContainerOf(*pod);
  if (container != nullptr && container->terminated && container->exit_code != 0) {
    return ExitOf(*container, *pod);
  }
  return fmt::format("{}: {}; {}", job.failed_reason, Clip(job.failed_message, kQuoted),
                     pod == nullptr ? "its pod is gone, and its log with it" : Logs(*pod));
}

}  // namespace

Json RenderMigrationJob(const resources::Release& release, const StartMigration& start,
                        const std::string& version, const std::string& service_account) {
  const auto& migration = *release.spec.migration;
  Json pod = PodSpec(Container(migration, start.image, version), service_account);
  // The kubelet ends the pod, which stays with its log; the Job's own deadline would delete it, and is for a
  // pod that never runs.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(migration.timeout).count();
  pod["activeDeadlineSeconds"] = seconds;
  const kube::OwnerReference owner{kube::ApiVersion(kube::kReleases), std::string(kube::kReleases.kind),
                                   release.meta.key.name, release.meta.uid, true};
  Json job = {{"apiVersion", kube::ApiVersion(kube::kJobs)}, {"kind", kube::kJobs.kind}};
  job["metadata"] = {{"name", start.name}, {"namespace", release.meta.key.ns}};
  job["metadata"]["labels"] = Labels(release);
  job["metadata"]["labels"][std::string(kReleaseLabel)] = release.meta.uid.value;
  job["metadata"]["ownerReferences"] = Json::array({kube::ToJson(owner)});
  job["spec"] = {{"backoffLimit", 0},
                 {"activeDeadlineSeconds", seconds + kPodGrace.count()},
                 {"ttlSecondsAfterFinished", kKeptSeconds}};
  job["spec"]["podFailurePolicy"] = jobs::FailWhenDisrupted();
  job["spec"]["template"]["metadata"]["labels"] = Labels(release);
  job["spec"]["template"]["metadata"]["labels"][std::string(resources::kJobLabel)] = start.name;
  job["spec"]["template"]["spec"] = std::move(pod);
  return job;
}

bool IsMigrationJobOf(const resources::Release& release, const kube::ObjectMeta& job) {
  const auto* owner = job.Controller();
  const auto label = job.labels.find(kReleaseLabel);
  return owner != nullptr && owner->uid == release.meta.uid && job.key.ns == release.meta.key.ns &&
         label != job.labels.end() && label->second == release.meta.uid.value;
}

bool CutShort(const Job& job) {
  return job.failed && !job.complete && job.failed_reason == "PodFailurePolicy";
}

MigrationOutcome OutcomeOf(const Job* job, const Pod* pod) {
  if (job == nullptr) return {State::kGone, "its Job was deleted before it ended"};
  if (job->complete) return {State::kSucceeded, {}};
  if (CutShort(*job)) {
    return {State::kGone,
            "its pod was taken off its node before it ended: " + Clip(job->failed_message, kQuoted)};
  }
  if (job->failed) {
    return {State::kFailed,
            Clip(fmt::format("migration Job {}: {}", job->meta.key.name, WhyFailed(*job, pod)), 1000)};
  }
  return {State::kRunning, pod == nullptr ? std::string() : Waiting(*pod)};
}

}  // namespace slipway::release
