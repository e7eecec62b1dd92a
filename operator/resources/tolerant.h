// Reading other people's JSON: what is missing, or of another type than expected, is the empty value. Nothing
// here throws or fails.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/time.h"
#include "kube/object.h"

namespace slipway::resources {

// object[key], or null.
inline const kube::Json& At(const kube::Json& object, const char* key) {
  static const kube::Json null;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? null : *found;
}

// The value if it is a list, or an empty one.
inline const kube::Json& Items(const kube::Json& value) {
  static const kube::Json empty = kube::Json::array();
  return value.is_array() ? value : empty;
}
inline const kube::Json& ListAt(const kube::Json& object, const char* key) { return Items(At(object, key)); }

inline std::string TextAt(const kube::Json& object, const char* key) {
  const kube::Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

inline bool BoolAt(const kube::Json& object, const char* key) {
  const kube::Json& value = At(object, key);
  return value.is_boolean() && value.get<bool>();
}

inline std::int64_t Int64At(const kube::Json& object, const char* key, std::int64_t otherwise = 0) {
  const kube::Json& value = At(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

inline int IntAt(const kube::Json& object, const char* key, int otherwise = 0) {
  const std::int64_t wide = Int64At(object, key, otherwise);
  const bool fits = wide >= std::numeric_limits<int>::min() && wide <= std::numeric_limits<int>::max();
  return fits ? static_cast<int>(wide) : otherwise;
}

// IntOrString: "25%" and 1 are both texts to us.
inline std::string IntOrTextAt(const kube::Json& object, const char* key) {
  const kube::Json& value = At(object, key);
  return value.is_number_integer() ? value.dump() : TextAt(object, key);
}

inline std::optional<TimePoint> TimeAt(const kube::Json& object, const char* key) {
  return ParseTime(TextAt(object, key));
}

inline std::map<std::string, std::string> TextsAt(const kube::Json& object, const char* key) {
  std::map<std::string, std::string> texts;
  const kube::Json& map = At(object, key);
  if (!map.is_object()) return texts;
  for (const auto& [name, value] : map.items()) {
    if (value.is_string()) texts[name] = value.get<std::string>();
  }
  return texts;
}

}  // namespace slipway::resources
