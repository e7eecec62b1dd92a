// The little that our coroutines need beyond Asio 1.81, written once. One thread, one io_context.
//
// Rules kept here (each a fault that Asio 1.81 lets one write): every spawned coroutine is joined before
// what it refers to dies; spawned coroutines honour terminal cancellation only; `a || b` waits for the first
// success, so it is used only with operations that never throw.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "base/time.h"

namespace slipway {

namespace asio = boost::asio;

// Waits; ends early, without throwing, when the coroutine is cancelled. True when the time has passed.
asio::awaitable<bool> Sleep(Duration d);

// A level that coroutines wait for: Wait() returns at once while it is set. Notify() wakes every waiter;
// nothing is lost between a check and a wait, because there is one thread.
class Signal {
 public:
  explicit Signal(const asio::any_io_executor& executor);
  void Notify();
  // Returns when Notify() was called since the last Wait(), or at the deadline (nullopt: none), or on
  // cancellation. Never throws. One waiter at a time.
  asio::awaitable<void> Wait(std::optional<Duration> at_most = std::nullopt);

 private:
  asio::steady_timer timer_;
  bool notified_ = false;
};

// Owns spawned coroutines: Cancel() asks all of them to stop (terminal cancellation, on this thread), Join()
// waits until the last has ended. Destroying a group with a coroutine in it is a bug and aborts.
// An exception that leaves a coroutine is a bug too: it is logged with the task's name and ends the process
// through `on_failure`.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  void Spawn(std::string name, asio::awaitable<void> task);
  void Cancel();
  asio::awaitable<void> Join();
  bool cancelled() const { return cancelled_; }
  std::size_t size() const { return tasks_.size(); }

 private:
  struct Task {
    std::string name;
    asio::cancellation_signal signal;
  };
  asio::any_io_executor executor_;
  std::list<Task> tasks_;
  asio::steady_timer done_;
  bool cancelled_ = false;
};

}  // namespace slipway
