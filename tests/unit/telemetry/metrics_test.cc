// The exposition text: names, labels and values as dashboards read them.
#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "telemetry/process.h"

namespace slipway::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, CountsReconcilesByControllerAndResult) {
  Metrics metrics;
  metrics.Reconciled("release", "success", milliseconds(20));
  metrics.Reconciled("release", "success", milliseconds(20));
  metrics.Reconciled("release", "error", seconds(3));
  const std::string text = metrics.Text();
  EXPECT_THAT(text,
              HasSubstr(R"(controller_runtime_reconcile_total{controller="release",result="success"} 2)"));
  EXPECT_THAT(text,
              HasSubstr(R"(controller_runtime_reconcile_total{controller="release",result="error"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(controller_runtime_reconcile_errors_total{controller="release"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(controller_runtime_reconcile_time_seconds_count{controller="release"} 3)"));
  EXPECT_THAT(text, HasSubstr(R"(_bucket{controller="release",le="0.025"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(_bucket{controller="release",le="+Inf"} 3)"));
}

TEST(MetricsTest, AControllerWithoutErrorsShowsZeroErrors) {
  Metrics metrics;
  metrics.Reconciled("release", "success", milliseconds(1));
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(controller_runtime_reconcile_errors_total{controller="release"} 0)"));
}

TEST(MetricsTest, EachOtherFigureHasItsNameAndLabels) {
  Metrics metrics;
  metrics.QueueDepth("release", 7);
  metrics.Retried("release");
  metrics.Request("PATCH", 409);
  metrics.StageEnded("scan", "failed", seconds(40));
  metrics.PromotionEnded("Aborted");
  metrics.Watched("Job", 12);
  const std::string text = metrics.Text();
  for (const char* line :
       {R"(workqueue_depth{name="release"} 7)", R"(workqueue_retries_total{name="release"} 1)",
        R"(rest_client_requests_total{code="409",method="PATCH"} 1)",
        R"(slipway_stage_duration_seconds_sum{result="failed",stage="scan"} 40)",
        R"(slipway_promotions_total{completion="Aborted"} 1)", R"(slipway_watched_objects{kind="Job"} 12)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsTest, GaugesFollowAndLeadingStartsAtZero) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr("leader_election_master_status{name=\"slipway\"} 0"));
  metrics.Leading(true);
  metrics.QueueDepth("release", 7);
  metrics.QueueDepth("release", 0);
  EXPECT_THAT(metrics.Text(), HasSubstr("leader_election_master_status{name=\"slipway\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("workqueue_depth{name=\"release\"} 0"));
  metrics.Leading(false);
  EXPECT_THAT(metrics.Text(), HasSubstr("leader_election_master_status{name=\"slipway\"} 0"));
}

TEST(MetricsTest, AReleasesFindingsStayUntilItIsForgotten) {
  Metrics metrics;
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  metrics.ReleaseScanned("team", "shop", {.critical = 1, .high = 2, .low = 4}, now - std::chrono::hours(10));
  metrics.ReleaseScanned("team", "other", {.high = 7}, now);
  std::string text = metrics.Text();
  for (const char* line :
       {R"(slipway_release_findings{namespace="team",release="shop",severity="critical"} 1)",
        R"(slipway_release_findings{namespace="team",release="shop",severity="high"} 2)",
        R"(slipway_release_findings{namespace="team",release="shop",severity="medium"} 0)",
        R"(slipway_release_findings{namespace="team",release="shop",severity="unknown"} 0)",
        R"(slipway_release_scan_age_seconds{namespace="team",release="shop"} 36)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  metrics.ReleaseForgotten("team", "shop");
  metrics.ReleaseForgotten("team", "nobody");
  text = metrics.Text();
  EXPECT_THAT(text, Not(HasSubstr("shop")));
  EXPECT_THAT(text, HasSubstr(R"(release="other",severity="high"} 7)"));
  metrics.ReleaseForgotten("team", "other");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("slipway_release_")));
}

// The exposition format: one TYPE line a family, before its samples; nothing else.
TEST(MetricsTest, TheTextIsWellFormed) {
  Metrics metrics;
  metrics.Reconciled("a\"b\\c\nd", "success", milliseconds(1));
  std::istringstream lines(metrics.Text());
  std::set<std::string> typed;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(typed.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
      continue;
    }
    if (line.starts_with("# HELP ")) continue;
    const std::string name = line.substr(0, line.find_first_of("{ "));
    const bool known =
        std::ranges::any_of(typed, [&](const auto& family) { return name.starts_with(family); });
    EXPECT_TRUE(known) << line;
  }
  EXPECT_GE(typed.size(), 8U);
  EXPECT_FALSE(typed.contains("slipway_promotions_total")) << "a family without samples is left out";
}

double ValueOf(const std::string& text, const std::string& name) {
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + name.size() + 2, nullptr);
}

TEST(MetricsTest, ProcessFiguresAreThoseOfThisProcess) {
  const std::string text = "\n" + Metrics().Text();
  EXPECT_GE(ValueOf(text, "process_cpu_seconds_total"), 0);
  EXPECT_GT(ValueOf(text, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(ValueOf(text, "process_virtual_memory_bytes"), ValueOf(text, "process_resident_memory_bytes"));
  EXPECT_GE(ValueOf(text, "process_open_fds"), 3);
  EXPECT_GE(ValueOf(text, "process_max_fds"), ValueOf(text, "process_open_fds"));
  const auto now = static_cast<double>(
      std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  EXPECT_LE(ValueOf(text, "process_start_time_seconds"), now + 2);
  EXPECT_GT(ValueOf(text, "process_start_time_seconds"), now - 86400 * 365);
}

class ProcessFamiliesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) /
            ("proc-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(root_ / "self" / "fd");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }
  std::map<std::string, double> Read() {
    std::map<std::string, double> values;
    for (const auto& family : ProcessFamilies(root_.string()))
      values[family.name] = family.metric.at(0).gauge.value;
    return values;
  }
  std::filesystem::path root_;
};

TEST_F(ProcessFamiliesTest, ACommandWithSpacesAndParenthesesShiftsNothing) {
  Write("self/stat", "42 (odd) name (x) S 1 2 3 4 5 6 7 8 9 10 100 50 0 0 20 0 1 0 3000 8192000 25 99 0 0");
  Write("stat", "cpu 1 2 3\nbtime 1700000000\n");
  Write("self/fd/0", "");
  const auto values = Read();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(values.at("process_cpu_seconds_total"), 150 / ticks);
  EXPECT_DOUBLE_EQ(values.at("process_virtual_memory_bytes"), 8192000);
  EXPECT_DOUBLE_EQ(values.at("process_resident_memory_bytes"),
                   25 * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  EXPECT_DOUBLE_EQ(values.at("process_start_time_seconds"), 1700000000 + 3000 / ticks);
  EXPECT_DOUBLE_EQ(values.at("process_open_fds"), 1);
}

TEST_F(ProcessFamiliesTest, WhatCantBeReadIsLeftOut) {
  Write("self/stat", "garbage");
  const auto values = Read();
  EXPECT_FALSE(values.contains("process_cpu_seconds_total"));
  EXPECT_FALSE(values.contains("process_start_time_seconds"));
  EXPECT_TRUE(values.contains("process_max_fds"));
}

}  // namespace
}  // namespace slipway::telemetry
