// What the end of a Job that scans means: clean and found are told by the gate alone, and everything that
// broke is neither.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supply/gate_report.h"
#include "supply/scan_job.h"

namespace slipway::supply {
namespace {

using resources::ContainerState;
using resources::Job;
using resources::Pod;
using testing::HasSubstr;
using State = ScanOutcome::State;

const TimePoint kEnd = TimePoint(std::chrono::hours(24 * 365 * 50));

constexpr const char* kClean =
    R"({"counts": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 1, "LOW": 2, "UNKNOWN": 0}, "closing": 0,
        "suppressed": 0, "worst": [], "used": [], "expired": [], "database": "2026-11-20T00:00:00Z"})";
constexpr const char* kFound =
    R"({"counts": {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 0, "LOW": 0, "UNKNOWN": 0}, "closing": 1,
        "suppressed": 0, "used": [], "expired": [{"id": "CVE-1", "expires": "2026-11-20T00:00:00Z"}],
        "worst": [{"id": "CVE-1", "severity": "HIGH", "package": "p", "installed": "1", "fixed": "2"}]})";
constexpr const char* kBroken = R"({"reason": "ScanError", "message": "what Trivy left is no report"})";

Job AJob(bool failed, const std::string& reason = "BackoffLimitExceeded") {
  Job job;
  job.meta.key = {"slipway-supply-chain", "shop-scan-1"};
  job.failed = failed;
  job.complete = !failed;
  if (failed) job.failed_reason = reason;
  job.finished = kEnd;
  return job;
}

ContainerState Ended(const std::string& name, int code, const std::string& message = "") {
  return {.name = name,
          .terminated = true,
          .exit_code = code,
          .reason = code == 0 ? "Completed" : "Error",
          .message = message};
}

Pod APod(std::vector<ContainerState> containers) {
  Pod pod;
  pod.meta.key = {"slipway-supply-chain", "shop-scan-1-abcde"};
  pod.scheduled = true;
  pod.containers = std::move(containers);
  return pod;
}

struct Case {
  const char* what;
  bool failed;
  std::vector<ContainerState> containers;
  State state;
  const char* says;
};

class ScanOutcomeOf : public testing::TestWithParam<Case> {};

TEST_P(ScanOutcomeOf, AnEndedJobIsAsTheTableSays) {
  const auto& row = GetParam();
  const Job job = AJob(row.failed);
  const Pod pod = APod(row.containers);
  const auto outcome = OutcomeOfScan(&job, &pod);
  EXPECT_EQ(outcome.state, row.state) << outcome.message;
  EXPECT_THAT(outcome.message, HasSubstr(row.says));
  EXPECT_EQ(outcome.message.empty(), row.state != State::kFailed) << outcome.message;
  EXPECT_EQ(outcome.findings.has_value(), row.state != State::kFailed);
  EXPECT_EQ(outcome.finished, kEnd);
  EXPECT_LE(outcome.message.size(), 600U);
}

const std::vector<Case> kCases{
    {"clean", false, {Ended("scan", 0), Ended("gate", 0, kClean)}, State::kClean, ""},
    {"found", true, {Ended("scan", 0), Ended("gate", 10, kFound)}, State::kFound, ""},
    {"an old database", true, {Ended("scan", 0), Ended("gate", 12, kClean)}, State::kStale, ""},
    {"one of the future",
     true,
     {Ended("scan", 0), Ended("gate", 13, kClean)},
     State::kFailed,
     "dated in the future"},
    {"an old database that has a finding is a finding",
     true,
     {Ended("scan", 0), Ended("gate", 10, kFound)},
     State::kFound,
     ""},
    {"passed and found at once",
     false,
     {Ended("scan", 0), Ended("gate", 0, kFound)},
     State::kFailed,
     "contradict each other"},
    {"closed and found nothing",
     true,
     {Ended("scan", 0), Ended("gate", 10, kClean)},
     State::kFailed,
     "contradict each other"},
    {"passed without a word",
     false,
     {Ended("scan", 0), Ended("gate", 0, "")},
     State::kFailed,
     "exit code 0 and no report"},
    {"a report that is cut short",
     true,
     {Ended("scan", 0), Ended("gate", 10, std::string(kFound).substr(0, 80))},
     State::kFailed,
     "no report that can be read"},
    {"a gate that could not judge",
     true,
     {Ended("scan", 0), Ended("gate", 1, kBroken)},
     State::kFailed,
     "can't be judged: ScanError: what Trivy left is no report"},
    {"a gate that was killed", true, {Ended("scan", 0), Ended("gate", 137)}, State::kFailed, "exit code 137"},
    {"a scanner that was killed",
     true,
     {Ended("scan", 137), ContainerState{.name = "gate"}},
     State::kFailed,
     "the scanner ended with exit code 137"},
    {"no database",
     true,
     {Ended("scan", 1,
            "2026-11-21T00:00:00Z\tFATAL\tFatal error\trun error: init error: DB error: failed to download "
            "vulnerability DB: OCI artifact error: dial tcp: connection refused\n"),
      ContainerState{.name = "gate"}},
     State::kFailed,
     "the vulnerability database can't be had"},
    {"no image",
     true,
     {Ended("scan", 1,
            "FATAL\tFatal error\trun error: image scan error: unable to find the specified image \"x\" in "
            "[\"remote\"]: 1 error occurred:\n\t* remote error: MANIFEST_UNKNOWN: manifest unknown\n"),
      ContainerState{.name = "gate"}},
     State::kFailed,
     "the image can't be read"},
    {"no pod that began", true, {}, State::kFailed, "BackoffLimitExceeded"},
};
INSTANTIATE_TEST_SUITE_P(Rows, ScanOutcomeOf, testing::ValuesIn(kCases),
                         [](const auto& row) { return std::to_string(row.index); });

TEST(ScanOutcomeTest, WhatIsGoneIsKnownToNobody) {
  EXPECT_EQ(OutcomeOfScan(nullptr, nullptr).state, State::kFailed);
  const Job complete = AJob(false);
  const auto outcome = OutcomeOfScan(&complete, nullptr);
  EXPECT_EQ(outcome.state, State::kFailed) << "never clean";
  EXPECT_THAT(outcome.message, HasSubstr("pod"));
}

TEST(ScanOutcomeTest, OneThatRunsSaysWhatItWaitsFor) {
  Job job = AJob(false);
  job.complete = false;
  job.finished.reset();
  EXPECT_EQ(OutcomeOfScan(&job, nullptr).state, State::kRunning);
  const Pod pod = APod({ContainerState{.name = "scan", .init = true, .reason = "ImagePullBackOff"}});
  const auto outcome = OutcomeOfScan(&job, &pod);
  EXPECT_EQ(outcome.state, State::kRunning);
  EXPECT_THAT(outcome.message, HasSubstr("ImagePullBackOff"));
  EXPECT_FALSE(outcome.finished);
}

TEST(ScanOutcomeTest, OneThatWasNotDoneInTimeSaysSo) {
  const Job job = AJob(true, "DeadlineExceeded");
  const Pod pod = APod({ContainerState{.name = "scan", .init = true, .running = true}});
  EXPECT_THAT(OutcomeOfScan(&job, &pod).message, HasSubstr("not done in time"));
  // By the kubelet, which ends the scanner with the pod.
  const Job failed = AJob(true);
  Pod late = APod({Ended("scan", 137), ContainerState{.name = "gate"}});
  late.reason = "DeadlineExceeded";
  EXPECT_THAT(OutcomeOfScan(&failed, &late).message, HasSubstr("not done in time"));
}

TEST(GateReportTest, IsToldInWords) {
  const auto report = ParseGateReport(kFound);
  ASSERT_TRUE(report && report->findings);
  EXPECT_EQ(Listed(report->findings->worst, 100), "CVE-1 p 1 -> 2");
  EXPECT_EQ(Listed({{"CVE-2", "HIGH", "q", "3", ""}}, 100), "CVE-2 q 3 -> no fix");
  EXPECT_EQ(Expired("spec.x", {}), "");
  EXPECT_EQ(Expired("spec.x", report->findings->expired), "; spec.x: that of CVE-1 expired on 2026-11-20");
  EXPECT_LE(Listed(std::vector<resources::Finding>(10, {"CVE", "HIGH", "p", "1", "2"}), 40).size(), 40U);
}

}  // namespace
}  // namespace slipway::supply
