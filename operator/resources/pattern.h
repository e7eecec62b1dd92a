// The schema's patterns, matched by us as the API server matches them, in time linear in the text: a set of
// states is stepped along, nothing backtracks and nothing recurses on input (Thompson, 1968).
//
// Known syntax, a part of RE2's: literals, \ before punctuation, \x{H…}, [classes], (groups), |, *, +, ?,
// {n}, {n,m}. A pattern is anchored by ^ at its start and $ at its end, both required.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::resources {

class Pattern {
 public:
  // Aborts on syntax that is not known: patterns are constants of ours.
  explicit Pattern(std::string_view pattern);

  // False for text that is not UTF-8.
  bool Matches(std::string_view text) const;

 private:
  friend class PatternCompiler;
  struct Range {
    char32_t first;
    char32_t last;
  };
  // A state reads one code point in its ranges and goes on to `next`; or reads nothing and goes to both.
  struct State {
    std::vector<Range> ranges;  // empty: reads nothing
    int next = -1;              // -1: the end
    int other = -1;             // only of a state that reads nothing; -1: none
    bool negated = false;
  };
  void Reach(int state, std::vector<std::uint8_t>& reached, std::vector<int>& stack) const;

  std::vector<State> states_;
  int start_ = 0;
  int accept_ = 0;
};

// The next code point of `text`, which is shortened by it; nullopt-like -1 where it is not UTF-8 (one byte is
// then taken).
std::int32_t NextCodePoint(std::string_view& text);

}  // namespace slipway::resources
