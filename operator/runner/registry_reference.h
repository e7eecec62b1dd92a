// Names of images, repositories and digests, judged and made whole as Docker does it: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::runner {

struct ImageReference {
  std::string repository;  // with its host: docker.io/library/busybox
  std::string tag;         // empty only beside a digest
  std::string digest;      // sha256:…, or empty
  bool operator==(const ImageReference&) const = default;
};

// "busybox" is docker.io/library/busybox:latest. None when it is no reference.
std::optional<ImageReference> ParseImage(std::string_view text);

std::string ToString(const ImageReference& reference);

// host[:port] of a repository or of an image that was made whole.
std::string_view HostOf(std::string_view repository);

bool IsRepository(std::string_view text);  // with a host, without tag and digest
bool IsTag(std::string_view text);
bool IsDigest(std::string_view text);  // sha256: and 64 hexadecimal digits

}  // namespace slipway::runner
