// One description a struct: `void Describe(Visitor& v, Struct& s)` names each member once, with its JSON key,
// what it means and its bounds. Reading, writing, checking and the CRD's schema are four visitors of it
// (codec.h), so they can't drift apart. A default is what a default-constructed struct holds.
//
// Private to this folder: nothing here is in the objects' own headers.
#pragma once

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/time.h"
#include "kube/object.h"

namespace slipway::resources {

// What a text must look like. The pattern is RE2's syntax, of the part that Pattern knows (pattern.h); the
// schema says it in CEL, so that a person is told the message and not the expression.
struct TextRule {
  std::string_view pattern;
  std::string_view message;                   // what to write instead; holds no double quote
  std::array<std::string_view, 3> without{};  // substrings that are refused
  std::string_view other_than{};              // the one whole text that is refused
};

struct Field {
  std::string_view name;
  std::string_view doc;
  bool required = false;
  bool optional = false;  // set by the visit of an std::optional: no default
  // Of a number.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int32_t>::max();
  // Of a duration.
  Duration shortest{0};
  Duration longest = std::chrono::hours(24 * 365);
  // Of a text, of each text in a list, of each value of a map; in code points, as OpenAPI counts.
  std::size_t min_length = 0;
  std::size_t max_length = 0;
  const TextRule* rule = nullptr;
  const TextRule* key_rule = nullptr;        // of the keys of a map
  std::span<const std::string_view> keys{};  // all that a map may have
  bool quantity = false;                     // resource.Quantity: a number is as good as a text
  // Of a list or a map.
  std::size_t max_items = 0;
  std::size_t default_items = 0;  // an absent list is this many default elements; one at least then
  std::string_view list_key{};    // x-kubernetes-list-type: map, by this member
  std::string_view immutable{};   // the message, when the value can't change
  std::size_t hidden_names = 0;   // of an enum: how many first names the spec may not use
};

// What one member alone can't say.
struct ObjectRule {
  std::string_view cel;
  std::string_view message;
  std::string_view field;  // the member that the error is shown at
};

class Visitor;
using Members = std::function<void(Visitor&)>;

struct ListAccess {
  std::size_t size;
  std::function<void(std::size_t)> resize;
  std::function<void(Visitor&, std::size_t)> element;
};

class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  virtual ~Visitor() = default;

  virtual void Visit(const Field& field, std::string& value) = 0;
  virtual void Visit(const Field& field, bool& value) = 0;
  virtual void Visit(const Field& field, std::int64_t& value) = 0;
  virtual void Visit(const Field& field, Duration& value) = 0;
  virtual void Visit(const Field& field, TimePoint& value) = 0;
  virtual void Visit(const Field& field, std::vector<std::string>& value) = 0;
  virtual void Visit(const Field& field, std::map<std::string, std::string>& value) = 0;
  virtual void Visit(const Field& field, std::map<std::string, int>& value) = 0;
  virtual void Object(const Field& field, const Members& members) = 0;
  virtual void List(const Field& field, const ListAccess& list) = 0;
  virtual void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) = 0;
  // A set: none of them twice, and none of them by default.
  virtual void Enums(const Field& field, std::span<const std::string_view> names,
                     std::vector<std::size_t>& indices) = 0;
  // Whether the value of an optional is to be visited.
  virtual bool Present(const Field& field, bool has_value) = 0;
  virtual void Rule(const ObjectRule& rule, bool holds) = 0;
  // Written and described, never read: what printer columns show.
  virtual void Derived(const Field& field, const std::string& value) = 0;

  void Visit(const Field& field, int& value) {
    std::int64_t wide = value;
    Visit(field, wide);
    value = static_cast<int>(wide);
  }

  template <class Tag>
  void Visit(const Field& field, kube::StrongString<Tag>& value) {
    Visit(field, value.value);
  }

  template <class T>
    requires std::is_enum_v<T>
  void Visit(const Field& field, T& value) {
    auto index = static_cast<std::size_t>(value);
    Enum(field, Names(value), index);
    value = static_cast<T>(index);
  }

  template <class T>
    requires std::is_class_v<T>
  void Visit(const Field& field, T& value) {
    Object(field, [&value](Visitor& v) { Describe(v, value); });
  }

  template <class T>
  void Visit(const Field& field, std::vector<T>& value) {
    List(field, {value.size(), [&value](std::size_t n) { value.resize(n); },
                 [&value](Visitor& v, std::size_t i) { Describe(v, value[i]); }});
  }

  template <class T>
    requires std::is_enum_v<T>
  void Visit(const Field& field, std::vector<T>& value) {
    std::vector<std::size_t> indices;
    for (const T each : value) indices.push_back(static_cast<std::size_t>(each));
    Enums(field, Names(T{}), indices);
    value.clear();
    for (const std::size_t index : indices) value.push_back(static_cast<T>(index));
  }

  template <class T>
  void Visit(const Field& field, std::optional<T>& value) {
    if (!Present(field, value.has_value())) return;
    if (!value) value.emplace();
    Field inner = field;
    inner.optional = true;
    Visit(inner, *value);
  }
};

}  // namespace slipway::resources
