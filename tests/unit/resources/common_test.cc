#include "resources/common.h"

#include <gtest/gtest.h>

namespace slipway::resources {
namespace {

const TimePoint kThen{std::chrono::seconds(1000)};
const TimePoint kNow{std::chrono::seconds(2000)};

Condition Ready(ConditionStatus status, std::string message = "m") {
  return {"Ready", status, "Reason", std::move(message), {}, 1};
}

TEST(ConditionsTest, TheTransitionTimeMovesOnlyWithTheStatus) {
  Conditions conditions;
  Set(conditions, Ready(ConditionStatus::kTrue, "first"), kThen);
  EXPECT_EQ(Find(conditions, "Ready")->last_transition, kThen);
  Set(conditions, Ready(ConditionStatus::kTrue, "second"), kNow);
  EXPECT_EQ(Find(conditions, "Ready")->last_transition, kThen);
  EXPECT_EQ(Find(conditions, "Ready")->message, "second");
  Set(conditions, Ready(ConditionStatus::kFalse), kNow);
  EXPECT_EQ(Find(conditions, "Ready")->last_transition, kNow);
  EXPECT_EQ(conditions.size(), 1U);
}

TEST(ConditionsTest, WhatIsNotThereIsNotFound) { EXPECT_EQ(Find({}, "Ready"), nullptr); }

TEST(ConditionsTest, ALongMessageIsCutBetweenCharacters) {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string message(shift, 'x');
    while (message.size() < 3000) message += "日";
    Conditions conditions;
    Set(conditions, Ready(ConditionStatus::kTrue, message), kNow);
    const std::string& cut = conditions.front().message;
    EXPECT_LE(cut.size(), 1024U);
    EXPECT_GT(cut.size(), 1015U);
    EXPECT_TRUE(cut.ends_with("日…")) << shift;
  }
}

// sigs.k8s.io/cli-utils pkg/kstatus, checkGenericProperties: Reconciling, then Stalled, then Ready.
std::string Kstatus(const Conditions& conditions) {
  const auto is = [&](std::string_view type, ConditionStatus status) {
    const Condition* found = Find(conditions, type);
    return found != nullptr && found->status == status;
  };
  if (is("Reconciling", ConditionStatus::kTrue)) return "InProgress";
  if (is("Stalled", ConditionStatus::kTrue)) return "Failed";
  if (is("Ready", ConditionStatus::kTrue)) return "Current";
  return "InProgress";
}

struct ReadinessRow {
  Readiness state;
  ConditionStatus ready;
  bool reconciling;
  bool stalled;
  const char* kstatus;
};

const std::vector<ReadinessRow> kRows{
    {Readiness::kProgressing, ConditionStatus::kUnknown, true, false, "InProgress"},
    {Readiness::kReady, ConditionStatus::kTrue, false, false, "Current"},
    {Readiness::kFailed, ConditionStatus::kFalse, false, true, "Failed"},
    {Readiness::kWaiting, ConditionStatus::kFalse, true, false, "InProgress"},
    {Readiness::kSuspended, ConditionStatus::kUnknown, false, false, "InProgress"},
};

TEST(ReadinessTest, SaysWhatTheTableSaysComingFromAnyState) {
  for (const auto& before : kRows) {
    for (const auto& row : kRows) {
      Conditions conditions;
      SetReadiness(conditions, before.state, "Before", "b", 1, kThen);
      SetReadiness(conditions, row.state, "Why", "what to do", 7, kNow);
      EXPECT_EQ(Find(conditions, "Ready")->status, row.ready);
      EXPECT_EQ(Find(conditions, "Reconciling") != nullptr, row.reconciling);
      EXPECT_EQ(Find(conditions, "Stalled") != nullptr, row.stalled);
      EXPECT_EQ(Kstatus(conditions), row.kstatus);
      for (const Condition& condition : conditions) {
        EXPECT_EQ(condition.reason, "Why");
        EXPECT_EQ(condition.message, "what to do");
        EXPECT_EQ(condition.observed_generation, 7);
        if (condition.type != "Ready") EXPECT_EQ(condition.status, ConditionStatus::kTrue);
      }
    }
  }
}

TEST(ReadinessTest, LeavesOtherConditionsAlone) {
  Conditions conditions{{"Custom", ConditionStatus::kTrue, "R", "m", kThen, 1}};
  SetReadiness(conditions, Readiness::kFailed, "A", "b", 2, kNow);
  SetReadiness(conditions, Readiness::kReady, "A", "b", 3, kNow);
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions.front().type, "Custom");
}

TEST(ImageRefTest, ReadsARepositoryAndItsDigest) {
  const std::string digest = "sha256:" + std::string(64, '0');
  const auto ref = ParseImageRef("registry.example.com:5000/team/app@" + digest);
  ASSERT_TRUE(ref) << ref.error().message;
  EXPECT_EQ(ref->repository, "registry.example.com:5000/team/app");
  EXPECT_EQ(ref->digest, digest);
  EXPECT_EQ(ref->ToString(), "registry.example.com:5000/team/app@" + digest);
}

TEST(ImageRefTest, SaysWhatToWriteInstead) {
  const std::string hex(64, '0');
  const std::vector<std::pair<std::string, std::string>> rows{
      {"registry.example.com/app:v1", "it names a tag"},
      {"registry.example.com:5000/app", "it has no digest"},
      {"registry.example.com/App@sha256:" + hex, "lower case"},
      {"app@sha256:" + hex, "registry/path"},
      {"https://registry.example.com/app@sha256:" + hex, "without scheme"},
      {"registry.example.com/app:v1@sha256:" + hex, "tag"},
      {"registry.example.com/app@sha256:123", "64 hexadecimal digits"},
      {"registry.example.com/app@md5:" + hex, "sha256"},
      {"registry.example.com/app@sha256:" + hex + "@x", "sha256"},
      {"", "it has no digest"},
      {std::string(5000, 'a'), "at most"},
  };
  for (const auto& [text, word] : rows) {
    const auto ref = ParseImageRef(text);
    ASSERT_FALSE(ref) << text;
    EXPECT_EQ(ref.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(ref.error().message.find(word), std::string::npos) << text << ": " << ref.error().message;
  }
}

}  // namespace
}  // namespace slipway::resources
