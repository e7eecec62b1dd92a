#include "canary/config_names.h"

#include <algorithm>
#include <array>

#include "canary/configs.h"
#include "resources/tolerant.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::At;
using resources::ListAt;
using resources::TextAt;

constexpr std::array<const char*, 2> kContainerLists{"initContainers", "containers"};

// nullptr: the reference is of none of them.
const std::string* WantedFor(const Json& reference, const ConfigNames& names) {
  const std::string name = TextAt(reference, "name");
  return name.empty() ? nullptr : canary::WantedFor(names, name);
}

bool AnyNamed(const Json& items, const char* member, const ConfigNames& names) {
  return std::ranges::any_of(items,
                             [&](const Json& item) { return WantedFor(At(item, member), names) != nullptr; });
}

void NameIn(Json& object, const char* member, const ConfigNames& names) {
  if (const auto* wanted = WantedFor(At(object, member), names)) object[member]["name"] = *wanted;
}

void NameInEach(Json& object, const char* list, const char* member, const ConfigNames& names) {
  if (ListAt(object, list).empty()) return;
  for (Json& item : object[list]) NameIn(item, member, names);
}

void NameInContainer(Json& container, const ConfigNames& names) {
  NameInEach(container, "envFrom", "configMapRef", names);
  if (ListAt(container, "env").empty()) return;
  for (Json& variable : container["env"]) {
    if (At(variable, "valueFrom").is_object()) NameIn(variable["valueFrom"], "configMapKeyRef", names);
  }
}

// ---- what an apply holds ----

Json VolumeFields(const Json& volume, const ConfigNames& names) {
  Json fields;
  if (WantedFor(At(volume, "configMap"), names) != nullptr) {
    fields["configMap"]["name"] = volume["configMap"]["name"];
  }
  const Json& sources = ListAt(At(volume, "projected"), "sources");
  if (AnyNamed(sources, "configMap", names)) fields["projected"]["sources"] = sources;
  return fields;
}

Json ContainerFields(const Json& container, const ConfigNames& names) {
  Json fields;
  for (const Json& variable : ListAt(container, "env")) {
    const Json& reference = At(At(variable, "valueFrom"), "configMapKeyRef");
    if (WantedFor(reference, names) == nullptr) continue;
    Json entry = {{"name", TextAt(variable, "name")}};
    entry["valueFrom"]["configMapKeyRef"] = reference;
    fields["env"].push_back(std::move(entry));
  }
  const Json& sources = ListAt(container, "envFrom");
  if (AnyNamed(sources, "configMapRef", names)) fields["envFrom"] = sources;
  return fields;
}

void Collect(Json& out, const Json& pod_spec, const char* list,
             Json (*fields_of)(const Json&, const ConfigNames&), const ConfigNames& names) {
  for (const Json& item : ListAt(pod_spec, list)) {
    Json fields = fields_of(item, names);
    if (fields.is_null()) continue;
    fields["name"] = TextAt(item, "name");
    out[list].push_back(std::move(fields));
  }
}

bool MergedByName(const std::string& list) {
  return list == "containers" || list == "initContainers" || list == "volumes" || list == "env";
}

void OverlayList(Json& into, const Json& from) {
  for (const Json& item : from) {
    const auto same = std::ranges::find_if(
        into, [&](const Json& each) { return TextAt(each, "name") == TextAt(item, "name"); });
    if (same == into.end()) {
      into.push_back(item);
    } else {
      Overlay(*same, item);
    }
  }
}

}  // namespace

void NameConfigs(Json& pod_spec, const ConfigNames& names) {
  if (names.empty()) return;
  NameInEach(pod_spec, "volumes", "configMap", names);
  if (!ListAt(pod_spec, "volumes").empty()) {
    for (Json& volume : pod_spec["volumes"]) {
      if (At(volume, "projected").is_object()) NameInEach(volume["projected"], "sources", "configMap", names);
    }
  }
  for (const char* list : kContainerLists) {
    if (ListAt(pod_spec, list).empty()) continue;
    for (Json& container : pod_spec[list]) NameInContainer(container, names);
  }
}

Json ConfigFields(const Json& pod_spec, const ConfigNames& names) {
  Json fields = Json::object();
  if (names.empty()) return fields;
  Collect(fields, pod_spec, "volumes", VolumeFields, names);
  for (const char* list : kContainerLists) Collect(fields, pod_spec, list, ContainerFields, names);
  return fields;
}

void Overlay(Json& into, const Json& from) {
  for (const auto& [name, value] : from.items()) {
    const auto at = into.find(name);
    if (at != into.end() && at->is_object() && value.is_object() && name != "configMapKeyRef") {
      Overlay(*at, value);
    } else if (at != into.end() && at->is_array() && value.is_array() && MergedByName(name)) {
      OverlayList(*at, value);
    } else {
      into[name] = value;
    }
  }
}

}  // namespace slipway::canary
