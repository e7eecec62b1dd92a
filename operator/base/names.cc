#include "base/names.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace slipway {
namespace {

constexpr std::size_t kLongestLabel = 63;

std::array<unsigned char, 32> Sha256(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

// What a label may hold: lower-case letters, digits and '-', starting with a letter or digit.
std::string Label(std::string_view text, std::size_t longest) {
  std::string label;
  for (const char c : text.substr(0, longest)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    label += fits ? c : '-';
  }
  const auto first = label.find_first_not_of('-');
  label.erase(0, std::min(first, label.size()));
  while (!label.empty() && label.back() == '-') label.pop_back();
  return label.empty() ? "x" : label;
}

}  // namespace

std::string ShortHash(std::string_view text, std::size_t bytes) {
  const auto digest = Sha256(text);
  std::string hex;
  for (std::size_t i = 0; i < std::min(bytes, digest.size()); ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string Sha256Hex(std::string_view text) { return ShortHash(text, 32); }

double Spread(std::string_view text) {
  constexpr double kAll = 4294967296.0;
  const std::string hash = ShortHash(text, 4);
  std::uint32_t number = 0;
  std::from_chars(hash.data(), hash.data() + hash.size(), number, 16);
  return number / kAll;
}

std::string ChildName(std::string_view parent, std::string_view role, std::string_view identity) {
  // NUL can't be part of any of the three, so that no two triples give one text.
  std::string whole(parent);
  whole += '\0';
  whole += role;
  whole += '\0';
  whole += identity;
  const std::string hash = ShortHash(whole);
  const std::string middle = Label(role, 20);
  return fmt::format("{}-{}-{}", Label(parent, kLongestLabel - middle.size() - hash.size() - 2), middle,
                     hash);
}

std::string LabelValue(std::string name) {
  if (name.size() > kLongestLabel) name.resize(kLongestLabel);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

}  // namespace slipway
