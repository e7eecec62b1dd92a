// Writes patches, one after the other, in the order in which they were handed in; those that fail for a while
// are tried again with a growing wait, while others go on. A newer patch of the same annotation replaces one
// that waits, so that an old delivery never overwrites a new one.
#pragma once

#include <list>
#include <random>

#include "base/async.h"
#include "base/backoff.h"
#include "kube/api.h"
#include "trigger/patch.h"

namespace slipway::trigger {

struct PatcherOptions {
  std::size_t most_waiting = 1000;
  int most_tries = 10;
  BackoffPolicy backoff{std::chrono::milliseconds(200), std::chrono::seconds(30), 2.0};
};

class Patcher {
 public:
  Patcher(asio::any_io_executor executor, kube::Api& api, const Clock& clock, PatcherOptions options);

  // False when there is no place: nothing was taken.
  bool Take(Patch patch);
  std::size_t waiting() const { return waiting_.size(); }
  // Writes until cancelled; then what waits is dropped, with a line in the log.
  asio::awaitable<void> Run();

 private:
  struct Item {
    Patch patch;
    int tries = 0;
    BootTime not_before{};
  };
  // The first that may be tried now, taken out; else when the next may be.
  std::optional<Item> TakeReady(BootTime now, std::optional<Duration>& wait);
  void Judge(Item item, const Error& error);

  kube::Api& api_;
  const Clock& clock_;
  PatcherOptions options_;
  std::list<Item> waiting_;
  Signal wake_;
  std::minstd_rand random_;
};

}  // namespace slipway::trigger
