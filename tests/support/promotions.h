// A namespace with a Deployment `web` of ten pods, or as many as are asked for, that serves one of the good
// sample images from case to case, and CanaryPromotions that a test makes by hand. The images are ready-made,
// so that a case takes its pods' time and not a build's. Three people are known there: anna and ben may
// decide everything, carl nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "support/changes.h"
#include "support/story.h"

namespace slipway::testing {

using Json = nlohmann::json;
using Seconds = std::chrono::seconds;

class Promotions : public Story {
 protected:
  explicit Promotions(std::string ns, int replicas = 10) : Story(std::move(ns)), replicas_(replicas) {}
  void SetUp() override;
  void TearDown() override;

  // Another image for stable than what the case before left.
  void ServeSample(const std::string& kind, std::optional<int> replicas = std::nullopt);

  // Each held that long.
  static Json Steps(const std::vector<int>& weights, const std::string& hold);
  // Of that sample image, with a short smoke test at the end of each step.
  static Json Spec(const std::string& kind, const Json& steps);
  void Create(const std::string& name, const Json& spec);
  void Patch(const std::string& name, const Json& patch);

  Json Get(const std::string& name) const { return GetJson(ns_, "canarypromotion", name); }
  // Its condition Ready; {} before there is one.
  Json ReadyOf(const std::string& name) const;
  // Waits until it is in that phase of that step; returns its status.
  Json WaitPhase(const std::string& name, const std::string& phase, int step = 0,
                 Seconds limit = Seconds(60));
  // Waits until it is over and the canary gone; returns its status.
  Json WaitEnd(const std::string& name, Seconds limit = Seconds(120));
  // The same, and it must have ended so, for that reason.
  Json Ends(const std::string& name, const std::string& completion, const std::string& reason = "",
            Seconds limit = Seconds(120));

  // A Decision of whoever runs the tests about the promotion and the image of its spec.
  void DecideOn(const std::string& promotion, const std::string& verb);

  // Traffic and the watch of capacity, and what they must have seen: no request that failed, at least 100 a
  // second, and never fewer ready pods than that, or than stable is to have.
  void Observe(const std::string& path = "/");
  Traffic Unharmed(std::optional<int> least = std::nullopt);

  // Stable is alone, whole, and runs the sample of that kind.
  void ExpectStable(const std::string& kind, std::optional<int> replicas = std::nullopt);

  int replicas_;         // of stable, where a case asks for no other number
  std::string stable_;   // the kind that serves when the case begins
  std::string next_;     // another good one,
  std::string another_;  // and another
  int decisions_ = 0;

 private:
  bool Serves();
};

// The message of a status, or of a condition, has all of these words.
void HasWords(const std::string& message, const std::vector<std::string>& words);

// A line of what the running case measured, to be quoted: "[ EVIDENCE ] Suite.Case: …".
void Show(const std::string& what);

// The result of the check at that place of a step, or of the verification (step -1).
Json CheckOf(const Json& status, int step, std::size_t index);

}  // namespace slipway::testing
