#include "canary/arithmetic.h"

#include <algorithm>
#include <charconv>

namespace slipway::canary {

int Percent(int part, int whole) {
  if (whole <= 0) return 0;
  const std::int64_t twice = (std::int64_t{200} * part + whole) / (std::int64_t{2} * whole);
  return static_cast<int>(twice);
}

std::optional<Split> SplitFor(int replicas, int weight, resources::Capacity capacity) {
  if (replicas < 1) return std::nullopt;
  const std::int64_t share = (std::int64_t{replicas} * weight + 50) / 100;
  const int canary = static_cast<int>(std::max<std::int64_t>(1, share));
  if (capacity == resources::Capacity::kSurge)
    return Split{canary, replicas, Percent(canary, replicas + canary)};
  if (canary >= replicas) return std::nullopt;
  return Split{canary, replicas - canary, Percent(canary, replicas)};
}

int MaxUnavailable(const std::string& value, int replicas) {
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || number < 0) return 0;
  const bool percent = end != value.data() + value.size() && *end == '%';
  if (!percent) return std::min(number, replicas);
  return static_cast<int>(std::int64_t{replicas} * number / 100);
}

}  // namespace slipway::canary
