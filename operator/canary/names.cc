#include "canary/names.h"

#include <fmt/format.h>

#include "base/names.h"

namespace slipway::canary {

using resources::CanaryPromotionSpec;

// How long pods are waited for is not part of what is promoted.
std::string SpecHash(const CanaryPromotionSpec& spec) {
  std::string text =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", spec.target.deployment, spec.target.container,
                  spec.target.service, spec.image, spec.version, resources::ToString(spec.capacity));
  for (const auto& step : spec.steps) text += fmt::format("step {} {}\n", step.weight, step.hold.count());
  for (const auto& test : spec.smoke_tests) {
    text += fmt::format("test {}\n{}\n{}\n{} {} {}\n", test.name, test.health_path, test.version_path,
                        test.requests, test.p95_limit.count(), test.timeout.count());
  }
  return ShortHash(text, 8);
}

std::string CanaryName(const resources::CanaryPromotion& promotion) {
  return ChildName(promotion.spec.target.deployment, "canary", promotion.meta.uid.value);
}

// A spec that changes starts anew, and no result of an earlier attempt may count in it.
std::string SmokeJobName(const resources::CanaryPromotion& promotion, int step, const std::string& test) {
  const auto& status = promotion.status;
  const std::string attempt = status.started ? FormatTime(*status.started) : std::string();
  return ChildName(
      promotion.meta.key.name, "smoke",
      fmt::format("{}/{}/{}/{}/{}", promotion.meta.uid.value, status.spec_hash, attempt, step, test));
}

}  // namespace slipway::canary
