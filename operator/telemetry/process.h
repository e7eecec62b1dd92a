// The process_* figures that every Prometheus client library exports, read from /proc/self.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace slipway::telemetry {

// Figures that can't be read are left out. `proc` is "/proc" but in tests.
std::vector<prometheus::MetricFamily> ProcessFamilies(const std::string& proc = "/proc");

}  // namespace slipway::telemetry
