// Which pod says how a Job goes, or went. Pure.
#pragma once

#include <memory>
#include <vector>

#include "resources/workloads.h"

namespace slipway::jobs {

using PodPtr = std::shared_ptr<const resources::Pod>;

// The newest that is the Job's; nullptr: none of them is.
PodPtr NewestPod(const kube::ObjectMeta& job, const std::vector<PodPtr>& pods);

// Its containers have ended, and none is started again.
bool HasEnded(const resources::Pod& pod);

}  // namespace slipway::jobs
