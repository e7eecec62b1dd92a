// How pods are moved, and the way back: what every phase of a promotion is made of. Pure; for decide.cc and
// testing.cc only.
#pragma once

#include <optional>
#include <string>

#include "canary/arithmetic.h"
#include "canary/draft.h"

namespace slipway::canary {

class Course : protected Draft {
 protected:
  using Draft::Draft;

  // True: the target is ours. Else it is claimed, over a claim of a promotion that is gone too.
  bool HaveClaim();

  // Until the deadline it is waited for pods; then the promotion is aborted for `reason`. True: there is
  // time.
  bool InTime(std::string reason, std::string what);
  bool InTime() const;

  // True: so many pods of the canary are available and no others are there; in Split of stable too. More pods
  // come up first, and fewer are left only once those are available; in batches of spec.maxSurge.
  bool Converge(int canary, int stable);
  // Surge: where stable has shrunk, so that the canary's share would be above what the step asks, the
  // canary's wanted pods become fewer. True: they did; that is written down before it is done.
  bool FollowStable();
  // How many pods of the canary serve while stable is changed: no more than spec.maxSurge has room for.
  int KeptCanary() const;
  // Surge: true: the canary is becoming smaller, after stable.
  bool Shrinks();
  // False: of `wanted` pods of the canary one is not available any more, and the promotion is aborted.
  bool CanaryWhole(int wanted);
  bool WholeNow(int wanted) const;

  // Writes stable's replicas (where they are ours), image and ConfigMaps.
  void Write(int replicas, std::string image, Configs configs);
  // Never fewer than the baseline where they are ours; more are somebody's wish.
  int WantedReplicas() const;

  // A status has to fit into an object: of steps long past it keeps the verdicts.
  void ForgetDetails();

  // True: neither the canary nor the claim is there any more.
  bool CleanUp();
  void End(resources::CanaryPhase phase, resources::Completion completion, std::string message);

  // ---- the way back ----

  // Whatever was about to be done is not done.
  void TurnBack(std::string reason, std::string message);
  void Abort(std::string reason, std::string message);
  void GoBack();

 private:
  bool Scale(int replicas);  // false: it is not done yet
  // What the way back waits for, of stable.
  std::string Waiting() const;
  // True: stable is as it is to be left, and serves.
  bool RestoreStable();
  bool Restored() const;
  void ShrinkCanary();
  bool StandsIn() const;  // the canary is what makes up for what stable's rollout takes away
  bool ClaimWasLost() const;
  bool Untouched() const;
  bool Changed() const;   // stable was set to something other than its baseline
  bool StaysPut() const;  // stable keeps the new image
  void EndAborted();
};

// kubectl's `rollout status`: the spec was seen, its pods are there and available, and no other is left.
bool Settled(const resources::Deployment& deployment, int replicas);

}  // namespace slipway::canary
