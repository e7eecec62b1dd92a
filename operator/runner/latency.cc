#include "runner/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace slipway::runner {
namespace {

// A value below 2 * kHalf has a bucket of its own; above, each doubling of the value has kHalf buckets, so
// that none is wider than 1/kHalf of its lower end.
constexpr std::uint64_t kHalf = 1024;
constexpr int kHalfBits = std::countr_zero(kHalf);

int ShiftOf(std::uint64_t value) {
  return std::max(0, static_cast<int>(std::bit_width(value)) - (kHalfBits + 1));
}

std::size_t IndexOf(std::uint64_t value) {
  const int shift = ShiftOf(value);
  return static_cast<std::size_t>(static_cast<std::uint64_t>(shift) * kHalf + (value >> shift));
}

std::uint64_t LowerEnd(std::size_t index) {
  if (index < 2 * kHalf) return index;
  const std::size_t shift = index / kHalf - 1;
  return (kHalf + index % kHalf) << shift;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(IndexOf(static_cast<std::uint64_t>(kLongest.count())) + 1) {}

void LatencyHistogram::Record(std::chrono::microseconds took) {
  took = std::clamp(took, kShortest, kLongest);
  ++counts_[IndexOf(static_cast<std::uint64_t>(took.count()))];
  ++count_;
  max_ = std::max(max_, took);
}

std::chrono::microseconds LatencyHistogram::Percentile(double percent) const {
  if (count_ == 0) return std::chrono::microseconds(0);
  const auto rank = static_cast<std::int64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  const std::int64_t wanted = std::clamp<std::int64_t>(rank, 1, count_);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::chrono::microseconds(LowerEnd(i));
  }
  return max_;
}

Percentiles PercentilesOf(const LatencyHistogram& latencies) {
  return {CeilMs(latencies.Percentile(50)), CeilMs(latencies.Percentile(95)),
          CeilMs(latencies.Percentile(99)), CeilMs(latencies.Max())};
}

int CeilMs(std::chrono::microseconds took) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(took).count());
}

}  // namespace slipway::runner
