#include "support/vulnerable.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace slipway::testing {

std::string Day(int from_today) {
  constexpr int kSecondsOfADay = 86400;
  const std::time_t when = std::time(nullptr) + static_cast<std::time_t>(from_today) * kSecondsOfADay;
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return {text.data(), size};
}

nlohmann::json Exceptions(const std::vector<std::string>& ids, const std::string& expires) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& id : ids) {
    list.push_back({{"id", id}, {"expires", expires}, {"reason", "the story's own: it parses no tags"}});
  }
  return list;
}

std::vector<std::string> Ids(const nlohmann::json& list) {
  std::vector<std::string> ids;
  for (const auto& each : list) ids.push_back(each.value("id", ""));
  std::ranges::sort(ids);
  return ids;
}

}  // namespace slipway::testing
