#include "resources/pattern.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace slipway::resources {

// Parses a pattern into a tree, then lays the tree out as states from its end to its start, so that each
// state knows where it goes on.
class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view pattern) : rest_(pattern), whole_(pattern) {}

  void Compile(Pattern& out) {
    Expect('^');
    const Node tree = Alternatives();
    Expect('$');
    if (!rest_.empty()) Unknown();
    out.states_.emplace_back();
    out.accept_ = 0;
    out.start_ = Emit(out, tree, out.accept_);
  }

 private:
  enum class Kind : std::uint8_t { kSet, kSequence, kAlternatives, kRepeat };
  struct Node {
    Kind kind = Kind::kSequence;
    std::vector<Node> children{};
    std::vector<Pattern::Range> ranges{};
    bool negated = false;
    int min = 0;
    int max = -1;  // no end
  };

  [[noreturn]] void Unknown() const {
    std::fprintf(stderr, "pattern %.*s: unknown syntax before \"%.*s\"\n", static_cast<int>(whole_.size()),
                 whole_.data(), static_cast<int>(rest_.size()), rest_.data());
    std::abort();
  }
  bool At(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool Take(char c) {
    if (!At(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void Expect(char c) {
    if (!Take(c)) Unknown();
  }

  Node Alternatives() {
    Node node{.kind = Kind::kAlternatives};
    node.children.push_back(Sequence());
    while (Take('|')) node.children.push_back(Sequence());
    return node;
  }

  Node Sequence() {
    Node node{.kind = Kind::kSequence};
    while (!rest_.empty() && !At('|') && !At(')') && !At('$')) node.children.push_back(Repeated());
    return node;
  }

  Node Repeated() {
    Node node = Atom();
    const auto repeat = [&node](int min, int max) {
      Node outer{.kind = Kind::kRepeat, .min = min, .max = max};
      outer.children.push_back(std::move(node));
      return outer;
    };
    if (Take('*')) return repeat(0, -1);
    if (Take('+')) return repeat(1, -1);
    if (Take('?')) return repeat(0, 1);
    if (!Take('{')) return node;
    const int min = Number();
    const int max = Take(',') ? Number() : min;
    Expect('}');
    return repeat(min, max);
  }

  int Number() {
    int n = 0;
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') Unknown();
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
      n = n * 10 + (rest_.front() - '0');
    }
    return n;
  }

  Node Atom() {
    if (Take('(')) {
      Node node = Alternatives();
      Expect(')');
      return node;
    }
    if (Take('[')) return Class();
    if (rest_.empty() || std::string_view("*+?{}]^.").contains(rest_.front())) Unknown();
    const char32_t c = Character();
    return {.kind = Kind::kSet, .ranges = {{c, c}}};
  }

  Node Class() {
    Node node{.kind = Kind::kSet, .negated = Take('^')};
    while (!At(']')) {
      if (rest_.empty()) Unknown();
      const char32_t first = Character();
      const bool range = rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']';
      if (range) rest_.remove_prefix(1);
      node.ranges.push_back({first, range ? Character() : first});
    }
    Expect(']');
    return node;
  }

  char32_t Character() {
    if (!Take('\\')) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      return static_cast<char32_t>(c);
    }
    if (Take('x')) {
      Expect('{');
      const std::size_t end = rest_.find('}');
      if (end == std::string_view::npos) Unknown();
      const auto value = std::strtoul(std::string(rest_.substr(0, end)).c_str(), nullptr, 16);
      rest_.remove_prefix(end + 1);
      return static_cast<char32_t>(value);
    }
    const char c = rest_.empty() ? 'a' : rest_.front();
    if (std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789").contains(c)) {
      Unknown();
    }
    rest_.remove_prefix(1);
    return static_cast<char32_t>(c);
  }

  static int Add(Pattern& out, Pattern::State state) {
    out.states_.push_back(std::move(state));
    return static_cast<int>(out.states_.size()) - 1;
  }

  int Emit(Pattern& out, const Node& node, int next) {
    switch (node.kind) {
      case Kind::kSet:
        return Add(out, {.ranges = node.ranges, .next = next, .negated = node.negated});
      case Kind::kSequence:
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
          next = Emit(out, *child, next);
        }
        return next;
      case Kind::kAlternatives: {
        int start = Emit(out, node.children.back(), next);
        for (auto child = node.children.rbegin() + 1; child != node.children.rend(); ++child) {
          start = Add(out, {.next = Emit(out, *child, next), .other = start});
        }
        return start;
      }
      case Kind::kRepeat:
        return EmitRepeat(out, node, next);
    }
    std::abort();
  }

  int EmitRepeat(Pattern& out, const Node& node, int next) {
    const Node& child = node.children.front();
    int start = next;
    if (node.max < 0) {
      start = Add(out, {.other = next});
      const int body = Emit(out, child, start);
      out.states_[static_cast<std::size_t>(start)].next = body;
    } else {
      for (int i = node.min; i < node.max; ++i) {
        start = Add(out, {.next = Emit(out, child, start), .other = next});
      }
    }
    for (int i = 0; i < node.min; ++i) start = Emit(out, child, start);
    return start;
  }

  std::string_view rest_;
  std::string_view whole_;
};

Pattern::Pattern(std::string_view pattern) { PatternCompiler(pattern).Compile(*this); }

// Marks the state and all that it leads to without reading.
void Pattern::Reach(int state, std::vector<std::uint8_t>& reached, std::vector<int>& stack) const {
  stack.push_back(state);
  while (!stack.empty()) {
    const auto at = static_cast<std::size_t>(stack.back());
    stack.pop_back();
    if (reached[at] != 0) continue;
    reached[at] = 1;
    if (!states_[at].ranges.empty()) continue;
    if (states_[at].next >= 0) stack.push_back(states_[at].next);
    if (states_[at].other >= 0) stack.push_back(states_[at].other);
  }
}

bool Pattern::Matches(std::string_view text) const {
  std::vector<std::uint8_t> now(states_.size());
  std::vector<std::uint8_t> then(states_.size());
  std::vector<int> stack;
  Reach(start_, now, stack);
  while (!text.empty()) {
    const std::int32_t c = NextCodePoint(text);
    if (c < 0) return false;
    std::ranges::fill(then, std::uint8_t{0});
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const State& state = states_[i];
      if (now[i] == 0 || state.ranges.empty()) continue;
      const bool in = std::ranges::any_of(state.ranges, [c](const Range& range) {
        return range.first <= static_cast<char32_t>(c) && static_cast<char32_t>(c) <= range.last;
      });
      if (in != state.negated) Reach(state.next, then, stack);
    }
    std::swap(now, then);
  }
  return now[static_cast<std::size_t>(accept_)] != 0;
}

std::int32_t NextCodePoint(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const std::int32_t least = size == 1 ? 0 : size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  std::int32_t value = size == 1 ? lead : lead & (0xff >> (size + 1));
  bool good = lead < 0x80 || (lead >= 0xc2 && lead <= 0xf4 && text.size() >= size);
  for (std::size_t i = 1; good && i < size; ++i) {
    good = (byte(i) & 0xc0) == 0x80;
    value = (value << 6) | (byte(i) & 0x3f);
  }
  good = good && value >= least && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  text.remove_prefix(good ? size : 1);
  return good ? value : -1;
}

}  // namespace slipway::resources
