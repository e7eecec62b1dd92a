// A registry, spoken to by crane: an argument vector, an environment made from nothing, no configuration but
// the given credentials, and a bound on each call's time and output. crane itself tries again what may pass.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "runner/registry_failure.h"

namespace slipway::runner {

template <class T = void>
using RegistryResult = std::expected<T, RegistryFailure>;

struct RegistryAccess {
  std::string credentials_folder;  // holds config.json, a Docker config; empty: nobody's
  std::string ca_file;  // trusted beside the system's, with what else lies in its folder; empty: none
  std::string failed;   // the reason of what fits no other: "PushFailed", "PrepareFailed"
};

class Registry {
 public:
  explicit Registry(RegistryAccess access);

  // What crane printed. `what` stands in the failure's message: the image or the file that it is about.
  // `insecure`: without TLS, or with a certificate that nobody vouches for.
  RegistryResult<std::string> Do(std::vector<std::string> arguments, std::string_view what, bool insecure,
                                 std::chrono::milliseconds timeout) const;

  // sha256:… of a tag or of a digest that is there.
  RegistryResult<std::string> Digest(const std::string& image, bool insecure) const;

  RegistryFailure Failed(std::string_view message) const;

 private:
  RegistryAccess access_;
  std::vector<std::string> environment_;
};

// A lookup is a few kilobytes; the layers of an image are not.
inline constexpr auto kRegistryLookupTime = std::chrono::minutes(2);
inline constexpr auto kRegistryPushTime = std::chrono::hours(1);

// Leaves the report in its file, and gives the exit code. `step` is the subcommand's name, for the log.
int ReportRegistry(std::string_view step, const RegistryResult<std::string>& result,
                   const std::string& report_path);

}  // namespace slipway::runner
