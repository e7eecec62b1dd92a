// A visitor that fills any described struct with random values: within the description's bounds, or wild ones
// that break them all.
#pragma once

#include <random>

#include "resources/schema.h"

namespace slipway::resources {

class Filler final : public Visitor {
 public:
  Filler(std::uint64_t seed, bool wild) : random_(seed), wild_(wild) {}

  void Visit(const Field& field, std::string& value) override { value = Text(field, !value.empty()); }
  void Visit(const Field&, bool& value) override { value = Draw(0, 1) == 1; }
  void Visit(const Field& field, std::int64_t& value) override {
    value = wild_ ? Draw(-10, std::numeric_limits<std::int32_t>::max()) : Draw(field.min, field.max);
  }
  void Visit(const Field& field, Duration& value) override {
    value = wild_ ? Duration(Draw(-10, 1'000'000'000'000))
                  : Duration(Draw(field.shortest.count(), field.longest.count()));
  }
  // Whole seconds, as metav1.Time has them, from 1970 to 2100.
  void Visit(const Field&, TimePoint& value) override {
    value = TimePoint(std::chrono::seconds(Draw(0, 4'102'444'800)));
  }
  void Visit(const Field& field, std::vector<std::string>& value) override {
    value.resize(Count(field, !value.empty()));
    for (auto& text : value) text = Text(field, true);
  }
  void Visit(const Field& field, std::map<std::string, std::string>& value) override {
    for (std::size_t n = Count(field, false); n > 0; --n) {
      value[field.keys.empty() ? Text({.max_length = 60}, true)
                               : std::string(field.keys[n % field.keys.size()])] = Text(field, true);
    }
  }
  void Visit(const Field& field, std::map<std::string, int>& value) override {
    for (std::size_t n = Count(field, false); n > 0; --n) {
      value[Text({.max_length = 60}, true)] = static_cast<int>(Draw(wild_ ? -5 : 0, 1000));
    }
  }
  void Object(const Field&, const Members& members) override { members(*this); }
  void List(const Field& field, const ListAccess& list) override {
    const std::size_t n = Count(field, field.default_items > 0);
    list.resize(n);
    for (std::size_t i = 0; i < n; ++i) list.element(*this, i);
  }
  void Enum(const Field& field, std::span<const std::string_view> names, std::size_t& index) override {
    const std::size_t first = names.front().empty() ? 0 : field.hidden_names;
    index = static_cast<std::size_t>(Draw(static_cast<std::int64_t>(first), std::ssize(names) - 1));
  }
  void Enums(const Field& field, std::span<const std::string_view> names,
             std::vector<std::size_t>& indices) override {
    indices.clear();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (wild_ || (Draw(0, 1) == 1 && indices.size() < field.max_items)) indices.push_back(i);
    }
    if (wild_) indices.insert(indices.end(), {0, names.size()});
  }
  bool Present(const Field&, bool) override { return Draw(0, 2) > 0; }
  void Rule(const ObjectRule&, bool) override {}
  void Derived(const Field&, const std::string&) override {}

 private:
  std::int64_t Draw(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }

  // Seldom, because what is long takes long.
  bool Beyond() { return wild_ && Draw(0, 7) == 0; }

  std::size_t Count(const Field& field, bool some) {
    const auto most =
        static_cast<std::int64_t>(Beyond() ? field.max_items + 3 : std::min<std::size_t>(field.max_items, 3));
    return static_cast<std::size_t>(Draw(some ? 1 : 0, most));
  }

  std::string Text(const Field& field, bool some) {
    static const std::vector<std::string> kPieces{
        "a", "Z", "0", "-", " ", "\"", "\\", "\n", "é", "日", "\xf0\x9f\x98\x80"};
    static const std::vector<std::string> kWild{"\xff", "\xed\xa0\x80", std::string(1, '\0'), "\xe2\x80\xae",
                                                "\x1b"};
    const bool full = some || field.optional || field.required || field.min_length > 0;
    const auto most = static_cast<std::int64_t>(Beyond() ? field.max_length + 3
                                                         : std::min<std::size_t>(field.max_length, 20));
    std::string text;
    for (std::int64_t n = Draw(full ? 1 : 0, most); n > 0; --n) {
      const auto& pieces = wild_ && Draw(0, 3) == 0 ? kWild : kPieces;
      text += pieces[static_cast<std::size_t>(Draw(0, std::ssize(pieces) - 1))];
    }
    return text;
  }

  std::mt19937_64 random_;
  bool wild_;
};

template <class T>
T Filled(std::uint64_t seed, bool wild = false) {
  T value;
  Filler filler(seed, wild);
  Describe(filler, value);
  return value;
}

}  // namespace slipway::resources
