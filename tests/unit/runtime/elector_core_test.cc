// The election as tables: who may take a lease, when, and when a leader no longer is one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/elector.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
BootTime At(int second) { return BootTime(seconds(second)); }

ElectorOptions OptionsOf(const std::string& identity) {
  return {.lease = {"slipway-system", "slipway-operator"}, .identity = identity};
}

Json Lease(const std::string& holder, int version, const Json& duration = 15,
           const std::string& renewed = "r") {
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata",
           {{"name", "slipway-operator"},
            {"namespace", "slipway-system"},
            {"resourceVersion", std::to_string(version)},
            {"managedFields", Json::array({1})}}},
          {"spec",
           {{"holderIdentity", holder},
            {"leaseDurationSeconds", duration},
            {"acquireTime", "2026-11-21T06:00:00.000000Z"},
            {"renewTime", renewed},
            {"leaseTransitions", 3}}}};
}

Result<Json> Failure(ErrorKind kind, std::optional<seconds> retry_after = std::nullopt) {
  return std::unexpected(Error{kind, "why", retry_after});
}

class ElectorCoreTest : public ::testing::Test {
 protected:
  ElectorCore::Step Next(BootTime boot) { return core_.Next(kNow, boot, 0.5); }
  bool NextReads(BootTime boot) { return std::holds_alternative<ElectorCore::Read>(Next(boot)); }
  std::optional<Duration> NextWaits(BootTime boot) {
    const auto step = Next(boot);
    const auto* wait = std::get_if<ElectorCore::Wait>(&step);
    return wait == nullptr ? std::nullopt : std::optional(wait->delay);
  }
  std::optional<ElectorCore::Write> NextWrites(BootTime boot) {
    auto step = Next(boot);
    auto* write = std::get_if<ElectorCore::Write>(&step);
    return write == nullptr ? std::nullopt : std::optional(std::move(*write));
  }
  // What the server answers to a write: the same with a new version.
  static Json Stored(Json lease, int version) {
    lease["metadata"]["resourceVersion"] = std::to_string(version);
    return lease;
  }
  // Creates the lease and leads from `boot`.
  void Win(BootTime boot) {
    ASSERT_TRUE(NextReads(boot));
    core_.OnRead(Failure(ErrorKind::kNotFound), boot);
    const auto write = NextWrites(boot);
    ASSERT_TRUE(write);
    core_.OnWritten(Stored(write->lease, 1), boot, boot);
    ASSERT_TRUE(core_.Leading(boot));
  }

  ElectorCore core_{OptionsOf("me")};
};

TEST_F(ElectorCoreTest, CreatesALeaseThatIsNotThereAndLeads) {
  EXPECT_FALSE(core_.Leading(At(0)));
  ASSERT_TRUE(NextReads(At(0)));
  core_.OnRead(Failure(ErrorKind::kNotFound), At(0));
  const auto write = NextWrites(At(0));
  ASSERT_TRUE(write);
  EXPECT_TRUE(write->create);
  EXPECT_EQ(write->lease["metadata"]["name"], "slipway-operator");
  EXPECT_EQ(write->lease["metadata"]["namespace"], "slipway-system");
  const Json& spec = write->lease["spec"];
  EXPECT_EQ(spec["holderIdentity"], "me");
  EXPECT_EQ(spec["leaseDurationSeconds"], 15);
  EXPECT_EQ(spec["leaseTransitions"], 0);
  EXPECT_EQ(spec["acquireTime"], FormatMicroTime(kNow));
  EXPECT_EQ(spec["renewTime"], FormatMicroTime(kNow));
  EXPECT_FALSE(core_.Leading(At(0))) << "not before the server has said yes";
  core_.OnWritten(Stored(write->lease, 1), At(0), At(1));
  EXPECT_TRUE(core_.Leading(At(1)));
  EXPECT_EQ(core_.holder(), "me");
}

TEST_F(ElectorCoreTest, RenewsEachPeriodWithoutReadingAgain) {
  Win(At(0));
  const auto wait = NextWaits(At(0));
  ASSERT_TRUE(wait);
  EXPECT_GE(*wait, seconds(2));
  EXPECT_LE(*wait, milliseconds(2400));
  const auto write = core_.Next(kNow + seconds(2), At(2), 0.5);
  ASSERT_TRUE(std::holds_alternative<ElectorCore::Write>(write));
  const auto& renewal = std::get<ElectorCore::Write>(write);
  EXPECT_FALSE(renewal.create);
  EXPECT_EQ(renewal.lease["metadata"]["resourceVersion"], "1") << "guarded by the version we know";
  EXPECT_EQ(renewal.lease["spec"]["acquireTime"], FormatMicroTime(kNow));
  EXPECT_EQ(renewal.lease["spec"]["renewTime"], FormatMicroTime(kNow + seconds(2)));
}

TEST_F(ElectorCoreTest, TheDeadlineCountsFromWhenTheRenewalWasSent) {
  Win(At(0));
  NextWaits(At(0));
  const auto write = NextWrites(At(2));
  ASSERT_TRUE(write);
  core_.OnWritten(Stored(write->lease, 2), At(2), At(6));
  EXPECT_EQ(core_.LeadLeft(At(6)), seconds(6));
  EXPECT_TRUE(core_.Leading(At(11)));
  EXPECT_FALSE(core_.Leading(At(12)));
}

// F16: stopped for a minute, or no API server: our own clock decides, whatever anybody says.
TEST_F(ElectorCoreTest, StepsDownByItsOwnClockWhenItCouldNotRenew) {
  Win(At(0));
  for (int second = 2; second < 10; second += 2) {
    while (NextWaits(At(second))) {
    }
    core_.OnWritten(Failure(ErrorKind::kTransient), At(second), At(second));
    EXPECT_TRUE(core_.Leading(At(second)));
  }
  EXPECT_FALSE(core_.Leading(At(10)));
  EXPECT_FALSE(core_.Leading(At(60)));
}

TEST_F(ElectorCoreTest, AWallClockThatJumpsAnHourChangesNothing) {
  Win(At(0));
  NextWaits(At(0));
  for (const auto jump : {std::chrono::hours(-1), std::chrono::hours(1)}) {
    const auto step = core_.Next(kNow + jump, At(2), 0.5);
    EXPECT_TRUE(std::holds_alternative<ElectorCore::Write>(step));
    EXPECT_TRUE(core_.Leading(At(2)));
    EXPECT_FALSE(core_.Leading(At(10)));
  }
}

TEST_F(ElectorCoreTest, AFollowerTakesOverOnlyAfterTheLeaseWasStillForItsWholeDuration) {
  core_.OnRead(Lease("other", 1), At(0));
  EXPECT_FALSE(NextWrites(At(14)));
  core_.OnRead(Lease("other", 1), At(14));
  EXPECT_FALSE(NextWrites(At(14)));
  core_.OnRead(Lease("other", 1), At(15));
  const auto write = NextWrites(At(15));
  ASSERT_TRUE(write);
  EXPECT_FALSE(write->create);
  EXPECT_EQ(write->lease["metadata"]["resourceVersion"], "1");
  EXPECT_FALSE(write->lease["metadata"].contains("managedFields"));
  EXPECT_EQ(write->lease["spec"]["holderIdentity"], "me");
  EXPECT_EQ(write->lease["spec"]["leaseTransitions"], 4);
  EXPECT_EQ(write->lease["spec"]["acquireTime"], FormatMicroTime(kNow));
}

TEST_F(ElectorCoreTest, AFollowerReadsAgainBeforeItTakesOver) {
  core_.OnRead(Lease("other", 1), At(0));
  ASSERT_TRUE(NextWaits(At(0)));
  EXPECT_TRUE(NextReads(At(100))) << "what it knows is old: the holder may be alive";
}

TEST_F(ElectorCoreTest, EachChangeOfTheRecordIsASignOfLife) {
  core_.OnRead(Lease("other", 1, 15, "r1"), At(0));
  core_.OnRead(Lease("other", 2, 15, "r2"), At(14));
  core_.OnRead(Lease("other", 2, 15, "r2"), At(28));
  EXPECT_FALSE(NextWrites(At(28)));
  core_.OnRead(Lease("other", 2, 15, "r2"), At(29));
  EXPECT_TRUE(NextWrites(At(29)));
}

TEST_F(ElectorCoreTest, TheTimesWrittenInTheLeaseAreNotBelieved) {
  core_.OnRead(Lease("other", 1, 15, "1999-01-01T00:00:00.000000Z"), At(0));
  EXPECT_FALSE(NextWrites(At(0))) << "an old renewTime is another clock, not an old lease";
}

// F17: absurd durations.
TEST_F(ElectorCoreTest, AbsurdDurationsAreClamped) {
  struct Row {
    Json written;
    int free_after;
  };
  const std::vector<Row> rows = {{0, 15},
                                 {-7, 15},
                                 {1, 15},
                                 {15, 15},
                                 {40, 40},
                                 {315360000, 60},
                                 {60, 60},
                                 {Json(), 15},
                                 {"x", 15},
                                 {1.5, 15},
                                 {std::numeric_limits<std::int64_t>::max(), 60}};
  for (const Row& row : rows) {
    ElectorCore core(OptionsOf("me"));
    core.OnRead(Lease("other", 1, row.written), At(0));
    core.OnRead(Lease("other", 1, row.written), At(row.free_after - 1));
    EXPECT_FALSE(std::holds_alternative<ElectorCore::Write>(core.Next(kNow, At(row.free_after - 1), 0.5)))
        << row.written;
    core.OnRead(Lease("other", 1, row.written), At(row.free_after));
    EXPECT_TRUE(std::holds_alternative<ElectorCore::Write>(core.Next(kNow, At(row.free_after), 0.5)))
        << row.written;
  }
}

TEST_F(ElectorCoreTest, AbsurdTransitionsStartAgain) {
  for (const Json& count : {Json(2147483647), Json(-1), Json("x"), Json()}) {
    ElectorCore core(OptionsOf("me"));
    Json lease = Lease("other", 1);
    lease["spec"]["leaseTransitions"] = count;
    core.OnRead(lease, At(0));
    core.OnRead(lease, At(15));
    const auto step = core.Next(kNow, At(15), 0.5);
    ASSERT_TRUE(std::holds_alternative<ElectorCore::Write>(step));
    EXPECT_EQ(std::get<ElectorCore::Write>(step).lease["spec"]["leaseTransitions"], 1) << count;
  }
}

TEST_F(ElectorCoreTest, AReleasedLeaseIsTakenAtOnce) {
  core_.OnRead(Lease("other", 1), At(0));
  core_.OnRead(Lease("", 2, 1), At(3));
  EXPECT_TRUE(NextWrites(At(3)));
}

TEST_F(ElectorCoreTest, AnEmptyLeaseThatNobodyEverHeldIsTakenAtOnce) {
  Json lease = Lease("", 1);
  lease.erase("spec");
  core_.OnRead(lease, At(0));
  const auto write = NextWrites(At(0));
  ASSERT_TRUE(write);
  EXPECT_FALSE(write->create);
}

// F17: a person meddles. The last holder needs time to notice.
TEST_F(ElectorCoreTest, ALeaseThatWasEmptiedOrDeletedOrGivenAwayByHandIsLeftForItsHolderToNotice) {
  struct Row {
    const char* what;
    Result<Json> after;
  };
  const std::vector<Row> rows = {{"emptied", Lease("", 2)},
                                 {"deleted", Failure(ErrorKind::kNotFound)},
                                 {"given to somebody", Lease("bob", 2)},
                                 {"given to us", Lease("me", 2)}};
  for (const Row& row : rows) {
    ElectorCore core(OptionsOf("me"));
    core.OnRead(Lease("other", 1), At(0));
    core.OnRead(row.after, At(14));
    EXPECT_FALSE(std::holds_alternative<ElectorCore::Write>(core.Next(kNow, At(14), 0.5))) << row.what;
    core.OnRead(row.after, At(21));
    core.OnRead(row.after, At(28));
    EXPECT_FALSE(std::holds_alternative<ElectorCore::Write>(core.Next(kNow, At(28), 0.5))) << row.what;
    core.OnRead(row.after, At(29));
    EXPECT_TRUE(std::holds_alternative<ElectorCore::Write>(core.Next(kNow, At(29), 0.5))) << row.what;
  }
}

TEST_F(ElectorCoreTest, AnAbsenceThatWasNotWatchedThroughoutCountsAnew) {
  core_.OnRead(Failure(ErrorKind::kNotFound), At(0));
  ASSERT_TRUE(NextWrites(At(0)));
  core_.OnWritten(Failure(ErrorKind::kTransient), At(0), At(5));
  core_.OnRead(Failure(ErrorKind::kNotFound), At(60));
  EXPECT_FALSE(NextWrites(At(60))) << "somebody may have led in between, and not know yet";
  core_.OnRead(Failure(ErrorKind::kNotFound), At(67));
  core_.OnRead(Failure(ErrorKind::kNotFound), At(75));
  EXPECT_TRUE(NextWrites(At(75)));
}

TEST_F(ElectorCoreTest, TheLeaderMakesADeletedLeaseAgainAtOnce) {
  Win(At(0));
  NextWaits(At(0));
  ASSERT_TRUE(NextWrites(At(2)));
  core_.OnWritten(Failure(ErrorKind::kNotFound), At(2), At(2));
  const auto wait = NextWaits(At(2));
  ASSERT_TRUE(wait);
  EXPECT_LT(*wait, milliseconds(300));
  ASSERT_TRUE(NextReads(At(2)));
  core_.OnRead(Failure(ErrorKind::kNotFound), At(2));
  EXPECT_TRUE(core_.Leading(At(2)));
  const auto write = NextWrites(At(2));
  ASSERT_TRUE(write);
  EXPECT_TRUE(write->create);
  EXPECT_FALSE(write->lease["metadata"].contains("resourceVersion"));
}

TEST_F(ElectorCoreTest, ALeaderThatSeesAnotherHolderStepsDownAtOnce) {
  Win(At(0));
  NextWaits(At(0));
  ASSERT_TRUE(NextWrites(At(2)));
  core_.OnWritten(Failure(ErrorKind::kConflict), At(2), At(2));
  NextWaits(At(2));
  ASSERT_TRUE(NextReads(At(2)));
  core_.OnRead(Lease("other", 9), At(2));
  EXPECT_FALSE(core_.Leading(At(2)));
  EXPECT_EQ(core_.holder(), "other");
  EXPECT_FALSE(core_.Release(kNow));
}

TEST_F(ElectorCoreTest, ALeaderWhoseLeaseWasEditedButStillNamesItRenews) {
  Win(At(0));
  NextWaits(At(0));
  ASSERT_TRUE(NextWrites(At(2)));
  core_.OnWritten(Failure(ErrorKind::kConflict), At(2), At(2));
  NextWaits(At(2));
  core_.OnRead(Lease("me", 9, 0), At(2));
  EXPECT_TRUE(core_.Leading(At(2)));
  const auto write = NextWrites(At(2));
  ASSERT_TRUE(write);
  EXPECT_EQ(write->lease["spec"]["leaseDurationSeconds"], 15);
  EXPECT_EQ(write->lease["metadata"]["resourceVersion"], "9");
}

TEST_F(ElectorCoreTest, AWriteWhoseAnswerWasLostIsRecognised) {
  core_.OnRead(Failure(ErrorKind::kNotFound), At(0));
  const auto write = NextWrites(At(0));
  ASSERT_TRUE(write);
  core_.OnWritten(Failure(ErrorKind::kTransient), At(0), At(1));
  EXPECT_FALSE(core_.Leading(At(1)));
  ASSERT_TRUE(NextWaits(At(1)));
  ASSERT_TRUE(NextReads(At(3)));
  core_.OnRead(Stored(write->lease, 1), At(3));
  const auto again = NextWrites(At(3));
  ASSERT_TRUE(again) << "our own record needs no waiting";
  EXPECT_EQ(again->lease["spec"]["leaseTransitions"], 0) << "and is no change of holder";
}

TEST_F(ElectorCoreTest, LosingTheRaceForALeaseMeansReadingWhoWon) {
  core_.OnRead(Failure(ErrorKind::kNotFound), At(0));
  ASSERT_TRUE(NextWrites(At(0)));
  core_.OnWritten(Failure(ErrorKind::kAlreadyExists), At(0), At(0));
  EXPECT_FALSE(core_.Leading(At(0)));
  ASSERT_TRUE(NextWaits(At(0)));
  EXPECT_TRUE(NextReads(At(0)));
}

// F8: a throttled leader still renews; a follower waits, within bounds.
TEST_F(ElectorCoreTest, RetryAfterHoldsBackAFollowerAndNeverALeader) {
  core_.OnRead(Failure(ErrorKind::kThrottled, seconds(3600)), At(0));
  EXPECT_EQ(NextWaits(At(0)), seconds(60));
  ElectorCore leader(OptionsOf("me"));
  leader.OnRead(Failure(ErrorKind::kNotFound), At(0));
  auto step = leader.Next(kNow, At(0), 0.5);
  leader.OnWritten(Stored(std::get<ElectorCore::Write>(step).lease, 1), At(0), At(0));
  leader.Next(kNow, At(0), 0.5);
  leader.OnWritten(Failure(ErrorKind::kThrottled, seconds(3600)), At(2), At(2));
  step = leader.Next(kNow, At(2), 0.5);
  ASSERT_TRUE(std::holds_alternative<ElectorCore::Wait>(step));
  EXPECT_LE(std::get<ElectorCore::Wait>(step).delay, milliseconds(2400));
}

TEST_F(ElectorCoreTest, FailedReadsAreNeverHot) {
  for (const ErrorKind kind : {ErrorKind::kTransient, ErrorKind::kForbidden, ErrorKind::kUnauthorized,
                               ErrorKind::kInvalid, ErrorKind::kThrottled}) {
    ElectorCore core(OptionsOf("me"));
    core.OnRead(Failure(kind), At(0));
    const auto step = core.Next(kNow, At(0), 0.0);
    ASSERT_TRUE(std::holds_alternative<ElectorCore::Wait>(step)) << ToString(kind);
    EXPECT_GE(std::get<ElectorCore::Wait>(step).delay, seconds(2)) << ToString(kind);
  }
}

TEST_F(ElectorCoreTest, ReleasingEmptiesTheHolderAndShortensTheLease) {
  EXPECT_FALSE(core_.Release(kNow)) << "nothing to let go";
  Win(At(0));
  const auto lease = core_.Release(kNow + seconds(5));
  ASSERT_TRUE(lease);
  EXPECT_EQ((*lease)["spec"]["holderIdentity"], "");
  EXPECT_EQ((*lease)["spec"]["leaseDurationSeconds"], 1);
  EXPECT_EQ((*lease)["metadata"]["resourceVersion"], "1");
  EXPECT_EQ((*lease)["spec"]["leaseTransitions"], 0);
}

TEST_F(ElectorCoreTest, OddLeasesAreReadWithoutHarm) {
  for (const char* text :
       {"null", "[]", "7", "{}", R"({"spec":null})", R"({"spec":[]})",
        R"({"spec":{"holderIdentity":7,"leaseDurationSeconds":{}}})", R"({"metadata":5})"}) {
    ElectorCore core(OptionsOf("me"));
    core.OnRead(Json::parse(text), At(0));
    core.Next(kNow, At(0), 0.5);
    EXPECT_FALSE(core.Leading(At(0))) << text;
  }
}

}  // namespace
}  // namespace slipway::runtime
