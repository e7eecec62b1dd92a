// What the Jobs of every controller say of their pods. Pure.
#pragma once

#include "kube/object.h"

namespace slipway::jobs {

// spec.podFailurePolicy: a pod that the cluster takes away is told from one that fails, even when it is gone
// already.
kube::Json FailWhenDisrupted();

}  // namespace slipway::jobs
