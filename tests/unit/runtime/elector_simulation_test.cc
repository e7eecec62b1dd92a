// Several electors on one simulated lease, in simulated time: requests and answers are late, lost, or carried
// out after their sender gave up; processes are stopped and started; people delete and edit the lease. At no
// moment do two lead, and when the trouble ends, one does.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "runtime/elector.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTick = milliseconds(100);
constexpr Duration kCallTimeout = seconds(5);
const TimePoint kEpoch{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

// A lease as the API server keeps one: a version that every write checks.
class LeaseServer {
 public:
  Result<Json> Get() const {
    if (!lease_) return Fail(ErrorKind::kNotFound, "gone");
    return *lease_;
  }
  Result<Json> Write(const ElectorCore::Write& write, BootTime now) {
    if (write.create) {
      if (lease_) return Fail(ErrorKind::kAlreadyExists, "there");
      created_ = now;
    } else {
      if (!lease_) return Fail(ErrorKind::kNotFound, "gone");
      if ((*lease_)["metadata"]["resourceVersion"] != write.lease["metadata"]["resourceVersion"]) {
        return Fail(ErrorKind::kConflict, "moved on");
      }
    }
    return Store(write.lease);
  }
  // A person takes ten seconds at least: a lease that came and went between two looks can't be told from one
  // that never was.
  void Delete(BootTime now) {
    if (now - created_ >= seconds(10)) lease_.reset();
  }
  void Edit(const char* field, const Json& value) {
    if (!lease_) return;
    Json edited = *lease_;
    edited["spec"][field] = value;
    static_cast<void>(Store(std::move(edited)));
  }

 private:
  Result<Json> Store(Json lease) {
    lease["metadata"]["resourceVersion"] = std::to_string(++version_);
    lease_ = lease;
    return lease;
  }
  std::optional<Json> lease_;
  BootTime created_{};
  int version_ = 0;
};

// One process.
struct Process {
  explicit Process(const std::string& identity) : core(OptionsOf(identity)) {}

  static ElectorOptions OptionsOf(const std::string& identity) {
    return {.lease = {"s", "l"}, .identity = identity};
  }

  struct Flight {
    std::optional<ElectorCore::Write> write;  // nullopt: a read
    BootTime sent, arrives, answered;
    bool lost = false;  // its answer never comes
    std::optional<Result<Json>> answer;
  };

  ElectorCore core;
  BootTime wake{};
  BootTime stopped_until{};
  std::optional<Flight> flight;
};

class World {
 public:
  World(std::uint32_t seed, int processes) : random_(seed) {
    for (int i = 0; i < processes; ++i) processes_.emplace_back("p" + std::to_string(i));
  }

  void Run(Duration length, bool trouble) {
    for (const BootTime end = now_ + length; now_ < end; now_ += kTick) {
      if (trouble) Meddle();
      for (Process& process : processes_) Advance(process, trouble);
      Deliver();
      RC_ASSERT(Leaders() <= 1);
    }
  }
  int Leaders() const {
    int leaders = 0;
    for (const Process& process : processes_) leaders += process.core.Leading(now_) ? 1 : 0;
    return leaders;
  }

 private:
  int Roll(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  Duration Delay(bool trouble) {
    const bool slow = trouble && Roll(10) == 0;
    return milliseconds(Roll(slow ? 12'000 : 300));
  }

  // Once everybody has read the lease: a process that never saw it can't know that it was deleted.
  void Meddle() {
    if (now_ < BootTime(seconds(20))) return;
    switch (Roll(2500)) {
      case 0:
        return server_.Delete(now_);
      case 1:
        return server_.Edit("leaseDurationSeconds", Roll(2) == 0 ? -5 : 315'360'000);
      case 2:
        return server_.Edit("holderIdentity", "p" + std::to_string(Roll(3)));
      case 3:
        return server_.Edit("holderIdentity", "a person");
      case 4:
        return server_.Edit("holderIdentity", "");
      case 5:
        processes_[static_cast<std::size_t>(Roll(static_cast<int>(processes_.size())))].stopped_until =
            now_ + seconds(Roll(70));
        return;
      default:
        return;
    }
  }

  void Advance(Process& process, bool trouble) {
    if (now_ < process.stopped_until) return;
    if (process.flight) return Answer(process);
    if (now_ < process.wake) return;
    const TimePoint wall = kEpoch + now_.time_since_epoch() + std::chrono::hours(Roll(3) - 1);
    auto step = process.core.Next(wall, now_, Roll(1000) / 1000.0);
    if (const auto* wait = std::get_if<ElectorCore::Wait>(&step)) {
      process.wake = now_ + wait->delay;
      return;
    }
    Process::Flight flight;
    if (auto* write = std::get_if<ElectorCore::Write>(&step)) flight.write = std::move(*write);
    flight.sent = now_;
    flight.arrives = now_ + Delay(trouble);
    flight.answered = flight.arrives + Delay(trouble);
    flight.lost = trouble && Roll(15) == 0;
    process.flight = std::move(flight);
  }

  // The sender gives up in time; what it sent goes on its way all the same.
  void Answer(Process& process) {
    Process::Flight& flight = *process.flight;
    const bool timed_out = now_ - flight.sent >= kCallTimeout;
    const bool answered = flight.answer && !flight.lost && now_ >= flight.answered;
    if (!answered && !timed_out) return;
    const Result<Json> result =
        answered ? *flight.answer : Result<Json>(Fail(ErrorKind::kTransient, "timeout"));
    if (flight.write) {
      process.core.OnWritten(result, flight.sent, now_);
    } else {
      process.core.OnRead(result, now_);
    }
    if (!flight.answer && flight.write) late_.push_back(flight);
    process.flight.reset();
  }

  void Deliver() {
    for (Process& process : processes_) {
      if (!process.flight || process.flight->answer || now_ < process.flight->arrives) continue;
      process.flight->answer =
          process.flight->write ? server_.Write(*process.flight->write, now_) : server_.Get();
    }
    std::erase_if(late_, [this](const Process::Flight& flight) {
      if (now_ < flight.arrives) return false;
      static_cast<void>(server_.Write(*flight.write, now_));
      return true;
    });
  }

  std::mt19937 random_;
  BootTime now_{};
  LeaseServer server_;
  std::vector<Process> processes_;
  std::vector<Process::Flight> late_;
};

RC_GTEST_PROP(ElectorSimulationTest, NeverTwoLeadersAndOneWhenTheTroubleEnds, (std::uint32_t seed)) {
  World world(seed, 3);
  world.Run(seconds(400), true);
  world.Run(seconds(150), false);
  RC_ASSERT(world.Leaders() == 1);
}

TEST(ElectorSimulationTest, WithoutTroubleTheFirstLeaderStays) {
  World world(7, 3);
  world.Run(seconds(5), false);
  EXPECT_EQ(world.Leaders(), 1);
  world.Run(seconds(60), false);
  EXPECT_EQ(world.Leaders(), 1);
}

// A release hands over within one period of the follower.
TEST(ElectorSimulationTest, AHandoverTakesNoLongerThanAPeriod) {
  LeaseServer server;
  ElectorCore leaving(Process::OptionsOf("leaving"));
  ElectorCore waiting(Process::OptionsOf("waiting"));
  BootTime now{};
  const auto drive = [&](ElectorCore& core) -> Duration {
    for (int i = 0; i < 10; ++i) {
      auto step = core.Next(kEpoch, now, 0.5);
      if (const auto* wait = std::get_if<ElectorCore::Wait>(&step)) return wait->delay;
      if (const auto* write = std::get_if<ElectorCore::Write>(&step)) {
        core.OnWritten(server.Write(*write, now), now, now);
      } else {
        core.OnRead(server.Get(), now);
      }
    }
    return Duration(0);
  };
  drive(leaving);
  ASSERT_TRUE(leaving.Leading(now));
  const Duration period = drive(waiting);
  ASSERT_FALSE(waiting.Leading(now));
  const auto released = leaving.Release(kEpoch);
  ASSERT_TRUE(released);
  ASSERT_TRUE(server.Write({*released, false}, now));
  now += period;
  drive(waiting);
  EXPECT_TRUE(waiting.Leading(now));
  EXPECT_LE(period, milliseconds(2400));
}

}  // namespace
}  // namespace slipway::runtime
