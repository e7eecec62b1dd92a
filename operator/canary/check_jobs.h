// The Jobs that ask: our runner's probe, comparison and queries, and programs of the user's. Pure: the same
// inputs give the same bytes.
//
// All run under Pod Security `restricted`, without a token, and end by themselves: a timeout of their own,
// and a deadline of the Job's above it. Nothing that a spec says is left for the kubelet to expand, but for
// $(NAME) in the command of a user's program, as everywhere in Kubernetes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "canary/decide.h"
#include "canary/pods.h"

namespace slipway::canary {

struct CheckScene {
  const resources::Service& service;
  int port = 0;                // at which the pods answer
  std::vector<PodPtr> pods;    // that run the new image
  std::vector<PodPtr> others;  // of stable, beside the canary
  bool tells_apart = true;     // the canary's version is not stable's: else the probe asks neither for the
                               // canary's share nor for stable's version
  double canary_share = 0;     // of the ready pods behind the Service; 0: it is not asked
  std::string service_account;
  std::string runner_image;
};

kube::Json RenderCheckJob(const resources::CanaryPromotion& promotion, const CreateCheckJob& effect,
                          const CheckScene& scene);

// With $(namespace), $(canary), $(stable) and $(service) replaced; anything else of that form stays as it is.
std::string QueryFor(const resources::CanaryPromotion& promotion, std::string_view query);

}  // namespace slipway::canary
