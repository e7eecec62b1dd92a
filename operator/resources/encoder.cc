#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/codec.h"
#include "resources/pattern.h"

namespace slipway::resources {
namespace {

using kube::Json;

class Writer final : public Visitor {
 public:
  Json Take() && { return std::move(node_); }

  void Visit(const Field& field, std::string& value) override {
    if (value.empty() && !field.required) return;
    Put(field, CleanText(value, field.max_length));
  }
  void Visit(const Field& field, bool& value) override { Put(field, value); }
  void Visit(const Field& field, std::int64_t& value) override {
    Put(field, std::clamp(value, field.min, field.max));
  }
  void Visit(const Field& field, Duration& value) override {
    Put(field, FormatDuration(std::clamp(value, field.shortest, field.longest)));
  }
  void Visit(const Field& field, TimePoint& value) override { Put(field, FormatTime(value)); }

  void Visit(const Field& field, std::vector<std::string>& value) override {
    Json list = Json::array();
    for (const auto& text : value) {
      if (list.size() < field.max_items) list.push_back(CleanText(text, field.max_length));
    }
    if (!list.empty() || field.required) Put(field, std::move(list));
  }
  void Visit(const Field& field, std::map<std::string, std::string>& value) override {
    Json map = Json::object();
    for (const auto& [key, text] : value) {
      if (map.size() < field.max_items) map[CleanText(key, kKeyLength)] = CleanText(text, field.max_length);
    }
    if (!map.empty() || field.required) Put(field, std::move(map));
  }
  void Visit(const Field& field, std::map<std::string, int>& value) override {
    Json map = Json::object();
    for (const auto& [key, number] : value) {
      if (map.size() < field.max_items) map[CleanText(key, kKeyLength)] = std::max(number, 0);
    }
    if (!map.empty() || field.required) Put(field, std::move(map));
  }

  void Object(const Field& field, const Members& members) override {
    Json inner = Write(members);
    // An empty optional object is not an absent one.
    if (!inner.empty() || field.required || field.optional) Put(field, std::move(inner));
  }
  void List(const Field& field, const ListAccess& list) override {
    Json items = Json::array();
    for (std::size_t i = 0; i < std::min(list.size, field.max_items); ++i) {
      items.push_back(Write([&](Visitor& v) { list.element(v, i); }));
    }
    if (!items.empty() || field.required) Put(field, std::move(items));
  }
  void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) override {
    const std::string_view name = index < names.size() ? names[index] : "";
    if (!name.empty()) Put(field, name);
  }
  void Enums(const Field& field, std::span<const std::string_view> names,
             std::vector<std::size_t>& indices) override {
    Json list = Json::array();
    for (const std::size_t index : indices) {
      const bool fits = index < names.size() && list.size() < field.max_items;
      if (fits && std::ranges::find(list, Json(names[index])) == list.end()) list.push_back(names[index]);
    }
    if (!list.empty() || field.required) Put(field, std::move(list));
  }

  bool Present(const Field&, bool has_value) override { return has_value; }
  void Rule(const ObjectRule&, bool) override {}
  void Derived(const Field& field, const std::string& value) override {
    if (!value.empty()) Put(field, CleanText(value, field.max_length));
  }

 private:
  static constexpr std::size_t kKeyLength = 253;

  template <class T>
  void Put(const Field& field, T&& value) {
    node_[std::string(field.name)] = std::forward<T>(value);
  }

  Json node_ = Json::object();
};

}  // namespace

Json Write(const Members& members) {
  Writer writer;
  members(writer);
  return std::move(writer).Take();
}

std::string CleanText(std::string_view text, std::size_t code_points) {
  std::string clean;
  for (std::size_t n = 0; !text.empty() && n < code_points; ++n) {
    const std::string_view before = text;
    const bool good = NextCodePoint(text) >= 0;
    clean += good ? before.substr(0, before.size() - text.size()) : "\xef\xbf\xbd";
  }
  return clean;
}

}  // namespace slipway::resources
