#include "resources/config_copy.h"

#include <algorithm>

namespace slipway::resources {

namespace {
constexpr std::string_view kMark = "-slipway-";
constexpr std::size_t kDigits = 8;
}  // namespace

std::string ConfigCopyName(std::string_view name, std::string_view hash) {
  return std::string(name) + std::string(kMark) + std::string(hash);
}

bool IsVersionOf(std::string_view ref, std::string_view name) {
  if (!ref.starts_with(name)) return false;
  ref.remove_prefix(name.size());
  if (ref.empty()) return true;
  if (!ref.starts_with(kMark)) return false;
  ref.remove_prefix(kMark.size());
  return ref.size() == kDigits &&
         std::ranges::all_of(ref, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace slipway::resources
