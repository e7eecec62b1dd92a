// As much of OpenAPI validation as our own schemas use: what an API server would say of an object's
// structure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "resources/pattern.h"

namespace slipway::resources {

// "" or the path of the first value that the schema refuses, and why.
inline std::string Complaint(const kube::Json& schema, const kube::Json& value, const std::string& path) {
  const auto number = [&](const char* key, std::int64_t otherwise) { return schema.value(key, otherwise); };
  const std::string type = schema.value("type", "");
  if (type == "string") {
    if (!value.is_string()) return path + " is no string";
    std::string_view text = value.get_ref<const std::string&>();
    std::int64_t length = 0;
    for (; !text.empty(); ++length) {
      if (NextCodePoint(text) < 0) return path + " is no UTF-8";
    }
    if (length > number("maxLength", 1 << 20)) return path + " is too long";
    if (length < number("minLength", 0)) return path + " is too short";
    const auto known = schema.value("enum", kube::Json::array());
    if (!known.empty() && std::ranges::find(known, value) == known.end()) return path + " is not in the enum";
  } else if (type == "integer") {
    if (!value.is_number_integer()) return path + " is no integer";
    if (value.get<std::int64_t>() < number("minimum", 0)) return path + " is too small";
    if (value.get<std::int64_t>() > number("maximum", std::numeric_limits<std::int64_t>::max())) {
      return path + " is too large";
    }
  } else if (type == "array") {
    if (std::ssize(value) > number("maxItems", 0)) return path + " has too many";
    for (const auto& item : value) {
      if (auto bad = Complaint(schema.at("items"), item, path + "[]"); !bad.empty()) return bad;
    }
  } else if (type == "object") {
    for (const auto& name : schema.value("required", kube::Json::array())) {
      if (!value.contains(name.get<std::string>())) return path + " has no " + name.get<std::string>();
    }
    if (std::ssize(value) > number("maxProperties", 1 << 20)) return path + " has too many";
    for (const auto& [key, item] : value.items()) {
      const auto properties = schema.value("properties", kube::Json::object());
      if (!properties.contains(key) && !schema.contains("additionalProperties")) return path + " has " + key;
      const auto& inner = properties.contains(key) ? properties.at(key) : schema.at("additionalProperties");
      if (auto bad = Complaint(inner, item, path + "." + key); !bad.empty()) return bad;
    }
  }
  return "";
}

}  // namespace slipway::resources
