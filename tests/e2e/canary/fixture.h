// The stories of CanaryPromotions that a person makes: namespace e2e-canary.
#pragma once

#include "support/promotions.h"

namespace slipway::testing {

class Canaries : public Promotions {
 protected:
  Canaries() : Promotions("e2e-canary") {}
};

}  // namespace slipway::testing
