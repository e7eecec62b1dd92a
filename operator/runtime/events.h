// Kubernetes Events (events.k8s.io/v1) on our objects: one on every change of phase. Best effort by nature: a
// failure to write one is logged, never retried in place. An equal event within ten minutes is not written
// again, and each object has a burst of 25 and one more every 5 minutes (client-go's spam filter), apart for
// normal ones and for warnings: what goes well must not use up the room to say what goes wrong.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/async.h"
#include "base/notice.h"
#include "kube/api.h"

namespace slipway::runtime {

struct ObjectReference {
  kube::ApiResource resource;
  kube::ObjectKey key;
  kube::Uid uid;
};

enum class EventType : std::uint8_t { kNormal, kWarning };

struct Event {
  EventType type = EventType::kNormal;
  std::string reason;  // CamelCase, stable
  std::string action;  // CamelCase verb: what was being done
  std::string note;    // at most 1 kB is kept
};

// Pure: which events are worth writing.
class EventFilter {
 public:
  bool Admit(const kube::Uid& object, const Event& event, BootTime now);
  // How many objects are remembered: those heard of lately.
  std::size_t size() const { return objects_.size(); }

 private:
  struct Spam {
    std::array<double, 2> tokens{25, 25};  // by EventType
    BootTime refilled{};
    std::map<std::string, BootTime> recent;
  };
  void Sweep(BootTime now);
  static void Refresh(Spam& spam, BootTime now);

  std::unordered_map<std::string, Spam> objects_;
  BootTime swept_{};
};

// Pure: the body of one Event. `serial` makes its name unique within `instance`.
kube::Json RenderEvent(const ObjectReference& about, const Event& event, const std::string& instance,
                       TimePoint now, std::uint64_t serial);

class EventRecorder {
 public:
  EventRecorder(asio::any_io_executor executor, kube::Api& api, const Clock& clock, std::string instance);
  // Queues; never waits and never fails. Beyond 1,000 that wait, the oldest is dropped.
  void Record(const ObjectReference& about, Event event);
  // The same for each notice of a decision, with a line in the log.
  void Tell(const ObjectReference& about, const std::string& action, const std::vector<Notice>& notices);
  // Writes queued events until cancelled, then what is left for at most a second.
  asio::awaitable<void> Run();

 private:
  asio::awaitable<void> WriteQueued();
  asio::awaitable<void> Drain();

  asio::any_io_executor executor_;
  kube::Api& api_;
  const Clock& clock_;
  std::string instance_;
  EventFilter filter_;
  std::deque<kube::Json> queue_;
  std::uint64_t serial_ = 0;
  Signal wake_;
  Signal drained_;
};

}  // namespace slipway::runtime
