// When the poller asks what.
#include "trigger/poll_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trigger/keys.h"
#include "trigger/lookup.h"

namespace slipway::trigger {
namespace {

using resources::ImageBuild;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const BootTime kStart{seconds(1000)};

Want WantOf(const std::string& url, Duration interval = minutes(5)) {
  return {{.target = url, .revision = "main"}, interval};
}

TEST(WantsOf, ByTrigger) {
  ImageBuild build;
  build.spec.source = {.url = "https://x/y", .revision = "main"};
  EXPECT_THAT(WantsOf(build), IsEmpty());
  build.spec.trigger.poll.emplace().interval = minutes(3);
  build.spec.source.credentials_secret_ref = {"git"};
  build.spec.ca_bundle_ref = {"ca"};
  EXPECT_THAT(
      WantsOf(build),
      ElementsAre(Want{{.target = "https://x/y", .revision = "main", .credentials = "git", .ca_bundle = "ca"},
                       minutes(3)}));
  build.spec.source.revision = std::string(40, 'a');
  EXPECT_THAT(WantsOf(build), IsEmpty());
  build.spec.source.revision.clear();
  build.spec.source.semver = ">=1";
  EXPECT_EQ(WantsOf(build).size(), 1U);
  build.spec.suspend = true;
  EXPECT_THAT(WantsOf(build), IsEmpty());
}

TEST(PollDelay, DoublesUpToAnHourAndVariesByATenth) {
  EXPECT_EQ(PollDelay(minutes(10), 0, 0.5), minutes(10));
  EXPECT_EQ(PollDelay(minutes(10), 0, 0.0), minutes(9));
  EXPECT_EQ(PollDelay(minutes(10), 1, 0.5), minutes(20));
  EXPECT_EQ(PollDelay(minutes(10), 2, 0.5), minutes(40));
  EXPECT_EQ(PollDelay(minutes(10), 3, 0.5), hours(1));
  EXPECT_EQ(PollDelay(minutes(10), 1'000'000, 0.5), hours(1));
  EXPECT_EQ(PollDelay(hours(24), 3, 0.5), hours(24));
}

TEST(PollCore, ANewOneIsDueAtOnceAndThenByItsInterval) {
  PollCore core(1);
  const std::vector<Want> wants{WantOf("a")};
  EXPECT_THAT(core.Next(wants, 4, kStart).start, ElementsAre(wants[0].lookup));
  EXPECT_THAT(core.Next(wants, 4, kStart).start, IsEmpty());  // under way
  core.Done(wants[0].lookup, true, kStart);
  const auto plan = core.Next(wants, 4, kStart);
  EXPECT_THAT(plan.start, IsEmpty());
  ASSERT_TRUE(plan.wake);
  EXPECT_GE(*plan.wake, kStart + seconds(270));
  EXPECT_LE(*plan.wake, kStart + seconds(330));
  EXPECT_THAT(core.Next(wants, 4, *plan.wake - seconds(1)).start, IsEmpty());
  EXPECT_EQ(core.Next(wants, 4, *plan.wake).start.size(), 1U);
}

TEST(PollCore, TheSameIsAskedOnceByTheShortestInterval) {
  PollCore core(1);
  const std::vector<Want> wants{WantOf("a", hours(1)), WantOf("a", minutes(1)), WantOf("a", hours(2))};
  EXPECT_EQ(core.Next(wants, 4, kStart).start.size(), 1U);
  core.Done(wants[0].lookup, true, kStart);
  EXPECT_LE(core.Next(wants, 4, kStart).wake.value(), kStart + seconds(66));
}

TEST(PollCore, AChangedSpecIsDueAtOnce) {
  PollCore core(1);
  core.Next({WantOf("a")}, 4, kStart);
  core.Done(WantOf("a").lookup, true, kStart);
  EXPECT_THAT(core.Next({WantOf("b")}, 4, kStart).start, ElementsAre(WantOf("b").lookup));
  EXPECT_EQ(core.size(), 1U);  // the old one is forgotten
  core.Done(WantOf("b").lookup, true, kStart);
  // A shorter interval counts from the last lookup.
  const auto plan = core.Next({WantOf("b", seconds(10))}, 4, kStart + seconds(60));
  EXPECT_EQ(plan.start.size(), 1U);
}

TEST(PollCore, NoMoreThanThereIsPlaceForAndAllInTheirTurn) {
  PollCore core(1);
  std::vector<Want> wants;
  for (int i = 0; i < 10; ++i) wants.push_back(WantOf(std::to_string(i), minutes(1)));
  std::set<std::string> asked;
  BootTime now = kStart;
  for (int round = 0; round < 5; ++round) {
    const auto plan = core.Next(wants, 2, now);
    ASSERT_EQ(plan.start.size(), 2U);
    EXPECT_THAT(core.Next(wants, 0, now).start, IsEmpty());
    now += seconds(30);  // slow: those that ran first are due again before the last were asked
    for (const auto& lookup : plan.start) {
      asked.insert(lookup.target);
      core.Done(lookup, true, now);
    }
  }
  EXPECT_EQ(asked.size(), 10U);
}

TEST(PollCore, FailuresBackOffUntilOneIsFound) {
  PollCore core(1);
  const std::vector<Want> wants{WantOf("a", minutes(1))};
  BootTime now = kStart;
  for (const auto wait : {seconds(120), seconds(240), seconds(480)}) {
    ASSERT_EQ(core.Next(wants, 4, now).start.size(), 1U);
    core.Done(wants[0].lookup, false, now);
    const BootTime next = core.Next(wants, 4, now).wake.value();
    EXPECT_GE(next - now, wait * 9 / 10);
    EXPECT_LE(next - now, wait * 11 / 10);
    now = next;
  }
  ASSERT_EQ(core.Next(wants, 4, now).start.size(), 1U);
  core.Done(wants[0].lookup, true, now);
  EXPECT_LE(core.Next(wants, 4, now).wake.value() - now, seconds(66));
}

TEST(PollCore, WhatGoesWhileItIsUnderWayIsForgottenAfterwards) {
  PollCore core(1);
  core.Next({WantOf("a")}, 4, kStart);
  core.Next({}, 4, kStart);
  EXPECT_EQ(core.size(), 1U);
  core.Done(WantOf("a").lookup, true, kStart);
  core.Next({}, 4, kStart);
  EXPECT_EQ(core.size(), 0U);
}

TEST(Lookup, WhatTheChildIsTold) {
  const LookupOptions options{.program = "p", .credentials_folder = "/c", .ca_folder = "/ca"};
  EXPECT_THAT(ResolveArguments({.target = "u", .revision = "main"}, options, "/r"),
              ElementsAre("p", "resolve", "--url=u", "--revision=main", "--report=/r"));
  EXPECT_THAT(ResolveArguments({.target = "u", .semver = ">=1 <2", .credentials = "git", .ca_bundle = "own"},
                               options, "/r"),
              ElementsAre("p", "resolve", "--url=u", "--semver=>=1 <2", "--report=/r", "--credentials=/c/git",
                          "--ca=/ca/own/ca.crt"));
  EXPECT_THAT(ResolveArguments({.target = "u", .revision = "x", .credentials = "../git"}, options, "/r"),
              ElementsAre("p", "resolve", "--url=u", "--revision=x", "--report=/r"));
}

TEST(Lookup, WhatTheReportSays) {
  const std::string sha(40, 'a');
  EXPECT_EQ(ReadResolveReport(R"({"sha":")" + sha + R"(","ref":"refs/heads/main"})"),
            (Found{sha, "refs/heads/main"}));
  EXPECT_EQ(ReadResolveReport(R"({"reason":"GitAuthFailed","message":"no"})").error().reason,
            "GitAuthFailed");
  for (const std::string report : {"", "{", "[]", "{}", R"({"sha":7})", R"({"sha":"main"})"}) {
    EXPECT_EQ(ReadResolveReport(report).error().reason, "PollFailed") << report;
  }
}

TEST(HookName, OnlyNamesOfObjects) {
  EXPECT_EQ(HookName("/hooks/app"), "app");
  EXPECT_EQ(HookName("/hooks/app.v1-x?token=1"), "app.v1-x");
  for (const std::string path : {"/hooks/", "/hooks/a/b", "/hooks/..", "/hooks/.a", "/hooks/A", "/hooks/a..b",
                                 "/hook/a", "/hooks/%2e%2e", "/hooks/..%2fa"}) {
    EXPECT_EQ(HookName(path), "") << path;
  }
}

}  // namespace
}  // namespace slipway::trigger
