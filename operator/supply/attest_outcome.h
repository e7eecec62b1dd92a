// What became of the Job that attests and signs (attest_job.h). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "resources/workloads.h"

namespace slipway::supply {

inline constexpr Duration kAttestDeadline = std::chrono::minutes(10);

// Begins the names of the containers that look whether all is there: "verify-signature", "verify-scan".
inline constexpr std::string_view kLookPrefix = "verify-";

// Why a container failed: AttestFailed, AttestationLost, RegistryDenied or RegistryUnavailable, with its last
// words. AttestationLost: it was attested, and is not there, or another one is. Most likely another Job about
// the same image did that: to be attested again.
struct Trouble {
  std::string reason;
  std::string words;
};
Trouble TroubleOf(const resources::ContainerState& container);

struct AttestOutcome {
  enum class State : std::uint8_t { kRunning, kAttested, kFailed };
  State state = State::kRunning;
  std::string reason;   // of a failure: those of Trouble
  std::string message;  // why it failed; while it runs, what it waits for, or nothing
};

// `job` is that of the recorded UID; nullptr: gone. `pod` may be nullptr.
AttestOutcome OutcomeOfAttest(const resources::Job* job, const resources::Pod* pod);

}  // namespace slipway::supply
