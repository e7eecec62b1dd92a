// The elector's coroutine: what runs while it leads, and what has ended before it lets go.
#include "runtime/elector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/runtime/scripted_api.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using kube::Verb;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One lease, as the API server keeps it.
class LeaseServer {
 public:
  Result<Json> operator()(const kube::Request& request) {
    if (down) return Fail(ErrorKind::kTransient, "connection refused");
    if (request.verb == Verb::kGet) {
      if (!lease) return Fail(ErrorKind::kNotFound, "no lease");
      return *lease;
    }
    Json body = BodyOf(request);
    if (request.verb == Verb::kPost && lease) return Fail(ErrorKind::kAlreadyExists, "there is one");
    if (request.verb == Verb::kPut && !lease) return Fail(ErrorKind::kNotFound, "no lease");
    if (request.verb == Verb::kPut &&
        (*lease)["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]) {
      return Fail(ErrorKind::kConflict, "moved on");
    }
    ++writes;
    body["metadata"]["resourceVersion"] = std::to_string(++version);
    lease = body;
    return body;
  }
  std::string Holder() const {
    return lease ? (*lease)["spec"]["holderIdentity"].get<std::string>() : "no lease";
  }
  void TakenBy(const std::string& who) {
    (*lease)["spec"]["holderIdentity"] = who;
    (*lease)["metadata"]["resourceVersion"] = std::to_string(++version);
  }

  std::optional<Json> lease;
  int version = 0;
  int writes = 0;
  bool down = false;
};

class ElectorTest : public ::testing::Test {
 protected:
  ElectorTest() {
    api_.on_call = [this](const kube::Request& request) { return server_(request); };
    options_.lease = {"slipway-system", "slipway-operator"};
    options_.identity = "me";
    options_.retry_period = milliseconds(5);
  }
  void Start() {
    elector_ = std::make_unique<Elector>(api_, options_, clock_);
    loop_.tasks().Spawn("elector", Run());
  }
  asio::awaitable<void> Run() {
    lost_ = co_await elector_->Run([this] { return Lead(); });
  }
  asio::awaitable<void> Lead() {
    ++leads_;
    working_ = true;
    if (work_ends_) {
      working_ = false;
      co_return;
    }
    co_await Sleep(seconds(3600));
    // Work that takes a while to end, as a reconcile in flight does.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await Sleep(winding_down_);
    holder_at_end_ = server_.Holder();
    working_ = false;
  }
  void TearDown() override { EXPECT_TRUE(loop_.Stop()); }
  bool RunUntilWorking() {
    return loop_.RunUntil([this] { return working_; });
  }

  Loop loop_;
  HandWoundClock clock_;
  ScriptedApi api_;
  LeaseServer server_;
  ElectorOptions options_;
  std::unique_ptr<Elector> elector_;
  std::optional<bool> lost_;
  int leads_ = 0;
  bool working_ = false;
  bool work_ends_ = false;
  Duration winding_down_{0};
  std::string holder_at_end_;
};

TEST_F(ElectorTest, LeadsOnceItHasTheLeaseAndKeepsRenewing) {
  Start();
  EXPECT_FALSE(elector_->leading());
  ASSERT_TRUE(RunUntilWorking());
  EXPECT_TRUE(elector_->leading());
  EXPECT_EQ(server_.Holder(), "me");
  ASSERT_TRUE(loop_.RunUntil([&] { return server_.writes >= 4; }));
  EXPECT_EQ(leads_, 1);
}

TEST_F(ElectorTest, AStopEndsTheWorkFirstAndThenReleasesTheLease) {
  winding_down_ = milliseconds(20);
  Start();
  ASSERT_TRUE(RunUntilWorking());
  EXPECT_TRUE(loop_.Stop());
  EXPECT_FALSE(working_);
  EXPECT_EQ(holder_at_end_, "me") << "held for as long as anything of ours ran";
  EXPECT_EQ(server_.Holder(), "");
  EXPECT_EQ((*server_.lease)["spec"]["leaseDurationSeconds"], 1);
  EXPECT_EQ(lost_, false);
}

TEST_F(ElectorTest, AReleaseFindsTheVersionOfARenewalThatTheStopCutOff) {
  Start();
  ASSERT_TRUE(RunUntilWorking());
  (*server_.lease)["metadata"]["resourceVersion"] = "moved";
  loop_.Stop();
  EXPECT_EQ(server_.Holder(), "");
}

TEST_F(ElectorTest, AStopBeforeTheLeadIsWonWritesNothing) {
  server_.lease = Json::parse(R"({"metadata":{"name":"l","resourceVersion":"1"},
    "spec":{"holderIdentity":"other","leaseDurationSeconds":15,"renewTime":"x"}})");
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() >= 3; }));
  EXPECT_TRUE(loop_.Stop());
  EXPECT_EQ(server_.writes, 0);
  EXPECT_EQ(leads_, 0);
  EXPECT_EQ(lost_, false);
}

TEST_F(ElectorTest, TakesOverFromAHolderThatIsSilentByOurClock) {
  server_.lease = Json::parse(R"({"metadata":{"name":"l","resourceVersion":"1"},
    "spec":{"holderIdentity":"other","leaseDurationSeconds":15,"renewTime":"x"}})");
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() >= 3; }));
  EXPECT_FALSE(working_);
  clock_.Advance(seconds(15));
  EXPECT_TRUE(RunUntilWorking());
}

// F15, F16: no API server for longer than the deadline.
TEST_F(ElectorTest, LosesTheLeadByItsOwnClockWhenItCantRenew) {
  Start();
  ASSERT_TRUE(RunUntilWorking());
  server_.down = true;
  clock_.Advance(seconds(9));
  loop_.RunFor(milliseconds(20));
  EXPECT_TRUE(working_);
  clock_.Advance(seconds(2));
  ASSERT_TRUE(loop_.RunUntil([&] { return lost_.has_value(); }));
  EXPECT_EQ(lost_, true);
  EXPECT_FALSE(working_) << "joined before Run returned";
}

TEST_F(ElectorTest, LosesTheLeadWhileACallHangs) {
  Start();
  ASSERT_TRUE(RunUntilWorking());
  api_.hang = true;
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.back().verb == Verb::kPut; }));
  loop_.RunFor(milliseconds(10));
  clock_.Advance(seconds(11));
  loop_.RunFor(milliseconds(20));
  EXPECT_FALSE(working_) << "the deadline does not wait for an answer";
  EXPECT_FALSE(elector_->leading());
  api_.hang = false;
}

TEST_F(ElectorTest, LosesTheLeadAtOnceWhenSomebodyElseHoldsTheLease) {
  Start();
  ASSERT_TRUE(RunUntilWorking());
  server_.TakenBy("other");
  ASSERT_TRUE(loop_.RunUntil([&] { return lost_.has_value(); }));
  EXPECT_EQ(lost_, true);
  EXPECT_FALSE(working_);
  EXPECT_EQ(server_.Holder(), "other") << "what is not ours is not released";
}

TEST_F(ElectorTest, MakesADeletedLeaseAgainWithoutLosingTheLead) {
  Start();
  ASSERT_TRUE(RunUntilWorking());
  server_.lease.reset();
  ASSERT_TRUE(loop_.RunUntil([&] { return server_.lease.has_value(); }));
  EXPECT_EQ(server_.Holder(), "me");
  EXPECT_EQ(leads_, 1);
  EXPECT_FALSE(lost_.has_value());
}

TEST_F(ElectorTest, WorkThatEndsByItselfReleasesTheLease) {
  work_ends_ = true;
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return lost_.has_value(); }));
  EXPECT_EQ(lost_, false);
  EXPECT_EQ(server_.Holder(), "");
}

TEST_F(ElectorTest, RetriesAreNeverHot) {
  options_.retry_period = milliseconds(50);
  server_.down = true;
  const auto began = std::chrono::steady_clock::now();
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() >= 3; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(100)) << "a period before each retry";
}

}  // namespace
}  // namespace slipway::runtime
