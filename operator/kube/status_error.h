// What the API server says went wrong (metav1.Status), as an Error.
#pragma once

#include <optional>
#include <string_view>

#include "kube/object.h"

namespace slipway::kube {

// `body` is the answer to a request that failed with `http_code`; it may be no Status at all (a proxy's
// page). `retry_after` is the header's value, or empty: only whole seconds are understood; the details of the
// Status may also name them.
Error ErrorFromAnswer(int http_code, std::string_view retry_after, std::string_view body);

// The Status of a watch's ERROR event. What is no Status is kTransient.
Error ErrorFromStatus(const Json& status);

// Fit to show: control characters and direction marks become spaces, at most `longest` bytes, whole UTF-8.
std::string Printable(std::string_view text, std::size_t longest = 1024);

}  // namespace slipway::kube
