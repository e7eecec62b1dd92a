// What became of a check, from its Job, its pod and the report of the runner in it. Pure. A report that is
// cut, missing, of another form, or of another verdict than the exit code's is no result: the check is broken
// (kError), never passed. A program of the user's has no report: its exit code alone counts, and nothing of
// its output goes into a status.
//
// Exit codes of the runner: 0 pass, 10 fail, 11 inconclusive. Of a program: 0 passed, any other that it ended
// with by itself failed; what ended it from outside (out of memory, evicted, a deadline) is broken.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "canary/decide.h"

namespace slipway::canary {

// What the containers of a check's pod are called.
inline constexpr std::string_view kRunnerContainer = "probe";
inline constexpr std::string_view kProgramContainer = "check";

// Of `pods`, those count that are the Job's: once it has ended, as they ended.
// The result has neither name nor kind: they are the check's.
CheckOutcome ReadOutcome(const resources::Job& job,
                         const std::vector<std::shared_ptr<const resources::Pod>>& pods, TimePoint now);

// The runner's termination message; nullopt when it is of another form. Its verdict is never kError.
std::optional<resources::CheckResult> ParseReport(std::string_view text);

// What a check that broke left about its cause: "REASON: MESSAGE", printable; empty: nothing.
std::string CauseIn(std::string_view text);

}  // namespace slipway::canary
