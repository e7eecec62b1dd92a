// What a controller makes of an error of the API server: whether a person should hear of it, and in which
// word.
#pragma once

#include <string>

#include "base/result.h"

namespace slipway::runtime {

// Decided again soon and silently. Everything else is worth a sentence in the object's condition.
bool PassesByItself(const Error& error);

// A condition's reason: Forbidden, NameTaken, Refused or ApiError.
std::string ReasonOf(const Error& error);

}  // namespace slipway::runtime
