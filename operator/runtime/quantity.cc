#include "runtime/quantity.h"

#include <charconv>
#include <cstdint>
#include <optional>

namespace slipway::runtime {
namespace {

// An amount as sign * odd * 2^twos * 5^fives, `odd` having neither factor: unique, so equality is exact, and
// neither "1Ei" nor "1n" overflows anything.
struct Factored {
  bool negative = false;
  std::uint64_t odd = 0;
  int twos = 0;
  int fives = 0;
  bool operator==(const Factored&) const = default;
};

struct Suffix {
  std::string_view text;
  int tens;
  int twos;
};

// k8s.io/apimachinery/pkg/api/resource: <decimalSI>, <binarySI>.
constexpr Suffix kSuffixes[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},
                                {"k", 3, 0},   {"M", 6, 0},   {"G", 9, 0},   {"T", 12, 0},
                                {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
                                {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// <decimalExponent>: "e3", "E-2". A bare "E" is the suffix exa.
std::optional<int> Exponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  if (text[0] == '+') text.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || exponent < -100 || exponent > 100) return std::nullopt;
  return exponent;
}

bool ApplySuffix(std::string_view text, Factored& amount) {
  if (const auto exponent = Exponent(text)) {
    amount.twos += *exponent;
    amount.fives += *exponent;
    return true;
  }
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != text) continue;
    amount.twos += suffix.tens + suffix.twos;
    amount.fives += suffix.tens;
    return true;
  }
  return false;
}

void Normalise(Factored& amount) {
  if (amount.odd == 0) {
    amount = Factored{};
    return;
  }
  for (; amount.odd % 2 == 0; amount.odd /= 2) ++amount.twos;
  for (; amount.odd % 5 == 0; amount.odd /= 5) ++amount.fives;
}

// Reads digits and one point into `amount`; the length read, 0 when there are no digits or more than 18 that
// count.
std::size_t Digits(std::string_view text, Factored& amount) {
  constexpr std::uint64_t kMost = 100'000'000'000'000'000;  // one digit more still fits
  bool point = false;
  bool any = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (!IsDigit(text[at])) break;
    if (amount.odd >= kMost) return 0;
    any = true;
    amount.odd = amount.odd * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (point) {
      --amount.twos;
      --amount.fives;
    }
  }
  return any ? at : 0;
}

std::optional<Factored> Parse(std::string_view text) {
  Factored amount;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    amount.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const std::size_t length = Digits(text, amount);
  if (length == 0 || !ApplySuffix(text.substr(length), amount)) return std::nullopt;
  Normalise(amount);
  return amount;
}

}  // namespace

bool SameQuantity(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto left = Parse(a);
  const auto right = Parse(b);
  return left && right && *left == *right;
}

}  // namespace slipway::runtime
