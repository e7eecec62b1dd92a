// A client on the test's own loop, and a scripted server to talk to.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "kube/client.h"
#include "support/run.h"
#include "support/scripted_server.h"

namespace slipway::kube {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Received;
using testing::Reply;
using testing::ScriptedServer;

inline const ObjectKey kApp{"shop", "app"};

// "ok", or the kind of the error and its message.
template <class T>
std::string Said(const Result<T>& result) {
  return result ? "ok" : std::string(ToString(result.error().kind)) + ": " + result.error().message;
}

class ClientTest : public ::testing::Test {
 protected:
  using CallResult = Result<Json>;
  using OpenResult = Result<std::unique_ptr<WatchStream>>;
  using FrameResult = Result<std::optional<WatchFrame>>;

  void Serve(ScriptedServer::Script script, testing::ServerOptions options = {}) {
    server_ = std::make_unique<ScriptedServer>(std::move(script), std::move(options));
  }
  // These answers in this order, then 500.
  void ServeInOrder(std::vector<Reply> replies, testing::ServerOptions options = {}) {
    auto left = std::make_shared<std::deque<Reply>>(replies.begin(), replies.end());
    Serve(
        [left](const Received&) {
          if (left->empty()) return Reply{.code = 500, .body = "the script is at its end"};
          Reply next = left->front();
          left->pop_front();
          return next;
        },
        std::move(options));
  }
  void Connect() { Connect(server_->Config()); }
  void Connect(ClientConfig config, ClientOptions options = {}) {
    auto made = Client::Make(io_.get_executor(), std::move(config), std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    client_ = std::move(*made);
  }

  CallResult Call(Request request, milliseconds timeout = seconds(5)) {
    request.timeout = timeout;
    return testing::Run(io_, client_->Call(std::move(request)));
  }
  OpenResult Open(milliseconds timeout = seconds(5)) {
    Request request = Watch(kPods, "shop", {});
    request.timeout = timeout;
    return testing::Run(io_, client_->Open(std::move(request)));
  }
  FrameResult Next(WatchStream& watch, milliseconds idle = seconds(5)) {
    return testing::Run(io_, watch.Next(idle));
  }
  // The types and objects that come, and the end: "end", or the error.
  std::vector<std::string> Drain(WatchStream& watch, milliseconds idle = seconds(5)) {
    std::vector<std::string> seen;
    for (;;) {
      const auto frame = Next(watch, idle);
      if (!frame) {
        seen.emplace_back(ToString(frame.error().kind));
        return seen;
      }
      if (!frame->has_value()) {
        seen.emplace_back("end");
        return seen;
      }
      seen.push_back(std::to_string(static_cast<int>((*frame)->type)) + (*frame)->object.dump());
    }
  }

  // What `task` gives when it is cancelled after `wait`, and how long it took to end after that. `cancelled`
  // is called once it has been.
  template <class T>
  static asio::awaitable<void> Keep(asio::awaitable<T> task, std::optional<T>& kept) {
    co_await asio::this_coro::throw_if_cancelled(false);
    kept.emplace(co_await std::move(task));
  }
  template <class T>
  std::pair<std::optional<T>, milliseconds> CancelAfter(asio::awaitable<T> task, milliseconds wait,
                                                        const std::function<void()>& cancelled = {}) {
    std::optional<T> kept;
    TaskGroup group(io_.get_executor());
    group.Spawn("task", Keep(std::move(task), kept));
    testing::Run(io_, Sleep(wait));
    EXPECT_EQ(group.size(), 1U) << "it ended before it was cancelled";
    const auto start = std::chrono::steady_clock::now();
    group.Cancel();
    if (cancelled) cancelled();
    testing::Run(io_, group.Join());
    const auto took = std::chrono::steady_clock::now() - start;
    return {std::move(kept), std::chrono::duration_cast<milliseconds>(took)};
  }

  asio::io_context io_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<Client> client_;
};

}  // namespace slipway::kube
