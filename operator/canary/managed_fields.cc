#include "canary/managed_fields.h"

#include <algorithm>
#include <vector>

#include "kube/request.h"
#include "resources/tolerant.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::At;
using resources::ListAt;
using resources::TextAt;

bool IsClaim(std::string_view manager) { return manager.starts_with("slipway-claim-"); }

// ---- what is ours ----

bool HasKeys(const Json& item, const Json& keys) {
  return std::ranges::all_of(keys.items(),
                             [&](const auto& key) { return At(item, key.key().c_str()) == key.value(); });
}

Json Extract(const Json& live, const Json& fields);

// In the order of the live list.
Json ExtractList(const Json& live, const Json& fields) {
  Json out = Json::array();
  for (const Json& item : live) {
    for (const auto& [path, inner] : fields.items()) {
      if (!path.starts_with("k:")) continue;
      const Json keys = Json::parse(path.substr(2), nullptr, false);
      if (!keys.is_object() || !HasKeys(item, keys)) continue;
      Json ours = Extract(item, inner);
      if (ours.is_object()) ours.update(keys);
      out.push_back(std::move(ours));
    }
  }
  return out;
}

Json Extract(const Json& live, const Json& fields) {
  if (!fields.is_object() || fields.empty()) return live;  // a leaf: a scalar, or something atomic
  if (live.is_array()) return ExtractList(live, fields);
  if (!live.is_object()) return live;
  Json out = Json::object();
  for (const auto& [path, inner] : fields.items()) {
    if (!path.starts_with("f:")) continue;
    const std::string name = path.substr(2);
    if (live.contains(name)) out[name] = Extract(live[name], inner);
  }
  return out;
}

// ---- who wrote ----

const Json& Managed(const Json& live) { return ListAt(At(live, "metadata"), "managedFields"); }

// Whether the set has the field, or any below it.
bool Has(const Json& fields, const std::vector<std::string>& path) {
  const Json* at = &fields;
  for (const auto& part : path) {
    const auto next = at->is_object() ? at->find(part) : at->end();
    if (!at->is_object() || next == at->end()) return false;
    at = &*next;
  }
  return true;
}

// Replicas are also written by the subresource scale: so does an autoscaler.
std::optional<FieldWriter> LastWriter(const Json& live, const std::vector<std::string>& path) {
  std::optional<FieldWriter> last;
  for (const Json& entry : Managed(live)) {
    const std::string manager = TextAt(entry, "manager");
    const std::string subresource = TextAt(entry, "subresource");
    const bool ours = manager == kube::kFieldManager || IsClaim(manager);
    const bool of_spec = subresource.empty() || subresource == "scale";
    if (ours || !of_spec || !Has(At(entry, "fieldsV1"), path)) continue;
    const TimePoint time = resources::TimeAt(entry, "time").value_or(TimePoint{});
    if (!last || last->time < time) last = FieldWriter{manager, time};
  }
  return last;
}

}  // namespace

Json OwnedSpec(const Json& live) {
  for (const Json& entry : Managed(live)) {
    const bool ours = TextAt(entry, "manager") == kube::kFieldManager &&
                      TextAt(entry, "operation") == "Apply" && TextAt(entry, "subresource").empty();
    const Json& fields = At(At(entry, "fieldsV1"), "f:spec");
    if (ours && fields.is_object()) return Extract(At(live, "spec"), fields);
  }
  return Json::object();
}

Writers WritersOf(const Json& stable, const Json& canary, const std::string& container) {
  Json keys;
  keys["name"] = container;
  const std::string key = "k:" + keys.dump();
  return {.replicas = LastWriter(stable, {"f:spec", "f:replicas"}),
          .image = LastWriter(stable, {"f:spec", "f:template", "f:spec", "f:containers", key, "f:image"}),
          .pods = LastWriter(stable, {"f:spec", "f:template"}),
          .canary = LastWriter(canary, {"f:spec"})};
}

}  // namespace slipway::canary
