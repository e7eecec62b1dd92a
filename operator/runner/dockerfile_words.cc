#include "runner/dockerfile_words.h"

#include <fmt/format.h>

#include <cstddef>

namespace slipway::runner {
namespace {

// Deeper than anybody writes; a hostile file must not take our stack.
constexpr int kMostDepth = 16;

using Failure = std::unexpected<std::string>;

bool Starts(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool Goes(char c) { return Starts(c) || (c >= '0' && c <= '9'); }

class Expander {
 public:
  Expander(std::string_view word, const Variables& variables, char escape)
      : word_(word), variables_(variables), escape_(escape) {}

  std::expected<Expanded, std::string> Run() {
    if (auto done = Until(out_.text, '\0', 0); !done) return Failure(done.error());
    return std::move(out_);
  }

 private:
  using Done = std::expected<void, std::string>;

  bool AtEnd() const { return at_ >= word_.size(); }

  // Up to `end`, which is passed over; to the end of the word when it is NUL.
  Done Until(std::string& into, char end, int depth) {
    while (!AtEnd()) {
      const char c = word_[at_];
      if (end != '\0' && c == end) {
        ++at_;
        return {};
      }
      if (c == '\'') {
        if (auto done = Single(into); !done) return done;
      } else if (c == '"') {
        ++at_;
        if (auto done = Double(into, depth); !done) return done;
      } else if (auto done = Plain(into, depth); !done) {
        return done;
      }
    }
    if (end != '\0') return Failure("a ${ has no end");
    return {};
  }

  Done Single(std::string& into) {
    const std::size_t close = word_.find('\'', at_ + 1);
    if (close == std::string_view::npos) return Failure("a quote has no end");
    into += word_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return {};
  }

  Done Double(std::string& into, int depth) {
    while (!AtEnd()) {
      const char c = word_[at_];
      if (c == '"') {
        ++at_;
        return {};
      }
      // Between double quotes an escape means something only before these.
      if (c == escape_ && at_ + 1 < word_.size()) {
        const char next = word_[at_ + 1];
        if (next != '"' && next != '$' && next != escape_) into += c;
        into += next;
        at_ += 2;
      } else if (auto done = Plain(into, depth); !done) {
        return done;
      }
    }
    return Failure("a quote has no end");
  }

  Done Plain(std::string& into, int depth) {
    const char c = word_[at_];
    if (c == '$') return Variable(into, depth);
    if (c == escape_ && at_ + 1 < word_.size()) {
      into += word_[at_ + 1];
      at_ += 2;
      return {};
    }
    into += c;
    ++at_;
    return {};
  }

  std::string_view Name() {
    const std::size_t from = at_;
    if (!AtEnd() && Starts(word_[at_])) {
      while (!AtEnd() && Goes(word_[at_])) ++at_;
    }
    return word_.substr(from, at_ - from);
  }

  void Value(std::string& into, std::string_view name) {
    const auto found = variables_.find(name);
    if (found == variables_.end()) {
      out_.unset.emplace_back(name);
    } else {
      into += found->second;
    }
  }

  Done Variable(std::string& into, int depth) {
    ++at_;
    if (!AtEnd() && word_[at_] == '{') {
      ++at_;
      return Braced(into, depth + 1);
    }
    const std::string_view name = Name();
    if (name.empty()) {
      into += '$';
    } else {
      Value(into, name);
    }
    return {};
  }

  Done Braced(std::string& into, int depth) {
    if (depth > kMostDepth) return Failure("variables stand too deep in each other");
    const std::string_view name = Name();
    if (name.empty() || AtEnd()) return Failure("a ${ has no name, or no end");
    if (word_[at_] == '}') {
      ++at_;
      Value(into, name);
      return {};
    }
    const bool colon = word_[at_] == ':';
    if (colon) ++at_;
    if (AtEnd()) return Failure("a ${ has no end");
    const char modifier = word_[at_++];
    if (modifier != '-' && modifier != '+' && modifier != '?') {
      return Failure(fmt::format("what follows the name in ${{{}…}} is not known here", name));
    }
    return Modified(into, name, modifier, colon, depth);
  }

  Done Modified(std::string& into, std::string_view name, char modifier, bool colon, int depth) {
    std::string other;
    // What the word leaves unset matters only where the word is used.
    const std::size_t unset = out_.unset.size();
    if (auto done = Until(other, '}', depth); !done) return done;
    const auto found = variables_.find(name);
    const bool set = found != variables_.end() && !(colon && found->second.empty());
    if (modifier == '?' && !set) return Failure(fmt::format("{}: {}", name, other));
    const bool uses_other = (modifier == '-' && !set) || (modifier == '+' && set);
    if (!uses_other) out_.unset.resize(unset);
    if (uses_other) {
      into += other;
    } else if (modifier != '+') {
      into += found->second;
    }
    return {};
  }

  std::string_view word_;
  const Variables& variables_;
  char escape_;
  std::size_t at_ = 0;
  Expanded out_;
};

}  // namespace

std::expected<Expanded, std::string> Expand(std::string_view word, const Variables& variables, char escape) {
  return Expander(word, variables, escape).Run();
}

}  // namespace slipway::runner
