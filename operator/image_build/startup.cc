#include "image_build/startup.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "image_build/follow.h"
#include "image_build/names.h"
#include "image_build/stages.h"
#include "resources/observed.h"

namespace slipway::image_build {
namespace {

using resources::Failure;
using resources::ImageBuild;
using resources::Pod;

// A Secret that a pod of the run mounts, and the field that names it.
struct Mounted {
  std::string_view field;
  std::string_view volume;
  std::string secret;
};

std::vector<Mounted> MountedBy(const ImageBuild& build) {
  const auto& spec = build.spec;
  std::vector<Mounted> mounted;
  const auto add = [&](std::string_view field, std::string_view volume, const auto& ref) {
    if (ref) mounted.push_back({field, volume, ref->name});
  };
  add("spec.source.git.credentialsSecretRef", kGitCredentials, spec.source.credentials_secret_ref);
  if (spec.build.cache) {
    add("spec.build.cache.credentialsSecretRef", kCacheCredentials, spec.build.cache->credentials_secret_ref);
  }
  add("spec.build.baseCredentialsSecretRef", kBaseCredentials, spec.build.base_credentials_secret_ref);
  add("spec.output.credentialsSecretRef", kPushCredentials, spec.output.credentials_secret_ref);
  if (spec.report) {
    add("spec.report.credentialsSecretRef", kReportCredentials,
        std::optional(spec.report->credentials_secret_ref));
  }
  return mounted;
}

// What is between `before` and `after`, where the text has both; `after` empty: up to the end.
std::optional<std::string> Between(std::string_view text, std::string_view before, std::string_view after) {
  const auto begin = text.find(before);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const auto end = after.empty() ? text.size() : text.find(after);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(0, end));
}

// The policy lets no two fields name one Secret. "pod NAME" where it is mounted and no field names it.
std::string Subject(const std::vector<Mounted>& mounted, const Pod& pod) {
  return mounted.empty() ? "pod " + pod.meta.key.name : std::string(mounted.front().field);
}

std::string Again(const ImageBuild& build) {
  return fmt::format("then set annotation {} of ImageBuild {} to a new value", resources::kRebuildAnnotation,
                     build.meta.key.name);
}

std::string NotFound(const ImageBuild& build, const Pod& pod, const std::string& secret) {
  auto mounted = MountedBy(build);
  std::erase_if(mounted, [&](const Mounted& one) { return one.secret != secret; });
  return fmt::format("{}: Secret {} is not in namespace {}: create it, {}", Subject(mounted, pod), secret,
                     pod.meta.key.ns, Again(build));
}

// The kubelet names the volume, not the Secret.
std::string KeyMissing(const ImageBuild& build, const Pod& pod, const std::string& key,
                       const std::string& note) {
  const std::string volume = Between(note, "volume \"", "\"").value_or("");
  auto mounted = MountedBy(build);
  std::erase_if(mounted, [&](const Mounted& one) { return one.volume != volume; });
  const std::string secret =
      mounted.empty() ? fmt::format("the Secret of volume {}", volume) : "Secret " + mounted.front().secret;
  return fmt::format("{}: {} in namespace {} has no key {}: add it, {}", Subject(mounted, pod), secret,
                     pod.meta.key.ns, key, Again(build));
}

bool Began(const resources::ContainerState& container) { return container.running || container.terminated; }

}  // namespace

bool Stalled(const Pod& pod, TimePoint now) {
  return !pod.meta.deleted && now - pod.meta.created >= kPodPatience &&
         std::ranges::none_of(pod.containers, Began);
}

std::optional<Failure> SecretFailure(const ImageBuild& build, const resources::BuildRun& run, const Pod& pod,
                                     const std::string& note) {
  const auto failure = [&](std::string reason, std::string message) {
    return Failure{CurrentStage(run), std::move(reason), Clip(std::move(message), 1000), pod.meta.key.name,
                   ""};
  };
  if (const auto secret = Between(note, "secret \"", "\" not found")) {
    return failure("SecretNotFound", NotFound(build, pod, Clip(*secret, 253)));
  }
  if (const auto map = Between(note, "configmap \"", "\" not found")) {
    return failure("ConfigMapNotFound",
                   fmt::format("spec.caBundleRef: ConfigMap {} is not in namespace {}: create it, {}",
                               Clip(*map, 253), pod.meta.key.ns, Again(build)));
  }
  if (const auto key = Between(note, "references non-existent config key: ", "")) {
    return failure(
        "ConfigMapKeyMissing",
        fmt::format("spec.caBundleRef: ConfigMap {} in namespace {} has no key {}: add it, {}",
                    build.spec.ca_bundle_ref ? build.spec.ca_bundle_ref->name : "of the authorities",
                    pod.meta.key.ns, Clip(*key, 253), Again(build)));
  }
  if (const auto key = Between(note, "references non-existent secret key: ", "")) {
    return failure("SecretKeyMissing", KeyMissing(build, pod, Clip(*key, 253), note));
  }
  return std::nullopt;
}

std::string Waiting(const Pod& pod, const std::string& note) {
  if (!pod.scheduled && !pod.unschedulable.empty()) {
    return "waiting for a node: " + Clip(pod.unschedulable, kQuoted);
  }
  if (std::ranges::any_of(pod.containers, &resources::ContainerState::running)) return "";
  const auto next = std::ranges::find_if_not(pod.containers, Began);
  if (next == pod.containers.end() && !pod.containers.empty()) return "";
  std::string reason;
  for (auto at = next; at != pod.containers.end() && reason.empty(); ++at) {
    if (at->reason != "PodInitializing") reason = at->reason;
  }
  std::string told = "pod " + pod.meta.key.name;
  if (!reason.empty()) told += ": " + reason;
  if (!note.empty()) told += ": " + Clip(note, kQuoted);
  return told;
}

}  // namespace slipway::image_build
