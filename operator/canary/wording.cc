#include "canary/wording.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::canary {
namespace {

constexpr std::size_t kMessageBytes = 1000;

std::string Complaint(const resources::Pod& pod) {
  if (!pod.unschedulable.empty()) return "Unschedulable: " + pod.unschedulable;
  for (const auto& container : pod.containers) {
    if (container.ready || container.reason.empty() || container.reason == "ContainerCreating") continue;
    if (container.message.empty()) return fmt::format("{}: {}", container.name, container.reason);
    return fmt::format("{}: {}: {}", container.name, container.reason, container.message);
  }
  return {};
}

}  // namespace

bool Superseding(std::string_view reason) { return reason == kSpecChanged || reason == kStableChanged; }

std::string Whom(const std::optional<FieldWriter>& writer) {
  if (!writer || writer->manager.empty()) return "somebody else";
  // A write to the subresource scale has no time.
  if (writer->time == TimePoint{}) return writer->manager;
  return fmt::format("{} at {}", writer->manager, FormatTime(writer->time));
}

std::string ArgoMend(const std::optional<FieldWriter>& writer, std::string_view deployment) {
  if (!writer || !writer->manager.starts_with("argocd")) return {};
  return fmt::format(
      "; tell its Application `ignoreDifferences: [{{group: apps, kind: Deployment, name: {}, "
      "managedFieldsManagers: [slipway]}}]` with syncOption `RespectIgnoreDifferences=true`",
      deployment);
}

std::string Describe(const resources::StepStatus& step, std::string_view what) {
  return fmt::format("step {} ({}%: {} canary and {} stable pods) {}", step.index + 1, step.weight_wanted,
                     step.canary_replicas, step.stable_replicas, what);
}

std::string WhyNotReady(const Seen& seen) {
  for (const auto& pod : seen.canary_pods) {
    if (pod->ready) continue;
    if (const std::string said = Complaint(*pod); !said.empty()) {
      return fmt::format("; pod {}: {}", pod->meta.key.name, said);
    }
  }
  return {};
}

std::string WhyRefused(const resources::CanaryPromotionStatus& status) {
  const auto* ready = resources::Find(status.conditions, "Ready");
  const bool refused = ready != nullptr && ready->message.starts_with(kServerRefused);
  return refused ? "; " + ready->message : std::string();
}

std::string Clipped(std::string text) { return Clip(std::move(text), kMessageBytes); }

}  // namespace slipway::canary
