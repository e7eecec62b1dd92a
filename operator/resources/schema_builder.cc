#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/codec.h"
#include "resources/rules.h"

namespace slipway::resources {
namespace {

using kube::Json;

// The rule as a CEL expression over `variable`. Raw strings: a backslash is a backslash.
std::string Cel(const TextRule& rule, std::string_view variable) {
  std::string cel = fmt::format("{}.matches(r'{}')", variable, rule.pattern);
  for (const auto part : rule.without) {
    if (!part.empty()) cel += fmt::format(" && !{}.contains('{}')", variable, part);
  }
  if (!rule.other_than.empty()) cel += fmt::format(" && {} != '{}'", variable, rule.other_than);
  return cel;
}

class SchemaBuilder final : public Visitor {
 public:
  explicit SchemaBuilder(bool defaults) : defaults_(defaults) {}

  Json Take() && {
    Json schema{{"type", "object"}, {"properties", std::move(properties_)}};
    if (!required_.empty()) schema["required"] = std::move(required_);
    if (!rules_.empty()) schema["x-kubernetes-validations"] = std::move(rules_);
    return schema;
  }

  void Visit(const Field& field, std::string& value) override {
    Json schema = TextSchema(field);
    if (Defaulted(field) && !value.empty()) schema["default"] = value;
    Put(field, std::move(schema));
  }
  void Visit(const Field& field, bool& value) override {
    Json schema{{"type", "boolean"}};
    if (Defaulted(field)) schema["default"] = value;
    Put(field, std::move(schema));
  }
  void Visit(const Field& field, std::int64_t& value) override {
    const bool wide = field.max > std::numeric_limits<std::int32_t>::max();
    Json schema{{"type", "integer"}, {"format", wide ? "int64" : "int32"}, {"minimum", field.min}};
    if (!wide) schema["maximum"] = field.max;
    if (Defaulted(field)) schema["default"] = value;
    Put(field, std::move(schema));
  }
  void Visit(const Field& field, Duration& value) override {
    const std::string shortest = FormatDuration(field.shortest);
    const std::string longest = FormatDuration(field.longest);
    const std::string rule =
        fmt::format("{} && duration(self) >= duration('{}') && duration(self) <= duration('{}')",
                    Cel(kDuration, "self"), shortest, longest);
    const std::string message = fmt::format("{}; from {} to {}", kDuration.message, shortest, longest);
    Json schema{{"type", "string"}, {"maxLength", kDurationLength}};
    AddRule(schema, rule, message);
    if (Defaulted(field)) schema["default"] = FormatDuration(value);
    Put(field, std::move(schema));
  }
  void Visit(const Field& field, TimePoint&) override {
    Put(field, {{"type", "string"}, {"format", "date-time"}});
  }

  void Visit(const Field& field, std::vector<std::string>& value) override {
    Json schema{{"type", "array"},
                {"items", TextSchema(field)},
                {"maxItems", field.max_items},
                {"x-kubernetes-list-type", "atomic"}};
    if (Defaulted(field) && !value.empty()) schema["default"] = value;
    Put(field, std::move(schema));
  }
  void Visit(const Field& field, std::map<std::string, std::string>&) override {
    Put(field, field.keys.empty() ? MapSchema(field) : QuantitiesSchema(field));
  }
  void Visit(const Field& field, std::map<std::string, int>&) override {
    Json item{{"type", "integer"}, {"format", "int32"}, {"minimum", 0}};
    item["maximum"] = std::numeric_limits<std::int32_t>::max();
    Put(field, {{"type", "object"}, {"additionalProperties", item}, {"maxProperties", field.max_items}});
  }

  void Object(const Field& field, const Members& members) override {
    SchemaBuilder inner(defaults_);
    members(inner);
    Json schema = std::move(inner).Take();
    // The server fills in defaults only below objects that are there.
    if (Defaulted(field) && !schema.contains("required")) schema["default"] = Json::object();
    Put(field, std::move(schema));
  }
  void List(const Field& field, const ListAccess& list) override {
    // Before the element is visited for its schema, which leaves traces in it.
    Json standard = Json::array();
    list.resize(std::max<std::size_t>(1, field.default_items));
    for (std::size_t i = 0; i < field.default_items; ++i) {
      standard.push_back(Write([&](Visitor& v) { list.element(v, i); }));
    }
    SchemaBuilder element(defaults_);
    list.element(element, 0);
    Json schema{{"type", "array"}, {"items", std::move(element).Take()}, {"maxItems", field.max_items}};
    schema["x-kubernetes-list-type"] = field.list_key.empty() ? "atomic" : "map";
    if (!field.list_key.empty()) schema["x-kubernetes-list-map-keys"] = Json::array({field.list_key});
    if (!standard.empty()) {
      schema["minItems"] = 1;
      schema["default"] = std::move(standard);
    }
    Put(field, std::move(schema));
  }
  void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) override {
    Json schema{{"type", "string"}, {"enum", names.subspan(field.hidden_names)}};
    if (Defaulted(field) && index >= field.hidden_names) schema["default"] = names[index];
    Put(field, std::move(schema));
  }

  void Enums(const Field& field, std::span<const std::string_view> names,
             std::vector<std::size_t>&) override {
    Json schema{{"type", "array"},
                {"items", {{"type", "string"}, {"enum", names}}},
                {"maxItems", field.max_items},
                {"x-kubernetes-list-type", "set"}};
    Put(field, std::move(schema));
  }

  bool Present(const Field&, bool) override { return true; }
  void Rule(const ObjectRule& rule, bool) override {
    Json entry{{"rule", rule.cel}, {"message", rule.message}};
    if (!rule.field.empty()) entry["fieldPath"] = fmt::format(".{}", rule.field);
    rules_.push_back(std::move(entry));
  }
  void Derived(const Field& field, const std::string&) override { Put(field, TextSchema(field)); }

 private:
  static constexpr std::size_t kDurationLength = 32;

  bool Defaulted(const Field& field) const { return defaults_ && !field.required && !field.optional; }

  static void AddRule(Json& schema, std::string_view cel, std::string_view message) {
    schema["x-kubernetes-validations"].push_back({{"rule", cel}, {"message", message}});
  }

  static Json TextSchema(const Field& field) {
    Json schema{{"type", "string"}, {"maxLength", field.max_length}};
    if (field.min_length > 0) schema["minLength"] = field.min_length;
    if (field.rule != nullptr) AddRule(schema, Cel(*field.rule, "self"), field.rule->message);
    return schema;
  }

  static Json MapSchema(const Field& field) {
    Json schema{
        {"type", "object"}, {"additionalProperties", TextSchema(field)}, {"maxProperties", field.max_items}};
    if (field.key_rule != nullptr) {
      AddRule(schema, fmt::format("self.all(key, {})", Cel(*field.key_rule, "key")),
              fmt::format("a key {}", field.key_rule->message));
    }
    return schema;
  }

  // CEL has no type for int-or-string: here the rule is a plain pattern.
  static Json QuantitiesSchema(const Field& field) {
    Json item{{"anyOf", Json::array({Json{{"type", "integer"}}, Json{{"type", "string"}}})},
              {"x-kubernetes-int-or-string", true},
              {"maxLength", field.max_length},
              {"pattern", field.rule->pattern}};
    Json schema{{"type", "object"}, {"maxProperties", field.max_items}};
    for (const auto key : field.keys) {
      schema["properties"][std::string(key)] = item;
      schema["properties"][std::string(key)]["description"] = fmt::format("A quantity of {}.", key);
    }
    return schema;
  }

  void Put(const Field& field, Json schema) {
    schema["description"] = field.doc;
    if (!field.immutable.empty()) AddRule(schema, "self == oldSelf", field.immutable);
    if (field.required) required_.push_back(field.name);
    properties_[std::string(field.name)] = std::move(schema);
  }

  bool defaults_;
  Json properties_ = Json::object();
  Json required_ = Json::array();
  Json rules_ = Json::array();
};

}  // namespace

Json Schema(const Members& members, bool defaults) {
  SchemaBuilder builder(defaults);
  members(builder);
  return std::move(builder).Take();
}

}  // namespace slipway::resources
