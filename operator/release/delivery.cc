#include "release/delivery.h"

#include <fmt/format.h>

namespace slipway::release {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::Completion;
using resources::Delivery;

namespace {
constexpr std::size_t kSmokeResults = 10;
}  // namespace

bool Open(const Delivery& delivery) { return !delivery.finished; }
bool Delivered(const Delivery& d) { return d.outcome == "Promoted" || d.outcome == "AlreadyRunning"; }
bool Ended(const CanaryPromotion& promotion) { return promotion.status.completion != Completion::kNone; }

bool CanBeSuperseded(CanaryPhase phase) {
  switch (phase) {
    case CanaryPhase::kPromoting:
    case CanaryPhase::kFinishing:
    case CanaryPhase::kAborting:
    case CanaryPhase::kPromoted:
    case CanaryPhase::kAborted:
      return false;
    default:
      return true;
  }
}

std::string Named(const Delivery& delivery) {
  const auto at = delivery.image.find("@sha256:");
  std::string image = at == std::string::npos ? delivery.image : delivery.image.substr(0, at + 20);
  if (delivery.commit.empty()) return image;
  return fmt::format("{} (commit {})", image, delivery.commit.substr(0, 12));
}

void Copy(const CanaryPromotion& promotion, Delivery& delivery) {
  const auto& status = promotion.status;
  if (status.baseline) delivery.previous_image = status.baseline->image;
  delivery.weight_wanted = status.steps.empty() ? status.weight_wanted : status.steps.back().weight_wanted;
  delivery.weight_got = status.steps.empty() ? status.weight_got : status.steps.back().weight_got;
  delivery.smoke.clear();
  for (const auto& step : status.steps) {
    delivery.smoke.insert(delivery.smoke.end(), step.smoke.begin(), step.smoke.end());
  }
  if (delivery.smoke.size() > kSmokeResults) {
    delivery.smoke.erase(delivery.smoke.begin(), delivery.smoke.end() - kSmokeResults);
  }
}

}  // namespace slipway::release
