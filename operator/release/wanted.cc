#include "release/wanted.h"

#include <fmt/format.h>

#include <algorithm>

#include "resources/config_copy.h"

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

std::expected<Wanted, Hold> Pinned(Wanted wanted, std::string_view field) {
  const auto parsed = resources::ParseImageRef(wanted.image);
  if (!parsed) {
    return Refused("ImageNotPinned",
                   fmt::format("{} is \"{}\", which does not name one image: write repository@sha256:… ({})",
                               field, wanted.image.substr(0, 200), parsed.error().message));
  }
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
  Wanted wanted;
  wanted.image = latest.image;
  wanted.version = wanted.commit = latest.commit;
  wanted.image_build = name;
  wanted.build_run = RunOf(*build);
  wanted.built = latest.built;
  wanted.cause = resources::DeliveryCause::kBuild;
  return Pinned(std::move(wanted), fmt::format("status.latest.image of ImageBuild {}", name));
}

bool Consents(const resources::Release& source, const resources::Release& release) {
  const auto& key = release.meta.key;
  if (source.meta.key.ns == key.ns) return true;
  return std::ranges::any_of(source.spec.promotes_to, [&key](const resources::ReleaseRef& to) {
    return to.name == key.name && to.ns == key.ns;
  });
}

// The record of how the image came to be is carried on from environment to environment.
Wanted TakenFrom(const resources::Release& source) {
  Wanted wanted;
  wanted.image = source.status.image;
  wanted.version = wanted.commit = source.status.commit;
  wanted.from_release = kube::ToString(source.meta.key);
  wanted.soaked_since = source.status.verified;
  wanted.cause = resources::DeliveryCause::kRelease;
  for (const auto& delivery : source.status.history) {
    if (delivery.image != wanted.image) continue;
    wanted.image_build = delivery.image_build;
    wanted.build_run = delivery.build_run;
    wanted.built = delivery.built;
    break;
  }
  return wanted;
}

std::expected<Wanted, Hold> FromRelease(const resources::Release& release, const resources::Release* source) {
  const auto& ref = *release.spec.image_from->release;
  const std::string named =
      kube::ToString(kube::ObjectKey{ref.ns.empty() ? release.meta.key.ns : ref.ns, ref.name});
  if (named == kube::ToString(release.meta.key)) {
    return Refused("InvalidSpec",
                   "spec.imageFrom.release names this Release itself: name that of the earlier "
                   "environment");
  }
  if (source == nullptr) {
    return Waiting("ReleaseNotFound",
                   fmt::format("spec.imageFrom.release names {}, and there is no such Release: create it, or "
                               "correct the name",
                               named));
  }
  if (!Consents(*source, release)) {
    return std::unexpected(Hold{
        Readiness::kWaiting, ReleasePhase::kBlocked, "NotConsented",
        fmt::format("Release {} does not let this one take its images: add {{name: {}, namespace: {}}} to "
                    "its spec.promotesTo",
                    named, release.meta.key.name, release.meta.key.ns)});
  }
  const auto& back = source->status.rollback;
  if (back && !SameDigest(back->image, source->status.image)) {
    return Waiting("NotVerified",
                   fmt::format("Release {} is on its way back to another image: {} rolled back", named,
                               back->decision.actor));
  }
  if (source->status.image.empty() || !source->status.verified) {
    return Waiting("NotVerified",
                   fmt::format("Release {} has no image that it delivered and verified; it is {}: `kubectl "
                               "describe rel -n {} {}` says more",
                               named, resources::ToString(source->status.phase), source->meta.key.ns,
                               source->meta.key.name));
  }
  return Pinned(TakenFrom(*source), fmt::format("status.image of Release {}", named));
}

std::expected<Wanted, Hold> FromSpec(const resources::Release& release) {
  Wanted wanted;
  wanted.image = release.spec.image;
  wanted.version = wanted.commit = release.spec.version;
  wanted.cause = resources::DeliveryCause::kSpec;
  return Pinned(std::move(wanted), "spec.image");
}

std::expected<Wanted, Hold> ResolveImage(const resources::Release& release, const Sources& sources) {
  const auto& from = release.spec.image_from;
  if (release.spec.image.empty() == !from) {
    return Refused("InvalidSpec", "spec needs exactly one of image and imageFrom: remove one, or add one");
  }
  if (!from) return FromSpec(release);
  if (from->image_build.empty() == !from->release) {
    return Refused("InvalidSpec",
                   "spec.imageFrom needs exactly one of imageBuild and release: remove one, or add one");
  }
  return from->release ? FromRelease(release, sources.release) : FromBuild(release, sources.build);
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

std::expected<Wanted, Hold> Resolve(const resources::Release& release, const Sources& sources) {
  auto wanted = ResolveImage(release, sources);
  if (!wanted) return wanted;
  for (const auto& name : release.spec.config_maps) {
    const auto seen = std::ranges::find(sources.config_maps, name, &ConfigSeen::name);
    if (seen == sources.config_maps.end() || seen->copy.empty()) {
      return Waiting(
          "ConfigMapNotFound",
          fmt::format("spec.configMaps names \"{}\", and there is no such ConfigMap in namespace {}: "
                      "create it, or correct the name",
                      name, release.meta.key.ns));
    }
    wanted->config_maps.push_back({name, seen->copy});
  }
  using resources::OnFailure;
  using resources::Strategy;
  wanted->strategy = release.spec.rolling ? Strategy::kRolling : Strategy::kCanary;
  wanted->on_failure = release.spec.rollback.on_failure ? OnFailure::kRestore : OnFailure::kStay;
  wanted->key = KeyOf(release, *wanted);
  return wanted;
}

namespace {

bool Reads(const resources::Deployment& deployment, const std::string& config_map) {
  return std::ranges::any_of(deployment.config_refs, [&config_map](const std::string& ref) {
    return resources::IsVersionOf(ref, config_map);
  });
}

std::optional<Hold> CheckConfigMaps(const resources::Release& release,
                                    const resources::Deployment& deployment) {
  for (const auto& name : release.spec.config_maps) {
    if (Reads(deployment, name)) continue;
    return Hold{
        Readiness::kWaiting, ReleasePhase::kBlocked, "ConfigMapNotUsed",
        fmt::format("spec.configMaps names \"{}\", and no pod of Deployment {} reads such a ConfigMap: "
                    "name it in the Deployment's template, or remove it here",
                    name, deployment.meta.key.name)};
  }
  return std::nullopt;
}

}  // namespace

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
  if (ContainerOf(release, *deployment) != nullptr) return CheckConfigMaps(release, *deployment);
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

bool Runs(const resources::Release& release, const resources::Deployment& deployment, const Wanted& wanted) {
  return SameImage(ImageOf(release, deployment), wanted.image) && ReadsCopies(deployment, wanted.config_maps);
}

Wanted WantedOf(const resources::Delivery& delivery) {
  return {.image = delivery.image,
          .version = delivery.commit,
          .commit = delivery.commit,
          .image_build = delivery.image_build,
          .build_run = delivery.build_run,
          .built = delivery.built,
          .from_release = delivery.from_release,
          .soaked_since = delivery.soaked_since,
          .cause = delivery.cause,
          .config_maps = delivery.config_maps,
          .strategy = delivery.strategy,
          .fast = delivery.fast,
          .on_failure = {},
          .key = delivery.key};
}

bool ReadsCopies(const resources::Deployment& deployment,
                 const std::vector<resources::ConfigVersion>& config_maps) {
  return std::ranges::all_of(config_maps, [&deployment](const resources::ConfigVersion& version) {
    return std::ranges::all_of(deployment.config_refs, [&version](const std::string& ref) {
      return ref == version.copy || !resources::IsVersionOf(ref, version.name);
    });
  });
}

bool SameImage(std::string_view a, std::string_view b) { return WithoutTag(a) == WithoutTag(b); }

}  // namespace slipway::release
