// What the shell of every controller is handed: the ways out to the cluster, the clock and the meters. Owned
// by main, outlives every controller.
#pragma once

#include "runtime/controller.h"
#include "runtime/effects.h"
#include "runtime/events.h"
#include "telemetry/metrics.h"

namespace slipway::runtime {

struct Shell {
  kube::Api& api;
  Applier& applier;
  EventRecorder& events;
  const Clock& clock;
  telemetry::Metrics& metrics;
};

}  // namespace slipway::runtime
