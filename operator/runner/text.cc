#include "runner/text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace slipway::runner {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool Continues(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

// How many bytes the character at `at` has; 0 when it is not UTF-8 (RFC 3629: no overlong form, no surrogate,
// nothing above U+10FFFF).
std::size_t CharacterLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : static_cast<unsigned char>(0);
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return Continues(byte(1)) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return Continues(byte(1)) && Continues(byte(2)) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_high = first == 0xF4 && byte(1) > 0x8F;
    return Continues(byte(1)) && Continues(byte(2)) && Continues(byte(3)) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

// C0, DEL, and C1 in its UTF-8 form; U+2028 and U+2029 end lines too.
bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first <= 0x20 || first == 0x7F;
  if (character.size() == 2) return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

}  // namespace

std::string OneLine(std::string_view text, std::size_t most) {
  std::string out;
  bool blank = false;
  for (std::size_t at = 0; at < text.size() && out.size() <= most;) {
    const std::size_t length = CharacterLength(text, at);
    const std::string_view character = length == 0 ? kReplacement : text.substr(at, length);
    at += length == 0 ? 1 : length;
    if (IsControl(character)) {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += character;
  }
  return Clip(std::move(out), most);
}

std::string WithoutUserinfo(std::string_view text) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t scheme = text.find("://"); scheme != std::string_view::npos;
       scheme = text.find("://", from)) {
    const std::size_t authority = scheme + 3;
    out += text.substr(from, authority - from);
    std::size_t end = text.find_first_of("/?# \t\r\n'\"", authority);
    if (end == std::string_view::npos) end = text.size();
    const std::size_t at = text.substr(authority, end - authority).rfind('@');
    from = at == std::string_view::npos ? authority : authority + at + 1;
  }
  return out += text.substr(from);
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// RFC 4648, section 4, with padding.
std::string Base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= count ? kAlphabet[(group >> (18U - 6U * i)) & 0x3FU] : '=';
    }
  }
  return out;
}

}  // namespace slipway::runner
