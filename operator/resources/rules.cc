#include "resources/rules.h"

#include <algorithm>
#include <map>

#include "resources/pattern.h"

namespace slipway::resources {

bool Keeps(const TextRule& rule, std::string_view text) {
  constexpr std::size_t kLongest = 8192;
  if (text.size() > kLongest) return false;
  const bool refused = std::ranges::any_of(
      rule.without, [text](std::string_view part) { return !part.empty() && text.contains(part); });
  if (refused || (!rule.other_than.empty() && text == rule.other_than)) return false;
  // One thread; a pattern is a constant, and is compiled once.
  static std::map<std::string_view, Pattern> compiled;
  const auto found = compiled.find(rule.pattern);
  if (found != compiled.end()) return found->second.Matches(text);
  return compiled.emplace(rule.pattern, Pattern(rule.pattern)).first->second.Matches(text);
}

}  // namespace slipway::resources
