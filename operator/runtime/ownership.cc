// IsOurs: the rendered object against the live one, member by member. The walk is strict; what it lets pass
// is listed in defaults.cc.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/defaults.h"
#include "runtime/effects.h"
#include "runtime/quantity.h"

namespace slipway::runtime {
namespace {

using kube::Json;

// The same place twice: as a person reads it, and without indices for the tables.
struct Path {
  std::string shown;
  std::string pattern;

  Path Member(const std::string& key) const {
    if (shown.empty()) return {key, key};
    return {shown + "." + key, pattern + "." + key};
  }
  Path Element(std::size_t index) const { return {fmt::format("{}[{}]", shown, index), pattern + "[]"}; }
};

std::string AsText(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsQuantity(const Path& path) {
  const auto parent_is = [&](std::string_view name) {
    const auto dot = path.pattern.rfind('.');
    return dot != std::string::npos && std::string_view(path.pattern).substr(0, dot).ends_with(name);
  };
  return parent_is(".limits") || parent_is(".requests") || path.pattern.ends_with(".sizeLimit") ||
         path.pattern.ends_with(".divisor");
}

class Comparison {
 public:
  Comparison(const Json& rendered, const Json& live) : rendered_root_(rendered), live_root_(live) {}

  // The first difference that makes `live` somebody else's; nullopt when it is ours.
  std::optional<std::string> Run() const { return Value({}, rendered_root_, live_root_); }

 private:
  using Difference = std::optional<std::string>;

  Difference Value(const Path& path, const Json& rendered, const Json& live) const {
    if (rendered.is_object() && live.is_object()) return Object(path, rendered, live);
    if (rendered.is_array() && live.is_array()) return Array(path, rendered, live);
    if (rendered == live) return std::nullopt;
    const bool plain = rendered.is_primitive() && live.is_primitive();
    if (plain && IsQuantity(path) && SameQuantity(AsText(rendered), AsText(live))) return std::nullopt;
    return path.shown + " differs";
  }

  Difference Array(const Path& path, const Json& rendered, const Json& live) const {
    if (rendered.size() != live.size()) {
      return fmt::format("{} has {} elements instead of {}", path.shown, live.size(), rendered.size());
    }
    for (std::size_t i = 0; i < rendered.size(); ++i) {
      if (auto difference = Value(path.Element(i), rendered[i], live[i])) return difference;
    }
    return std::nullopt;
  }

  Difference Object(const Path& path, const Json& rendered, const Json& live) const {
    for (const auto& [key, ours] : rendered.items()) {
      if (ours.is_null()) continue;
      const auto theirs = live.find(key);
      const bool there = theirs != live.end() && !theirs->is_null();
      if (!there && !DroppedByKubernetes(key, ours)) return path.Member(key).shown + " is missing";
      if (!there) continue;
      if (auto difference = Value(path.Member(key), ours, *theirs)) return difference;
    }
    for (const auto& [key, theirs] : live.items()) {
      const auto ours = rendered.find(key);
      const bool added = (ours == rendered.end() || ours->is_null()) && !theirs.is_null();
      if (!added) continue;
      if (auto difference = Added(path, key, rendered, theirs)) return difference;
    }
    return std::nullopt;
  }

  Difference Added(const Path& path, const std::string& key, const Json& rendered, const Json& value) const {
    const Path at = path.Member(key);
    // A map of marks where we had none: each of them is looked at by itself.
    const bool marks = path.pattern.ends_with("metadata") && (key == "labels" || key == "annotations");
    if (marks && value.is_object()) return Object(at, Json::object(), value);
    if (AddedByKubernetes({rendered_root_, live_root_, path.pattern, rendered}, key, value)) {
      return std::nullopt;
    }
    return at.shown + " was added";
  }

  const Json& rendered_root_;
  const Json& live_root_;
};

}  // namespace

std::optional<std::string> DifferenceOf(const Json& rendered, const Json& live) {
  return Comparison(rendered, live).Run();
}

bool IsOurs(const Json& rendered, const Json& live) { return !DifferenceOf(rendered, live); }

}  // namespace slipway::runtime
