// A promotion and the objects around it, as the tables change them: ten pods of stable behind one Service.
#pragma once

#include <string>
#include <vector>

#include "canary/decide.h"

namespace slipway::canary {

inline constexpr TimePoint kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

// "registry.example.com/team/web@sha256:aaaa…"
inline std::string Image(char digit) {
  return "registry.example.com/team/web@sha256:" + std::string(64, digit);
}

struct World {
  World();

  Plan Decide() const;
  // Decides, and takes over the status.
  Plan Step();
  // A Deployment of `replicas` that are all there.
  static resources::Deployment Deployed(const std::string& name, int replicas, const std::string& image);
  // What a phase finds: the finalizer, the claim, a recorded canary that is ready beside stable.
  void Enter(resources::CanaryPhase phase);

  // Stable has taken on the image, and that is written down.
  void Rolls();
  // A Decision of "alice" about this promotion and its image.
  resources::Decision& Decided(resources::Verb verb);
  // The recorded Job of the check under way, and what became of it.
  void Ends(resources::Verdict verdict, std::string reason = {}, std::string message = {});

  resources::CanaryPromotion promotion;
  std::optional<resources::Deployment> stable;
  std::optional<resources::Deployment> canary;
  std::optional<resources::Service> service;
  std::vector<std::string> third;
  std::vector<std::shared_ptr<const resources::Pod>> canary_pods;
  std::optional<CheckOutcome> check;
  std::optional<resources::Autoscaler> autoscaler;
  std::vector<resources::DisruptionBudget> budgets;
  std::vector<std::shared_ptr<const resources::Decision>> decisions;
  Writers writers;
  std::string stable_digest;
  std::string busy_with;
  std::string cannot_ask;
  std::optional<resources::Violation> violation;
  TimePoint now = kNow;
};

template <class T>
const T* Find(const Plan& plan) {
  for (const auto& effect : plan.effects) {
    if (const T* found = std::get_if<T>(&effect)) return found;
  }
  return nullptr;
}

const resources::Condition& Ready(const Plan& plan);

}  // namespace slipway::canary
