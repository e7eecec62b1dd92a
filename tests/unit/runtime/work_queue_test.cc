// The queue against its invariants: tables of the cases that people get wrong, and random schedules against a
// model that is too simple to be wrong in the same way.
#include "runtime/work_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace slipway::runtime {
namespace {

using kube::ObjectKey;
using std::chrono::milliseconds;
using std::chrono::seconds;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};
BootTime At(int ms) { return BootTime(milliseconds(ms)); }

TEST(WorkQueueTest, HandsOutInTheOrderOfAdding) {
  WorkQueue queue;
  queue.Add(kB);
  queue.Add(kA);
  EXPECT_EQ(queue.depth(), 2U);
  EXPECT_EQ(queue.Get(At(0)), kB);
  EXPECT_EQ(queue.Get(At(0)), kA);
  EXPECT_EQ(queue.Get(At(0)), std::nullopt);
  EXPECT_EQ(queue.in_work(), 2U);
}

TEST(WorkQueueTest, AddedManyTimesIsHandedOutOnce) {
  WorkQueue queue;
  for (int i = 0; i < 5; ++i) queue.Add(kA);
  EXPECT_EQ(queue.Get(At(0)), kA);
  queue.Done(kA);
  EXPECT_EQ(queue.Get(At(0)), std::nullopt);
}

TEST(WorkQueueTest, AddedWhileInWorkComesBackOnlyWhenDone) {
  WorkQueue queue;
  queue.Add(kA);
  ASSERT_EQ(queue.Get(At(0)), kA);
  queue.Add(kA);
  queue.Add(kA);
  EXPECT_EQ(queue.Get(At(0)), std::nullopt);
  queue.Done(kA);
  EXPECT_EQ(queue.Get(At(0)), kA);
  queue.Done(kA);
  EXPECT_EQ(queue.Get(At(0)), std::nullopt);
}

TEST(WorkQueueTest, DoneOfWhatIsNotInWorkChangesNothing) {
  WorkQueue queue;
  queue.Add(kA);
  queue.Done(kA);
  EXPECT_EQ(queue.depth(), 1U);
  EXPECT_EQ(queue.Get(At(0)), kA);
  EXPECT_EQ(queue.Get(At(0)), std::nullopt);
}

TEST(WorkQueueTest, WaitsForItsTimeAndNotLonger) {
  WorkQueue queue;
  queue.AddAt(kA, At(100));
  EXPECT_EQ(queue.NextTime(), At(100));
  EXPECT_EQ(queue.Get(At(99)), std::nullopt);
  EXPECT_EQ(queue.Get(At(100)), kA);
  EXPECT_EQ(queue.NextTime(), std::nullopt);
}

TEST(WorkQueueTest, TheEarliestOfSeveralTimesWins) {
  for (const auto& [first, second] : {std::pair{100, 50}, std::pair{50, 100}}) {
    WorkQueue queue;
    queue.AddAt(kA, At(first));
    queue.AddAt(kA, At(second));
    EXPECT_EQ(queue.NextTime(), At(50));
    EXPECT_EQ(queue.Get(At(50)), kA);
    queue.Done(kA);
    EXPECT_EQ(queue.Get(At(1000)), std::nullopt) << "the later time must be gone";
  }
}

TEST(WorkQueueTest, APlainAddComesFirstAndLeavesTheTime) {
  WorkQueue queue;
  queue.AddAt(kA, At(100));
  queue.Add(kA);
  EXPECT_EQ(queue.Get(At(0)), kA);
  queue.Done(kA);
  EXPECT_EQ(queue.NextTime(), At(100));
  EXPECT_EQ(queue.Get(At(100)), kA);
}

TEST(WorkQueueTest, ATimeThatComesWhileInWorkIsNotLost) {
  WorkQueue queue;
  queue.Add(kA);
  ASSERT_EQ(queue.Get(At(0)), kA);
  queue.AddAt(kA, At(10));
  EXPECT_EQ(queue.Get(At(20)), std::nullopt);
  queue.Done(kA);
  EXPECT_EQ(queue.Get(At(20)), kA);
}

TEST(WorkQueueTest, FailuresWaitLongerEachTimeUpToTheCap) {
  WorkQueue queue({milliseconds(100), seconds(1), 2.0});
  const Duration kNoFloor(0);
  int previous = 0;
  for (int i = 0; i < 8; ++i) {
    queue.AddFailed(kA, At(0), 0.999, kNoFloor);
    const auto next = queue.NextTime();
    ASSERT_TRUE(next);
    const int wait = static_cast<int>(next->time_since_epoch().count());
    EXPECT_GE(wait, previous);
    EXPECT_LE(wait, 1000);
    previous = wait;
    ASSERT_EQ(queue.Get(At(5000)), kA);
    queue.Done(kA);
  }
  EXPECT_GE(previous, 900);
  EXPECT_EQ(queue.failures(kA), 8);
}

TEST(WorkQueueTest, AFailureWaitsAtLeastWhatTheServerAsked) {
  WorkQueue queue;
  queue.AddFailed(kA, At(0), 0.0, seconds(30));
  EXPECT_EQ(queue.Get(At(29'999)), std::nullopt);
  EXPECT_EQ(queue.Get(At(30'000)), kA);
}

TEST(WorkQueueTest, ForgettingStartsTheBackoffAgain) {
  WorkQueue queue({milliseconds(100), seconds(60), 2.0});
  for (int i = 0; i < 6; ++i) {
    queue.AddFailed(kA, At(0), 0.5);
    ASSERT_EQ(queue.Get(At(100'000)), kA);
    queue.Done(kA);
  }
  queue.Forget(kA);
  EXPECT_EQ(queue.failures(kA), 0);
  queue.AddFailed(kA, At(0), 0.999);
  EXPECT_LE(queue.NextTime(), At(100));
}

TEST(WorkQueueTest, KeysFailOnTheirOwn) {
  WorkQueue queue({milliseconds(100), seconds(60), 2.0});
  for (int i = 0; i < 6; ++i) queue.AddFailed(kA, At(0), 0.5);
  queue.AddFailed(kB, At(0), 0.999);
  EXPECT_EQ(queue.failures(kB), 1);
  EXPECT_EQ(queue.Get(At(100)), kA) << "the first failure of six was to wait the shortest";
  EXPECT_EQ(queue.Get(At(100)), kB);
}

// A model: per key, whether it is wanted now, when it is wanted later, and whether somebody has it.
struct ModelKey {
  bool wanted = false;
  std::optional<BootTime> later;
  bool held = false;
};

RC_GTEST_PROP(WorkQueueTest, EveryScheduleKeepsTheInvariants, ()) {
  WorkQueue queue;
  std::map<ObjectKey, ModelKey> model;
  BootTime now = At(0);
  const int steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    const ObjectKey key{"ns", std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 4)))};
    ModelKey& state = model[key];
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        queue.Add(key);
        state.wanted = true;
        break;
      case 1: {
        const BootTime at = now + milliseconds(*rc::gen::inRange(0, 50));
        queue.AddAt(key, at);
        state.later = state.later ? std::min(*state.later, at) : at;
        break;
      }
      case 2:
        now += milliseconds(*rc::gen::inRange(0, 30));
        break;
      case 3:
        queue.Done(key);
        state.held = false;
        break;
      default: {
        for (auto& [name, waiting] : model) {
          if (!waiting.later || *waiting.later > now) continue;
          waiting.later.reset();
          waiting.wanted = true;
        }
        const auto got = queue.Get(now);
        const bool any =
            std::ranges::any_of(model, [](const auto& m) { return m.second.wanted && !m.second.held; });
        RC_ASSERT(got.has_value() == any);
        if (!got) break;
        RC_ASSERT(!model[*got].held);   // never one key twice at once
        RC_ASSERT(model[*got].wanted);  // never out of nothing
        model[*got].wanted = false;
        model[*got].held = true;
      }
    }
    const auto held = std::ranges::count_if(model, [](const auto& m) { return m.second.held; });
    RC_ASSERT(queue.in_work() == static_cast<std::size_t>(held));
  }
  // Nothing that was wanted is lost: with all work done and time enough, each key comes exactly once more.
  for (auto& [key, state] : model) queue.Done(key);
  std::map<ObjectKey, int> rest;
  while (const auto got = queue.Get(now + seconds(10))) {
    ++rest[*got];
    queue.Done(*got);
  }
  for (const auto& [key, state] : model) RC_ASSERT(rest[key] == (state.wanted || state.later ? 1 : 0));
}

}  // namespace
}  // namespace slipway::runtime
