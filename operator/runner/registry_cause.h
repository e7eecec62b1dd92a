// What a line of go-containerregistry says of a registry: pure, and without any library, because the static
// entrypoint is built from it too. crane and Kaniko both speak in this library's words (v0.20 and v0.21).
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::runner {

enum class RegistryCause : std::uint8_t {
  kNone,         // it says nothing of a registry
  kDenied,       // 401, 403
  kUnreachable,  // no name, no connection, no answer in time
  kUntrusted,    // its certificate is not of an authority that is trusted
  kUnavailable,  // 429, 5xx: it answers, but not now
  kNotFound,     // 404: no such repository, tag or digest
};

// The first cause in the line counts: what follows it may be the registry's own words. Names of repositories
// and tags can't be taken for a cause, because each one holds a blank or stands after ": ".
RegistryCause CauseOf(std::string_view line);

}  // namespace slipway::runner
