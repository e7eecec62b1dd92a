#include "image_build/queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace slipway::image_build {
namespace {

using kube::ObjectKey;
using State = Queue::State;

TimePoint At(int second) { return TimePoint(std::chrono::hours(1) + std::chrono::seconds(second)); }

Queue WithLimits(int each, int overall) {
  return Queue({.of_namespace = [each](const std::string&) { return each; }, .overall = overall});
}

std::vector<std::string> Names(const std::vector<ObjectKey>& keys) {
  std::vector<std::string> names;
  for (const auto& key : keys) names.push_back(key.ns + "/" + key.name);
  return names;
}

using Strings = std::vector<std::string>;

TEST(QueueTest, LetsInWhoHasWaitedLongestAndNoMoreThanThereIsRoom) {
  Queue queue = WithLimits(2, 10);
  queue.Update({"a", "third"}, State::kWaiting, At(3));
  queue.Update({"a", "first"}, State::kWaiting, At(1));
  queue.Update({"a", "second"}, State::kWaiting, At(2));
  EXPECT_EQ(Names(queue.TakeLetIn()), (Strings{"a/first", "a/second"}));
  EXPECT_TRUE(queue.TakeLetIn().empty()) << "each is told once";
  EXPECT_TRUE(queue.Admitted({"a", "first"}));
  EXPECT_FALSE(queue.Admitted({"a", "third"}));
  EXPECT_EQ(queue.running(), 2U);
  EXPECT_EQ(queue.waiting(), 1U);
  queue.Update({"a", "first"}, State::kNone, {});
  EXPECT_EQ(Names(queue.TakeLetIn()), Strings{"a/third"});
  EXPECT_FALSE(queue.Admitted({"a", "first"}));
}

TEST(QueueTest, GivesAPlaceToTheNamespaceWithTheFewestRuns) {
  Queue queue = WithLimits(10, 3);
  for (int i = 0; i < 5; ++i) queue.Update({"busy", std::to_string(i)}, State::kWaiting, At(i));
  queue.Update({"calm", "late"}, State::kWaiting, At(100));
  EXPECT_EQ(Names(queue.TakeLetIn()), (Strings{"busy/0", "calm/late", "busy/1"}));
}

TEST(QueueTest, LateNewsOfOneThatWasLetInTakesNoPlaceAway) {
  Queue queue = WithLimits(1, 1);
  queue.Update({"a", "x"}, State::kWaiting, At(1));
  ASSERT_TRUE(queue.Admitted({"a", "x"}));
  queue.Update({"a", "x"}, State::kWaiting, At(1));  // the cache is behind
  queue.Update({"a", "y"}, State::kWaiting, At(2));
  EXPECT_TRUE(queue.Admitted({"a", "x"}));
  EXPECT_FALSE(queue.Admitted({"a", "y"}));
}

TEST(QueueTest, ANewRunOfTheSameObjectStandsInLineAgain) {
  Queue queue = WithLimits(1, 1);
  queue.Update({"a", "x"}, State::kRunning, At(1));
  queue.Update({"a", "y"}, State::kWaiting, At(2));
  queue.Update({"a", "x"}, State::kWaiting, At(3));
  EXPECT_TRUE(queue.Admitted({"a", "y"}));
  EXPECT_FALSE(queue.Admitted({"a", "x"}));
}

TEST(QueueTest, WhoRunsAfterARestartCountsEvenBeyondTheLimit) {
  Queue queue = WithLimits(1, 5);
  queue.Update({"a", "x"}, State::kRunning, At(1));
  queue.Update({"a", "y"}, State::kRunning, At(1));
  queue.Update({"a", "z"}, State::kWaiting, At(2));
  EXPECT_TRUE(queue.Admitted({"a", "x"}));
  EXPECT_TRUE(queue.Admitted({"a", "y"}));
  queue.Update({"a", "x"}, State::kNone, {});
  EXPECT_FALSE(queue.Admitted({"a", "z"}));
  queue.Update({"a", "y"}, State::kNone, {});
  EXPECT_TRUE(queue.Admitted({"a", "z"}));
}

TEST(QueueTest, OneThatIsUnknownIsNotAdmitted) {
  Queue queue = WithLimits(1, 1);
  EXPECT_FALSE(queue.Admitted({"a", "x"}));
  queue.Update({"a", "x"}, State::kNone, {});
  EXPECT_EQ(queue.waiting() + queue.running(), 0U);
}

// What the queue ought to know, kept as plainly as can be.
struct Model {
  struct One {
    State state = State::kNone;
    int since = 0;
  };
  std::map<std::pair<std::string, std::string>, One> all;

  int Running(const std::string& ns) const {
    return static_cast<int>(std::ranges::count_if(all, [&](const auto& entry) {
      return (ns.empty() || entry.first.first == ns) && entry.second.state == State::kRunning;
    }));
  }
  int Waiting(const std::string& ns) const {
    return static_cast<int>(std::ranges::count_if(all, [&](const auto& entry) {
      return entry.first.first == ns && entry.second.state == State::kWaiting;
    }));
  }
  int Oldest(const std::string& ns) const {
    int oldest = 1 << 30;
    for (const auto& [key, one] : all) {
      if (key.first == ns && one.state == State::kWaiting) oldest = std::min(oldest, one.since);
    }
    return oldest;
  }
};

constexpr int kOverall = 4;
int LimitOf(const std::string& ns) { return ns == "a" ? 1 : 3; }

// Whoever was let in was the right one, each time.
void TakeAll(Queue& queue, Model& model, const Strings& spaces) {
  for (const auto& key : queue.TakeLetIn()) {
    auto& one = model.all[{key.ns, key.name}];
    RC_ASSERT(one.state == State::kWaiting);
    RC_ASSERT(model.Running("") < kOverall);
    RC_ASSERT(model.Running(key.ns) < LimitOf(key.ns));
    RC_ASSERT(one.since == model.Oldest(key.ns));
    for (const auto& other : spaces) {
      const bool could = model.Waiting(other) > 0 && model.Running(other) < LimitOf(other);
      RC_ASSERT(!could || model.Running(other) >= model.Running(key.ns));
    }
    one.state = State::kRunning;
  }
  for (const auto& ns : spaces) {
    const bool room = model.Running("") < kOverall && model.Running(ns) < LimitOf(ns);
    RC_ASSERT(!room || model.Waiting(ns) == 0);
  }
}

RC_GTEST_PROP(QueueProperty, IsFairAndNeverAboveItsLimitsNorBelowThemWhileSomebodyWaits, ()) {
  const Strings spaces{"a", "b", "c"};
  Queue queue({.of_namespace = LimitOf, .overall = kOverall});
  Model model;
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 3), rc::gen::inRange(0, 6), rc::gen::inRange(0, 4)));
  int clock = 0;
  for (const auto& [space, name, act] : steps) {
    const ObjectKey key{spaces[static_cast<std::size_t>(space)], std::to_string(name)};
    auto& one = model.all[{key.ns, key.name}];
    if (act == 0) {  // its run ended, or it is gone
      one = {};
      queue.Update(key, State::kNone, {});
    } else if (act == 1 && one.state == State::kRunning) {  // late news
      queue.Update(key, State::kWaiting, At(one.since));
    } else if (one.state != State::kWaiting) {  // a new run
      one = {State::kWaiting, ++clock};
      queue.Update(key, State::kWaiting, At(one.since));
    }
    TakeAll(queue, model, spaces);
    RC_ASSERT(static_cast<int>(queue.running()) == model.Running(""));
    RC_ASSERT(queue.Admitted(key) == (model.all[{key.ns, key.name}].state == State::kRunning));
  }
}

}  // namespace
}  // namespace slipway::image_build
