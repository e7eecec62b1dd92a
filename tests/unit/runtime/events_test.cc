// Which events are worth writing, and what is written.
#include "runtime/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace slipway::runtime {
namespace {

using kube::Json;
using std::chrono::minutes;
using std::chrono::seconds;

BootTime At(Duration since) { return BootTime(since); }
const kube::Uid kObject{"uid-1"};

Event Note(const std::string& note) { return {EventType::kNormal, "Built", "Build", note}; }

TEST(EventFilterTest, AnEqualEventIsAdmittedAgainOnlyAfterTenMinutes) {
  EventFilter filter;
  EXPECT_TRUE(filter.Admit(kObject, Note("x"), At(minutes(0))));
  EXPECT_FALSE(filter.Admit(kObject, Note("x"), At(minutes(1))));
  EXPECT_FALSE(filter.Admit(kObject, Note("x"), At(minutes(10)) - Duration(1)));
  EXPECT_TRUE(filter.Admit(kObject, Note("x"), At(minutes(10))));
}

TEST(EventFilterTest, EachPartOfAnEventMakesItAnother) {
  EventFilter filter;
  const Event base = Note("x");
  EXPECT_TRUE(filter.Admit(kObject, base, At(seconds(0))));
  Event other = base;
  other.type = EventType::kWarning;
  EXPECT_TRUE(filter.Admit(kObject, other, At(seconds(0))));
  other = base;
  other.reason = "Failed";
  EXPECT_TRUE(filter.Admit(kObject, other, At(seconds(0))));
  other = base;
  other.action = "Scan";
  EXPECT_TRUE(filter.Admit(kObject, other, At(seconds(0))));
  EXPECT_TRUE(filter.Admit(kObject, Note("y"), At(seconds(0))));
  EXPECT_TRUE(filter.Admit({"uid-2"}, base, At(seconds(0))));
}

TEST(EventFilterTest, AnObjectHasABurstOf25AndThenOneEachFiveMinutes) {
  EventFilter filter;
  int admitted = 0;
  for (int i = 0; i < 100; ++i)
    admitted += filter.Admit(kObject, Note(std::to_string(i)), At(seconds(0))) ? 1 : 0;
  EXPECT_EQ(admitted, 25);
  EXPECT_TRUE(filter.Admit({"uid-2"}, Note("x"), At(seconds(0)))) << "others have a burst of their own";
  EXPECT_FALSE(filter.Admit(kObject, Note("a"), At(minutes(5)) - Duration(1)));
  EXPECT_TRUE(filter.Admit(kObject, Note("b"), At(minutes(5))));
  EXPECT_FALSE(filter.Admit(kObject, Note("c"), At(minutes(6))));
}

TEST(EventFilterTest, WhatGoesWellLeavesRoomToSayWhatGoesWrong) {
  EventFilter filter;
  for (int i = 0; i < 100; ++i) filter.Admit(kObject, Note(std::to_string(i)), At(seconds(0)));
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {
    const Event warning{EventType::kWarning, "Failed", "Build", std::to_string(i)};
    admitted += filter.Admit(kObject, warning, At(seconds(0))) ? 1 : 0;
  }
  EXPECT_EQ(admitted, 25);
  EXPECT_FALSE(filter.Admit(kObject, Note("x"), At(seconds(0))));
}

TEST(EventFilterTest, RepeatsCostNothing) {
  EventFilter filter;
  for (int i = 0; i < 100; ++i) filter.Admit(kObject, Note("same"), At(seconds(i)));
  for (int i = 0; i < 24; ++i) {
    EXPECT_TRUE(filter.Admit(kObject, Note(std::to_string(i)), At(seconds(100))));
  }
}

TEST(EventFilterTest, ObjectsThatAreQuietAreForgotten) {
  EventFilter filter;
  for (int i = 0; i < 1000; ++i) filter.Admit({"uid-" + std::to_string(i)}, Note("x"), At(seconds(0)));
  EXPECT_EQ(filter.size(), 1000U);
  filter.Admit(kObject, Note("x"), At(minutes(30)));
  EXPECT_EQ(filter.size(), 1U);
}

ObjectReference About(const std::string& name = "shop") {
  return {kube::kImageBuilds, {"team", name}, {"uid-1"}};
}

const TimePoint kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + std::chrono::hours(6)};

TEST(RenderEventTest, IsAnEventOfEventsV1) {
  const Json event =
      RenderEvent(About(), {EventType::kWarning, "ScanFailed", "Scan", "CVE-2026-1"}, "pod_1", kNow, 0);
  EXPECT_EQ(event["apiVersion"], "events.k8s.io/v1");
  EXPECT_EQ(event["kind"], "Event");
  EXPECT_EQ(event["metadata"]["namespace"], "team");
  EXPECT_THAT(event["metadata"]["name"].get<std::string>(), ::testing::MatchesRegex("shop\\.[0-9a-f]+"));
  EXPECT_EQ(event["eventTime"], "2026-11-21T06:00:00.000000Z");
  EXPECT_EQ(event["reportingController"], "slipway.dev/operator");
  EXPECT_EQ(event["reportingInstance"], "pod_1");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "ScanFailed");
  EXPECT_EQ(event["action"], "Scan");
  EXPECT_EQ(event["note"], "CVE-2026-1");
  const Json regarding = {{"apiVersion", "slipway.dev/v1alpha1"},
                          {"kind", "ImageBuild"},
                          {"namespace", "team"},
                          {"name", "shop"},
                          {"uid", "uid-1"}};
  EXPECT_EQ(event["regarding"], regarding);
}

TEST(RenderEventTest, NamesAreUniqueAndFitWhateverTheObjectIsCalled) {
  std::set<std::string> names;
  for (const std::size_t length : {1U, 63U, 235U, 236U, 237U, 253U}) {
    const std::string object(length, 'a');
    for (std::uint64_t serial = 0; serial < 3; ++serial) {
      const auto name =
          RenderEvent(About(object), Note("x"), "p", kNow, serial)["metadata"]["name"].get<std::string>();
      EXPECT_LE(name.size(), 253U);
      EXPECT_TRUE(names.insert(name).second) << name;
    }
  }
  std::string dotted(236, 'a');
  dotted[235] = '.';
  dotted += "bcd";
  const auto name =
      RenderEvent(About(dotted), Note("x"), "p", kNow, 0)["metadata"]["name"].get<std::string>();
  EXPECT_EQ(name.find(".."), std::string::npos) << "no empty label where the name was cut";
}

TEST(RenderEventTest, LongAndOddNotesFitAndStayText) {
  struct Row {
    std::string note;
    std::size_t most;
  };
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "\xc3\xa4";
  for (const Row& row : {Row{std::string(5000, 'x'), 1024}, Row{umlauts, 1024}, Row{"a\xff\xfe", 1024},
                         Row{std::string("a\0b", 3), 1024}, Row{"line\nforged", 1024}, Row{"", 0}}) {
    const Json event = RenderEvent(About(), Note(row.note), "p", kNow, 0);
    EXPECT_LE(event["note"].get<std::string>().size(), row.most);
    EXPECT_NO_THROW(event.dump()) << "valid UTF-8 throughout";
  }
  EXPECT_EQ(RenderEvent(About(), Note(umlauts), "p", kNow, 0)["note"].get<std::string>().size(), 1024U);
}

}  // namespace
}  // namespace slipway::runtime
