#include "base/async.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "base/log.h"

namespace slipway {
namespace {

// A wait that ends by time or by cancellation, and throws for neither: the state of a cancelled coroutine is
// left for its loop to read, not thrown at the next await.
// Each caller owns the timer and awaits this at once.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
asio::awaitable<bool> WaitOn(asio::steady_timer& timer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

}  // namespace

asio::awaitable<bool> Sleep(Duration d) {
  asio::steady_timer timer(co_await asio::this_coro::executor, d);
  co_return co_await WaitOn(timer);
}

Signal::Signal(const asio::any_io_executor& executor) : timer_(executor) {}

void Signal::Notify() {
  notified_ = true;
  timer_.cancel();
}

asio::awaitable<void> Signal::Wait(std::optional<Duration> at_most) {
  if (!notified_) {
    if (at_most) {
      timer_.expires_after(*at_most);
    } else {
      timer_.expires_at(asio::steady_timer::time_point::max());
    }
    co_await WaitOn(timer_);
  }
  notified_ = false;
}

TaskGroup::TaskGroup(asio::any_io_executor executor) : executor_(std::move(executor)), done_(executor_) {}

TaskGroup::~TaskGroup() {
  if (tasks_.empty()) return;
  log::error("bug: task '{}' outlives its group", tasks_.front().name);
  std::abort();
}

void TaskGroup::Spawn(std::string name, asio::awaitable<void> task) {
  tasks_.emplace_back();
  const auto entry = std::prev(tasks_.end());
  entry->name = std::move(name);
  const auto ended = [this, entry](const std::exception_ptr& failure) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& what) {
        // A cancelled operation that throws on the way out of a coroutine is an end like any other.
        if (!cancelled_) {
          log::error("bug: task '{}' ended by an exception: {}", entry->name, what.what());
          std::abort();
        }
      }
    }
    tasks_.erase(entry);
    if (tasks_.empty()) done_.cancel();
  };
  asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(entry->signal.slot(), ended));
  if (cancelled_) entry->signal.emit(asio::cancellation_type::terminal);
}

void TaskGroup::Cancel() {
  cancelled_ = true;
  // A task may end, and leave the list, while it is being cancelled.
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const auto next = std::next(task);
    task->signal.emit(asio::cancellation_type::terminal);
    task = next;
  }
}

asio::awaitable<void> TaskGroup::Join() {
  while (!tasks_.empty()) {
    done_.expires_at(asio::steady_timer::time_point::max());
    const bool waiting = co_await WaitOn(done_);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (waiting || state.cancelled() == asio::cancellation_type::none) continue;
    // The one who joins was asked to stop: so is the group, and the wait goes on, deaf to further requests.
    Cancel();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
}

}  // namespace slipway
