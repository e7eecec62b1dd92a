// Events on their way out: queued, written one after the other, never waited for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/runtime/scripted_api.h"
#include "runtime/events.h"

namespace slipway::runtime {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

ObjectReference About(const std::string& name) { return {kube::kReleases, {"team", name}, {"uid-" + name}}; }
Event Note(const std::string& note) { return {EventType::kNormal, "Promoted", "Promote", note}; }

class EventRecorderTest : public ::testing::Test {
 protected:
  void Start() { loop_.tasks().Spawn("events", recorder_.Run()); }
  std::vector<std::string> Written() const {
    std::vector<std::string> notes;
    for (const auto& request : api_.requests) notes.push_back(BodyOf(request)["note"].get<std::string>());
    return notes;
  }

  Loop loop_;
  HandWoundClock clock_;
  ScriptedApi api_;
  EventRecorder recorder_{loop_.executor(), api_, clock_, "pod_1"};
};

TEST_F(EventRecorderTest, WritesWhatWasRecordedBeforeAndWhileItRuns) {
  recorder_.Record(About("shop"), Note("one"));
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() == 1; }));
  recorder_.Record(About("shop"), Note("two"));
  recorder_.Record(About("shop"), Note("two"));
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() == 2; }));
  EXPECT_TRUE(loop_.Stop());
  EXPECT_THAT(Written(), ElementsAre("one", "two"));
  EXPECT_EQ(api_.requests[0].verb, kube::Verb::kPost);
  EXPECT_THAT(api_.requests[0].target,
              ::testing::StartsWith("/apis/events.k8s.io/v1/namespaces/team/events"));
}

TEST_F(EventRecorderTest, AnEventThatIsRefusedIsDroppedAndTheNextOneWritten) {
  api_.on_call = [](const kube::Request& request) -> Result<kube::Json> {
    if (BodyOf(request)["note"] == "one") return Fail(ErrorKind::kForbidden, "the namespace is terminating");
    return kube::Json::object();
  };
  recorder_.Record(About("shop"), Note("one"));
  recorder_.Record(About("shop"), Note("two"));
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() == 2; }));
  loop_.RunFor(milliseconds(20));
  EXPECT_TRUE(loop_.Stop());
  EXPECT_THAT(Written(), ElementsAre("one", "two")) << "no retry in place";
}

TEST_F(EventRecorderTest, WhatIsLeftAtAStopIsStillWritten) {
  Start();
  loop_.RunFor(milliseconds(5));
  for (const char* note : {"a", "b", "c"}) recorder_.Record(About("shop"), Note(note));
  EXPECT_TRUE(loop_.Stop());
  EXPECT_THAT(Written(), ElementsAre("a", "b", "c"));
}

TEST_F(EventRecorderTest, AServerThatHangsHoldsUpAStopForASecondAtMost) {
  api_.hang = true;
  Start();
  loop_.RunFor(milliseconds(5));
  for (const char* note : {"a", "b"}) recorder_.Record(About("shop"), Note(note));
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_TRUE(loop_.Stop());
  // Less than the ten seconds that one request may take; the rest is for a machine that stalls.
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(8));
}

TEST_F(EventRecorderTest, TheQueueIsBounded) {
  for (int i = 0; i < 1500; ++i) recorder_.Record(About(std::to_string(i)), Note("x"));
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() >= 1000; }));
  loop_.RunFor(milliseconds(20));
  EXPECT_EQ(api_.requests.size(), 1000U);
  EXPECT_TRUE(loop_.Stop());
}

}  // namespace
}  // namespace slipway::runtime
