// Latencies of many answers, in little memory: a histogram in the manner of HdrHistogram (Gil Tene,
// hdrhistogram.org; CC0), of which Debian has no C or C++ package.
//
// Buckets are log-linear: each is narrower than a thousandth of what it holds, so that a percentile lies
// below the exact one (of the nearest rank) by 0.1 % at most, and is never above it. 1 µs to 1 h; what is
// outside counts as the nearer end. About 100 KB, whatever the number of samples. No operation fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace slipway::runner {

class LatencyHistogram {
 public:
  static constexpr std::chrono::microseconds kShortest{1};
  static constexpr std::chrono::microseconds kLongest = std::chrono::hours(1);

  LatencyHistogram();

  void Record(std::chrono::microseconds took);
  std::int64_t count() const { return count_; }
  // The smallest value that at least `percent` (above 0, at most 100) of all samples do not exceed; 0 when
  // there is no sample.
  std::chrono::microseconds Percentile(double percent) const;
  // Exact.
  std::chrono::microseconds Max() const { return max_; }

 private:
  std::vector<std::uint32_t> counts_;
  std::int64_t count_ = 0;
  std::chrono::microseconds max_{0};
};

// What the reports tell: whole milliseconds, rounded up.
struct Percentiles {
  int p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
  bool operator==(const Percentiles&) const = default;
};
Percentiles PercentilesOf(const LatencyHistogram& latencies);

int CeilMs(std::chrono::microseconds took);

}  // namespace slipway::runner
