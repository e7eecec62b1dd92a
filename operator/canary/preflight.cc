#include "canary/preflight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "canary/budgets.h"
#include "canary/configs.h"
#include "canary/wording.h"

namespace slipway::canary {
namespace {

using resources::CanaryPromotionSpec;
using resources::Deployment;

Objection Refuse(std::string reason, std::string message) {
  return {false, std::move(reason), std::move(message)};
}
Objection Await(std::string reason, std::string message) {
  return {true, std::move(reason), std::move(message)};
}

const CanaryPromotionSpec& Spec(const Seen& seen) { return seen.promotion.spec; }

std::optional<Objection> AsMade(const Seen& seen) { return NotAsMade(seen.promotion); }

std::optional<Objection> Policy(const Seen& seen) {
  if (!seen.violation) return std::nullopt;
  return Refuse(seen.violation->reason, seen.violation->message);
}

std::optional<Objection> Pinned(const Seen& seen) {
  const auto image = resources::ParseImageRef(Spec(seen).image);
  if (image) return std::nullopt;
  return Refuse("ImageNotPinned", "spec.image: " + image.error().message);
}

std::optional<Objection> Target(const Seen& seen) {
  const auto& name = Spec(seen).target.deployment;
  if (seen.stable == nullptr || seen.stable->meta.deleted) {
    return Await(
        "TargetNotFound",
        fmt::format("spec.target.deployment: there is no Deployment {} in {}; create it, it is never made "
                    "by Slipway",
                    name, seen.promotion.meta.key.ns));
  }
  return std::nullopt;
}

std::optional<Objection> Container(const Seen& seen) {
  if (TargetContainer(Spec(seen), *seen.stable) != nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& container : seen.stable->containers) names.push_back(container.name);
  return Refuse("ContainerNotFound",
                fmt::format("spec.target.container: name one of the containers of Deployment "
                            "{}: {}",
                            seen.stable->meta.key.name, fmt::join(names, ", ")));
}

std::optional<Objection> ServiceIsThere(const Seen& seen) {
  if (seen.service != nullptr) return std::nullopt;
  return Await("ServiceNotFound", fmt::format("spec.target.service: there is no Service {} in {}",
                                              Spec(seen).target.service, seen.promotion.meta.key.ns));
}

std::optional<Objection> ServiceSelects(const Seen& seen) {
  const auto& selector = seen.service->selector;
  const auto& labels = seen.stable->template_labels;
  const std::string name = seen.service->meta.key.name;
  if (selector.contains(std::string(resources::kTrackLabel))) {
    return Refuse("ServiceSelectsTrack",
                  fmt::format("Service {} selects {}: it would leave the canary out or take "
                              "it alone; remove that from its selector",
                              name, resources::kTrackLabel));
  }
  bool selects = !selector.empty() && !seen.service->external_name && seen.service->port > 0;
  for (const auto& [key, value] : selector) {
    const auto label = labels.find(key);
    selects = selects && label != labels.end() && label->second == value;
  }
  if (selects) return std::nullopt;
  return Refuse(
      "ServiceDoesNotSelectTarget",
      fmt::format("spec.target.service: Service {} does not select the pods of Deployment {} on any port; "
                  "make its selector a part of their labels",
                  name, seen.stable->meta.key.name));
}

std::optional<Objection> PortIsKnown(const Seen& seen) {
  if (TargetPort(*seen.service, *seen.stable)) return std::nullopt;
  return Refuse(
      "TargetPortNotFound",
      fmt::format("the first port of Service {} is for the container port named \"{}\", which no "
                  "container of Deployment {} has; name one, or give its number",
                  seen.service->meta.key.name, seen.service->target_port, seen.stable->meta.key.name));
}

std::optional<Objection> NobodyElseServes(const Seen& seen) {
  if (seen.third_workloads.empty()) return std::nullopt;
  return Refuse(
      "ServiceSelectsThirdWorkload",
      fmt::format("Service {} also selects the pods of {}: the ratio would be of no meaning; give the "
                  "workloads labels of their own",
                  seen.service->meta.key.name, fmt::join(seen.third_workloads, ", ")));
}

std::optional<Objection> NoAffinityToClients(const Seen& seen) {
  if (seen.service->session_affinity.empty() || seen.service->session_affinity == "None") return std::nullopt;
  return Refuse(
      "SessionAffinity",
      fmt::format("Service {} has sessionAffinity {}: replicas then don't set the share of requests; set it "
                  "to None",
                  seen.service->meta.key.name, seen.service->session_affinity));
}

// How it takes on another template.
std::optional<Objection> Moves(const Seen& seen) {
  const Deployment& stable = *seen.stable;
  if (stable.recreate) {
    return Refuse("RecreateStrategy",
                  fmt::format("Deployment {} has strategy Recreate, which takes every pod away "
                              "before a new one serves; use RollingUpdate",
                              stable.meta.key.name));
  }
  if (stable.paused) {
    return Refuse("DeploymentPaused",
                  fmt::format("Deployment {} is paused; `kubectl rollout resume` it", stable.meta.key.name));
  }
  return std::nullopt;
}

std::optional<Objection> SelectsByLabels(const Seen& seen) {
  if (!seen.stable->selector_expressions) return std::nullopt;
  return Refuse(
      "SelectorExpressions",
      fmt::format("Deployment {} selects by matchExpressions; use matchLabels, so that the canary can be "
                  "told apart",
                  seen.stable->meta.key.name));
}

std::optional<Objection> PodsCanDouble(const Seen& seen) {
  const Deployment& stable = *seen.stable;
  if (stable.required_anti_affinity) {
    return Refuse("RequiredAntiAffinity",
                  fmt::format("Deployment {} requires anti-affinity between its pods: the "
                              "canary's may find no node; prefer it instead",
                              stable.meta.key.name));
  }
  for (const auto& container : stable.containers) {
    if (!container.host_port) continue;
    return Refuse("HostPort",
                  fmt::format("container {} has a hostPort: a canary pod can't share it; use the Service",
                              container.name));
  }
  if (stable.claims.empty()) return std::nullopt;
  return Refuse("VolumeClaim",
                fmt::format("Deployment {} mounts the claim {}: two versions would write to it; mount "
                            "nothing that both can write",
                            stable.meta.key.name, stable.claims.front()));
}

std::optional<Objection> EnoughReplicas(const Seen& seen) {
  for (std::size_t i = 0; i < Spec(seen).steps.size(); ++i) {
    const int weight = Spec(seen).steps[i].weight;
    if (SplitFor(seen.stable->replicas, weight, Spec(seen).capacity, 1)) continue;
    return Refuse(
        "TooFewReplicas",
        fmt::format("spec.steps[{}].weight: {}% of {} replicas leaves no pod of stable; use capacity Surge, "
                    "a smaller weight, or more replicas",
                    i, weight, seen.stable->replicas));
  }
  return std::nullopt;
}

// While stable rolls over, up to maxUnavailable of its pods are away and the canary's stand in for them.
std::optional<Objection> RolloutKeepsCapacity(const Seen& seen) {
  const auto& baseline = seen.promotion.status.baseline;
  const int replicas = baseline ? baseline->replicas : seen.stable->replicas;
  const auto capacity = baseline ? baseline->capacity : Spec(seen).capacity;
  const int limit = SurgeLimit(Spec(seen).max_surge, replicas);
  const auto last = SplitFor(replicas, Spec(seen).steps.back().weight, capacity, limit);
  const int away = MaxUnavailable(seen.stable->max_unavailable, replicas);
  const int standing = last ? std::min(last->canary, limit) : 0;
  if (away <= standing) return std::nullopt;
  return Refuse(
      "MaxUnavailableBreaksPromise",
      fmt::format("Deployment {} may take {} of {} pods away while it rolls over, and the last step's canary "
                  "has {}: capacity would fall below {}; set maxUnavailable to {} or less",
                  seen.stable->meta.key.name, away, replicas, standing, replicas, standing));
}

std::optional<Objection> ChecksAreThere(const Seen& seen) {
  const auto& tests = Spec(seen).smoke_tests;
  for (std::size_t i = 0; i < Spec(seen).steps.size(); ++i) {
    for (const auto& name : Spec(seen).steps[i].smoke_tests) {
      if (std::ranges::find(tests, name, &resources::SmokeTest::name) != tests.end()) continue;
      return Refuse("SmokeTestNotFound",
                    fmt::format("spec.steps[{}].smokeTests: there is no {} in spec.smokeTests", i, name));
    }
  }
  return std::nullopt;
}

// One that scales stable by what all of stable's pods do sees the canary's among them: they have its labels.
std::optional<Objection> Autoscaling(const Seen& seen) {
  if (!seen.autoscaler) return std::nullopt;
  const std::string& name = seen.autoscaler->meta.key.name;
  if (Spec(seen).capacity == resources::Capacity::kSplit) {
    return Refuse(
        "Autoscaled",
        fmt::format("HorizontalPodAutoscaler {} sets the replicas of Deployment {}, which capacity Split "
                    "would set too; use spec.capacity Surge",
                    name, seen.stable->meta.key.name));
  }
  if (Spec(seen).accept_autoscaler_overlap) return std::nullopt;
  return Refuse(
      "AutoscalerCountsCanary",
      fmt::format("HorizontalPodAutoscaler {} would count the canary's pods among those of Deployment {}, "
                  "for they have all of its labels, and scale by both; accept that with "
                  "spec.acceptAutoscalerOverlap",
                  name, seen.stable->meta.key.name));
}

std::optional<Objection> Free(const Seen& seen) {
  if (seen.busy_with.empty()) return std::nullopt;
  return Await(
      "TargetBusy",
      fmt::format("Deployment {} is being promoted by CanaryPromotion {}; this one waits for its end",
                  seen.stable->meta.key.name, seen.busy_with));
}

std::optional<Objection> Healthy(const Seen& seen) {
  const Deployment& stable = *seen.stable;
  if (stable.RolledOut()) return std::nullopt;
  return Await(
      "StableNotHealthy",
      fmt::format("Deployment {} has {} of {} replicas available and updated: a canary has nothing sound to "
                  "be compared with; mend the Deployment first",
                  stable.meta.key.name, std::min(stable.available_replicas, stable.updated_replicas),
                  stable.replicas));
}

// Nothing of it has ever served, or what it has can't come up: there is nothing to lose, and what is
// delivered may be what mends it. Pods that are ready serve, though they don't count as available yet
// (minReadySeconds); and where none is for a moment, an outage is no reason to roll out at once what was to
// be tested.
bool NeverServed(const Deployment& stable) {
  if (stable.ready_replicas > 0 || stable.available_replicas > 0) return false;
  if (stable.replicas == 0) return true;
  constexpr const char* kRevision = "deployment.kubernetes.io/revision";
  const auto revision = stable.meta.annotations.find(kRevision);
  const bool first = revision == stable.meta.annotations.end() || revision->second == "1";
  return first || stable.progress_deadline_exceeded;
}

// Whose turn it is comes before what stands beside the target: that may be the other promotion's canary.
constexpr std::array kOfAll{&AsMade, &Policy, &Pinned, &Target, &Container, &Free};
// What a Service must be for its answers to mean something.
constexpr std::array kOfService{&ServiceIsThere, &ServiceSelects, &PortIsKnown};
constexpr std::array kOfCanary{&NobodyElseServes,     &NoAffinityToClients, &Moves,          &SelectsByLabels,
                               &PodsCanDouble,        &ChecksAreThere,      &EnoughReplicas, &Autoscaling,
                               &RolloutKeepsCapacity, &BudgetsAllow};

std::optional<Objection> First(const Seen& seen, const auto& checks) {
  for (const auto check : checks) {
    if (auto objection = check(seen)) return objection;
  }
  return std::nullopt;
}

}  // namespace

const resources::TemplateContainer* TargetContainer(const CanaryPromotionSpec& spec,
                                                    const Deployment& stable) {
  if (spec.target.container.empty())
    return stable.containers.size() == 1 ? &stable.containers.front() : nullptr;
  for (const auto& container : stable.containers) {
    if (container.name == spec.target.container) return &container;
  }
  return nullptr;
}

std::string ContainerName(const resources::CanaryPromotion& promotion, const Deployment& stable) {
  const auto* container = TargetContainer(promotion.spec, stable);
  return container == nullptr ? promotion.spec.target.container : container->name;
}

bool AlreadyRuns(const Seen& seen) {
  const auto wanted = resources::ParseImageRef(seen.promotion.spec.image);
  const auto* container = TargetContainer(seen.promotion.spec, *seen.stable);
  if (!wanted || container == nullptr) return false;
  const auto named = resources::ParseImageRef(container->image);
  if (!Names(*seen.stable, WantedConfigs(seen.promotion.spec, *seen.stable))) return false;
  return named ? *named == *wanted : seen.stable_digest == wanted->ToString();
}

std::optional<int> TargetPort(const resources::Service& service, const Deployment& deployment) {
  const std::string& port = service.target_port;
  if (port.empty()) return service.port;
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error == std::errc() && end == port.data() + port.size() && number > 0) return number;
  for (const auto& container : deployment.containers) {
    for (const auto& each : container.ports) {
      if (each.name == port) return each.number;
    }
  }
  return std::nullopt;
}

// Its Release never changes one. The API server counts the changes of spec in the generation, and a deletion
// too.
std::optional<Objection> NotAsMade(const resources::CanaryPromotion& promotion) {
  const auto* owner = promotion.meta.Controller();
  const bool by_release = owner != nullptr && owner->kind == kube::kReleases.kind &&
                          owner->api_version == kube::ApiVersion(kube::kReleases);
  if (!by_release || promotion.meta.deleted || promotion.meta.generation <= 1) return std::nullopt;
  return Refuse(std::string(kNotAsReleased),
                fmt::format("spec was changed, and Release {} made it: what is asked for now is not what its "
                            "gates passed; change the Release, and delete this CanaryPromotion",
                            owner->name));
}

std::optional<Objection> StillSound(const Seen& seen) {
  if (auto objection = Moves(seen)) return objection;
  const bool canary = !seen.promotion.status.steps.empty();
  return canary ? RolloutKeepsCapacity(seen) : std::nullopt;
}

bool GoesRolling(const Seen& seen) {
  return Spec(seen).strategy == resources::Strategy::kRolling || NeverServed(*seen.stable);
}

std::optional<Objection> Preflight(const Seen& seen) {
  if (auto objection = First(seen, kOfAll)) return objection;
  const bool rolling = GoesRolling(seen);
  if (!rolling || !Spec(seen).verification.empty()) {
    if (auto objection = First(seen, kOfService)) return objection;
  }
  if (auto objection = rolling ? Moves(seen) : First(seen, kOfCanary)) return objection;
  // A rolling promotion is how one mends a Deployment that is not healthy: it compares nothing with it.
  if (rolling) return std::nullopt;
  // Last: a Deployment that can never be promoted should hear of that first.
  return Healthy(seen);
}

}  // namespace slipway::canary
