#include "runtime/last_words.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace slipway::runtime {

using kube::Json;

namespace {

constexpr int kMostCounted = 1'000'000;

std::string Printable(std::string text, std::size_t most) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return Clip(std::move(text), most);
}

}  // namespace

std::string TextIn(const Json& object, const char* key, std::size_t most) {
  const auto at = object.find(key);
  return at == object.end() || !at->is_string() ? std::string() : Printable(at->get<std::string>(), most);
}

std::string ReasonIn(const Json& object) {
  std::string reason = TextIn(object, "reason", 64);
  const bool word = std::ranges::all_of(
      reason, [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  return word ? reason : std::string();
}

bool CountIn(const Json& object, const char* key, int& into) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number_integer()) return false;
  const auto value = at->get<std::int64_t>();
  if (value < 0 || value > kMostCounted) return false;
  into = static_cast<int>(value);
  return true;
}

}  // namespace slipway::runtime
