#include "release/wanted.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"

namespace slipway::release {
namespace {

using resources::Readiness;
using resources::ReleasePhase;

std::unexpected<Hold> Waiting(std::string reason, std::string message) {
  return std::unexpected(
      Hold{Readiness::kWaiting, ReleasePhase::kPending, std::move(reason), std::move(message)});
}

std::unexpected<Hold> Refused(std::string reason, std::string message) {
  return std::unexpected(
      Hold{Readiness::kFailed, ReleasePhase::kBlocked, std::move(reason), std::move(message)});
}

// The run that made the latest image: several may have made the same digest; the newest says it best.
int RunOf(const resources::ImageBuild& build) {
  for (const auto& run : build.status.runs) {
    if (run.image == build.status.latest->image) return run.number;
  }
  return 0;
}

std::string Retry(const resources::Release& release) {
  const auto it = release.meta.annotations.find(kRetryAnnotation);
  return it == release.meta.annotations.end() ? std::string() : it->second;
}

// Everything of the spec that makes a delivery another one. Not the history limit and not `suspend`; nor the
// commit that a build names: the same digest from another commit is the same delivery.
std::string KeyOf(const resources::Release& release, const std::string& image) {
  const auto& spec = release.spec;
  std::string all = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n", image, spec.version, spec.target.deployment, spec.target.container,
      spec.target.service, resources::ToString(spec.canary.capacity), spec.canary.progress_deadline.count());
  for (const auto& step : spec.canary.steps)
    all += fmt::format("step {} {}\n", step.weight, step.hold.count());
  for (const auto& test : spec.smoke_tests) {
    all += fmt::format("test {}\n{}\n{}\n{} {} {}\n", test.name, test.health_path, test.version_path,
                       test.requests, test.p95_limit.count(), test.timeout.count());
  }
  return ShortHash(all + "retry " + Retry(release), 8);
}

std::expected<Wanted, Hold> Pinned(const resources::Release& release, Wanted wanted, std::string_view field) {
  const auto parsed = resources::ParseImageRef(wanted.image);
  if (!parsed) {
    return Refused("ImageNotPinned",
                   fmt::format("{} is \"{}\", which does not name one image: write repository@sha256:… ({})",
                               field, wanted.image.substr(0, 200), parsed.error().message));
  }
  wanted.key = KeyOf(release, wanted.image);
  return wanted;
}

std::expected<Wanted, Hold> FromBuild(const resources::Release& release, const resources::ImageBuild* build) {
  const std::string& name = release.spec.image_from->image_build;
  if (build == nullptr) {
    return Waiting(
        "ImageBuildNotFound",
        fmt::format("spec.imageFrom.imageBuild names \"{}\", and there is no such ImageBuild in namespace "
                    "{}: create it, or correct the name",
                    name, release.meta.key.ns));
  }
  if (!build->status.latest || build->status.latest->image.empty()) {
    return Waiting(
        "WaitingForBuild",
        fmt::format("ImageBuild {} has no successful build yet; it is {}: `kubectl describe ib {}` says more",
                    name, resources::ToString(build->status.phase), name));
  }
  const auto& latest = *build->status.latest;
  Wanted wanted{latest.image, latest.commit, latest.commit, name, RunOf(*build), latest.built, {}};
  return Pinned(release, std::move(wanted), fmt::format("status.latest.image of ImageBuild {}", name));
}

const resources::TemplateContainer* ContainerOf(const resources::Release& release,
                                                const resources::Deployment& deployment) {
  const auto& name = release.spec.target.container;
  if (name.empty()) return deployment.containers.size() == 1 ? deployment.containers.data() : nullptr;
  const auto it = std::ranges::find(deployment.containers, name, &resources::TemplateContainer::name);
  return it == deployment.containers.end() ? nullptr : &*it;
}

// Without the tag of "repo:tag@sha256:…". A colon before the last slash belongs to the registry's port.
std::string WithoutTag(std::string_view image) {
  const auto at = image.find('@');
  if (at == std::string_view::npos) return std::string(image);
  const auto repository = image.substr(0, at);
  const auto colon = repository.rfind(':');
  const auto slash = repository.rfind('/');
  const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return std::string(tagged ? repository.substr(0, colon) : repository) + std::string(image.substr(at));
}

}  // namespace

std::expected<Wanted, Hold> Resolve(const resources::Release& release, const resources::ImageBuild* build) {
  const auto& spec = release.spec;
  if (spec.image.empty() == !spec.image_from) {
    return Refused("InvalidSpec", "spec needs exactly one of image and imageFrom: remove one, or add one");
  }
  if (spec.image_from) return FromBuild(release, build);
  return Pinned(release, Wanted{spec.image, spec.version, spec.version, {}, 0, std::nullopt, {}},
                "spec.image");
}

resources::CanaryPromotionSpec PromotionSpec(const resources::Release& release, const Wanted& wanted) {
  resources::CanaryPromotionSpec spec;
  spec.target = release.spec.target;
  spec.image = wanted.image;
  spec.version = wanted.version;
  spec.steps = release.spec.canary.steps;
  if (spec.steps.empty()) spec.steps.emplace_back();
  spec.capacity = release.spec.canary.capacity;
  spec.smoke_tests = release.spec.smoke_tests;
  if (spec.smoke_tests.empty()) spec.smoke_tests.emplace_back();
  spec.progress_deadline = release.spec.canary.progress_deadline;
  return spec;
}

std::optional<Hold> CheckTarget(const resources::Release& release, const resources::Deployment* deployment) {
  const auto& target = release.spec.target;
  const auto hold = [](std::string reason, std::string message) {
    return Hold{Readiness::kWaiting, ReleasePhase::kBlocked, std::move(reason), std::move(message)};
  };
  if (deployment == nullptr) {
    return hold("TargetNotFound",
                fmt::format("spec.target.deployment names \"{}\", and there is no such Deployment in "
                            "namespace {}: create it, or correct the name",
                            target.deployment, release.meta.key.ns));
  }
  if (ContainerOf(release, *deployment) != nullptr) return std::nullopt;
  if (target.container.empty()) {
    return hold("ContainerNotNamed", fmt::format("Deployment {} has {} containers: name the one to change in "
                                                 "spec.target.container",
                                                 target.deployment, deployment->containers.size()));
  }
  return hold("ContainerNotFound",
              fmt::format("spec.target.container names \"{}\", and Deployment {} has no such "
                          "container: correct the name",
                          target.container, target.deployment));
}

std::string ImageOf(const resources::Release& release, const resources::Deployment& deployment) {
  const auto* container = ContainerOf(release, deployment);
  return container == nullptr ? std::string() : container->image;
}

bool SameImage(std::string_view a, std::string_view b) { return WithoutTag(a) == WithoutTag(b); }

}  // namespace slipway::release
