// The keys that webhooks are signed with, as Secrets mounted beside each other: FOLDER/NAME/secret, NAME
// being the ImageBuild's. Read at each delivery, so that a rotated key counts at once.
#pragma once

#include <string>
#include <string_view>

namespace slipway::trigger {

// RFC 1123 subdomain: what an object may be called. Nothing else becomes part of a path.
bool IsObjectName(std::string_view name);

// The key, without the line ends that a file made by hand has; empty: none, or one that is too long.
std::string ReadKey(const std::string& folder, std::string_view name);

// The NAME of "/hooks/NAME"; empty: it is not that.
std::string_view HookName(std::string_view path);

}  // namespace slipway::trigger
