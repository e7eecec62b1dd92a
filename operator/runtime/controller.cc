#include "runtime/controller.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::runtime {
namespace {

// A server that asks for an hour is asked again sooner: by then it may have been replaced.
constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::minutes(5);

std::string_view ResultLabel(const Result<Outcome>& result) {
  if (result) return result->recheck_after ? "requeue_after" : "success";
  return result.error().kind == ErrorKind::kConflict ? "requeue" : "error";
}

}  // namespace

Controller::Controller(asio::any_io_executor executor, std::string name, Reconcile reconcile,
                       const Clock& clock, telemetry::Metrics& metrics, int workers)
    : executor_(std::move(executor)),
      name_(std::move(name)),
      reconcile_(std::move(reconcile)),
      clock_(clock),
      metrics_(metrics),
      workers_(static_cast<std::size_t>(std::max(1, workers))),
      random_(std::random_device{}()),
      wake_(executor_),
      tasks_(executor_) {}

void Controller::Enqueue(const kube::ObjectKey& key) {
  queue_.Add(key);
  wake_.Notify();
}

asio::awaitable<void> Controller::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state)) break;
    StartReady();
    co_await wake_.Wait(UntilNext());
  }
  tasks_.Cancel();
  co_await tasks_.Join();
}

void Controller::StartReady() {
  while (queue_.in_work() < workers_) {
    auto key = queue_.Get(clock_.Boot());
    if (!key) break;
    tasks_.Spawn(name_, Work(std::move(*key)));
  }
  metrics_.QueueDepth(name_, queue_.depth());
}

std::optional<Duration> Controller::UntilNext() const {
  const auto next = queue_.NextTime();
  if (!next || queue_.in_work() >= workers_) return std::nullopt;
  return std::max(Duration(0), *next - clock_.Boot());
}

asio::awaitable<void> Controller::Work(kube::ObjectKey key) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const BootTime started = clock_.Boot();
  const auto result = co_await Guarded(key);
  Settle(key, result, clock_.Boot() - started);
  queue_.Done(key);
  wake_.Notify();
}

asio::awaitable<Result<Outcome>> Controller::Guarded(kube::ObjectKey key) {
  std::string what;
  try {
    auto result = co_await reconcile_(key);
    co_return result;
  } catch (const std::exception& bug) {
    what = bug.what();
  }
  co_return Fail(ErrorKind::kTransient, "a bug in the operator: " + log::Quoted(what));
}

void Controller::Settle(const kube::ObjectKey& key, const Result<Outcome>& result, Duration took) {
  metrics_.Reconciled(name_, ResultLabel(result), took);
  if (!result) return SettleFailure(key, result.error());
  queue_.Forget(key);
  if (result->recheck_after) queue_.AddAt(key, clock_.Boot() + *result->recheck_after);
}

void Controller::SettleFailure(const kube::ObjectKey& key, const Error& error) {
  const std::chrono::seconds none(0);
  const Duration floor = std::clamp(error.retry_after.value_or(none), none, kLongestRetryAfter);
  queue_.AddFailed(key, clock_.Boot(), UnitRandom(random_), floor);
  metrics_.Retried(name_);
  // A conflict and a stop are the daily round: the next pass decides from fresher state.
  if (error.kind == ErrorKind::kConflict || error.kind == ErrorKind::kCancelled) {
    log::debug("{} {}: {}", name_, log::Quoted(kube::ToString(key)), error.message);
  } else {
    log::warn("{} {}: {} (failure {})", name_, log::Quoted(kube::ToString(key)), error.message,
              queue_.failures(key));
  }
}

}  // namespace slipway::runtime
