// What went wrong between a step and a registry, and the exit codes of `slipway-runner prepare`, `push` and
// `index`: pure, so that it is tested as a table.
#pragma once

#include <string>
#include <string_view>

namespace slipway::runner {

inline constexpr int kRegistryFailed = 1;  // PushFailed or PrepareFailed: anything without a code of its own
inline constexpr int kRegistryDenied = 40;
inline constexpr int kRegistryUnreachable = 41;
inline constexpr int kTagTaken = 42;
inline constexpr int kRegistryUnavailable = 43;  // 5xx, 429
inline constexpr int kImageNotFound = 44;        // the reason is ImageNotFound or BaseImageNotFound
inline constexpr int kDockerfileInvalid = 45;
inline constexpr int kRegistryUntrusted = 46;
inline constexpr int kImageRefused = 47;  // the tar, not the registry: image_tar.h has the reasons

struct RegistryFailure {
  int exit_code = kRegistryFailed;
  std::string reason;
  std::string message;  // one line of at most 800 bytes, without user names and passwords
  bool operator==(const RegistryFailure&) const = default;
};

// Makes the message fit: one line, bounded, without userinfo in URLs.
RegistryFailure MakeRegistryFailure(int exit_code, std::string_view reason, std::string_view message);

// `errors` is what crane wrote on standard error, `other` the reason when nothing else fits, `what` the image
// or file that crane was asked about.
RegistryFailure ClassifyRegistry(std::string_view errors, std::string_view other, std::string_view what);

// {"reason":…,"message":…}
std::string ToJson(const RegistryFailure& failure);

}  // namespace slipway::runner
