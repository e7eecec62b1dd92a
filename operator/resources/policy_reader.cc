#include "resources/policy_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

namespace slipway::resources {

std::string LastOf(const std::string& path) {
  const auto dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

void PolicyReader::Map(const YAML::Node& node, const std::string& path, const Member& member) {
  if (!node.IsMap()) return Say(node, path, "must be a map");
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return Say(entry.first, path, "a key must be a text");
    const std::string& key = entry.first.Scalar();
    const std::string inner = path.empty() ? key : path + "." + key;
    if (!seen.insert(key).second) return Say(entry.first, inner, "is there twice");
    member(entry.second, inner);
    if (!error_.empty()) return;
  }
}

void PolicyReader::List(const YAML::Node& node, const std::string& path, const Member& item) {
  if (!node.IsSequence()) return Say(node, path, "must be a list");
  for (std::size_t i = 0; i < node.size() && error_.empty(); ++i) {
    item(node[i], fmt::format("{}[{}]", path, i));
  }
}

std::string PolicyReader::Text(const YAML::Node& node, const std::string& path, const TextRule& rule) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (!Keeps(rule, text) || text.empty()) Say(node, path, rule.message);
  return text;
}

void PolicyReader::Texts(const YAML::Node& node, const std::string& path, const TextRule& rule,
                         std::vector<std::string>& out) {
  List(node, path,
       [&](const YAML::Node& item, const std::string& at) { out.push_back(Text(item, at, rule)); });
}

void PolicyReader::Number(const YAML::Node& node, const std::string& path, int most, int& out) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  if (!whole || out < 1 || out > most) {
    out = 0;
    Say(node, path, fmt::format("must be a number from 1 to {}", most));
  }
}

void PolicyReader::Flag(const YAML::Node& node, const std::string& path, bool& out) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (text != "true" && text != "false") return Say(node, path, "must be true or false");
  out = text == "true";
}

void PolicyReader::Time(const YAML::Node& node, const std::string& path, Duration& out) {
  const auto time = ParseDuration(node.IsScalar() ? node.Scalar() : "");
  if (!time || time->count() <= 0) return Say(node, path, "must be a time such as 48h");
  out = *time;
}

void PolicyReader::Say(const YAML::Node& node, std::string_view path, std::string_view what) {
  if (!error_.empty()) return;
  const int line = node.Mark().line;
  error_ = fmt::format("policy.yaml line {}: {}: {}", line + 1, path, what);
}

}  // namespace slipway::resources
