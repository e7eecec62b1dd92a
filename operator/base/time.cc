#include "base/time.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <cctype>
#include <cmath>

namespace slipway {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::year_month_day;

constexpr Duration kLongest = std::chrono::hours(24 * 365 * 10);

std::string FormatWith(TimePoint t, bool micros) {
  const auto day = floor<days>(t);
  const year_month_day date(day);
  const hh_mm_ss clock(t - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (micros) text += fmt::format(".{:06}", clock.subseconds().count() * 1000);
  return text + "Z";
}

// Reads exactly `count` digits at `at` and moves it on; -1 when they are not there.
int Digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i, ++at) {
    if (text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool Literal(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || std::toupper(static_cast<unsigned char>(text[at])) != c) return false;
  ++at;
  return true;
}

// ".123456": milliseconds, further digits dropped. Nothing there is zero.
std::optional<int> Fraction(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '.') return 0;
  ++at;
  int milliseconds = 0;
  int scale = 100;
  const std::size_t start = at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
    milliseconds += (text[at] - '0') * scale;
  }
  if (at == start) return std::nullopt;
  return milliseconds;
}

// "Z" or "+hh:mm", in minutes.
std::optional<int> Offset(std::string_view text, std::size_t& at) {
  if (Literal(text, at, 'Z')) return 0;
  if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return std::nullopt;
  const int sign = text[at++] == '-' ? -1 : 1;
  const int hours = Digits(text, at, 2);
  if (hours < 0 || hours > 23 || !Literal(text, at, ':')) return std::nullopt;
  const int minutes = Digits(text, at, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
// "ms" before "m": the longer name is tried first. Go takes the micro sign and the Greek mu alike.
constexpr std::array<Unit, 8> kUnits{{{"ns", 1e-6},
                                      {"us", 1e-3},
                                      {"\xc2\xb5s", 1e-3},
                                      {"\xce\xbcs", 1e-3},
                                      {"ms", 1},
                                      {"h", 3'600'000},
                                      {"m", 60'000},
                                      {"s", 1000}}};

// At most `longest` bytes, with no UTF-8 sequence cut in two.
std::string_view Start(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80) --longest;
  return text.substr(0, longest);
}

const Unit* UnitAt(std::string_view text) {
  for (const auto& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

// A decimal number without sign or exponent; nullopt when there is none. Digits of a fraction beyond the 18th
// are too small to matter, and are read past.
std::optional<double> NumberAt(std::string_view text, std::size_t& at) {
  double value = 0;
  double scale = 0;
  std::size_t digits = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && scale == 0) {
      scale = 1;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') break;
    ++digits;
    if (scale != 0 && digits > 18) continue;
    value = value * 10 + (text[at] - '0');
    scale *= 10;
  }
  if (digits == 0) return std::nullopt;
  return scale == 0 ? value : value / scale;
}

}  // namespace

BootTime BootClock::now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return BootTime(Duration(now.tv_sec * 1000 + now.tv_nsec / 1'000'000));
}

TimePoint SystemClock::Now() const { return floor<Duration>(std::chrono::system_clock::now()); }
BootTime SystemClock::Boot() const { return BootClock::now(); }

std::string FormatTime(TimePoint t) { return FormatWith(t, false); }
std::string FormatMicroTime(TimePoint t) { return FormatWith(t, true); }

std::optional<TimePoint> ParseTime(std::string_view text) {
  std::size_t at = 0;
  const int year = Digits(text, at, 4);
  if (year < 0 || !Literal(text, at, '-')) return std::nullopt;
  const int month = Digits(text, at, 2);
  if (month < 0 || !Literal(text, at, '-')) return std::nullopt;
  const int day = Digits(text, at, 2);
  if (day < 0 || !Literal(text, at, 'T')) return std::nullopt;
  const int hour = Digits(text, at, 2);
  if (hour < 0 || hour > 23 || !Literal(text, at, ':')) return std::nullopt;
  const int minute = Digits(text, at, 2);
  if (minute < 0 || minute > 59 || !Literal(text, at, ':')) return std::nullopt;
  const int second = Digits(text, at, 2);
  if (second < 0 || second > 60) return std::nullopt;  // 60: a leap second
  const auto fraction = Fraction(text, at);
  if (!fraction) return std::nullopt;
  const auto offset = Offset(text, at);
  if (!offset || at != text.size()) return std::nullopt;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) + Duration(*fraction);
}

Result<Duration> ParseDuration(std::string_view text) {
  const std::string_view whole = text;
  const auto wrong = [&](std::string_view why) {
    return Fail(
        ErrorKind::kInvalid,
        fmt::format("'{}' is not a duration: {}; write it like 90s, 1h30m or 300ms", Start(whole, 40), why));
  };
  if (text == "0") return Duration(0);
  if (text.empty()) return wrong("it is empty");
  if (text.front() == '-') return wrong("it is negative");
  if (text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return wrong("a number is missing");
  double total = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto number = NumberAt(text, at);
    if (!number) return wrong("a number is missing");
    const Unit* unit = UnitAt(text.substr(at));
    if (unit == nullptr) return wrong("a unit (h, m, s, ms) is missing");
    at += unit->name.size();
    total += *number * unit->milliseconds;
    if (total > static_cast<double>(kLongest.count())) return wrong("it is longer than ten years");
  }
  return Duration(std::llround(total));
}

std::string FormatDuration(Duration d) {
  auto left = d.count();
  if (left == 0) return "0s";
  std::string text = left < 0 ? "-" : "";
  if (left < 0) left = -left;
  if (left < 1000) return text + fmt::format("{}ms", left);
  if (left >= 3'600'000) text += fmt::format("{}h", left / 3'600'000);
  left %= 3'600'000;
  if (left >= 60'000) text += fmt::format("{}m", left / 60'000);
  left %= 60'000;
  if (left % 1000 != 0) {
    std::string seconds = fmt::format("{}.{:03}", left / 1000, left % 1000);
    while (seconds.back() == '0') seconds.pop_back();
    return text + seconds + "s";
  }
  if (left != 0) text += fmt::format("{}s", left / 1000);
  return text;
}

}  // namespace slipway
