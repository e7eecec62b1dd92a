// A client of the real API server that $KUBECONFIG names, and a namespace of its own for each test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "base/async.h"
#include "kube/client.h"
#include "support/kubectl.h"

namespace slipway::testing {

class RealApi : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Runs the coroutine to its end, for at most 60 s, and gives its value.
  template <class T>
  T Await(asio::awaitable<T> task) {
    std::optional<T> value;
    std::exception_ptr failure;
    asio::co_spawn(io_, Keep(std::move(task), value), [&](std::exception_ptr error) {
      failure = std::move(error);
      io_.stop();
    });
    io_.restart();
    io_.run_for(std::chrono::seconds(60));
    if (failure) std::rethrow_exception(failure);
    return std::move(value).value();
  }

  // Lets what was spawned run until `holds`, for at most `limit`.
  bool RunUntil(std::chrono::seconds limit, const std::function<bool()>& holds);

  kube::Json ConfigMap(const std::string& name, const std::string& value) const;
  kube::ObjectKey Key(const std::string& name) const { return {ns_, name}; }

  asio::io_context io_{1};
  std::string ns_;
  std::unique_ptr<kube::Client> api_;
  SystemClock clock_;

 private:
  template <class T>
  static asio::awaitable<void> Keep(asio::awaitable<T> task, std::optional<T>& value) {
    value = co_await std::move(task);
  }
};

}  // namespace slipway::testing
