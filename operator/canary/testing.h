// The checks of a step, and of stable at the end: one Job after the other, and what their verdicts lead to.
// Pure; for decide.cc only.
#pragma once

#include <string>

#include "canary/course.h"

namespace slipway::canary {

class Testing : protected Course {
 protected:
  using Course::Course;

  // True: every check of `step` has passed, or was borne. False: one is under way, has to wait for a
  // Decision, or the promotion was aborted.
  bool RunChecks(int step);

 private:
  resources::CheckRun& Run(int step);
  void Ask(int step, const Check& check);
  void Await(int step, const Check& check);
  // False: it has no result yet, or the promotion ended with it.
  bool TakeResult(int step, const Check& check);
  void DoubtSplit(int step, resources::CheckResult& result) const;
  bool Judge(int step, const resources::CheckResult& result);
  void FailStep(int step);
};

}  // namespace slipway::canary
