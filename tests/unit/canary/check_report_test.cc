// What becomes of a check by its Job, its pod and its report.
#include "canary/check_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::Verdict;

constexpr const char* kPass =
    R"({"verdict":"pass","reason":"Passed","message":"well","requests":200,"failures":0,"p50Ms":1,"p95Ms":3,"p99Ms":9,
        "maxMs":12,"versions":{"2222":21,"1111":179},"pods":["web-1"],
        "share":{"canary":21,"answers":200,"wantedPermille":100,"lowPermille":55,"highPermille":171,"inside":true}})";
constexpr const char* kFail =
    R"({"verdict":"fail","reason":"RequestsFailed","message":"20 of 200","requests":200,"failures":20})";
constexpr const char* kUnsure =
    R"({"verdict":"inconclusive","reason":"TooFewPairs","message":"3000 pairs","comparison":{"pairs":3000,
        "canaryErrors":3,"stableErrors":1,"canarySlow":9,"stableSlow":8,"thresholdMs":40,"canaryP95Ms":21,
        "stableP95Ms":20,"confidence":99}})";

resources::Job Job() {
  resources::Job job;
  job.meta.key = {"team", "smoke"};
  job.meta.uid = {"job-uid"};
  return job;
}

std::shared_ptr<resources::Pod> PodOf(std::string_view container) {
  auto pod = std::make_shared<resources::Pod>();
  pod->meta.key = {"team", "smoke-1"};
  pod->meta.created = kNow - std::chrono::minutes(5);
  pod->meta.owners = {{"batch/v1", "Job", "smoke", {"job-uid"}, true}};
  pod->meta.labels = {{"slipway.dev/job", "smoke"}};
  pod->containers = {{.name = std::string(container)}};
  return pod;
}

resources::CheckResult Read(int exit_code, const std::string& message) {
  auto pod = PodOf(kRunnerContainer);
  pod->containers = {{.name = "probe", .terminated = true, .exit_code = exit_code, .message = message}};
  const auto outcome = ReadOutcome(Job(), {pod}, kNow);
  EXPECT_FALSE(outcome.running);
  return outcome.result;
}

// ---- the runner ----

TEST(ReadOutcome, TakesAllThatAWholeReportMeasured) {
  const auto passed = Read(0, kPass);
  EXPECT_EQ(passed.verdict, Verdict::kPassed);
  EXPECT_EQ(passed.versions, (std::map<std::string, int>{{"1111", 179}, {"2222", 21}}));
  EXPECT_EQ(passed.max_ms, 12);
  EXPECT_EQ(passed.share, (resources::ShareResult{21, 200, 100, 55, 171, true}));
  EXPECT_FALSE(passed.comparison);

  const auto failed = Read(10, kFail);
  EXPECT_EQ(failed.verdict, Verdict::kFailed);
  EXPECT_EQ(failed.reason + " " + failed.message, "RequestsFailed 20 of 200");
  EXPECT_EQ(failed.failures, 20);
  EXPECT_EQ(failed.p95_ms, 0) << "a number that is absent is 0";

  const auto unsure = Read(11, kUnsure);
  EXPECT_EQ(unsure.verdict, Verdict::kInconclusive);
  EXPECT_EQ(unsure.comparison, (resources::ComparisonResult{3000, 3, 1, 9, 8, 40, 21, 20, 99}));
}

TEST(ReadOutcome, AnythingElseIsBrokenAndNeverPassed) {
  const auto with = [](const char* change) {
    Json report = Json::parse(kPass);
    report.merge_patch(Json::parse(change));
    return report.dump();
  };
  const std::vector<std::pair<int, std::string>> rows{{0, kFail},
                                                      {0, kUnsure},
                                                      {10, kPass},
                                                      {10, kUnsure},
                                                      {11, kPass},
                                                      {1, kPass},
                                                      {12, kPass},
                                                      {137, kPass},
                                                      {0, ""},
                                                      {0, std::string(kPass).substr(0, 80)},
                                                      {0, std::string(kPass) + "x"},
                                                      {0, "[]"},
                                                      {0, "null"},
                                                      {0, R"({"verdict":"pass"})"},
                                                      {0, with(R"({"verdict":"error"})")},
                                                      {0, with(R"({"verdict":null})")},
                                                      {0, with(R"({"reason":null})")},
                                                      {0, with(R"({"reason":""})")},
                                                      {0, with(R"({"reason":"two words"})")},
                                                      {0, with(R"({"reason":"9lives"})")},
                                                      {0, with(R"({"reason":"x\n"})")},
                                                      {0, with(R"({"message":7})")},
                                                      {0, with(R"({"requests":-1})")},
                                                      {0, with(R"({"requests":1.5})")},
                                                      {0, with(R"({"requests":"200"})")},
                                                      {0, with(R"({"requests":18446744073709551615})")},
                                                      {0, with(R"({"maxMs":1000000001})")},
                                                      {0, with(R"({"value":3})")},
                                                      {0, with(R"({"versions":[]})")},
                                                      {0, with(R"({"versions":{"2222":"many"}})")},
                                                      {0, with(R"({"versions":{"2222":-1}})")},
                                                      {0, with(R"({"share":[]})")},
                                                      {0, with(R"({"share":{"inside":null}})")},
                                                      {0, with(R"({"share":{"highPermille":1001}})")},
                                                      {0, with(R"({"share":{"canary":201}})")},
                                                      {0, with(R"({"share":{"lowPermille":172}})")},
                                                      {0, with(R"({"comparison":{"confidence":101}})")},
                                                      {0, with(R"({"comparison":3})")}};
  for (const auto& [code, message] : rows) {
    const auto result = Read(code, message);
    EXPECT_EQ(result.verdict, Verdict::kError) << code << " " << message;
    EXPECT_EQ(result.reason, "CheckError");
    EXPECT_TRUE(result.message.contains("smoke-1")) << result.message;
  }
}

TEST(ReadOutcome, WhatTheReportSaysIsBounded) {
  Json report = Json::parse(kFail);
  report["message"] = std::string(4000, 'x');
  report["value"] = std::string(100, '9');
  for (int i = 0; i < 20; ++i) report["versions"][std::to_string(i) + std::string(200, 'v')] = i;
  const auto result = Read(10, report.dump());
  EXPECT_EQ(result.message.size(), 800U);
  EXPECT_EQ(result.value.size(), 64U);
  EXPECT_EQ(result.versions.size(), 16U);
  for (const auto& [version, count] : result.versions) EXPECT_EQ(version.size(), 128U);
  report["message"] = "\x1b[31mred\nline";
  EXPECT_EQ(Read(10, report.dump()).message, " [31mred line");
}

TEST(ReadOutcome, APodThatOnlyNamesTheJobAsItsOwnerHasNoSay) {
  const auto running = [](auto change) {
    auto pod = PodOf("probe");
    pod->containers = {{.name = "probe", .terminated = true, .exit_code = 0, .message = kPass}};
    change(*pod);
    return ReadOutcome(Job(), {pod}, kNow).running;
  };
  EXPECT_FALSE(running([](auto&) {}));
  EXPECT_TRUE(running([](auto& pod) { pod.meta.labels.clear(); }));
  EXPECT_TRUE(running([](auto& pod) { pod.meta.labels["slipway.dev/job"] = "other"; }));
  EXPECT_TRUE(running([](auto& pod) { pod.meta.owners[0].uid = {"other"}; }));
  EXPECT_TRUE(running([](auto& pod) { pod.meta.owners.clear(); }));
  EXPECT_TRUE(running([](auto& pod) { pod.containers[0].name = "sidecar"; }));
}

// ---- a program of the user's ----

struct ProgramRow {
  int exit_code;
  std::string reason;  // of the container's end
  Verdict verdict;
};

resources::CheckResult Ran(const ProgramRow& row, auto change) {
  auto pod = PodOf(kProgramContainer);
  pod->containers[0].terminated = true;
  pod->containers[0].exit_code = row.exit_code;
  pod->containers[0].reason = row.reason;
  pod->containers[0].message = "what the program printed";
  resources::Job job = Job();
  change(*pod, job);
  const auto outcome = ReadOutcome(job, {pod}, kNow);
  EXPECT_FALSE(outcome.running);
  EXPECT_FALSE(outcome.result.message.contains("printed")) << "its output is not for a status";
  return outcome.result;
}

TEST(ReadProgram, ItsExitCodeCountsAndNothingThatEndedItFromOutside) {
  const std::vector<ProgramRow> rows{{0, "Completed", Verdict::kPassed},
                                     {0, "", Verdict::kPassed},
                                     {1, "Error", Verdict::kFailed},
                                     {10, "Error", Verdict::kFailed},
                                     {11, "Error", Verdict::kFailed},
                                     {125, "Error", Verdict::kFailed},
                                     {127, "Error", Verdict::kFailed},
                                     {139, "Error", Verdict::kFailed},
                                     {255, "Error", Verdict::kFailed},
                                     {137, "OOMKilled", Verdict::kError},
                                     {0, "OOMKilled", Verdict::kError},
                                     {128, "StartError", Verdict::kError},
                                     {128, "ContainerCannotRun", Verdict::kError},
                                     {137, "ContainerStatusUnknown", Verdict::kError}};
  for (const auto& row : rows) {
    const auto result = Ran(row, [](auto&, auto&) {});
    EXPECT_EQ(result.verdict, row.verdict) << row.exit_code << " " << row.reason;
    const std::string reason = row.verdict == Verdict::kPassed   ? "Passed"
                               : row.verdict == Verdict::kFailed ? "CheckFailed"
                                                                 : "CheckError";
    EXPECT_EQ(result.reason, reason);
    if (row.verdict != Verdict::kPassed) {
      EXPECT_TRUE(result.message.contains("kubectl -n team logs smoke-1")) << result.message;
    }
  }
}

TEST(ReadProgram, OneThatWasCutShortIsBrokenWhateverItSaid) {
  for (const int exit_code : {0, 1, 143}) {
    const ProgramRow row{exit_code, exit_code == 0 ? "Completed" : "Error", Verdict::kError};
    const auto broken = [&](auto change) { return Ran(row, change).verdict == Verdict::kError; };
    EXPECT_TRUE(broken([](auto& pod, auto&) { pod.reason = "Evicted"; }));
    EXPECT_TRUE(broken([](auto& pod, auto&) { pod.reason = "DeadlineExceeded"; }));
    EXPECT_TRUE(broken([](auto& pod, auto&) { pod.meta.deleted = kNow; }));
    EXPECT_TRUE(broken([](auto&, auto& job) { job.failed_reason = "DeadlineExceeded"; }));
    EXPECT_TRUE(broken([](auto&, auto& job) { job.failed_reason = "PodFailurePolicy"; }));
  }
  EXPECT_EQ(Ran({0, "Completed", {}}, [](auto&, auto& job) { job.failed = true; }).verdict, Verdict::kError);
}

// ---- what never ran ----

TEST(ReadOutcome, AnImageThatCantBePulledIsWaitedForOnlySoLong) {
  auto pod = PodOf(kProgramContainer);
  pod->containers[0].reason = "ImagePullBackOff";
  pod->containers[0].message = "not found";
  pod->meta.created = kNow - std::chrono::seconds(29);
  EXPECT_TRUE(ReadOutcome(Job(), {pod}, kNow).running);
  pod->meta.created = kNow - std::chrono::seconds(31);
  const auto broken = ReadOutcome(Job(), {pod}, kNow);
  EXPECT_EQ(broken.result.verdict, Verdict::kError);
  EXPECT_EQ(broken.result.message, "pod smoke-1: ImagePullBackOff: not found");
  pod->meta.created = kNow;
  pod->containers[0].reason = "InvalidImageName";
  EXPECT_EQ(ReadOutcome(Job(), {pod}, kNow).result.verdict, Verdict::kError);
  pod->containers[0].reason = "ContainerCreating";
  pod->meta.created = kNow - std::chrono::hours(1);
  EXPECT_TRUE(ReadOutcome(Job(), {pod}, kNow).running);
}

TEST(ReadOutcome, APodThatFailedBeforeItRanIsBroken) {
  auto pod = PodOf(kRunnerContainer);
  pod->phase = "Failed";
  pod->reason = "Evicted";
  pod->message = "low on memory";
  const auto outcome = ReadOutcome(Job(), {pod}, kNow);
  EXPECT_EQ(outcome.result.verdict, Verdict::kError);
  EXPECT_EQ(outcome.result.message, "pod smoke-1: Evicted: low on memory");
}

TEST(ReadOutcome, AJobThatEndedWithoutAPodIsBrokenAndOneThatRunsIsNot) {
  EXPECT_TRUE(ReadOutcome(Job(), {}, kNow).running);
  resources::Job failed = Job();
  failed.failed = true;
  failed.failed_message = "Job was active longer than specified deadline";
  auto pending = PodOf(kRunnerContainer);
  pending->unschedulable = "0/3 nodes are available";
  const auto broken = ReadOutcome(failed, {pending}, kNow);
  EXPECT_EQ(broken.result.verdict, Verdict::kError);
  EXPECT_TRUE(broken.result.message.contains("deadline; pod smoke-1: 0/3 nodes")) << broken.result.message;
  resources::Job complete = Job();
  complete.complete = true;
  complete.finished = kNow - std::chrono::seconds(5);
  EXPECT_EQ(ReadOutcome(complete, {}, kNow).result.verdict, Verdict::kError);
}

}  // namespace
}  // namespace slipway::canary
