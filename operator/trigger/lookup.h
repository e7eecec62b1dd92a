// One lookup of the poller, done: a child `slipway-runner resolve`, or crane. Blocking, for a thread of its
// own. What a child is told, and what its report means, are pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "trigger/poll_core.h"

namespace slipway::trigger {

struct LookupOptions {
  std::string program = "/proc/self/exe";        // what knows `resolve`
  std::string credentials_folder;                // FOLDER/SECRET/…
  std::string ca_folder;                         // FOLDER/CONFIGMAP/ca.crt; empty: none are mounted
  std::vector<std::string> insecure_registries;  // hosts without TLS, or with a certificate of nobody
  std::string temporary_folder = "/tmp";
};

struct LookupFailure {
  std::string reason;  // CamelCase
  std::string message;
};

// A commit, and what names it; or a digest, with an empty ref.
struct Found {
  std::string value;
  std::string ref;
  bool operator==(const Found&) const = default;
};
using LookupResult = std::expected<Found, LookupFailure>;

LookupResult LookUp(const Lookup& lookup, const LookupOptions& options);

// The parts. `folder` is private to the lookup; the report is left in it.
std::vector<std::string> ResolveArguments(const Lookup& lookup, const LookupOptions& options,
                                          const std::string& report_path);
LookupResult ReadResolveReport(std::string_view report);

}  // namespace slipway::trigger
