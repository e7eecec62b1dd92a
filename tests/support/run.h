// Runs coroutines of a test on the test's own io_context, with an end to every wait.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "base/async.h"

namespace slipway::testing {

// Runs `io` until `done` holds; false at the limit.
template <class Done>
bool RunUntil(asio::io_context& io, Done done, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  io.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    io.run_one_for(std::chrono::milliseconds(20));
    if (io.stopped()) io.restart();
  }
  return true;
}

namespace internal {
template <class T>
asio::awaitable<void> Keep(asio::awaitable<T> task, std::optional<T>& kept) {
  kept.emplace(co_await std::move(task));
}
}  // namespace internal

// What `task` gives. An exception that it throws goes on to the test; a task that is not over in ten seconds
// ends the process, for nothing may go on to refer to its frame.
template <class T>
T Run(asio::io_context& io, asio::awaitable<T> task) {
  std::optional<T> kept;
  std::exception_ptr failure;
  bool over = false;
  asio::co_spawn(io, internal::Keep(std::move(task), kept), [&](const std::exception_ptr& thrown) {
    failure = thrown;
    over = true;
  });
  if (!RunUntil(io, [&] { return over; }, std::chrono::seconds(10))) std::abort();
  if (failure) std::rethrow_exception(failure);
  return std::move(*kept);
}

inline void Run(asio::io_context& io, asio::awaitable<void> task) {
  std::exception_ptr failure;
  bool over = false;
  asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown) {
    failure = thrown;
    over = true;
  });
  if (!RunUntil(io, [&] { return over; }, std::chrono::seconds(10))) std::abort();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace slipway::testing
