#include "release/config_copies.h"

#include <algorithm>

#include "base/names.h"
#include "resources/config_copy.h"
#include "resources/tolerant.h"

namespace slipway::release {
namespace {

using kube::Json;

constexpr std::string_view kRole = "config";

Json MapAt(const Json& object, const char* key) {
  const Json& map = resources::At(object, key);
  return map.is_object() ? map : Json::object();
}

bool Labelled(const kube::ObjectMeta& meta, std::string_view label, std::string_view value) {
  const auto found = meta.labels.find(label);
  return found != meta.labels.end() && found->second == value;
}

bool OwnedBy(const kube::ObjectMeta& meta, const kube::Uid& owner) {
  return std::ranges::find(meta.owners, owner, &kube::OwnerReference::uid) != meta.owners.end();
}

}  // namespace

ConfigContent ContentOf(const Json& config_map) {
  return {MapAt(config_map, "data"), MapAt(config_map, "binaryData")};
}

std::string CopyName(const resources::Release& release, const std::string& name,
                     const ConfigContent& content) {
  // nlohmann's objects are sorted by key: the same content is the same text.
  Json canonical = {{"data", content.data}, {"binaryData", content.binary_data}};
  canonical["release"] = release.meta.key.name;
  const std::string text = canonical.dump(-1, ' ', false, Json::error_handler_t::replace);
  return resources::ConfigCopyName(name, ShortHash(text));
}

Json RenderConfigCopy(const resources::Release& release, const kube::ObjectMeta& target,
                      const std::string& copy, const ConfigContent& content) {
  const kube::OwnerReference owner{kube::ApiVersion(kube::kReleases), std::string(kube::kReleases.kind),
                                   release.meta.key.name, release.meta.uid, true};
  const kube::OwnerReference reader{kube::ApiVersion(kube::kDeployments),
                                    std::string(kube::kDeployments.kind), target.key.name, target.uid, false};
  Json metadata = {{"name", copy}, {"namespace", release.meta.key.ns}};
  metadata["labels"] = {{resources::kOwnerKindLabel, kube::kReleases.kind},
                        {resources::kOwnerNameLabel, LabelValue(release.meta.key.name)},
                        {resources::kRoleLabel, kRole}};
  metadata["ownerReferences"] = Json::array({kube::ToJson(owner), kube::ToJson(reader)});
  Json body = {{"apiVersion", kube::ApiVersion(kube::kConfigMaps)}, {"kind", kube::kConfigMaps.kind}};
  body["metadata"] = std::move(metadata);
  body["immutable"] = true;
  if (!content.data.empty()) body["data"] = content.data;
  if (!content.binary_data.empty()) body["binaryData"] = content.binary_data;
  return body;
}

bool IsConfigCopy(const kube::ObjectMeta& config_map) {
  return Labelled(config_map, resources::kOwnerKindLabel, kube::kReleases.kind) &&
         Labelled(config_map, resources::kRoleLabel, kRole);
}

bool IsCopyOf(const resources::Release& release, const kube::ObjectMeta& config_map) {
  const auto* owner = config_map.Controller();
  return IsConfigCopy(config_map) && config_map.key.ns == release.meta.key.ns && owner != nullptr &&
         owner->uid == release.meta.uid;
}

std::optional<std::string> WhyNotCopy(const resources::Release& release, const kube::ObjectMeta* target,
                                      const resources::ConfigVersion& version, const ConfigContent* content,
                                      const Json& live) {
  const auto meta = kube::DecodeMeta(live);
  if (!meta) return "it can't be read";
  if (!IsConfigCopy(*meta)) return "it is not marked as a copy of a Release";
  // The Release that made it was deleted, and its target goes on reading it.
  const bool left = meta->Controller() == nullptr && target != nullptr && OwnedBy(*meta, target->uid);
  if (!IsCopyOf(release, *meta) && !left) return "this Release is not its owner";
  if (!resources::BoolAt(live, "immutable")) return "it is not immutable";
  const ConfigContent found = ContentOf(live);
  const bool same =
      content == nullptr ? CopyName(release, version.name, found) == version.copy : found == *content;
  return same ? std::nullopt : std::optional<std::string>("something else is in it");
}

}  // namespace slipway::release
