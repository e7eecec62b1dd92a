// What the pod of a Job of the supply chain's namespace says beside its containers' own words. Pure.
#pragma once

#include <string>
#include <string_view>

#include "resources/workloads.h"

namespace slipway::supply {

// One line without control characters, and without what is only white space.
std::string OneLine(std::string_view text);
// What a pod that has not begun waits for; empty: nothing that is said. `pod` may be nullptr.
std::string Waiting(const resources::Pod* pod);
// Of a Job that failed, where its containers say nothing.
std::string WhyFailed(const resources::Job& job, const resources::Pod* pod);

}  // namespace slipway::supply
