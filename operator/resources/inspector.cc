#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "resources/codec.h"
#include "resources/pattern.h"
#include "resources/rules.h"

namespace slipway::resources {
namespace {

std::size_t CodePoints(std::string_view text) {
  std::size_t n = 0;
  for (; !text.empty(); ++n) NextCodePoint(text);
  return n;
}

class Inspector final : public Visitor {
 public:
  explicit Inspector(std::string_view path) : path_(std::string(path) + ".") {}
  std::optional<Violation> Take() && { return std::move(violation_); }

  void Visit(const Field& field, std::string& value) override {
    if (value.empty() && field.min_length == 0 && !field.required && !field.optional) return;
    Text(field, field.name, value);
  }
  void Visit(const Field&, bool&) override {}
  void Visit(const Field& field, std::int64_t& value) override {
    if (value >= field.min && value <= field.max) return;
    Say(field.name, fmt::format("must be {} to {}, not {}", field.min, field.max, value));
  }
  void Visit(const Field& field, Duration& value) override {
    if (value >= field.shortest && value <= field.longest) return;
    Say(field.name, fmt::format("must be {} to {}, not {}", FormatDuration(field.shortest),
                                FormatDuration(field.longest), FormatDuration(value)));
  }
  void Visit(const Field&, TimePoint&) override {}

  void Visit(const Field& field, std::vector<std::string>& value) override {
    AtMost(field, value.size());
    for (std::size_t i = 0; i < value.size() && !violation_; ++i) {
      Text(field, fmt::format("{}[{}]", field.name, i), value[i]);
    }
  }
  void Visit(const Field& field, std::map<std::string, std::string>& value) override {
    AtMost(field, value.size());
    for (const auto& [key, text] : value) {
      const std::string name = fmt::format("{}[{}]", field.name, CleanText(key, 64));
      if (field.key_rule != nullptr && !Keeps(*field.key_rule, key)) Say(name, field.key_rule->message);
      if (!field.keys.empty() && std::ranges::find(field.keys, key) == field.keys.end()) {
        Say(name, fmt::format("must be one of {}", fmt::join(field.keys, ", ")));
      }
      Text(field, name, text);
    }
  }
  void Visit(const Field& field, std::map<std::string, int>& value) override { AtMost(field, value.size()); }

  void Object(const Field& field, const Members& members) override { In(field.name, members); }
  void List(const Field& field, const ListAccess& list) override {
    AtMost(field, list.size);
    std::set<std::string> keys;
    for (std::size_t i = 0; i < list.size && !violation_; ++i) {
      const std::string name = fmt::format("{}[{}]", field.name, i);
      const Members element = [&](Visitor& v) { list.element(v, i); };
      In(name, element);
      if (field.list_key.empty()) continue;
      const bool fresh = keys.insert(Write(element).value(field.list_key, kube::Json()).dump()).second;
      if (!fresh)
        Say(name, fmt::format("has the {} of an earlier one; each must be its own", field.list_key));
    }
  }
  void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) override {
    if (index >= field.hidden_names || (index < names.size() && names[index].empty())) return;
    Say(field.name, fmt::format("must be one of {}", fmt::join(names.subspan(field.hidden_names), ", ")));
  }

  void Enums(const Field& field, std::span<const std::string_view>,
             std::vector<std::size_t>& indices) override {
    AtMost(field, indices.size());
    const std::set<std::size_t> each(indices.begin(), indices.end());
    if (each.size() < indices.size()) Say(field.name, "names one of them twice");
  }

  bool Present(const Field&, bool has_value) override { return has_value; }
  void Rule(const ObjectRule& rule, bool holds) override {
    if (!holds) Say(rule.field, rule.message);
  }
  void Derived(const Field&, const std::string&) override {}

 private:
  void Text(const Field& field, std::string_view name, const std::string& text) {
    const std::size_t length = CodePoints(text);
    if (length > field.max_length) {
      Say(name, fmt::format("must be at most {} characters, not {}", field.max_length, length));
    }
    if (length < field.min_length) Say(name, fmt::format("must be at least {} characters", field.min_length));
    if (field.rule != nullptr && !Keeps(*field.rule, text)) Say(name, field.rule->message);
  }
  void AtMost(const Field& field, std::size_t size) {
    if (size > field.max_items) {
      Say(field.name, fmt::format("must hold at most {}, not {}", field.max_items, size));
    }
  }
  void In(std::string_view name, const Members& members) {
    const std::size_t length = path_.size();
    path_ += name;
    path_ += '.';
    members(*this);
    path_.resize(length);
  }
  // The first one counts. A value is never repeated: it may be a credential, or made to confuse a reader.
  void Say(std::string_view name, std::string_view what) {
    if (violation_) return;
    std::string field = path_ + std::string(name);
    if (field.ends_with('.')) field.pop_back();
    std::string message = fmt::format("{}: {}", field, what);
    violation_ = Violation{std::move(field), "InvalidSpec", std::move(message)};
  }

  std::string path_;
  std::optional<Violation> violation_;
};

}  // namespace

std::optional<Violation> Inspect(std::string_view path, const Members& members) {
  Inspector inspector(path);
  members(inspector);
  return std::move(inspector).Take();
}

}  // namespace slipway::resources
