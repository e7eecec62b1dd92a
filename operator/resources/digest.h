// The digest that an image is named by, wherever it stands: in a spec, a pod template, a pod's imageID.
#pragma once

#include <string_view>

namespace slipway::resources {

// "sha256:…" of an image; empty: it has none.
constexpr std::string_view DigestOf(std::string_view image) {
  const auto at = image.find('@');
  return at == std::string_view::npos ? std::string_view() : image.substr(at + 1);
}

constexpr bool SameDigest(std::string_view a, std::string_view b) {
  return !DigestOf(a).empty() && DigestOf(a) == DigestOf(b);
}

}  // namespace slipway::resources
