// The work queue of a controller, as a pure state machine over BootTime. Its invariants are client-go's
// (util/workqueue/queue.go): a key is handed to one worker at a time; added while it is being worked on, it
// comes back once that worker is done; added many times, it is handed out once.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/backoff.h"
#include "kube/object.h"

namespace slipway::runtime {

class WorkQueue {
 public:
  explicit WorkQueue(BackoffPolicy backoff = {std::chrono::milliseconds(250), std::chrono::minutes(2), 2.0});

  void Add(const kube::ObjectKey& key);
  // No earlier than `at`; the earliest of several wins. A plain Add in between comes first and leaves it.
  void AddAt(const kube::ObjectKey& key, BootTime at);
  // After a failure: waits the back-off of this key's count of failures, at least `floor` (Retry-After).
  void AddFailed(const kube::ObjectKey& key, BootTime now, double unit_random, Duration floor = Duration(0));
  // A success: the count of failures starts again.
  void Forget(const kube::ObjectKey& key);

  // The next key whose time has come; it is then in work until Done.
  std::optional<kube::ObjectKey> Get(BootTime now);
  void Done(const kube::ObjectKey& key);

  // When to ask again: nullopt when nothing waits for a time.
  std::optional<BootTime> NextTime() const;
  std::size_t depth() const { return ready_.size(); }
  std::size_t in_work() const { return in_work_.size(); }
  int failures(const kube::ObjectKey& key) const;

 private:
  void Promote(BootTime now);

  BackoffPolicy backoff_;
  std::deque<kube::ObjectKey> ready_;
  std::unordered_set<kube::ObjectKey> dirty_;
  std::unordered_set<kube::ObjectKey> in_work_;
  std::set<std::pair<BootTime, kube::ObjectKey>> waiting_;
  std::unordered_map<kube::ObjectKey, BootTime> waiting_at_;
  std::unordered_map<kube::ObjectKey, int> failures_;
};

}  // namespace slipway::runtime
