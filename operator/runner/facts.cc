#include "runner/facts.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace slipway::runner {

std::optional<TimePoint> AuthorTimeIn(const std::string& facts_path) {
  std::ifstream file(facts_path, std::ios::binary);
  const auto facts = nlohmann::json::parse(file, nullptr, false);
  if (!facts.is_object()) return std::nullopt;
  const auto time = facts.find("authorTime");
  if (time == facts.end() || !time->is_string()) return std::nullopt;
  return ParseTime(time->get<std::string>());
}

std::string WithTimestamp(std::string tag, TimePoint time) {
  const std::string_view name = kTimestampTemplate;
  std::string stamp = FormatTime(time);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  for (auto at = tag.find(name); at != std::string::npos; at = tag.find(name, at + stamp.size())) {
    tag.replace(at, name.size(), stamp);
  }
  return tag;
}

}  // namespace slipway::runner
