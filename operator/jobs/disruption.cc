#include "jobs/disruption.h"

#include <nlohmann/json.hpp>

namespace slipway::jobs {

using kube::Json;

Json FailWhenDisrupted() {
  Json condition = {{"type", "DisruptionTarget"}, {"status", "True"}};
  Json rule = {{"action", "FailJob"}};
  rule["onPodConditions"] = Json::array({std::move(condition)});
  Json policy;
  policy["rules"] = Json::array({std::move(rule)});
  return policy;
}

}  // namespace slipway::jobs
