// The part of HostileValues that is about deliveries' checks, migrations and ConfigMaps. Private to this
// folder.
#pragma once

#include "support/hostile.h"

namespace slipway::testing {

// `kind`: Release or CanaryPromotion.
void AddChecks(std::vector<Hostile>& out, const std::string& kind);

}  // namespace slipway::testing
