#include "runner/semver.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace slipway::runner::semver {
namespace {

constexpr std::size_t kMostDigits = 18;  // fits 64 bits, with room for one more
constexpr std::size_t kMostBytes = 256;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsIdentifierCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}
bool IsNumeric(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsDigit); }

// Up to the first of `ends`; it and what follows stay in `text`.
std::string_view Take(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(taken.size());
  return taken;
}

// Up to the dot, which is taken too.
std::string_view TakeIdentifier(std::string_view& text) {
  const std::string_view taken = Take(text, ".");
  if (!text.empty()) text.remove_prefix(1);
  return taken;
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (!IsNumeric(text) || leading_zero || text.size() > kMostDigits) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool AreIdentifiers(std::string_view text, bool leading_zeros) {
  if (text.empty() || text.back() == '.') return false;
  while (!text.empty()) {
    const std::string_view one = TakeIdentifier(text);
    if (one.empty() || !std::ranges::all_of(one, IsIdentifierCharacter)) return false;
    if (!leading_zeros && one.size() > 1 && one.front() == '0' && IsNumeric(one)) return false;
  }
  return true;
}

std::strong_ordering CompareIdentifiers(std::string_view a, std::string_view b) {
  const bool a_number = IsNumeric(a);
  const bool b_number = IsNumeric(b);
  if (a_number != b_number) return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  // Without leading zeros the longer number is the larger one.
  if (a_number && a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::strong_ordering ComparePrereleases(std::string_view a, std::string_view b) {
  // A release ranks after its prereleases.
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  while (!a.empty() && !b.empty()) {
    const auto order = CompareIdentifiers(TakeIdentifier(a), TakeIdentifier(b));
    if (order != 0) return order;
  }
  return a.size() <=> b.size();  // one of them is at its end
}

// A version whose end may be missing.
struct Partial {
  std::array<std::uint64_t, 3> numbers{};
  std::size_t known = 0;  // how many of the numbers were given
  std::string prerelease;
};

// What may follow the three numbers: "-rc.1+build". False when it is malformed.
bool ParseTail(std::string_view text, std::string& prerelease) {
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    prerelease = Take(text, "+");
    if (!AreIdentifiers(prerelease, false)) return false;
  }
  if (text.empty()) return true;
  return text.front() == '+' && AreIdentifiers(text.substr(1), true);
}

std::optional<Partial> ParsePartial(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Partial out;
  bool open = false;  // an x was met: no number may follow
  for (std::size_t i = 0; i < out.numbers.size(); ++i) {
    const std::string_view one = Take(text, ".-+");
    if (one == "x" || one == "X" || one == "*") {
      open = true;
    } else {
      const auto number = ParseNumber(one);
      if (!number || open) return std::nullopt;
      out.numbers[i] = *number;
      ++out.known;
    }
    if (text.empty()) return out;
    if (i == 2) break;
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  if (open || !ParseTail(text, out.prerelease)) return std::nullopt;
  return out;
}

Version Lowest(const Partial& partial) {
  return {partial.numbers[0], partial.numbers[1], partial.numbers[2], partial.prerelease};
}

// The first version whose number at `place` is one higher. "-0" ranks before every prerelease of it, so that
// none of them is below the bound.
Version Next(const Partial& partial, std::size_t place) {
  Partial next;
  std::copy_n(partial.numbers.begin(), place + 1, next.numbers.begin());
  ++next.numbers[place];
  next.prerelease = "0";
  return Lowest(next);
}

}  // namespace

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  return ComparePrereleases(a.prerelease, b.prerelease);
}

bool operator==(const Version& a, const Version& b) { return (a <=> b) == 0; }

std::optional<Version> ParseVersion(std::string_view text) {
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  const auto partial = ParsePartial(text);
  if (!partial || partial->known != partial->numbers.size()) return std::nullopt;
  return Lowest(*partial);
}

std::optional<Version> ParseTag(std::string_view tag) {
  if (tag.starts_with('v')) tag.remove_prefix(1);
  return ParseVersion(tag);
}

// Reads one range from left to right. It fails at the first thing that it can't read.
class Range::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::expected<Range, std::string> Parse() {
    Range range;
    do {
      auto set = ParseSet();
      if (!set) return std::unexpected(set.error());
      range.sets_.push_back(std::move(*set));
    } while (Passed("||"));
    return range;
  }

 private:
  std::expected<Set, std::string> ParseSet() {
    Set set;
    bool any = false;
    SkipBlanks();
    while (!rest_.empty() && !rest_.starts_with("||")) {
      if (any && Passed(",")) SkipBlanks();
      if (auto read = ParseComparator(set); !read) return std::unexpected(read.error());
      any = true;
      SkipBlanks();
    }
    if (!any) return std::unexpected("a comparator is missing at an end of the range or of '||'");
    return set;
  }

  std::expected<void, std::string> ParseComparator(Set& set) {
    constexpr auto kOperators = std::to_array<std::string_view>({">=", "<=", "~>", ">", "<", "=", "~", "^"});
    const auto* const found =
        std::ranges::find_if(kOperators, [this](std::string_view one) { return Passed(one); });
    const std::string_view sign = found == kOperators.end() ? "=" : *found;
    SkipBlanks();
    const std::string_view text = Take(rest_, " \t,|<>=~^");
    const auto partial = ParsePartial(text);
    if (!partial) {
      return std::unexpected(text.empty() ? "a version is missing after a comparator"
                                          : "'" + std::string(text) + "' is not a version");
    }
    Add(set, sign, *partial);
    return {};
  }

  static void Add(Set& set, std::string_view sign, const Partial& v) {
    const bool whole = v.known == v.numbers.size();
    if (sign == "^" || sign.front() == '~' || sign == "=") {
      if (whole && sign == "=") return set.push_back({Relation::kEqual, Lowest(v)});
      if (v.known == 0) return;
      set.push_back({Relation::kGreaterOrEqual, Lowest(v)});
      return set.push_back({Relation::kLess, Next(v, PlaceOf(sign, v))});
    }

    if (whole) return AddWhole(set, sign, v);
    if (v.known == 0) {
      // Every version is at most and at least any; none is beyond.
      if (!sign.ends_with('=')) set.push_back({Relation::kLess, {0, 0, 0, "0"}});
      return;
    }
    if (sign == ">=") return set.push_back({Relation::kGreaterOrEqual, Lowest(v)});
    if (sign == "<=") return set.push_back({Relation::kLess, Next(v, v.known - 1)});
    if (sign == ">") {
      Version next = Next(v, v.known - 1);
      next.prerelease.clear();
      return set.push_back({Relation::kGreaterOrEqual, std::move(next)});
    }
    set.push_back({Relation::kLess, Lowest(v)});
  }

  static void AddWhole(Set& set, std::string_view sign, const Partial& v) {
    const Relation relation = sign == ">"    ? Relation::kGreater
                              : sign == ">=" ? Relation::kGreaterOrEqual
                              : sign == "<"  ? Relation::kLess
                                             : Relation::kLessOrEqual;
    set.push_back({relation, Lowest(v)});
  }

  // Which number may not grow: for '^' the first that is not zero, for '~' the second, for "1.2" the last.
  static std::size_t PlaceOf(std::string_view sign, const Partial& v) {
    const std::size_t last = v.known - 1;
    if (sign == "=") return last;
    if (sign != "^") return std::min<std::size_t>(last, 1);
    for (std::size_t i = 0; i < last; ++i) {
      if (v.numbers[i] != 0) return i;
    }
    return last;
  }

  bool Passed(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void SkipBlanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  std::string_view rest_;
};

std::expected<Range, std::string> Range::Parse(std::string_view text) {
  if (text.size() > kMostBytes) return std::unexpected("the range is longer than 256 bytes");
  return Parser(text).Parse();
}

bool Range::Holds(const Bound& bound, const Version& version) {
  switch (bound.relation) {
    case Relation::kLess:
      return version < bound.version;
    case Relation::kLessOrEqual:
      return version <= bound.version;
    case Relation::kGreater:
      return version > bound.version;
    case Relation::kGreaterOrEqual:
      return version >= bound.version;
    case Relation::kEqual:
      return version == bound.version;
  }
  return false;
}

bool Range::Holds(const Set& set, const Version& version) {
  if (!std::ranges::all_of(set, [&](const Bound& bound) { return Holds(bound, version); })) return false;
  if (version.prerelease.empty()) return true;
  return std::ranges::any_of(set, [&](const Bound& bound) {
    const Version& named = bound.version;
    return !named.prerelease.empty() && named.major == version.major && named.minor == version.minor &&
           named.patch == version.patch;
  });
}

bool Range::Contains(const Version& version) const {
  return std::ranges::any_of(sets_, [&](const Set& set) { return Holds(set, version); });
}

std::optional<std::string> HighestTag(const Range& range, const std::vector<std::string>& tags) {
  std::optional<Version> highest;
  std::optional<std::string> name;
  for (const std::string& tag : tags) {
    const auto version = ParseTag(tag);
    if (!version || !range.Contains(*version)) continue;
    const auto order = highest ? *version <=> *highest : std::strong_ordering::greater;
    if (order < 0 || (order == 0 && tag < *name)) continue;
    highest = version;
    name = tag;
  }
  return name;
}

}  // namespace slipway::runner::semver
