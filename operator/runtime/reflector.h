// Keeps a Sink equal to what the API server has of one kind in one namespace (or all), for ever.
//
// ReflectorCore is the state machine: it is told what happened and answers what to do next, reads no clock
// and does no I/O. Reflector is the coroutine that carries it out. The order follows client-go's reflector
// and KEP-3157: a streaming list (sendInitialEvents) first, ended by the bookmark annotated
// k8s.io/initial-events-end; where the server refuses it (400, 422 Invalid, or a first watch that never marks
// the end), pages of a list, then a watch from the list's version. 410 in any shape means a new list. A watch
// that is silent for longer than `idle` is broken. Every retry is backed off; Retry-After is honoured.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <unordered_set>
#include <variant>

#include "base/async.h"
#include "base/backoff.h"
#include "kube/api.h"
#include "runtime/sink.h"

namespace slipway::runtime {

struct ReflectorOptions {
  kube::ApiResource resource;
  std::string ns;  // empty: all namespaces
  std::string label_selector;
  std::string field_selector;
  int page_size = 500;
  std::chrono::seconds watch_timeout{290};
  Duration idle = std::chrono::seconds(75);  // servers send bookmarks about every minute
  // The same before the end of a streaming list, where frames follow each other at once.
  Duration initial_idle = std::chrono::seconds(20);
  BackoffPolicy backoff{std::chrono::milliseconds(800), std::chrono::seconds(30), 2.0};
};

class ReflectorCore {
 public:
  struct Wait {
    Duration delay;
  };  // then ask again
  struct ListPage {
    kube::Request request;
  };  // answer with OnPage or OnError
  struct StartWatch {
    kube::Request request;
  };  // answer with OnFrame…, then OnWatchEnd or OnError
  using Step = std::variant<Wait, ListPage, StartWatch>;

  explicit ReflectorCore(ReflectorOptions options, Sink& sink);

  // What to do now. `unit_random` in [0, 1) is the jitter.
  Step Next(double unit_random);
  void OnPage(const kube::Json& page);
  // False: the watch has told all it can (an ERROR event, or no streaming list after all); close it and call
  // Next.
  bool OnFrame(const kube::WatchFrame& frame);
  void OnWatchEnd();
  void OnError(const Error& error);

  // True from the first complete list on.
  bool synced() const { return synced_; }
  // The last failure; none again once a list is complete or a watch says something.
  const std::optional<Error>& last_error() const { return last_error_; }
  // A streaming list is under way: silence is judged by `initial_idle`.
  bool listing() const { return state_ == State::kStreamList; }

 private:
  enum class State : std::uint8_t { kStreamList, kList, kWatch };
  struct Pause {
    int attempt = 0;                      // of the back-off
    std::chrono::seconds retry_after{0};  // the server's wish, capped
  };

  Step ListNext() const;
  Step WatchNext() const;
  Duration DelayOf(const Pause& pause, double unit_random) const;
  void Restart();
  void ListComplete(std::string resource_version);
  void AbandonStreaming();
  void Trouble(const Error& error);
  void Change(const kube::WatchFrame& frame);
  bool Bookmark(const kube::Json& object);
  void MoveVersion(const kube::Json& object);

  ReflectorOptions options_;
  Sink& sink_;
  State state_ = State::kStreamList;
  bool streaming_supported_ = true;
  bool synced_ = false;
  int failures_ = 0;        // in a row, of any kind
  int restarts_ = 0;        // lists made necessary since a watch last said something
  int broken_streams_ = 0;  // streaming lists in a row that broke before their end
  int empty_watches_ = 0;   // watches in a row that ended without a frame
  bool heard_ = false;      // a frame came on this watch
  std::optional<Pause> pause_;
  std::string resource_version_;
  std::string continue_token_;
  std::unordered_set<kube::ObjectKey> listed_;
  std::optional<Error> last_error_;
};

class Reflector {
 public:
  Reflector(kube::Api& api, ReflectorOptions options, Sink& sink);
  // Runs until cancelled. `on_synced` is called once, after the first complete list.
  asio::awaitable<void> Run(std::function<void()> on_synced);
  bool synced() const { return core_.synced(); }
  const std::optional<Error>& last_error() const { return core_.last_error(); }

 private:
  asio::awaitable<void> RunPage(kube::Request request);
  asio::awaitable<void> RunWatch(kube::Request request);
  void TellSynced();
  void LogTrouble(Duration delay) const;

  kube::Api& api_;
  ReflectorOptions options_;
  ReflectorCore core_;
  std::function<void()> on_synced_;
  std::minstd_rand random_;
};

}  // namespace slipway::runtime
