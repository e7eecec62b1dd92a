#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace slipway {

Duration BackoffDelay(const BackoffPolicy& policy, int attempt, double unit_random) {
  // 64 doublings of anything are beyond every cap; more would only overflow.
  const double grown = static_cast<double>(policy.base.count()) *
                       std::pow(policy.factor, static_cast<double>(std::clamp(attempt, 0, 64)));
  const double delay = std::min(grown, static_cast<double>(policy.cap.count()));
  return Duration(static_cast<Duration::rep>(delay * (0.5 + 0.5 * unit_random)));
}

}  // namespace slipway
