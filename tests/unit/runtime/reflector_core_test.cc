// Each row of the fault list that concerns watching, at the level of the state machine.
#include <gmock/gmock.h>

#include "unit/runtime/reflector_fixture.h"

namespace slipway::runtime {
namespace {

using kube::WatchEventType;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// --- the streaming list ---

TEST_F(ReflectorCoreTest, BeginsWithAStreamingListOfTheNewestState) {
  const std::string target = NextTarget();
  EXPECT_THAT(target, HasSubstr("sendInitialEvents=true"));
  EXPECT_THAT(target, HasSubstr("resourceVersionMatch=NotOlderThan"));
  EXPECT_THAT(target, HasSubstr("allowWatchBookmarks=true"));
  EXPECT_THAT(target, Not(HasSubstr("resourceVersion=0")));
  EXPECT_TRUE(core_.listing());
}

TEST_F(ReflectorCoreTest, IsSyncedOnlyByTheBookmarkThatEndsTheInitialEvents) {
  NextTarget();
  EXPECT_TRUE(core_.OnFrame(Added("a", "3")));
  EXPECT_TRUE(core_.OnFrame(Added("b", "5")));
  EXPECT_FALSE(core_.synced());
  EXPECT_EQ(sink_.retains, 0);
  EXPECT_TRUE(core_.OnFrame(Bookmark("10", true)));
  EXPECT_TRUE(core_.synced());
  EXPECT_FALSE(core_.listing());
  EXPECT_EQ(sink_.retains, 1);
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_F(ReflectorCoreTest, GoesOnWatchingOnTheSameStreamAfterTheInitialEvents) {
  Sync();
  EXPECT_TRUE(core_.OnFrame(Added("c", "11")));
  EXPECT_TRUE(core_.OnFrame(Deleted("a", "12")));
  EXPECT_THAT(Names(), ElementsAre("b", "c"));
  core_.OnError(Of(ErrorKind::kTransient));
  EXPECT_TRUE(NextWatchesFrom("12"));
}

TEST_F(ReflectorCoreTest, AnObjectDeletedDuringTheInitialEventsIsNotKept) {
  NextTarget();
  core_.OnFrame(Added("a", "3"));
  core_.OnFrame(Deleted("a", "4"));
  core_.OnFrame(Bookmark("10", true));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ReflectorCoreTest, WhatAnEmptyNamespaceHoldsIsACompleteListToo) {
  NextTarget();
  core_.OnFrame(Bookmark("10", true));
  EXPECT_TRUE(core_.synced());
  EXPECT_EQ(sink_.retains, 1);
}

// F7: bookmarks of a server that does not know sendInitialEvents.
TEST_F(ReflectorCoreTest, APlainBookmarkBeforeTheEndMeansThatTheServerKnowsNoStreamingList) {
  NextTarget();
  core_.OnFrame(Added("a", "3"));
  EXPECT_FALSE(core_.OnFrame(Bookmark("10")));
  EXPECT_FALSE(core_.synced());
  EXPECT_TRUE(NextIsList());
}

TEST_F(ReflectorCoreTest, AFirstWatchThatEndsWithoutTheMarkFallsBackToAListForGood) {
  NextTarget();
  core_.OnFrame(Added("a", "3"));
  core_.OnWatchEnd();
  EXPECT_FALSE(core_.synced());
  EXPECT_TRUE(NextIsList());
  core_.OnError(Of(ErrorKind::kGone));
  EXPECT_TRUE(NextIsList());
}

TEST_F(ReflectorCoreTest, AnEndWithoutAVersionIsNoEnd) {
  NextTarget();
  core_.OnFrame(Bookmark("", true));
  EXPECT_FALSE(core_.synced());
}

struct Refusal {
  ErrorKind kind;
  std::string message;
};

TEST_F(ReflectorCoreTest, ARefusedStreamingListFallsBackToPagesAtOnce) {
  const std::vector<Refusal> refusals = {
      {ErrorKind::kInvalid, "unknown parameter"},
      {ErrorKind::kInvalid,
       "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"},
      {ErrorKind::kForbidden, "sendInitialEvents: Forbidden"},
  };
  for (const Refusal& refusal : refusals) {
    RecordingSink sink;
    ReflectorCore core(ConfigMapsOf(), sink);
    core.Next(0.5);
    core.OnError({refusal.kind, refusal.message, std::nullopt});
    const auto step = core.Next(0.5);
    EXPECT_TRUE(std::holds_alternative<ReflectorCore::ListPage>(step)) << refusal.message;
  }
}

TEST_F(ReflectorCoreTest, AStreamThatBreaksIsTriedAgainFromTheStartAndThenAsAListOnce) {
  ASSERT_TRUE(NextIsStreamingList());
  core_.OnFrame(Added("gone-since", "3"));
  core_.OnError(Of(ErrorKind::kTransient));
  ASSERT_TRUE(NextIsStreamingList());
  EXPECT_EQ(waits_, 1);
  core_.OnFrame(Added("b", "5"));
  core_.OnError(Of(ErrorKind::kTransient));
  ASSERT_TRUE(NextIsList());
  core_.OnPage(Page({Object("b", "5")}, "9"));
  EXPECT_THAT(Names(), ElementsAre("b")) << "what only the broken stream told is not kept";
  EXPECT_TRUE(NextWatchesFrom("9"));
  core_.OnError(Of(ErrorKind::kGone));
  EXPECT_TRUE(NextIsStreamingList()) << "one bad spell does not end streaming for good";
}

// --- the paged list ---

class ReflectorCoreListTest : public ReflectorCoreTest {
 protected:
  void SetUp() override {
    NextTarget();
    core_.OnError(Of(ErrorKind::kInvalid));
  }
};

TEST_F(ReflectorCoreListTest, ReadsAllPagesThenWatchesFromTheListsVersion) {
  EXPECT_THAT(NextTarget(), Not(HasSubstr("continue=")));
  core_.OnPage(Page({Object("a", "1"), Object("b", "2")}, "20", "next-1"));
  EXPECT_FALSE(core_.synced());
  EXPECT_THAT(NextTarget(), HasSubstr("continue=next-1"));
  core_.OnPage(Page({Object("c", "3")}, "20"));
  EXPECT_TRUE(core_.synced());
  EXPECT_THAT(Names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(sink_.retains, 1);
  EXPECT_TRUE(NextWatchesFrom("20"));
}

// F6: the continue token expires in the middle.
TEST_F(ReflectorCoreListTest, GoneInTheMiddleOfAPagedListStartsItAgain) {
  NextTarget();
  core_.OnPage(Page({Object("a", "1"), Object("b", "2")}, "20", "next-1"));
  NextTarget();
  core_.OnError(Of(ErrorKind::kGone));
  EXPECT_FALSE(core_.synced());
  const std::string again = NextTarget();
  EXPECT_EQ(waits_, 1);
  EXPECT_THAT(again, Not(HasSubstr("continue=")));
  core_.OnPage(Page({Object("b", "2")}, "30"));
  EXPECT_TRUE(core_.synced());
  EXPECT_THAT(Names(), ElementsAre("b")) << "a was deleted between the two lists";
}

TEST_F(ReflectorCoreListTest, ALostConnectionInTheMiddleAsksForTheSamePageAgain) {
  NextTarget();
  core_.OnPage(Page({Object("a", "1"), Object("b", "2")}, "20", "next-1"));
  NextTarget();
  core_.OnError(Of(ErrorKind::kTransient));
  EXPECT_THAT(NextTarget(), HasSubstr("continue=next-1"));
  core_.OnPage(Page({}, "20"));
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_F(ReflectorCoreListTest, NullItemsAreAnEmptyList) {
  NextTarget();
  core_.OnPage(kube::Json::parse(R"({"metadata":{"resourceVersion":"7"},"items":null})"));
  EXPECT_TRUE(core_.synced());
  EXPECT_TRUE(NextWatchesFrom("7"));
}

TEST_F(ReflectorCoreListTest, WhatIsNoListIsNeverTakenForAnEmptyOne) {
  for (const auto* answer : {"{}", "[]", "null", R"({"items":[]})", R"({"metadata":{},"items":[]})",
                             R"({"metadata":{"resourceVersion":"7"},"items":{}})",
                             R"({"metadata":{"resourceVersion":7},"items":[]})"}) {
    RecordingSink sink;
    ReflectorCore core(ConfigMapsOf(), sink);
    core.Next(0.5);
    core.OnError(Of(ErrorKind::kInvalid));
    core.Next(0.5);
    core.OnPage(kube::Json::parse(answer));
    EXPECT_FALSE(core.synced()) << answer;
    EXPECT_EQ(sink.retains, 0) << answer;
    EXPECT_TRUE(core.last_error()) << answer;
    EXPECT_TRUE(std::holds_alternative<ReflectorCore::Wait>(core.Next(0.5))) << "not hot: " << answer;
  }
}

TEST_F(ReflectorCoreListTest, AnItemWithoutANameStopsNothingElse) {
  NextTarget();
  core_.OnPage(Page({kube::Json::parse(R"({"metadata":null})"), kube::Json(5), Object("b", "2")}, "20"));
  EXPECT_TRUE(core_.synced());
  EXPECT_THAT(Names(), ElementsAre("b"));
}

// --- the watch ---

TEST_F(ReflectorCoreTest, KeysKeepTheirNamespace) {
  NextTarget();
  core_.OnFrame({WatchEventType::kAdded, Object("same", "1", "one")});
  core_.OnFrame({WatchEventType::kAdded, Object("same", "2", "two")});
  core_.OnFrame(Bookmark("10", true));
  core_.OnFrame({WatchEventType::kDeleted, Object("same", "11", "one")});
  ASSERT_EQ(sink_.objects.size(), 1U);
  EXPECT_EQ(sink_.objects.begin()->first, (kube::ObjectKey{"two", "same"}));
}

TEST_F(ReflectorCoreTest, BookmarksMoveTheVersion) {
  Sync();
  EXPECT_TRUE(core_.OnFrame(Bookmark("500")));
  core_.OnError(Of(ErrorKind::kTransient));
  EXPECT_TRUE(NextWatchesFrom("500"));
}

TEST_F(ReflectorCoreTest, UnknownEventTypesAreIgnored) {
  Sync();
  EXPECT_TRUE(core_.OnFrame({WatchEventType::kUnknown, Object("a", "77")}));
  EXPECT_EQ(sink_.objects.at({"team", "a"}), "3");
  core_.OnWatchEnd();
  EXPECT_TRUE(NextWatchesFrom("10"));
}

TEST_F(ReflectorCoreTest, FramesWithoutANameAreIgnoredAndDoNotMoveTheVersion) {
  Sync();
  for (const auto* object :
       {"null", "{}", R"({"metadata":{"resourceVersion":"99"}})", R"({"metadata":{"name":7}})"}) {
    EXPECT_TRUE(core_.OnFrame({WatchEventType::kAdded, kube::Json::parse(object)})) << object;
  }
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  core_.OnWatchEnd();
  EXPECT_TRUE(NextWatchesFrom("10"));
}

TEST_F(ReflectorCoreTest, AWatchThatEndsInGoodOrderResumesFromTheLastVersionAfterAShortPause) {
  Sync();
  core_.OnFrame(Modified("a", "14"));
  core_.OnWatchEnd();
  const Duration pause = NextWait();
  EXPECT_GE(pause, milliseconds(400));
  EXPECT_LE(pause, milliseconds(800));
  EXPECT_TRUE(NextWatchesFrom("14"));
  EXPECT_FALSE(core_.last_error());
}

TEST_F(ReflectorCoreTest, AServerThatEndsEachWatchAtOnceIsNotAskedInAHotLoop) {
  Sync();
  Duration total(0);
  for (int i = 0; i < 10; ++i) {
    core_.OnWatchEnd();
    total += NextWait(0.0);
    ASSERT_TRUE(NextWatchesFrom("10"));
  }
  EXPECT_GE(total, seconds(10));
}

// F6, in both shapes that a watch can bring it.
TEST_F(ReflectorCoreTest, GoneMeansANewListAndDeletionsAreSeen) {
  for (const bool as_event : {true, false}) {
    RecordingSink sink;
    ReflectorCore core(ConfigMapsOf(), sink);
    core.Next(0.5);
    core.OnFrame(Added("a", "3"));
    core.OnFrame(Added("b", "5"));
    core.OnFrame(Bookmark("10", true));
    if (as_event) {
      EXPECT_FALSE(core.OnFrame(ErrorFrame(410, "Expired", "too old resource version: 10 (99)")));
    } else {
      core.OnError(Of(ErrorKind::kGone));
    }
    EXPECT_TRUE(core.synced()) << "synced once is synced: the cache is still the best there is";
    EXPECT_TRUE(core.last_error());
    EXPECT_TRUE(std::holds_alternative<ReflectorCore::Wait>(core.Next(0.5)));
    const auto step = core.Next(0.5);
    ASSERT_TRUE(std::holds_alternative<ReflectorCore::StartWatch>(step));
    EXPECT_THAT(std::get<ReflectorCore::StartWatch>(step).request.target,
                HasSubstr("sendInitialEvents=true"));
    EXPECT_EQ(sink.objects.size(), 2U) << "nothing is dropped before the new list is complete";
    core.OnFrame(Added("b", "50"));
    core.OnFrame(Bookmark("99", true));
    ASSERT_EQ(sink.objects.size(), 1U);
    EXPECT_EQ(sink.objects.begin()->second, "50");
    EXPECT_FALSE(core.last_error());
  }
}

TEST_F(ReflectorCoreTest, ListsThatAreFollowedByGoneAgainAndAgainComeLessAndLessOften) {
  NextTarget();
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    core_.OnFrame(Bookmark("10", true));
    core_.OnFrame(ErrorFrame(410, "Expired"));
    waits.push_back(NextWait(0.5));
    ASSERT_TRUE(NextIsStreamingList());
  }
  EXPECT_LT(waits.front(), seconds(1));
  EXPECT_GE(waits.back(), seconds(15));
  EXPECT_LE(waits.back(), seconds(30));
}

TEST_F(ReflectorCoreTest, AVersionThatTheServerHasNotReachedMeansANewList) {
  Sync();
  core_.OnError({ErrorKind::kTransient, "Timeout: Too large resource version: 10, current: 4", std::nullopt});
  EXPECT_TRUE(NextIsStreamingList());
}

TEST_F(ReflectorCoreTest, AFrameThatDoesNotParseMeansANewList) {
  Sync();
  core_.OnError(Of(ErrorKind::kInvalid));
  EXPECT_TRUE(NextIsStreamingList());
}

struct StatusCase {
  int code;
  std::string reason;
  ErrorKind kind;
};

TEST_F(ReflectorCoreTest, TheStatusOfAnErrorEventBecomesAnError) {
  const std::vector<StatusCase> cases = {
      {410, "Expired", ErrorKind::kGone},
      {0, "Gone", ErrorKind::kGone},
      {429, "TooManyRequests", ErrorKind::kThrottled},
      {500, "InternalError", ErrorKind::kTransient},
      {504, "Timeout", ErrorKind::kTransient},
      {403, "Forbidden", ErrorKind::kForbidden},
      {401, "Unauthorized", ErrorKind::kUnauthorized},
      {404, "NotFound", ErrorKind::kNotFound},
      {422, "Invalid", ErrorKind::kInvalid},
      {0, "", ErrorKind::kTransient},
  };
  for (const StatusCase& c : cases) {
    RecordingSink sink;
    ReflectorCore core(ConfigMapsOf(), sink);
    core.Next(0.5);
    core.OnFrame(Bookmark("10", true));
    EXPECT_FALSE(core.OnFrame(ErrorFrame(c.code, c.reason, "the server's words")));
    ASSERT_TRUE(core.last_error()) << c.reason;
    EXPECT_EQ(core.last_error()->kind, c.kind) << c.code << c.reason;
    EXPECT_THAT(core.last_error()->message, HasSubstr("the server's words"));
  }
}

TEST_F(ReflectorCoreTest, AnErrorEventThatIsNoStatusEndsTheWatchAndNothingElse) {
  Sync();
  EXPECT_FALSE(core_.OnFrame({WatchEventType::kError, kube::Json("boom")}));
  EXPECT_TRUE(NextWatchesFrom("10"));
}

TEST_F(ReflectorCoreTest, RetryAfterOfAnErrorEventIsHonoured) {
  Sync();
  auto frame = ErrorFrame(429, "TooManyRequests");
  frame.object["details"] = {{"retryAfterSeconds", 42}};
  core_.OnFrame(frame);
  EXPECT_GE(NextWait(0.0), seconds(42));
}

// --- backing off ---

// F8. Garbage and none are the transport's to read: both arrive as "none".
TEST_F(ReflectorCoreTest, RetryAfterIsAFloorWithACapAndJitter) {
  struct Row {
    std::optional<seconds> asked;
    Duration least, most;
  };
  const std::vector<Row> rows = {
      {std::nullopt, milliseconds(400), milliseconds(800)},
      {seconds(0), milliseconds(400), milliseconds(800)},
      {seconds(-5), milliseconds(400), milliseconds(800)},
      {seconds(1), seconds(1), milliseconds(1200)},
      {seconds(3600), minutes(5), minutes(6)},
      {seconds(std::numeric_limits<std::int64_t>::max()), minutes(5), minutes(6)},
  };
  for (const Row& row : rows) {
    for (const double unit_random : {0.0, 0.5, 0.999}) {
      RecordingSink sink;
      ReflectorCore core(ConfigMapsOf(), sink);
      core.Next(0.5);
      core.OnFrame(Bookmark("10", true));
      core.OnError(Of(ErrorKind::kThrottled, row.asked));
      const auto step = core.Next(unit_random);
      ASSERT_TRUE(std::holds_alternative<ReflectorCore::Wait>(step));
      const Duration delay = std::get<ReflectorCore::Wait>(step).delay;
      EXPECT_GE(delay, row.least);
      EXPECT_LE(delay, row.most);
    }
  }
}

TEST_F(ReflectorCoreTest, JitterSpreadsThoseWhoWereThrottledTogether) {
  Sync();
  core_.OnError(Of(ErrorKind::kThrottled, seconds(100)));
  const Duration early = NextWait(0.0);
  core_.OnError(Of(ErrorKind::kThrottled, seconds(100)));
  EXPECT_GT(NextWait(0.9), early + seconds(10));
}

// F15: ten minutes without an API server, back within 30 s.
TEST_F(ReflectorCoreTest, FailuresBackOffToTheCapAndNeverBeyond) {
  Sync();
  Duration last(0);
  for (int i = 0; i < 40; ++i) {
    core_.OnError(Of(ErrorKind::kTransient));
    last = NextWait(0.999);
    EXPECT_LE(last, seconds(30));
    EXPECT_GE(last, milliseconds(400));
    ASSERT_TRUE(NextWatchesFrom("10"));
  }
  EXPECT_GE(last, seconds(25));
}

TEST_F(ReflectorCoreTest, ProgressStartsTheBackoffAgain) {
  Sync();
  for (int i = 0; i < 10; ++i) {
    core_.OnError(Of(ErrorKind::kTransient));
    NextTarget();
  }
  EXPECT_TRUE(core_.last_error());
  core_.OnFrame(Modified("a", "11"));
  EXPECT_FALSE(core_.last_error());
  core_.OnError(Of(ErrorKind::kTransient));
  EXPECT_LE(NextWait(0.999), milliseconds(800));
}

// F18, F19: a missing right, a CRD that was removed. Seen by last_error, waited for at the long end,
// recovered.
TEST_F(ReflectorCoreTest, ForbiddenAndNotFoundWaitLongAreVisibleAndRecover) {
  for (const ErrorKind kind : {ErrorKind::kForbidden, ErrorKind::kNotFound}) {
    RecordingSink sink;
    ReflectorCore core(ConfigMapsOf(), sink);
    for (int i = 0; i < 5; ++i) {
      core.Next(0.5);
      core.OnError({kind, "configmaps is forbidden: missing verb watch", std::nullopt});
      ASSERT_TRUE(core.last_error());
      EXPECT_EQ(core.last_error()->kind, kind);
      EXPECT_FALSE(core.synced());
      const auto step = core.Next(0.0);
      ASSERT_TRUE(std::holds_alternative<ReflectorCore::Wait>(step));
      EXPECT_GE(std::get<ReflectorCore::Wait>(step).delay, seconds(15)) << "from the first time on";
      EXPECT_LE(std::get<ReflectorCore::Wait>(step).delay, seconds(30));
    }
    core.Next(0.5);
    core.OnFrame(Added("a", "3"));
    core.OnFrame(Bookmark("10", true));
    EXPECT_TRUE(core.synced());
    EXPECT_FALSE(core.last_error());
  }
}

TEST_F(ReflectorCoreTest, ACrdThatIsRemovedAndInstalledAgainIsListedAnew) {
  Sync();
  core_.OnError(Of(ErrorKind::kNotFound));
  ASSERT_TRUE(NextIsStreamingList());
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  core_.OnFrame(Bookmark("90", true));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ReflectorCoreTest, BeingAskedToStopIsNoFailure) {
  Sync();
  core_.OnError(Of(ErrorKind::kCancelled));
  EXPECT_FALSE(core_.last_error());
  EXPECT_TRUE(NextWatchesFrom("10"));
  EXPECT_EQ(waits_, 0);
}

}  // namespace
}  // namespace slipway::runtime
