// What ends a promotion from outside, at any moment before stable is done. Pure.
#pragma once

#include <optional>
#include <string>

#include "canary/decide.h"

namespace slipway::canary {

struct Cause {
  std::string reason;
  std::string message;
};

// `seen.promotion` has begun, and its target is there.
std::optional<Cause> Interruption(const Seen& seen);

}  // namespace slipway::canary
