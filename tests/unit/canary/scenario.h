// What one family of the simulation's schedules is like: how stable and the promotion are at first, where
// every schedule of it must end, and who interferes. Plain data.
#pragma once

#include <optional>
#include <span>

#include "canary/decide.h"
#include "resources/canary_promotion.h"
#include "resources/decision.h"

namespace slipway::canary {

struct Scenario {
  const char* name = "";
  // Where every schedule must end; nullopt: where it may.
  std::optional<resources::Completion> ends;

  resources::Capacity capacity = resources::Capacity::kSplit;
  resources::Strategy strategy = resources::Strategy::kCanary;
  const char* max_surge = "100%";
  resources::OnFailure on_failure = resources::OnFailure::kRestore;
  resources::OnInconclusive on_inconclusive = resources::OnInconclusive::kPause;
  bool verification = false;
  bool configs = false;
  bool same_image = false;  // only the ConfigMaps change
  int replicas = -1;        // of stable; below 0: any
  bool serves = true;       // stable, before

  bool canary_starts = true;
  bool stable_rolls = true;  // stable's pods become ready with the new image
  int bad_check = -2;        // the step whose last check does not pass; kVerification: that
  resources::Verdict bad = resources::Verdict::kFailed;
  bool any_step = false;  // instead: one of the steps

  bool stale = true;
  bool dies = true;
  // At some moment:
  bool deleted = false;
  bool spec_changes = false;
  bool capacity_changes = false;  // Split becomes Surge, and Surge Split
  bool template_changes = false;
  bool rival = false;       // another promotion has the target, or gets in before us
  bool claim_lost = false;  // somebody takes our claim off
  bool scaled = false;      // by a person or an autoscaler, again and again
  bool pods_go = false;     // stable's pods deleted by hand
  bool canary_crashes = false;
  bool node_lost = false;  // a share of all pods
  bool conflicts = false;  // somebody else writes what we are about to write
  std::optional<resources::Verb> decided;
};

std::span<const Scenario> Scenarios();

}  // namespace slipway::canary
