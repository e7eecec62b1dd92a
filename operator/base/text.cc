#include "base/text.h"

#include <string_view>

namespace slipway {
namespace {
constexpr std::string_view kEllipsis = "…";
bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }
}  // namespace

std::string Clip(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most < kEllipsis.size() ? 0 : most - kEllipsis.size();
  while (end > 0 && Continues(text[end])) --end;
  text.resize(end);
  if (most >= kEllipsis.size()) text += kEllipsis;
  return text;
}

std::string LastLine(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto last = text.find_last_not_of(kBlank);
  if (last == std::string_view::npos) return {};
  text = text.substr(0, last + 1);
  const auto before = text.find_last_of("\r\n");
  return std::string(text.substr(before == std::string_view::npos ? 0 : before + 1));
}

}  // namespace slipway
