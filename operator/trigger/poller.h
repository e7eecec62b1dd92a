// `slipway-runner poll`: asks git hosts and registries of one namespace's ImageBuilds for what is new, and
// writes that as annotations. When it asks is poll_core.h's to say; a lookup that finds what the build says
// already writes nothing. A failure becomes an Event PollFailed on each build that waits for it, once for
// each change of its reason.
//
// Lookups run on threads of their own, because git and crane are waited for. Stopping waits for those under
// way, each of which has an end.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "runtime/events.h"
#include "runtime/informer.h"
#include "trigger/lookup.h"
#include "trigger/patcher.h"

namespace slipway::trigger {

struct PollerOptions {
  std::string ns;
  std::string instance = "slipway-poller";  // of its events
  std::size_t most_children = 4;
  std::uint64_t seed = 0;
  PatcherOptions patcher;
  std::function<LookupResult(const Lookup&)> look_up;  // called on other threads
  // Whether the policy lets it be polled, as the operator said; empty: each may be.
  std::function<bool(const resources::ImageBuild&)> may_ask;
};

class Poller {
 public:
  Poller(asio::any_io_executor executor, kube::Api& api, const Clock& clock, PollerOptions options);

  bool synced() const { return informer_.synced(); }
  // Until cancelled.
  asio::awaitable<void> Run();

 private:
  using Build = std::shared_ptr<const resources::ImageBuild>;

  asio::awaitable<void> Schedule();
  asio::awaitable<void> Attend(Lookup lookup);
  asio::awaitable<LookupResult> OnThread(Lookup lookup);
  std::vector<Build> WhoWants(const Lookup& lookup) const;
  void Tell(const Lookup& lookup, const LookupResult& result, TimePoint asked);
  void TellFailure(const Build& build, const Lookup& lookup, const LookupFailure& failure);

  asio::any_io_executor executor_;
  const Clock& clock_;
  PollerOptions options_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Informer<resources::ImageBuild> informer_;
  runtime::EventRecorder events_;
  Patcher patcher_;
  PollCore core_;
  std::map<std::pair<std::string, Lookup>, std::string> said_;  // a build's UID: the reason last told
  std::size_t running_ = 0;
  Signal wake_;
  TaskGroup services_;
  TaskGroup lookups_;
  asio::thread_pool threads_;
};

}  // namespace slipway::trigger
