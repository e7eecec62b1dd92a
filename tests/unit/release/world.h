// What a Release's decision sees, with everything in order, for a test to put one thing out of order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "release/decide.h"

namespace slipway::release {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::Completion;
using resources::Delivery;
using resources::Deployment;
using resources::ImageBuild;
using resources::Release;

inline const TimePoint kNow = TimePoint(std::chrono::hours(24 * 365 * 50));
inline const kube::Uid kReleaseUid{"release-uid"};

// Digests that differ in their first character.
inline std::string Image(char c) { return "registry.example.com/team/web@sha256:" + std::string(64, c); }

struct World {
  World();

  Release release;  // follows ImageBuild "web", whose latest is Image('a')
  std::optional<ImageBuild> build;
  std::optional<Deployment> deployment;  // runs Image('0'), rolled out
  std::optional<resources::NamespacePolicy> policy;
  std::vector<CanaryPromotion> promotions;
  std::string busy_with;
  TimePoint now = kNow;

  Plan Decide() const;
  // What Resolve says; it must want something.
  Wanted Wants() const;

  void Build(char image, const std::string& commit, int run);
  void Run(char image, bool rolled_out = true);
  void Ask(char image);  // spec.image instead of the build

  // history[0] is an open delivery of what is wanted now, and its promotion is there.
  CanaryPromotion& UnderWay(CanaryPhase phase = CanaryPhase::kHolding);
  // history[0] is a closed delivery of what is wanted now, as long ago as `ago`.
  Delivery& Ended(const std::string& outcome, Duration ago = std::chrono::hours(1));
  // The next promotion of what is wanted now, in no record.
  CanaryPromotion& Lost();
  CanaryPromotion Promotion(int number) const;
};

void End(CanaryPromotion& promotion, Completion completion, const std::string& reason = "",
         const std::string& message = "");

}  // namespace slipway::release
