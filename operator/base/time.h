// The two clocks, and the text forms of time that Kubernetes uses.
//
// TimePoint is the wall clock, which statuses hold and people read; it can jump. BootTime is CLOCK_BOOTTIME,
// which never jumps and goes on while the process is stopped or the machine sleeps: leases and back-off are
// judged by it. Code that decides takes either as an argument and never reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<Duration>;

struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock, duration>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};
using BootTime = BootClock::time_point;

// The seam through which the shells read time; tests put a hand-wound one in its place.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual BootTime Boot() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  BootTime Boot() const override;
};

// metav1.Time: "2026-11-21T06:00:00Z", whole seconds, UTC.
std::string FormatTime(TimePoint t);
// metav1.MicroTime, which Lease and Event carry: "2026-11-21T06:00:00.123000Z".
std::string FormatMicroTime(TimePoint t);
// RFC 3339 with any offset and any number of fraction digits; nullopt when it is not.
std::optional<TimePoint> ParseTime(std::string_view text);

// Go's duration syntax ("1h30m", "1.5s", "300ms"), which every Kubernetes API uses. Negative durations,
// missing units and values over 10 years are kInvalid.
Result<Duration> ParseDuration(std::string_view text);
std::string FormatDuration(Duration d);

}  // namespace slipway
