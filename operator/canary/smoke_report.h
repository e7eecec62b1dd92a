// The result of a smoke test, from its Job, its pod and the probe's report. Pure. A report that is cut,
// missing or of another form is no result: the test is broken, never passed.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "canary/decide.h"

namespace slipway::canary {

// Of `pods`, those count that are the Job's.
// A Job may be seen to have ended some seconds before its pod is.
SmokeOutcome ReadOutcome(const resources::Job& job,
                         const std::vector<std::shared_ptr<const resources::Pod>>& pods, TimePoint now);

// The probe's termination message.
struct SmokeReport {
  bool passed = false;
  std::string reason;
  resources::SmokeResult result;
};
std::optional<SmokeReport> ParseReport(std::string_view text);

}  // namespace slipway::canary
