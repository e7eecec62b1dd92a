// The controller's loop with reconciles that a test writes, in real time but with a clock of the test's own.
#include "runtime/controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/runtime/scripted_api.h"

namespace slipway::runtime {
namespace {

using kube::ObjectKey;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

ObjectKey Key(const std::string& name) { return {"team", name}; }

// A reconciler that records its calls, answers from a script and may take its time.
class FakeReconciler {
 public:
  asio::awaitable<Result<Outcome>> Reconcile(ObjectKey key) {
    calls.push_back(key.name);
    most_at_once = std::max(most_at_once, ++at_once);
    same_key_twice = same_key_twice || ++in_work[key.name] > 1;
    if (takes > Duration(0)) {
      const bool passed = co_await Sleep(takes);
      if (!passed) ++stopped;
    }
    --at_once;
    --in_work[key.name];
    if (throws) throw std::runtime_error("type must be string,\nbut is null");
    auto& answers = script[key.name];
    if (answers.empty()) co_return Outcome{};
    Result<Outcome> outcome = answers.front();
    answers.pop_front();
    co_return outcome;
  }

  int CallsOf(const std::string& name) const { return static_cast<int>(std::ranges::count(calls, name)); }

  std::vector<std::string> calls;
  std::map<std::string, std::deque<Result<Outcome>>> script;  // by name; beyond its end, success
  Duration takes{0};
  bool throws = false;
  int at_once = 0;
  int most_at_once = 0;
  int stopped = 0;
  bool same_key_twice = false;
  std::map<std::string, int> in_work;
};

class ControllerTest : public ::testing::Test {
 protected:
  void Start(int workers = 4) {
    controller_ = std::make_unique<Controller>(
        loop_.executor(), "shop", [this](ObjectKey key) { return reconciler_.Reconcile(std::move(key)); },
        clock_, metrics_, workers);
    loop_.tasks().Spawn("controller", controller_->Run());
  }
  void TearDown() override { EXPECT_TRUE(loop_.Stop()); }
  bool RunUntilCalls(std::size_t count) {
    return loop_.RunUntil([&] { return reconciler_.calls.size() >= count && reconciler_.at_once == 0; });
  }
  // Lets the clock pass without a timer: another key wakes the loop, as any event would.
  void Pass(Duration d) {
    clock_.Advance(d);
    controller_->Enqueue(Key("wake"));
    loop_.RunFor(milliseconds(5));
  }

  Loop loop_;
  HandWoundClock clock_;
  telemetry::Metrics metrics_;
  FakeReconciler reconciler_;
  std::unique_ptr<Controller> controller_;
};

TEST_F(ControllerTest, ReconcilesWhatIsEnqueuedBeforeAndAfterItStarts) {
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  controller_->Enqueue(Key("b"));
  ASSERT_TRUE(RunUntilCalls(2));
  EXPECT_THAT(reconciler_.calls, ::testing::ElementsAre("a", "b"));
}

TEST_F(ControllerTest, RunsNoMoreThanItsWorkersAtOnceAndLosesNoKey) {
  reconciler_.takes = milliseconds(2);
  Start(3);
  for (int i = 0; i < 20; ++i) controller_->Enqueue(Key(std::to_string(i)));
  ASSERT_TRUE(RunUntilCalls(20));
  EXPECT_EQ(reconciler_.most_at_once, 3);
}

TEST_F(ControllerTest, NeverReconcilesOneKeyTwiceAtOnceAndNeverMissesAChange) {
  reconciler_.takes = milliseconds(5);
  Start();
  controller_->Enqueue(Key("a"));
  loop_.RunUntil([&] { return reconciler_.at_once == 1; });
  for (int i = 0; i < 10; ++i) controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(2));
  loop_.RunFor(milliseconds(20));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2) << "ten changes during one pass need one more";
  EXPECT_FALSE(reconciler_.same_key_twice);
}

TEST_F(ControllerTest, RechecksWhenAsked) {
  reconciler_.script["a"].push_back(Outcome{seconds(30)});
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  Pass(seconds(29));
  EXPECT_EQ(reconciler_.CallsOf("a"), 1);
  Pass(seconds(1));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2);
}

TEST_F(ControllerTest, ATimeThatComesWakesItByItself) {
  reconciler_.script["a"].push_back(Outcome{milliseconds(0)});
  Start();
  controller_->Enqueue(Key("a"));
  EXPECT_TRUE(RunUntilCalls(2));
}

TEST_F(ControllerTest, AConflictIsDecidedAgainSoonAndWithoutEnd) {
  for (int i = 0; i < 3; ++i) reconciler_.script["a"].push_back(Fail(ErrorKind::kConflict, "moved on"));
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  Pass(milliseconds(100));
  EXPECT_EQ(reconciler_.CallsOf("a"), 1) << "not hot";
  Pass(milliseconds(150));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2);
  Pass(seconds(1));
  Pass(seconds(2));
  EXPECT_EQ(reconciler_.CallsOf("a"), 4);
  Pass(seconds(300));
  EXPECT_EQ(reconciler_.CallsOf("a"), 4) << "success ends it";
}

TEST_F(ControllerTest, AThrottleWaitsWhatTheServerSaidUpToFiveMinutes) {
  reconciler_.script["a"] = {std::unexpected(Error{ErrorKind::kThrottled, "slow down", seconds(40)}),
                             std::unexpected(Error{ErrorKind::kThrottled, "slow down",
                                                   seconds(std::numeric_limits<std::int64_t>::max())})};
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  Pass(seconds(39));
  EXPECT_EQ(reconciler_.CallsOf("a"), 1);
  Pass(seconds(1));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2);
  Pass(seconds(299));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2);
  Pass(seconds(1));
  EXPECT_EQ(reconciler_.CallsOf("a"), 3);
}

TEST_F(ControllerTest, FailuresBackOffAndASuccessForgetsThem) {
  const auto until_next = [&] {
    const auto before = reconciler_.CallsOf("a");
    Duration passed(0);
    while (reconciler_.CallsOf("a") == before && passed < seconds(10)) {
      Pass(milliseconds(25));
      passed += milliseconds(25);
    }
    return passed;
  };
  const Result<Outcome> failure = Fail(ErrorKind::kForbidden, "no");
  reconciler_.script["a"].assign(4, failure);
  reconciler_.script["a"].push_back(Outcome{milliseconds(10)});
  reconciler_.script["a"].push_back(failure);
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  until_next();
  until_next();
  const Duration third = until_next();
  const Duration fourth = until_next();
  EXPECT_GE(third, milliseconds(500));
  EXPECT_GE(fourth, milliseconds(1000));
  EXPECT_LE(until_next(), milliseconds(25)) << "what the success asked for";
  EXPECT_LE(until_next(), milliseconds(275)) << "the first failure again";
}

TEST_F(ControllerTest, AnExceptionIsThatKeysFailureAndNobodyElses) {
  reconciler_.throws = true;
  Start();
  controller_->Enqueue(Key("a"));
  ASSERT_TRUE(RunUntilCalls(1));
  reconciler_.throws = false;
  controller_->Enqueue(Key("b"));
  ASSERT_TRUE(RunUntilCalls(2));
  EXPECT_EQ(reconciler_.CallsOf("b"), 1);
  Pass(milliseconds(250));
  EXPECT_EQ(reconciler_.CallsOf("a"), 2);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(controller_runtime_reconcile_errors_total{controller="shop"} 1)"));
}

TEST_F(ControllerTest, AStopCancelsAndJoinsWhatIsInFlight) {
  reconciler_.takes = seconds(60);
  Start(2);
  for (const char* name : {"a", "b", "c"}) controller_->Enqueue(Key(name));
  ASSERT_TRUE(loop_.RunUntil([&] { return reconciler_.at_once == 2; }));
  EXPECT_TRUE(loop_.Stop());
  EXPECT_EQ(reconciler_.stopped, 2);
  EXPECT_EQ(reconciler_.at_once, 0);
  EXPECT_EQ(reconciler_.calls.size(), 2U) << "nothing is begun after the stop";
}

TEST_F(ControllerTest, CountsOutcomesByTheirName) {
  reconciler_.script["b"] = {Outcome{seconds(1000)}};
  reconciler_.script["c"] = {Fail(ErrorKind::kConflict, "x")};
  reconciler_.script["d"] = {Fail(ErrorKind::kTransient, "y")};
  Start(1);
  for (const char* name : {"a", "b", "c", "d"}) controller_->Enqueue(Key(name));
  ASSERT_TRUE(RunUntilCalls(4));
  const std::string text = metrics_.Text();
  for (const char* result : {"success", "requeue_after", "requeue", "error"}) {
    EXPECT_THAT(text, HasSubstr(R"(controller_runtime_reconcile_total{controller="shop",result=")" +
                                std::string(result) + R"("} 1)"));
  }
  EXPECT_THAT(text, HasSubstr(R"(workqueue_retries_total{name="shop"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(workqueue_depth{name="shop"} 0)"));
}

}  // namespace
}  // namespace slipway::runtime
