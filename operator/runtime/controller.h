// The loop of one controller: keys in, reconciles out, at most `workers` at a time and never one key twice at
// once. A reconciler is not told why it was called. The outcome is handled in one place: success forgets
// failures and may ask to be called again; a conflict is decided again soon; a throttle waits what the server
// said; kInvalid, kForbidden and the rest back off.
#pragma once

#include <functional>
#include <random>
#include <string>

#include "base/async.h"
#include "runtime/work_queue.h"
#include "telemetry/metrics.h"

namespace slipway::runtime {

struct Outcome {
  std::optional<Duration> recheck_after = std::nullopt;
};

class Controller {
 public:
  // Its errors are values. An exception is a bug in it: it is logged and backed off like any failure, so that
  // one odd object stops nothing but itself.
  using Reconcile = std::function<asio::awaitable<Result<Outcome>>(kube::ObjectKey)>;

  Controller(asio::any_io_executor executor, std::string name, Reconcile reconcile, const Clock& clock,
             telemetry::Metrics& metrics, int workers = 4);

  void Enqueue(const kube::ObjectKey& key);
  // Runs until cancelled; the reconciles in flight are cancelled and joined before it returns.
  asio::awaitable<void> Run();

 private:
  void StartReady();
  asio::awaitable<void> Work(kube::ObjectKey key);
  asio::awaitable<Result<Outcome>> Guarded(kube::ObjectKey key);
  void Settle(const kube::ObjectKey& key, const Result<Outcome>& result, Duration took);
  void SettleFailure(const kube::ObjectKey& key, const Error& error);
  // Until the next key's time; nullopt when only an Enqueue or a worker that ends can bring one.
  std::optional<Duration> UntilNext() const;

  asio::any_io_executor executor_;
  std::string name_;
  Reconcile reconcile_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  std::size_t workers_;
  std::minstd_rand random_;  // spreads retries; needs no more than that
  WorkQueue queue_;
  Signal wake_;
  TaskGroup tasks_;
};

}  // namespace slipway::runtime
