// Versions by Semantic Versioning 2.0.0, and ranges of them in the words of npm and Masterminds: pure, and
// without other parts of Slipway. Debian 12 has one such library for C and C++, libsv 1.1; it knows no ','
// and takes every prerelease into a range, so that ">=1.0.0" gives 2.0.0-rc.1: hence our own.
//
// A range is one or more sets joined by "||"; a set is comparators joined by blanks or ',', all of which must
// hold. Comparators: =V (or V), >V, <V, >=V, <=V, ~V (or ~>V), ^V. V may lack its end or hold x, X or * for
// it: "1", "1.2", "1.x", "*"; a leading 'v' is passed over. A prerelease is in a set only when one of its
// comparators names a prerelease of the same major.minor.patch: "^1.2.3-beta.1" holds 1.2.3-beta.2, but not
// 1.2.4-beta.1. No "A - B" and no "!=".
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner::semver {

struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string prerelease;  // "rc.1"; empty for a release. What follows '+' has no rank and is not kept.
};

// By precedence: 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-2a < 1.0.0.
std::strong_ordering operator<=>(const Version& a, const Version& b);
bool operator==(const Version& a, const Version& b);

// Strict: three numbers of at most 18 digits without leading zeros, no leading 'v'.
std::optional<Version> ParseVersion(std::string_view text);
// The same with one optional leading 'v', as tags are written.
std::optional<Version> ParseTag(std::string_view tag);

class Range {
 public:
  // The error is a sentence for whoever wrote the range. At most 256 bytes.
  static std::expected<Range, std::string> Parse(std::string_view text);
  bool Contains(const Version& version) const;

 private:
  enum class Relation : std::uint8_t { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual };
  struct Bound {
    Relation relation;
    Version version;
  };
  using Set = std::vector<Bound>;  // all must hold; empty: everything but prereleases
  class Parser;
  static bool Holds(const Bound& bound, const Version& version);
  static bool Holds(const Set& set, const Version& version);

  std::vector<Set> sets_;
};

// The tag of the highest version in the range. Of tags of equal rank ("v1.0.0", "1.0.0", "1.0.0+b") the last
// in the order of bytes, so that the answer never depends on the order in which they came.
std::optional<std::string> HighestTag(const Range& range, const std::vector<std::string>& tags);

}  // namespace slipway::runner::semver
