// What the immutable copies of a ConfigMap are called: NAME-slipway- and eight hexadecimal digits of what is
// in it. So a copy is known by its name alone, wherever a pod template names it.
#pragma once

#include <string>
#include <string_view>

namespace slipway::resources {

// `hash`: eight lower-case hexadecimal digits.
std::string ConfigCopyName(std::string_view name, std::string_view hash);

// Whether `ref`, as a pod template names a ConfigMap, is `name` or a copy of it.
bool IsVersionOf(std::string_view ref, std::string_view name);

}  // namespace slipway::resources
