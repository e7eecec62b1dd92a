#include "canary/arithmetic.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace slipway::canary {
namespace {

using Wide = std::int64_t;

// Ties up, for numerators below 0 too.
Wide Nearest(Wide part, Wide whole) {
  const Wide twice = 2 * part + whole;
  const Wide quotient = twice / (2 * whole);
  return twice % (2 * whole) < 0 ? quotient - 1 : quotient;
}

int Narrow(Wide value) { return static_cast<int>(std::min<Wide>(value, std::numeric_limits<int>::max())); }

struct Amount {
  int number = 0;
  bool percent = false;
};
std::optional<Amount> ParseAmount(std::string_view text) {
  Amount amount;
  amount.percent = text.ends_with('%');
  if (amount.percent) text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount.number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || amount.number < 0) return std::nullopt;
  return amount;
}

Split Shared(int canary, int stable, int weight) {
  const Wide all = Wide{canary} + stable;
  const Wide error = Nearest(Wide{canary} * 10'000 - Wide{weight} * 100 * all, all);
  return {canary, stable, Percent(canary, all), static_cast<int>(error)};
}

}  // namespace

int Percent(Wide part, Wide whole) { return whole <= 0 ? 0 : static_cast<int>(Nearest(100 * part, whole)); }

std::optional<Split> SplitFor(int replicas, int weight, resources::Capacity capacity, int limit) {
  if (replicas < 1) return std::nullopt;
  const Wide asked = Wide{replicas} * weight;
  if (capacity == resources::Capacity::kSurge) {
    const Wide most = std::max(1, limit);
    const Wide nearest = weight >= 100 ? most : Nearest(asked, 100 - weight);
    return Shared(Narrow(std::clamp<Wide>(nearest, 1, most)), replicas, weight);
  }
  const int canary = Narrow(std::max<Wide>(1, Nearest(asked, 100)));
  if (canary >= replicas) return std::nullopt;
  return Shared(canary, replicas - canary, weight);
}

int SurgeLimit(std::string_view value, int replicas) { return std::max(1, RoundedUp(value, replicas)); }

int RoundedUp(std::string_view value, int pods) {
  const auto amount = ParseAmount(value);
  if (!amount) return 0;
  return amount->percent ? Narrow((Wide{pods} * amount->number + 99) / 100) : amount->number;
}

int MaxUnavailable(std::string_view value, int replicas) {
  const auto amount = ParseAmount(value);
  if (!amount) return 0;
  if (!amount->percent) return std::min(amount->number, replicas);
  return Narrow(Wide{replicas} * amount->number / 100);
}

Pods Grown(const Move& move) {
  const auto room = [&](int now, int there) { return move.most - std::max(now, there); };
  Pods next = move.now;
  if (next.canary < move.wanted.canary) {
    const Wide most = std::min<Wide>(move.wanted.canary, room(move.now.stable, move.there.stable));
    next.canary = Narrow(std::max<Wide>(next.canary, most));
  }
  if (next.stable < move.wanted.stable) {
    const Wide most = std::min<Wide>(move.wanted.stable, room(next.canary, move.there.canary));
    next.stable = Narrow(std::max<Wide>(next.stable, most));
  }
  return next;
}

Pods Shrunk(const Move& move) {
  Pods next = move.now;
  const auto kept = [&](int wanted, int other) {
    return Narrow(std::max<Wide>(wanted, std::max<Wide>(0, move.least - other)));
  };
  next.canary = std::min(next.canary, kept(move.wanted.canary, next.stable));
  next.stable = std::min(next.stable, kept(move.wanted.stable, next.canary));
  return next;
}

}  // namespace slipway::canary
