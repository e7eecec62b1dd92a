// Whose turn it is: at most so many runs at once in a namespace, and in all. A free place goes to the
// namespace that has the fewest runs, and there to the run that has waited longest, so that one tenant's
// thousand builds hold nobody else's up. A pure state machine; what it knows is rebuilt from the statuses
// after a restart.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "kube/object.h"

namespace slipway::image_build {

class Queue {
 public:
  enum class State { kNone, kWaiting, kRunning };
  struct Limits {
    std::function<int(const std::string& ns)> of_namespace;
    int overall = 1;
  };

  explicit Queue(Limits limits) : limits_(std::move(limits)) {}

  // What the object's status says. One that was let in stays so while its status still says kWaiting, because
  // the cache is behind; kNone gives its place back.
  void Update(const kube::ObjectKey& key, State state, TimePoint since);

  // Whether the object's turn has come. Asking lets in whoever has room.
  bool Admitted(const kube::ObjectKey& key);

  // Those that were let in since this was asked last: somebody should look at them.
  std::vector<kube::ObjectKey> TakeLetIn();

  std::size_t waiting() const;
  std::size_t running() const { return running_; }

 private:
  struct Entry {
    State state = State::kNone;
    TimePoint since{};
  };
  struct Space {
    int running = 0;
    std::set<std::pair<TimePoint, std::string>> waiting;  // since, name
  };
  void Remove(const kube::ObjectKey& key, const Entry& entry);
  void Fill();
  Space* Next(std::string& ns);

  Limits limits_;
  std::size_t running_ = 0;
  std::map<std::string, Space> spaces_;
  std::unordered_map<kube::ObjectKey, Entry> entries_;
  std::vector<kube::ObjectKey> let_in_;
};

}  // namespace slipway::image_build
