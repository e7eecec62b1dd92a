#include "kube/object.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

// The API server writes null for an empty map or list in some old objects: it reads as absent.
const Json* Member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::unexpected<Error> WrongType(std::string_view path, std::string_view wanted) {
  return Fail(ErrorKind::kInvalid, fmt::format("{} is not {}", path, wanted));
}

Result<std::string> Text(const Json& object, const char* name, std::string_view path) {
  const Json* member = Member(object, name);
  if (member == nullptr) return std::string();
  if (!member->is_string()) return WrongType(path, "a string");
  return member->get<std::string>();
}

using Labels = std::map<std::string, std::string, std::less<>>;

Result<Labels> TextMap(const Json& object, const char* name, std::string_view path) {
  Labels map;
  const Json* member = Member(object, name);
  if (member == nullptr) return map;
  if (!member->is_object()) return WrongType(path, "a map");
  for (const auto& [key, value] : member->items()) {
    if (!value.is_string()) return WrongType(fmt::format("{}[{}]", path, key), "a string");
    map.emplace(key, value.get<std::string>());
  }
  return map;
}

Result<std::vector<std::string>> TextList(const Json& object, const char* name, std::string_view path) {
  std::vector<std::string> list;
  const Json* member = Member(object, name);
  if (member == nullptr) return list;
  if (!member->is_array()) return WrongType(path, "a list");
  for (const auto& value : *member) {
    if (!value.is_string()) return WrongType(path, "a list of strings");
    list.push_back(value.get<std::string>());
  }
  return list;
}

Result<std::optional<TimePoint>> Time(const Json& object, const char* name, std::string_view path) {
  const auto text = Text(object, name, path);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return std::nullopt;
  const auto time = ParseTime(*text);
  if (!time) return WrongType(path, "an RFC 3339 time");
  return time;
}

Result<std::vector<OwnerReference>> Owners(const Json& metadata) {
  std::vector<OwnerReference> owners;
  const Json* list = Member(metadata, "ownerReferences");
  if (list == nullptr) return owners;
  if (!list->is_array()) return WrongType("metadata.ownerReferences", "a list");
  for (const auto& entry : *list) {
    if (!entry.is_object()) return WrongType("metadata.ownerReferences", "a list of references");
    OwnerReference owner;
    for (const auto& [name, field] :
         {std::pair{"apiVersion", &owner.api_version}, std::pair{"kind", &owner.kind},
          std::pair{"name", &owner.name}, std::pair{"uid", &owner.uid.value}}) {
      auto text = Text(entry, name, fmt::format("metadata.ownerReferences[].{}", name));
      if (!text) return std::unexpected(text.error());
      *field = std::move(*text);
    }
    const Json* controller = Member(entry, "controller");
    owner.controller = controller != nullptr && controller->is_boolean() && controller->get<bool>();
    owners.push_back(std::move(owner));
  }
  return owners;
}

// Puts what was read into `field`, or the error into `error` if there is none yet.
template <class T, class R>
void Take(T& field, Result<R> read, std::optional<Error>& error) {
  if (read) {
    field = std::move(*read);
  } else if (!error) {
    error = std::move(read.error());
  }
}

}  // namespace

std::string ToString(const ObjectKey& key) { return key.ns.empty() ? key.name : key.ns + "/" + key.name; }

std::string ApiVersion(const ApiResource& resource) {
  if (resource.group.empty()) return std::string(resource.version);
  return fmt::format("{}/{}", resource.group, resource.version);
}

const OwnerReference* ObjectMeta::Controller() const {
  for (const auto& owner : owners) {
    if (owner.controller) return &owner;
  }
  return nullptr;
}

Result<ObjectMeta> DecodeMeta(const Json& object) {
  if (!object.is_object()) return WrongType("the object", "a JSON object");
  const Json* metadata = Member(object, "metadata");
  if (metadata == nullptr || !metadata->is_object()) return WrongType("metadata", "an object");
  ObjectMeta meta;
  std::optional<Error> error;
  std::optional<TimePoint> created;
  Take(meta.key.ns, Text(*metadata, "namespace", "metadata.namespace"), error);
  Take(meta.key.name, Text(*metadata, "name", "metadata.name"), error);
  Take(meta.uid.value, Text(*metadata, "uid", "metadata.uid"), error);
  Take(meta.resource_version.value, Text(*metadata, "resourceVersion", "metadata.resourceVersion"), error);
  Take(created, Time(*metadata, "creationTimestamp", "metadata.creationTimestamp"), error);
  Take(meta.deleted, Time(*metadata, "deletionTimestamp", "metadata.deletionTimestamp"), error);
  Take(meta.owners, Owners(*metadata), error);
  Take(meta.finalizers, TextList(*metadata, "finalizers", "metadata.finalizers"), error);
  Take(meta.labels, TextMap(*metadata, "labels", "metadata.labels"), error);
  Take(meta.annotations, TextMap(*metadata, "annotations", "metadata.annotations"), error);
  if (const Json* generation = Member(*metadata, "generation"); generation != nullptr) {
    const bool fits = generation->is_number_integer() &&
                      (!generation->is_number_unsigned() || generation->get<std::uint64_t>() <= INT64_MAX);
    if (!fits) return WrongType("metadata.generation", "an integer");
    meta.generation = generation->get<std::int64_t>();
  }
  if (error) return std::unexpected(std::move(*error));
  if (meta.key.name.empty()) return Fail(ErrorKind::kInvalid, "metadata.name is missing");
  meta.created = created.value_or(TimePoint{});
  return meta;
}

Json ToJson(const OwnerReference& owner) {
  Json json{{"apiVersion", owner.api_version},
            {"kind", owner.kind},
            {"name", owner.name},
            {"uid", owner.uid.value}};
  if (owner.controller) json["controller"] = true;
  return json;
}

}  // namespace slipway::kube
