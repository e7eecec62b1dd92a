// What people decide while a promotion runs: Decisions are taken up, each once, and followed or refused; and
// what a pause says. Pure; for decide.cc only.
#pragma once

#include <string>

#include "canary/testing.h"

namespace slipway::canary {

class Steering : protected Testing {
 protected:
  using Testing::Testing;

  // Those that are followed change the phase or the pause; nothing else is done about them yet.
  void TakeDecisions();
  // Where it is paused, that is what it says, unless it could not go on anyway.
  void SayPaused();

 private:
  void Record(const resources::Decision& decision, const std::string& refused);
  void Follow(const resources::DecisionSpec& decision);
  void Resume();
  void SkipSteps(const std::string& said);
  void StopFor(std::string message);
};

}  // namespace slipway::canary
