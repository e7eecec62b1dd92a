// resource.Quantity as far as we need it: whether two texts name the same amount.
#pragma once

#include <string_view>

namespace slipway::runtime {

// "1" and "1000m", "1Gi" and "1024Mi", "0.5" and "500e-3" are the same. A text that is no quantity is the
// same only as itself.
bool SameQuantity(std::string_view a, std::string_view b);

}  // namespace slipway::runtime
