// The fields of a report that a container of ours left as its last words. What a repository or an image put
// into it is made printable, because it ends in a terminal; what has another shape is not there. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube/object.h"

namespace slipway::runtime {

// At most `most` bytes, without control characters; empty: it is not there, or is no text.
std::string TextIn(const kube::Json& object, const char* key, std::size_t most);
// Member `reason`, CamelCase; empty: it is not there, or is none. It becomes a reason of ours.
std::string ReasonIn(const kube::Json& object);
// False when the number is not there, or is no count.
bool CountIn(const kube::Json& object, const char* key, int& into);

}  // namespace slipway::runtime
