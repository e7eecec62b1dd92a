#include "base/async.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <stdexcept>
#include <vector>

#include "support/run.h"

namespace slipway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class Async : public ::testing::Test {
 protected:
  asio::io_context io_;
  std::vector<std::string> seen_;

  asio::awaitable<void> Record(std::string what) {
    seen_.push_back(std::move(what));
    co_return;
  }

  asio::awaitable<void> SleepAndRecord(Duration d) {
    const bool slept = co_await Sleep(d);
    seen_.push_back(slept ? "slept" : "cancelled");
  }

  // As every loop of ours is written: it sleeps until it is told to end.
  asio::awaitable<void> SleepTwice() {
    const bool first = co_await Sleep(hours(1));
    const bool second = co_await Sleep(hours(1));
    seen_.push_back(first || second ? "slept" : "both cancelled");
  }

  asio::awaitable<void> WaitAndRecord(Signal& signal, std::optional<Duration> at_most, std::string what) {
    co_await signal.Wait(at_most);
    seen_.push_back(std::move(what));
  }

  asio::awaitable<void> CleanUpAfterCancel() {
    const bool slept = co_await Sleep(hours(1));
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const bool cleaned = co_await Sleep(milliseconds(1));
    seen_.push_back(!slept && cleaned ? "cleaned up" : "wrong");
  }

  asio::awaitable<void> ThrowWhenCancelled() {
    const bool slept = co_await Sleep(hours(1));
    if (!slept) throw std::runtime_error("on the way out");
  }

  asio::awaitable<void> JoinAndRecord(TaskGroup& group, std::string what) {
    co_await group.Join();
    seen_.push_back(std::move(what));
  }

  asio::awaitable<void> ParentOfChildren() {
    TaskGroup children(io_.get_executor());
    children.Spawn("one", SleepAndRecord(hours(1)));
    children.Spawn("two", CleanUpAfterCancel());
    co_await children.Join();
    seen_.push_back("joined");
  }

  void Poll() {
    io_.restart();
    io_.poll();
  }
  void JoinNow(TaskGroup& group) { testing::Run(io_, group.Join()); }
};

TEST_F(Async, SleepSaysThatTheTimeHasPassed) { EXPECT_TRUE(testing::Run(io_, Sleep(milliseconds(1)))); }

TEST_F(Async, CancelledSleepEndsAtOnceWithoutThrowing) {
  TaskGroup group(io_.get_executor());
  group.Spawn("sleeper", SleepAndRecord(hours(1)));
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"cancelled"});
}

TEST_F(Async, SleepAfterCancellationEndsAtOnceToo) {
  TaskGroup group(io_.get_executor());
  group.Spawn("sleeper", SleepTwice());
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"both cancelled"});
}

TEST_F(Async, SignalBeforeTheWaitIsNotLost) {
  Signal signal(io_.get_executor());
  signal.Notify();
  testing::Run(io_, WaitAndRecord(signal, hours(1), "woken"));
  EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(Async, SignalWakesTheWaiter) {
  Signal signal(io_.get_executor());
  TaskGroup group(io_.get_executor());
  group.Spawn("waiter", WaitAndRecord(signal, std::nullopt, "woken"));
  Poll();
  EXPECT_TRUE(seen_.empty());
  signal.Notify();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"woken"});
}

TEST_F(Async, ManyNotificationsAreOneWakeUp) {
  Signal signal(io_.get_executor());
  TaskGroup group(io_.get_executor());
  signal.Notify();
  signal.Notify();
  testing::Run(io_, WaitAndRecord(signal, std::nullopt, "first"));
  group.Spawn("waiter", WaitAndRecord(signal, std::nullopt, "second"));
  Poll();
  EXPECT_EQ(seen_, std::vector<std::string>{"first"});
  group.Cancel();
  JoinNow(group);
}

TEST_F(Async, SignalWaitsNoLongerThanItsLimit) {
  Signal signal(io_.get_executor());
  testing::Run(io_, WaitAndRecord(signal, milliseconds(1), "over"));
  EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(Async, CancelledSignalWaitReturnsWithoutThrowing) {
  Signal signal(io_.get_executor());
  TaskGroup group(io_.get_executor());
  group.Spawn("waiter", WaitAndRecord(signal, std::nullopt, "returned"));
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"returned"});
}

TEST_F(Async, JoinWaitsForTheLastTask) {
  TaskGroup group(io_.get_executor());
  group.Spawn("short", SleepAndRecord(milliseconds(1)));
  group.Spawn("longer", SleepAndRecord(milliseconds(10)));
  EXPECT_EQ(group.size(), 2U);
  JoinNow(group);
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(seen_, (std::vector<std::string>{"slept", "slept"}));
}

TEST_F(Async, JoinOfAnEmptyGroupReturnsAtOnce) {
  TaskGroup group(io_.get_executor());
  JoinNow(group);
  EXPECT_FALSE(group.cancelled());
}

TEST_F(Async, CancelledTaskMayCleanUp) {
  TaskGroup group(io_.get_executor());
  group.Spawn("cleaner", CleanUpAfterCancel());
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"cleaned up"});
}

TEST_F(Async, CancelBeforeATaskHasStartedEndsIt) {
  TaskGroup group(io_.get_executor());
  group.Spawn("sleeper", SleepAndRecord(hours(1)));
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(group.size(), 0U);
}

TEST_F(Async, TaskSpawnedAfterCancelEndsAtOnce) {
  TaskGroup group(io_.get_executor());
  group.Cancel();
  EXPECT_TRUE(group.cancelled());
  group.Spawn("late", SleepAndRecord(hours(1)));
  JoinNow(group);
  EXPECT_EQ(group.size(), 0U);
}

TEST_F(Async, CancellingTwiceIsCancellingOnce) {
  TaskGroup group(io_.get_executor());
  group.Spawn("cleaner", CleanUpAfterCancel());
  Poll();
  group.Cancel();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, std::vector<std::string>{"cleaned up"});
}

TEST_F(Async, CancelledJoinCancelsTheChildrenAndStillWaitsForThem) {
  TaskGroup group(io_.get_executor());
  group.Spawn("parent", ParentOfChildren());
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_, (std::vector<std::string>{"cancelled", "cleaned up", "joined"}));
}

TEST_F(Async, ExceptionOnTheWayOutOfACancelledTaskIsAnEndLikeAnyOther) {
  TaskGroup group(io_.get_executor());
  group.Spawn("thrower", ThrowWhenCancelled());
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(group.size(), 0U);
}

TEST_F(Async, TasksOfAGroupThatWasCancelledWhileEndingAreAllReleased) {
  TaskGroup group(io_.get_executor());
  for (int i = 0; i < 50; ++i) group.Spawn("task", SleepAndRecord(i % 2 == 0 ? Duration(0) : hours(1)));
  Poll();
  group.Cancel();
  JoinNow(group);
  EXPECT_EQ(seen_.size(), 50U);
}

using AsyncDeathTest = Async;

asio::awaitable<void> Throw() {
  throw std::runtime_error("a fault of ours");
  co_return;
}

TEST_F(AsyncDeathTest, ExceptionThatLeavesATaskEndsTheProcess) {
  EXPECT_DEATH(
      {
        TaskGroup group(io_.get_executor());
        group.Spawn("broken", Throw());
        Poll();
      },
      "");
}

TEST_F(AsyncDeathTest, GroupThatDiesBeforeItsTasksEndsTheProcess) {
  EXPECT_DEATH(
      {
        TaskGroup group(io_.get_executor());
        group.Spawn("left", SleepAndRecord(hours(1)));
        Poll();
      },
      "");
}

}  // namespace
}  // namespace slipway
