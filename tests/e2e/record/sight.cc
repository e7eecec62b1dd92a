#include "e2e/record/sight.h"

#include <algorithm>

namespace slipway::testing {
namespace {

using Secrets = std::set<std::string>;

Json ListOf(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() || !found->is_array() ? Json::array() : *found;
}

// At the end of a path of members; "" where it does not lead there.
std::string TextAt(const Json& object, const char* path) {
  const Json::json_pointer pointer(path);
  if (!object.contains(pointer)) return {};
  const Json& value = object.at(pointer);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool HoldsOne(const Json& volume, const Secrets& secrets) {
  for (const char* path : {"/secret/secretName", "/csi/nodePublishSecretRef/name"}) {
    if (secrets.contains(TextAt(volume, path))) return true;
  }
  if (!volume.contains("projected")) return false;
  return std::ranges::any_of(ListOf(volume["projected"], "sources"), [&](const Json& source) {
    return secrets.contains(TextAt(source, "/secret/name"));
  });
}

bool Reads(const Json& container, const Secrets& secrets) {
  const auto variable = [&](const Json& each) {
    return secrets.contains(TextAt(each, "/valueFrom/secretKeyRef/name"));
  };
  const auto all = [&](const Json& each) { return secrets.contains(TextAt(each, "/secretRef/name")); };
  return std::ranges::any_of(ListOf(container, "env"), variable) ||
         std::ranges::any_of(ListOf(container, "envFrom"), all);
}

}  // namespace

std::vector<Json> ContainersOf(const Json& pod) {
  std::vector<Json> containers;
  for (const char* kind : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const auto& container : ListOf(pod.at("spec"), kind)) containers.push_back(container);
  }
  return containers;
}

std::vector<Json> ThatSee(const Json& pod, const Secrets& secrets) {
  Secrets volumes;
  for (const auto& volume : ListOf(pod.at("spec"), "volumes")) {
    if (HoldsOne(volume, secrets)) volumes.insert(TextAt(volume, "/name"));
  }
  std::vector<Json> seeing;
  for (const auto& container : ContainersOf(pod)) {
    const bool mounts = std::ranges::any_of(ListOf(container, "volumeMounts"), [&](const Json& mount) {
      return volumes.contains(TextAt(mount, "/name"));
    });
    if (mounts || Reads(container, secrets)) seeing.push_back(container);
  }
  return seeing;
}

bool Names(const Json& pod, const Secrets& secrets) {
  const Json& spec = pod.at("spec");
  const bool pulls = std::ranges::any_of(ListOf(spec, "imagePullSecrets"), [&](const Json& each) {
    return secrets.contains(TextAt(each, "/name"));
  });
  const bool holds = std::ranges::any_of(ListOf(spec, "volumes"),
                                         [&](const Json& volume) { return HoldsOne(volume, secrets); });
  return pulls || holds || !ThatSee(pod, secrets).empty();
}

}  // namespace slipway::testing
