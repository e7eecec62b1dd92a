#include "trigger/keys.h"

#include <algorithm>
#include <fstream>

namespace slipway::trigger {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestKey = 4096;

}  // namespace

bool IsObjectName(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kLongestName) return false;
  if (!alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  return name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

std::string ReadKey(const std::string& folder, std::string_view name) {
  if (!IsObjectName(name)) return {};
  std::ifstream file(folder + "/" + std::string(name) + "/secret", std::ios::binary);
  std::string key(kLongestKey + 1, '\0');
  file.read(key.data(), static_cast<std::streamsize>(key.size()));
  key.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (key.size() > kLongestKey) return {};
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  return key;
}

std::string_view HookName(std::string_view path) {
  constexpr std::string_view kFolder = "/hooks/";
  if (!path.starts_with(kFolder)) return {};
  path.remove_prefix(kFolder.size());
  path = path.substr(0, path.find('?'));
  return IsObjectName(path) ? path : std::string_view();
}

}  // namespace slipway::trigger
