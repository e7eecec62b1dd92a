// One entry of the history: which Decisions it keeps, and how long its details.
#include "release/delivery.h"

#include <gtest/gtest.h>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::DecisionRecord;
using resources::Verb;

DecisionRecord Made(int second, Verb verb = Verb::kApprove, const std::string& refused = "") {
  DecisionRecord record;
  record.name = std::to_string(second);
  record.uid = {record.name + "-uid"};
  record.verb = verb;
  record.time = kNow + std::chrono::seconds(second);
  record.refused = refused;
  return record;
}

std::string NamesOf(const std::vector<DecisionRecord>& records) {
  std::string names;
  for (const auto& record : records) names += (names.empty() ? "" : " ") + record.name;
  return names;
}

TEST(Note, PutsRecordsInTheOrderOfTheirTimes) {
  std::vector<DecisionRecord> records;
  for (const int second : {5, 1, 9, 3}) Note(records, Made(second));
  EXPECT_EQ(NamesOf(records), "1 3 5 9");
}

TEST(Note, ReplacesTheRecordOfTheSameDecision) {
  std::vector<DecisionRecord> records{Made(1), Made(2)};
  Note(records, Made(1, Verb::kApprove, "too late"));
  EXPECT_EQ(NamesOf(records), "1 2");
  EXPECT_EQ(records[0].refused, "too late");
}

TEST(Note, OfADeliveryKeepsTenAndLosesTheRollbackLast) {
  Delivery delivery;
  Note(delivery, Made(1, Verb::kRollback));
  for (int second = 2; second <= 10; ++second) Note(delivery, Made(second));
  EXPECT_EQ(NamesOf(delivery.decisions), "1 2 3 4 5 6 7 8 9 10");
  Note(delivery, Made(11, Verb::kPause, "it is about another image"));
  EXPECT_EQ(NamesOf(delivery.decisions), "1 2 3 4 5 6 7 8 9 10") << "first what was refused";
  Note(delivery, Made(12, Verb::kPause));
  EXPECT_EQ(NamesOf(delivery.decisions), "1 3 4 5 6 7 8 9 10 12") << "then the oldest";
}

TEST(Details, AreKeptOfTheNewestFive) {
  World world;
  for (int i = 0; i < 7; ++i) {
    auto& delivery = world.Ended("Promoted");
    delivery.steps.resize(1);
    delivery.checks.resize(1);
    delivery.message = "why";
  }
  world.Run('a');
  const auto history = world.Decide().status.history;
  ASSERT_EQ(history.size(), 7U);
  for (std::size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].steps.size(), i < 5 ? 1U : 0U) << i;
    EXPECT_EQ(history[i].checks.size(), i < 5 ? 1U : 0U) << i;
    EXPECT_EQ(history[i].message, "why") << i;
  }
}

}  // namespace
}  // namespace slipway::release
