#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/codec.h"

namespace slipway::resources {
namespace {

using kube::Json;

std::string_view KindOf(const Json& node) {
  switch (node.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return "true or false";
    default:
      return "a number";
  }
}

// Stops at the first error: after it, every visit returns at once.
class Reader final : public Visitor {
 public:
  explicit Reader(const Json& node) : node_(&node) {}
  Result<> Outcome() && {
    if (error_.empty()) return {};
    return Fail(ErrorKind::kInvalid, std::move(error_));
  }

  void Visit(const Field& field, std::string& value) override {
    const Json* node = Find(field);
    if (node == nullptr) return;
    if (field.quantity && node->is_number()) {
      value = node->dump();
    } else if (!node->is_string()) {
      Wrong(field.name, "a text", *node);
    } else {
      value = node->get_ref<const std::string&>();
    }
  }

  void Visit(const Field& field, bool& value) override {
    const Json* node = Find(field);
    if (node == nullptr) return;
    if (!node->is_boolean()) return Wrong(field.name, "true or false", *node);
    value = node->get<bool>();
  }

  // The type that holds the value decides what is too large, not the bounds: those are Inspect's.
  void Visit(const Field& field, std::int64_t& value) override {
    const Json* node = Find(field);
    if (node == nullptr) return;
    if (const auto number = Whole(*node, field.max)) {
      value = *number;
    } else {
      Wrong(field.name, "a whole number that fits", *node);
    }
  }

  void Visit(const Field& field, Duration& value) override {
    const Json* node = Find(field);
    if (node == nullptr) return;
    if (!node->is_string()) return Wrong(field.name, "a duration such as \"90s\"", *node);
    const auto parsed = ParseDuration(node->get_ref<const std::string&>());
    if (!parsed) return Say(field.name, parsed.error().message);
    value = *parsed;
  }

  void Visit(const Field& field, TimePoint& value) override {
    const Json* node = Find(field);
    if (node == nullptr) return;
    const auto parsed =
        node->is_string() ? ParseTime(node->get_ref<const std::string&>()) : std::optional<TimePoint>();
    if (!parsed) return Wrong(field.name, "an RFC 3339 time", *node);
    value = *parsed;
  }

  void Visit(const Field& field, std::vector<std::string>& value) override {
    const Json* node = FindOf(field, Json::value_t::array);
    if (node == nullptr) return;
    value.clear();
    for (const Json& item : *node) {
      if (!item.is_string()) {
        return Wrong(fmt::format("{}[{}]", field.name, value.size()), "a text", item);
      }
      value.push_back(item.get<std::string>());
    }
  }

  void Visit(const Field& field, std::map<std::string, std::string>& value) override {
    const Json* node = FindOf(field, Json::value_t::object);
    if (node == nullptr) return;
    value.clear();
    for (const auto& [key, item] : node->items()) {
      const bool number = field.quantity && item.is_number();
      if (!item.is_string() && !number) return Wrong(fmt::format("{}[{}]", field.name, key), "a text", item);
      value[key] = number ? item.dump() : item.get<std::string>();
    }
  }

  void Visit(const Field& field, std::map<std::string, int>& value) override {
    const Json* node = FindOf(field, Json::value_t::object);
    if (node == nullptr) return;
    value.clear();
    for (const auto& [key, item] : node->items()) {
      const auto number = Whole(item, std::numeric_limits<std::int32_t>::max());
      if (!number) return Wrong(fmt::format("{}[{}]", field.name, key), "a whole number that fits", item);
      value[key] = static_cast<int>(*number);
    }
  }

  void Object(const Field& field, const Members& members) override {
    // In an absent object there may be a list whose default holds elements.
    static const Json kAbsent = Json::object();
    const Json* node = FindOf(field, Json::value_t::object);
    if (node == nullptr && error_.empty()) node = &kAbsent;
    if (node != nullptr) In(*node, field.name, members);
  }

  void List(const Field& field, const ListAccess& list) override {
    const Json* node = FindOf(field, Json::value_t::array);
    if (node == nullptr) {
      list.resize(field.default_items);
      return;
    }
    list.resize(node->size());
    for (std::size_t i = 0; i < node->size() && error_.empty(); ++i) {
      const std::string name = fmt::format("{}[{}]", field.name, i);
      if (!(*node)[i].is_object()) return Wrong(name, "an object", (*node)[i]);
      In((*node)[i], name, [&](Visitor& v) { list.element(v, i); });
    }
  }

  void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) override {
    const Json* node = FindOf(field, Json::value_t::string);
    if (node != nullptr) Known(field, field.name, names, *node, index);
  }

  void Enums(const Field& field, std::span<const std::string_view> names,
             std::vector<std::size_t>& indices) override {
    const Json* node = FindOf(field, Json::value_t::array);
    if (node == nullptr) return;
    indices.clear();
    for (const Json& item : *node) {
      const std::string name = fmt::format("{}[{}]", field.name, indices.size());
      if (!item.is_string()) return Wrong(name, "a text", item);
      Known(field, name, names, item, indices.emplace_back());
      if (!error_.empty()) return;
    }
  }

  bool Present(const Field& field, bool) override {
    return error_.empty() && node_->find(field.name) != node_->end();
  }
  void Rule(const ObjectRule&, bool) override {}
  void Derived(const Field&, const std::string&) override {}

 private:
  const Json* Find(const Field& field) {
    if (!error_.empty()) return nullptr;
    const auto found = node_->find(field.name);
    if (found != node_->end()) return &*found;
    if (field.required) Say(field.name, "is required");
    return nullptr;
  }

  const Json* FindOf(const Field& field, Json::value_t type) {
    const Json* node = Find(field);
    if (node == nullptr || node->type() == type) return node;
    Wrong(field.name, KindOf(Json(type)), *node);
    return nullptr;
  }

  void Known(const Field& field, std::string_view at, std::span<const std::string_view> names,
             const Json& node, std::size_t& index) {
    const auto known = std::ranges::find(names, node.get_ref<const std::string&>());
    if (known == names.end()) {
      const auto shown = names.subspan(std::min(field.hidden_names, names.size()));
      return Say(at, fmt::format("must be one of {}", fmt::join(shown, ", ")));
    }
    index = static_cast<std::size_t>(known - names.begin());
  }

  // A bound beyond 32 bits tells that the member has 64.
  static std::optional<std::int64_t> Whole(const Json& node, std::int64_t bound) {
    constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();
    const std::int64_t most = bound > kMax32 ? std::numeric_limits<std::int64_t>::max() : kMax32;
    if (node.is_number_unsigned()) {
      const auto value = node.get<std::uint64_t>();
      if (value > static_cast<std::uint64_t>(most)) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    if (!node.is_number_integer()) return std::nullopt;
    const auto value = node.get<std::int64_t>();
    return value < -most - 1 || value > most ? std::nullopt : std::optional(value);
  }

  void In(const Json& node, std::string_view name, const Members& members) {
    const Json* outer = std::exchange(node_, &node);
    const std::size_t length = path_.size();
    path_ += name;
    path_ += '.';
    members(*this);
    path_.resize(length);
    node_ = outer;
  }

  void Wrong(std::string_view name, std::string_view wanted, const Json& got) {
    Say(name, fmt::format("must be {}, not {}", wanted, KindOf(got)));
  }
  void Say(std::string_view name, std::string_view what) {
    if (error_.empty()) error_ = CleanText(fmt::format("{}{}: {}", path_, name, what), 1000);
  }

  const Json* node_;
  std::string path_;
  std::string error_;
};

}  // namespace

Result<> Read(const Json& object, const Field& field, const Members& members) {
  if (!object.is_object()) return Fail(ErrorKind::kInvalid, "the object is not a JSON object");
  Reader reader(object);
  reader.Object(field, members);
  return std::move(reader).Outcome();
}

}  // namespace slipway::resources
