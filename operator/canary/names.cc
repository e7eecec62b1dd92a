#include "canary/names.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/names.h"

namespace slipway::canary {

using resources::CheckKind;

namespace {

// How long pods are waited for, and what a failure leads to, are not part of what is promoted.
std::string Hash(const resources::CanaryPromotionSpec& spec) {
  kube::Json members = resources::EncodeSpec(spec);
  members.erase("progressDeadline");
  members.erase("onFailure");
  constexpr std::size_t kBytes = 8;
  return ShortHash(members.dump(-1, ' ', false, kube::Json::error_handler_t::replace), kBytes);
}

}  // namespace

std::map<std::string, std::string> CanaryMarks(const resources::CanaryPromotion& promotion) {
  return {{std::string(resources::kTrackLabel), "canary"},
          {std::string(kPromotionLabel), promotion.meta.uid.value}};
}

// Every decision asks it, and a spec hardly ever changes: to compare it with the last one is a hundred times
// as quick as to encode it.
std::string SpecHash(const resources::CanaryPromotionSpec& spec) {
  struct Last {
    resources::CanaryPromotionSpec spec;
    std::string hash;
  };
  static thread_local Last last;
  if (last.hash.empty() || last.spec != spec) last = {spec, Hash(spec)};
  return last.hash;
}

std::string CanaryName(const resources::CanaryPromotion& promotion) {
  return ChildName(promotion.spec.target.deployment, "canary", promotion.meta.uid.value);
}

std::string_view RoleOf(int step, const Check& check) {
  if (step == kVerification) return "verify";
  if (check.kind == CheckKind::kCompare) return "compare";
  return check.kind == CheckKind::kPrometheus ? "prometheus" : "smoke";
}

// A spec that changes starts anew, and no result of an earlier attempt may count in it. A smoke test and a
// query may have one name: their roles differ. Where the canary has become smaller, what was about to be
// asked of more pods is another Job.
std::string CheckJobName(const resources::CanaryPromotion& promotion, int step, const Check& check) {
  const auto& status = promotion.status;
  const std::string attempt = status.started ? FormatTime(*status.started) : std::string();
  const bool of_canary = step != kVerification && !status.steps.empty();
  const int pods = of_canary ? status.steps.back().canary_replicas : 0;
  return ChildName(promotion.meta.key.name, RoleOf(step, check),
                   fmt::format("{}/{}/{}/{}/{}/{}", promotion.meta.uid.value, status.spec_hash, attempt, step,
                               check.name, pods));
}

}  // namespace slipway::canary
