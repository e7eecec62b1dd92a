#include "runner/scan_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using std::chrono::hours;
using testing::SizeIs;

const TimePoint kNow = *ParseTime("2026-11-21T12:00:00Z");

// ---- what Trivy says ----

constexpr const char* kReport = R"({
  "SchemaVersion": 2, "ArtifactName": "/image/image.tar",
  "Results": [
    {"Target": "app", "Class": "lang-pkgs", "Type": "gobinary", "Packages": [{"Name": "golang.org/x/text"}],
     "Vulnerabilities": [
       {"VulnerabilityID": "CVE-2022-32149", "PkgName": "golang.org/x/text", "InstalledVersion": "v0.3.5",
        "FixedVersion": "0.3.8", "Severity": "HIGH"},
       {"VulnerabilityID": "CVE-2022-32149", "PkgName": "golang.org/x/text", "InstalledVersion": "v0.3.5",
        "FixedVersion": "0.3.8", "Severity": "HIGH"}],
     "ExperimentalModifiedFindings": [{"Type": "vulnerability"}]},
    {"Target": "os", "Class": "os-pkgs",
     "Vulnerabilities": [{"VulnerabilityID": "CVE-2024-1", "PkgName": "libssl3", "InstalledVersion": "3.0.1"}]},
    {"Target": "clean"}]
})";

TEST(TrivysReport, IsReadOnceForEachFinding) {
  const auto report = ParseTrivyReport(kReport);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_THAT(report->found, SizeIs(2));
  EXPECT_EQ(report->found[0],
            (Vulnerability{"CVE-2022-32149", Severity::kHigh, "golang.org/x/text", "v0.3.5", "0.3.8"}));
  EXPECT_EQ(report->found[1], (Vulnerability{"CVE-2024-1", Severity::kUnknown, "libssl3", "3.0.1", ""}));
  EXPECT_EQ(report->suppressed, 1);
}

std::string TwoOf(const std::string& first, const std::string& second) {
  constexpr const char* kName =
      R"("VulnerabilityID": "CVE-1", "PkgName": "urllib3", "InstalledVersion": "1")";
  return R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{)" + std::string(kName) + first +
         R"(}]}, {"Vulnerabilities": [{)" + kName + second + "}]}]}";
}

// The one that whoever wrote the image could put first must not hide the other.
TEST(TrivysReport, OfTwinsTheWorseAndTheMendedCount) {
  const std::string low = R"(, "Severity": "LOW")";
  const std::string high = R"(, "FixedVersion": "1.26.5", "Severity": "HIGH")";
  for (const std::string& text : {TwoOf(low, high), TwoOf(high, low)}) {
    const auto report = ParseTrivyReport(text);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_THAT(report->found, SizeIs(1));
    EXPECT_EQ(report->found[0], (Vulnerability{"CVE-1", Severity::kHigh, "urllib3", "1", "1.26.5"}));
    EXPECT_EQ(JudgeScan(*report, kNow, {}, kNow).gate, Gate::kFindings);
  }
}

TEST(TrivysReport, OfAnImageWithoutPackagesIsClean) {
  const auto report = ParseTrivyReport(R"({"SchemaVersion": 2, "Results": null})");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->found.empty());
}

// Never clean: what can't be read is a broken scanner.
TEST(TrivysReport, ThatIsNoneIsAnError) {
  const std::string whole = kReport;
  for (const std::string& text : {
           std::string(),
           whole.substr(0, whole.size() / 2),
           std::string("null"),
           std::string("[]"),
           std::string(R"({"Results": []})"),
           std::string(R"({"SchemaVersion": 3, "Results": []})"),
           std::string(R"({"SchemaVersion": 2, "Results": {}})"),
           std::string(R"({"SchemaVersion": 2, "Results": [1]})"),
           std::string(R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": {}}]})"),
           std::string(R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": ["CVE-1"]}]})"),
           std::string(R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"PkgName": "x"}]}]})"),
           std::string(R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [
             {"VulnerabilityID": "CVE-1", "PkgName": "x", "Severity": 3}]}]})"),
       }) {
    EXPECT_FALSE(ParseTrivyReport(text)) << text;
  }
}

TEST(TrivysReport, OfASeverityThatWeDontKnowIsTakenForTheWorst) {
  const auto report = ParseTrivyReport(R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [
    {"VulnerabilityID": "CVE-1", "PkgName": "x", "Severity": "APOCALYPTIC"}]}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->found.at(0).severity, Severity::kCritical);
}

TEST(TheDatabasesTime, IsThatOfItsMetadata) {
  EXPECT_EQ(ParseDatabaseTime(R"({"Version": 2, "UpdatedAt": "2026-11-20T06:00:00.5Z"})"),
            *ParseTime("2026-11-20T06:00:00.5Z"));
  for (const char* text : {"", "[]", "{}", R"({"UpdatedAt": 7})", R"({"UpdatedAt": "yesterday"})"}) {
    EXPECT_FALSE(ParseDatabaseTime(text)) << text;
  }
}

// ---- the gate ----

Vulnerability Found(const std::string& id, Severity severity, const std::string& fixed = "2.0") {
  return {id, severity, "libx", "1.0", fixed};
}

ScanException Until(const std::string& id, Duration from_now, const std::string& package = "") {
  return {id, package, kNow + from_now, "not reachable"};
}

struct Row {
  const char* name;
  std::vector<Vulnerability> found;
  GateRules rules;
  Gate gate;
  int closing;
};

const Row kRows[] = {
    {"Clean", {}, {}, Gate::kOpen, 0},
    {"AtTheThreshold", {Found("A", Severity::kHigh)}, {}, Gate::kFindings, 1},
    {"Above", {Found("A", Severity::kCritical)}, {}, Gate::kFindings, 1},
    {"Below", {Found("A", Severity::kMedium)}, {}, Gate::kOpen, 0},
    {"ALowerThreshold", {Found("A", Severity::kLow)}, {.fail_on = Severity::kLow}, Gate::kFindings, 1},
    {"Unfixed", {Found("A", Severity::kCritical, "")}, {}, Gate::kOpen, 0},
    {"UnfixedThatCounts", {Found("A", Severity::kHigh, "")}, {.ignore_unfixed = false}, Gate::kFindings, 1},
    {"Borne", {Found("A", Severity::kHigh)}, {.exceptions = {Until("A", hours(1))}}, Gate::kOpen, 0},
    {"BorneToTheLast",
     {Found("A", Severity::kHigh)},
     {.exceptions = {Until("A", Duration(1))}},
     Gate::kOpen,
     0},
    {"Over", {Found("A", Severity::kHigh)}, {.exceptions = {Until("A", Duration(0))}}, Gate::kFindings, 1},
    {"AnotherIsBorne",
     {Found("A", Severity::kHigh)},
     {.exceptions = {Until("B", hours(1))}},
     Gate::kFindings,
     1},
    {"OfItsPackage",
     {Found("A", Severity::kHigh)},
     {.exceptions = {Until("A", hours(1), "libx")}},
     Gate::kOpen,
     0},
    {"OfAnotherPackage",
     {Found("A", Severity::kHigh)},
     {.exceptions = {Until("A", hours(1), "liby")}},
     Gate::kFindings,
     1},
    {"OneOverAndOneInForce",
     {Found("A", Severity::kHigh)},
     {.exceptions = {Until("A", -hours(1)), Until("A", hours(1))}},
     Gate::kOpen,
     0},
    {"OneOfTwo",
     {Found("A", Severity::kHigh), Found("B", Severity::kHigh)},
     {.exceptions = {Until("A", hours(1))}},
     Gate::kFindings,
     1},
};

TEST(TheGate, OpensAndCloses) {
  for (const auto& row : kRows) {
    const auto verdict = JudgeScan({row.found, 0}, kNow, row.rules, kNow);
    EXPECT_EQ(verdict.gate, row.gate) << row.name;
    EXPECT_EQ(verdict.closing, row.closing) << row.name;
  }
}

TEST(TheGate, IsStaleWhereTheDatabaseIsTooOldOrOfNoKnownAge) {
  const GateRules rules{.max_database_age = hours(48)};
  EXPECT_EQ(JudgeScan({}, kNow - hours(48), rules, kNow).gate, Gate::kOpen);
  EXPECT_EQ(JudgeScan({}, kNow - hours(48) - Duration(1), rules, kNow).gate, Gate::kStale);
  EXPECT_EQ(JudgeScan({}, std::nullopt, rules, kNow).gate, Gate::kStale);
  EXPECT_EQ(JudgeScan({}, std::nullopt, {}, kNow).gate, Gate::kOpen);
  const ScanReport found{{Found("A", Severity::kHigh)}, 0};
  EXPECT_EQ(JudgeScan(found, kNow - hours(400), rules, kNow).gate, Gate::kFindings)
      << "what an old database knows is true all the same";
}

TEST(TheGate, IsClosedByADatabaseOfTheFuture) {
  const GateRules rules{.max_database_age = hours(48)};
  const auto minutes = [](int count) { return std::chrono::minutes(count); };
  EXPECT_EQ(JudgeScan({}, kNow + minutes(5), rules, kNow).gate, Gate::kOpen) << "clocks differ a little";
  EXPECT_EQ(JudgeScan({}, kNow + minutes(6), rules, kNow).gate, Gate::kAhead);
  EXPECT_EQ(JudgeScan({}, kNow + hours(24 * 365), rules, kNow).gate, Gate::kAhead);
  EXPECT_EQ(JudgeScan({}, kNow + hours(24 * 365), {}, kNow).gate, Gate::kOpen) << "of any age";
}

TEST(TheGate, SaysWhichExceptionsBoreAndWhichAreOver) {
  const ScanReport report{
      {Found("A", Severity::kHigh), Found("B", Severity::kHigh), Found("C", Severity::kLow)}, 0};
  const GateRules rules{.exceptions = {Until("A", hours(1)), Until("B", -hours(1)), Until("C", -hours(1)),
                                       Until("D", -hours(1))}};
  const auto verdict = JudgeScan(report, kNow, rules, kNow);
  ASSERT_THAT(verdict.used, SizeIs(1));
  EXPECT_EQ(verdict.used[0].id, "A");
  ASSERT_THAT(verdict.expired, SizeIs(1)) << "C closes nothing, D was not found";
  EXPECT_EQ(verdict.expired[0].id, "B");
}

TEST(TheGate, NamesTheWorstFirst) {
  ScanReport report;
  for (int i = 0; i < 12; ++i)
    report.found.push_back(Found("CVE-" + std::to_string(i + 10), Severity::kHigh));
  report.found.push_back(Found("CVE-99", Severity::kCritical));
  const auto verdict = JudgeScan(report, kNow, {}, kNow);
  EXPECT_EQ(verdict.closing, 13);
  ASSERT_THAT(verdict.worst, SizeIs(10));
  EXPECT_EQ(verdict.worst[0].id, "CVE-99");
  EXPECT_EQ(verdict.worst[1].id, "CVE-10");
  EXPECT_EQ(verdict.counts[static_cast<std::size_t>(Severity::kHigh)], 12);
}

TEST(TheGatesReport, FitsAndKeepsTheCounts) {
  ScanReport report;
  GateRules rules;
  for (int i = 0; i < 30; ++i) {
    auto finding = Found("CVE-2026-" + std::to_string(10000 + i), Severity::kCritical);
    finding.package = std::string(300, 'p');
    finding.fixed = std::string(300, '\n');
    rules.exceptions.push_back(Until(finding.id, i % 2 == 0 ? -hours(1) : hours(1)));
    report.found.push_back(std::move(finding));
  }
  const auto text = ToJson(JudgeScan(report, kNow, rules, kNow), 4);
  EXPECT_LE(text.size(), 1536U);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["counts"]["CRITICAL"], 30);
  EXPECT_EQ(json["closing"], 15);
  EXPECT_EQ(json["suppressed"], 4);
  EXPECT_FALSE(json["worst"].empty());
}

TEST(Severities, AreReadAsTrivyAndTheSpecWriteThem) {
  EXPECT_EQ(ParseSeverity("HIGH"), Severity::kHigh);
  EXPECT_EQ(ParseSeverity("High"), Severity::kHigh);
  EXPECT_EQ(ParseSeverity("high "), std::nullopt);
}

}  // namespace
}  // namespace slipway::runner
