// An Api whose answers a test writes, and what runs a coroutine to its end on a context of its own.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/async.h"
#include "kube/api.h"

namespace slipway::runtime {

class HandWoundClock final : public Clock {
 public:
  TimePoint Now() const override { return now; }
  BootTime Boot() const override { return boot; }
  void Advance(Duration d) {
    now += d;
    boot += d;
  }
  TimePoint now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
  BootTime boot{std::chrono::seconds(1000)};
};

// What a stream yields in turn. After the last: silence, until the idle deadline or a cancellation.
class ScriptedStream final : public kube::WatchStream {
 public:
  using Item = Result<std::optional<kube::WatchFrame>>;
  explicit ScriptedStream(std::vector<Item> items) : items_(items.begin(), items.end()) {}

  kube::asio::awaitable<Item> Next(Duration idle) override {
    co_await kube::asio::post(co_await kube::asio::this_coro::executor, kube::asio::use_awaitable);
    if (!items_.empty()) {
      Item item = std::move(items_.front());
      items_.pop_front();
      co_return item;
    }
    const bool passed = co_await Sleep(idle);
    if (!passed) co_return Fail(ErrorKind::kCancelled, "stopped");
    co_return Fail(ErrorKind::kTransient, "nothing was heard for too long");
  }

 private:
  std::deque<Item> items_;
};

class ScriptedApi final : public kube::Api {
 public:
  using Answer = std::function<Result<kube::Json>(const kube::Request&)>;
  using Watch = std::function<Result<std::vector<ScriptedStream::Item>>(const kube::Request&)>;

  kube::asio::awaitable<Result<kube::Json>> Call(kube::Request request) override {
    requests.push_back(request);
    if (hang) {  // until cancelled, or for as long as the request allows
      const bool passed = co_await Sleep(request.timeout);
      if (!passed) co_return Fail(ErrorKind::kCancelled, "stopped");
      co_return Fail(ErrorKind::kTransient, "timed out");
    }
    co_await kube::asio::post(co_await kube::asio::this_coro::executor, kube::asio::use_awaitable);
    co_return on_call(request);
  }

  kube::asio::awaitable<Result<std::unique_ptr<kube::WatchStream>>> Open(kube::Request request) override {
    requests.push_back(request);
    co_await kube::asio::post(co_await kube::asio::this_coro::executor, kube::asio::use_awaitable);
    auto items = on_watch(request);
    if (!items) co_return std::unexpected(items.error());
    co_return std::make_unique<ScriptedStream>(std::move(*items));
  }

  // The answers of a fixed list, in turn; beyond its end the test has failed.
  void Replay(std::vector<Result<kube::Json>> answers) {
    auto queue = std::make_shared<std::deque<Result<kube::Json>>>(answers.begin(), answers.end());
    on_call = [queue](const kube::Request& request) -> Result<kube::Json> {
      if (queue->empty()) {
        ADD_FAILURE() << "unexpected " << kube::ToString(request.verb) << " " << request.target;
        return Fail(ErrorKind::kInvalid, "the script is over");
      }
      auto answer = std::move(queue->front());
      queue->pop_front();
      return answer;
    };
  }

  std::vector<kube::Request> requests;
  bool hang = false;
  Answer on_call = [](const kube::Request&) -> Result<kube::Json> { return kube::Json::object(); };
  Watch on_watch = [](const kube::Request&) -> Result<std::vector<ScriptedStream::Item>> {
    return std::vector<ScriptedStream::Item>{};
  };
};

inline kube::Json BodyOf(const kube::Request& request) { return kube::Json::parse(request.body); }

// A context on which tasks are spawned, run until something holds, stopped and joined.
class Loop {
 public:
  asio::any_io_executor executor() { return io_.get_executor(); }
  TaskGroup& tasks() { return tasks_; }

  // Runs until `done` holds; false after ten seconds without it: a busy machine stalls for one or two.
  template <class Done>
  bool RunUntil(Done done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    io_.restart();
    while (!done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      io_.run_one_for(std::chrono::milliseconds(10));
      io_.restart();
    }
    return true;
  }
  // Runs what is ready, and timers that end within `d`. run_for ends by the clock: where the machine stalled,
  // what came due meanwhile is still to be run.
  void RunFor(Duration d) {
    io_.restart();
    io_.run_for(d);
    io_.poll();
  }
  // Cancels all tasks; true when they have all ended.
  bool Stop() {
    tasks_.Cancel();
    return RunUntil([this] { return tasks_.size() == 0; });
  }
  // The value of one coroutine; throws when it gives none.
  template <class T>
  T Get(asio::awaitable<T> task) {
    std::optional<T> value;
    tasks_.Spawn("value", Store(std::move(task), value));
    if (!RunUntil([&] { return value.has_value(); })) {
      // Nothing may go on to refer to this frame.
      if (!Stop()) std::abort();
      throw std::runtime_error("a coroutine gave no value within ten seconds");
    }
    RunUntil([this] { return tasks_.size() == 0; });
    return std::move(*value);
  }

 private:
  template <class T>
  static asio::awaitable<void> Store(asio::awaitable<T> task, std::optional<T>& value) {
    value = co_await std::move(task);
  }
  asio::io_context io_{1};
  TaskGroup tasks_{io_.get_executor()};
};

}  // namespace slipway::runtime
