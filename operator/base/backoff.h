// Exponential back-off with full jitter above a floor: the wait before try n is drawn from
// [d/2, d], d = min(cap, base * factor^n). (Brooker, "Exponential Backoff And Jitter", 2015, "equal jitter".)
// Pure: the caller brings the random number.
#pragma once

#include "base/time.h"

namespace slipway {

struct BackoffPolicy {
  Duration base = std::chrono::milliseconds(500);
  Duration cap = std::chrono::seconds(60);
  double factor = 2.0;
};

// `attempt` counts from 0; `unit_random` lies in [0, 1).
Duration BackoffDelay(const BackoffPolicy& policy, int attempt, double unit_random);

}  // namespace slipway
