// The operator's process in the cluster, to be killed again and again.
#pragma once

#include <sys/types.h>

#include <string>

namespace slipway::testing {

class OperatorProcess {
 public:
  // The one pod of the operator that is not the last one; waits for its process. False: not within 30 s.
  bool Find();

  // SIGKILL first: nothing that it had in mind is done. A container that is killed again and again is started
  // ever later by the kubelet (10 s, 20 s, … 5 min), and a lease that nobody let go is waited for (15 s). So
  // its pod is taken away, for which the ReplicaSet makes another at once, and, when that one's process is
  // there, the lease of the dead one. Nobody else writes meanwhile. A failure is the test's.
  void Kill();

 private:
  std::string pod_;
  pid_t pid_ = 0;
};

}  // namespace slipway::testing
