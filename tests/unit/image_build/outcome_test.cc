#include "image_build/outcome.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "image_build/names.h"
#include "image_build/report.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::Failure;

// As the gate says it: three findings, of which two close it, and one exception that bears one.
Json FoundJson() {
  const Json counts = {{"CRITICAL", 1}, {"HIGH", 2}, {"MEDIUM", 0}, {"LOW", 0}, {"UNKNOWN", 0}};
  const Json first = {{"id", "CVE-2022-32149"},
                      {"severity", "HIGH"},
                      {"package", "golang.org/x/text"},
                      {"installed", "v0.3.5"},
                      {"fixed", "0.3.8"}};
  const Json second = {{"id", "CVE-2021-38561"},
                       {"severity", "HIGH"},
                       {"package", "zlib"},
                       {"installed", "1.2"},
                       {"fixed", ""}};
  return {{"counts", counts},
          {"closing", 2},
          {"suppressed", 3},
          {"used", Json::array({{{"id", "CVE-2024-1"}, {"expires", "2027-01-31T00:00:00Z"}}})},
          {"expired", Json::array()},
          {"worst", Json::array({first, second})},
          {"database", "2026-11-20T00:00:00Z"}};
}
const std::string kFound = FoundJson().dump();

std::optional<Failure> Judge(World& world, TimePoint now = kNow) {
  const Pod& pod = world.PodOf(JobRole::kBuild);
  const Reports reports = ReadReports(pod);
  return FailureOf({world.build, world.Run(), world.Recorded(JobRole::kBuild), pod, reports}, now);
}

std::optional<Failure> JudgeContainer(ContainerState last) {
  World world;
  world.Building(AllWell());
  for (auto& container : world.PodOf(JobRole::kBuild).containers) {
    if (container.name == last.name) container = last;
  }
  return Judge(world);
}

struct GitCase {
  int exit_code;
  std::string report;
  std::string reason;
  std::string field;
  std::string words;
};

TEST(GitFailure, NamesTheFieldAndWhatTheRunnerSaid) {
  const GitCase cases[] = {
      {20, R"({"reason":"GitHostUnreachable","message":"no such host"})", "GitHostUnreachable",
       "spec.source.git.url: https://git.example.com/team/app.git: ", "no such host"},
      {20, "", "GitHostUnreachable", "spec.source.git.url: ", "its host can't be reached"},
      {21, R"({"message":"401"})", "GitAuthFailed",
       "spec.source.git.credentialsSecretRef: ", "no credentials named: 401"},
      {22, R"({"message":"not a ref"})", "RevisionNotFound", "spec.source.git.revision: main of ",
       "not a ref"},
      {23, R"({"reason":"ContextNotFound","message":"gone"})", "ContextNotFound",
       "spec.source.git.contextDir: . at commit aaaaaaaaaaaa: ", "gone"},
      {23, R"({"reason":"DockerfileNotFound","message":"gone"})", "DockerfileNotFound",
       "spec.build.dockerfile: Dockerfile at commit ", "gone"},
      {23, R"({"reason":"Nonsense"})", "ContextNotFound",
       "spec.source.git.contextDir: ", "not in the repository"},
      {24, R"({"message":"404"})", "RepositoryNotFound", "spec.source.git.url: ", "404"},
      {25, "", "HostKeyUnknown", "spec.source.git.credentialsSecretRef: ", "known_hosts"},
      {26, R"({"message":"self-signed"})", "CertificateUntrusted", "spec.caBundleRef: ", "self-signed"},
      {1, "", "GitFailed", "spec.source.git: main of ", "exit code 1"},
      {137, "not json", "GitFailed", "spec.source.git: ", "exit code 137"},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("source", c.exit_code, c.report));
    ASSERT_TRUE(failure) << c.exit_code;
    EXPECT_EQ(failure->reason, c.reason) << c.exit_code;
    EXPECT_EQ(failure->stage, "source");
    EXPECT_EQ(failure->container, "source");
    EXPECT_TRUE(failure->message.starts_with(c.field)) << failure->message;
    EXPECT_TRUE(failure->message.contains(c.words)) << failure->message;
  }
}

TEST(GitFailure, OfCredentialsNamesTheirSecret) {
  World world;
  world.Building({Ended("source", 21)});
  world.build.spec.source.credentials_secret_ref = resources::NameRef{"git-token"};
  EXPECT_TRUE(Judge(world)->message.contains("Secret git-token")) << Judge(world)->message;
}

TEST(GitFailure, OfResolvingIsReadFromItsOwnReport) {
  World world;
  world.Resolving({Ended("resolve", 22, R"({"reason":"RevisionNotFound","message":"no ref main"})")});
  const auto plan = world.Decide();
  EXPECT_EQ(plan.status.runs[0].failure->stage, "resolve");
  EXPECT_EQ(Reason(plan), "RevisionNotFound");
  EXPECT_TRUE(Message(plan).contains("no ref main"));
}

TEST(BuildFailure, NamesTheDockerfileTheCommitAndHowToReadTheLog) {
  const auto failure = JudgeContainer(Ended("build", 1, "a message that nobody may believe"));
  EXPECT_EQ(failure->reason, "DockerfileFailed");
  EXPECT_TRUE(failure->message.starts_with("spec.build.dockerfile: ")) << failure->message;
  EXPECT_TRUE(failure->message.contains("exit code 1"));
  EXPECT_TRUE(failure->message.contains("kubectl -n team logs " + failure->pod + " -c build"));
  EXPECT_FALSE(failure->message.contains("believe"));
}

TEST(BuildFailure, OfMemoryNamesTheLimit) {
  World world;
  world.build.spec.build.resources.limits["memory"] = "512Mi";
  world.Building({Ended("source"), Ended("build", 137)});
  world.PodOf(JobRole::kBuild).containers[1].reason = "OOMKilled";
  const auto failure = Judge(world);
  EXPECT_EQ(failure->reason, "BuildOutOfMemory");
  EXPECT_TRUE(failure->message.starts_with("spec.build.resources.limits.memory: ")) << failure->message;
  EXPECT_TRUE(failure->message.contains("512Mi"));
}

TEST(GateFailure, TellsFindingsFromFailures) {
  const std::string unknown = R"({"reason":"DatabaseUnknown","message":"metadata.json can't be read"})";
  const struct {
    int exit_code;
    std::string report;
    std::string reason;
  } cases[] = {
      {10, kFound, "VulnerabilitiesFound"},
      {10, "", "ScanError"},
      {10, "{broken", "ScanError"},
      {10, kClean, "ScanError"},
      {12, kClean, "DatabaseTooOld"},
      {12, "", "ScanError"},
      {13, kClean, "DatabaseAhead"},
      {13, "", "ScanError"},
      {1, "", "ScanError"},
      {1, unknown, "DatabaseUnknown"},
      {1, kClean, "ScanError"},
      {137, kFound, "ScanError"},
      {0, "", "ScanError"},
      {0, kClean.substr(0, 40), "ScanError"},
      {0, kFound, "ScanError"},
      {0, unknown, "ScanError"},
      {0, kClean, ""},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("gate", c.exit_code, c.report));
    EXPECT_EQ(failure ? failure->reason : "", c.reason) << c.exit_code << c.report;
    EXPECT_EQ(failure ? failure->stage : "scan", "scan");
  }
}

// Of Trivy no exit code is a finding: that of a flag that it does not know is the same as that of a crash.
TEST(ScanFailure, IsAnErrorHoweverTrivyEnds) {
  const struct {
    const char* container;
    int exit_code;
    std::string words;
    std::string reason;
  } cases[] = {
      {"scan", 1,
       "FATAL\tFatal error\tinit error: DB error: failed to download vulnerability DB: OCI artifact\n",
       "DatabaseUnavailable"},
      {"scan", 1, "FATAL\tcontext deadline exceeded", "ScanError"},
      {"scan", 10, "", "ScanError"},
      {"scan", 137, "", "ScanError"},
      {"sarif", 1, "", "ScanError"},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended(c.container, c.exit_code, c.words));
    ASSERT_TRUE(failure) << c.words;
    EXPECT_EQ(failure->reason, c.reason);
    EXPECT_EQ(failure->stage, "scan");
    EXPECT_EQ(MayPass(failure->reason), c.reason == "DatabaseUnavailable");
  }
}

TEST(GateFailure, CountsAndNamesTheWorst) {
  const auto failure = JudgeContainer(Ended("gate", 10, kFound));
  EXPECT_TRUE(failure->message.starts_with("spec.scan.failOn: ")) << failure->message;
  for (const char* words :
       {"2 fixable vulnerabilities of severity High or worse",
        "CVE-2022-32149 golang.org/x/text v0.3.5 -> 0.3.8", "CVE-2021-38561 zlib 1.2 -> no fix"}) {
    EXPECT_TRUE(failure->message.contains(words)) << failure->message;
  }
  EXPECT_FALSE(MayPass(failure->reason));
}

TEST(GateFailure, SaysWhichExceptionIsOver) {
  Json found = FoundJson();
  found["expired"] = Json::array({{{"id", "CVE-2022-32149"}, {"expires", "2026-11-01T00:00:00Z"}}});
  auto failure = JudgeContainer(Ended("gate", 10, found.dump()));
  EXPECT_EQ(failure->reason, "ExceptionExpired");
  EXPECT_TRUE(failure->message.contains("that of CVE-2022-32149 expired on 2026-11-01")) << failure->message;
  found["expired"].push_back({{"id", "CVE-2"}, {"expires", "2026-11-02T00:00:00Z"}});
  failure = JudgeContainer(Ended("gate", 10, found.dump()));
  EXPECT_TRUE(failure->message.contains("CVE-2022-32149 and 1 more expired on")) << failure->message;
  EXPECT_FALSE(MayPass(failure->reason));
}

TEST(GateFailure, OfAnOldDatabaseSaysHowOld) {
  const auto failure = JudgeContainer(Ended("gate", 12, kClean));
  EXPECT_TRUE(failure->message.contains("is of 2026-11-20T00:00:00Z")) << failure->message;
  EXPECT_FALSE(MayPass(failure->reason));
}

TEST(PushFailure, IsWhatTheRunnerSays) {
  const struct {
    std::string report;
    std::string reason;
    std::string begins;
  } cases[] = {
      {R"({"reason":"RegistryDenied","message":"401 no"})", "RegistryDenied",
       "spec.output.credentialsSecretRef: registry.example.com refused to take "},
      {R"({"reason":"TagTaken","message":"v1 is there"})", "TagTaken", "spec.output.tags: v1 is there"},
      {R"({"reason":"RegistryUnreachable","message":"no such host"})", "RegistryUnreachable",
       "spec.output.repository: no such host"},
      {R"({"reason":"CertificateUntrusted","message":"x509"})", "CertificateUntrusted",
       "spec.caBundleRef: x509"},
      {R"({"reason":"RegistryUnavailable","message":"503"})", "RegistryUnavailable",
       "spec.output.repository: 503"},
      {R"({"reason":"ImageTarHasLayerSources","message":"forged"})", "ImageTarHasLayerSources",
       "spec.build.dockerfile: forged"},
      {R"({"reason":"not a word!","message":"x"})", "PushFailed", "spec.output.repository: the push to "},
      {"{", "PushFailed", "spec.output.repository: the push to "},
      {"", "PushFailed", "spec.output.repository: the push to "},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("push", 1, c.report));
    EXPECT_EQ(failure->reason, c.reason) << c.report;
    EXPECT_EQ(failure->stage, "push");
    EXPECT_TRUE(failure->message.starts_with(c.begins)) << failure->message;
  }
}

TEST(PushFailure, NamesTheSecretThatWasRefused) {
  World world;
  world.Building({Ended("source"), Ended("prepare"), Ended("build"), Ended("scan"), Ended("sarif"),
                  Ended("gate", 0, kClean),
                  Ended("push", 40, R"({"reason":"RegistryDenied","message":"403"})")});
  world.build.spec.output.credentials_secret_ref = resources::NameRef{"robot"};
  EXPECT_TRUE(Judge(world)->message.contains("with Secret robot: 403")) << Judge(world)->message;
}

TEST(PrepareFailure, IsWhatTheRunnerSays) {
  const struct {
    std::string report;
    std::string reason;
    std::string begins;
  } cases[] = {
      {R"({"reason":"DockerfileInvalid","message":"no FROM"})", "DockerfileInvalid",
       "spec.build.dockerfile: no FROM"},
      {R"({"reason":"BaseImageDenied","message":"401"})", "BaseImageDenied",
       "spec.build.baseCredentialsSecretRef: 401"},
      {R"({"reason":"CertificateUntrusted","message":"x509"})", "CertificateUntrusted",
       "spec.caBundleRef: x509"},
      {"", "PrepareFailed", "spec.build: looking up the base images of Dockerfile ended with exit code 1"},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("prepare", 1, c.report));
    EXPECT_EQ(failure->reason, c.reason);
    EXPECT_EQ(failure->stage, "prepare");
    EXPECT_TRUE(failure->message.starts_with(c.begins)) << failure->message;
  }
}

TEST(BuildFailure, OfAKindThatIsKnownNamesTheFieldAndAnyOtherWordIsTheDockerfiles) {
  const struct {
    std::string failure;
    std::string reason;
    std::string field;
  } cases[] = {
      {"BaseImageNotFound", "BaseImageNotFound", "spec.build.dockerfile: "},
      {"RegistryDenied", "RegistryDenied", "spec.build.baseCredentialsSecretRef: "},
      {"RegistryUnavailable", "RegistryUnavailable", "spec.build: "},
      {"DiskFull", "DiskFull", "spec.build.resources.limits.ephemeral-storage: "},
      {"", "DockerfileFailed", "spec.build.dockerfile: "},
      {"Succeeded", "DockerfileFailed", "spec.build.dockerfile: "},
      {"VulnerabilitiesFound", "DockerfileFailed", "spec.build.dockerfile: "},
  };
  for (const auto& c : cases) {
    const auto failure =
        JudgeContainer(Ended("build", 1, R"({"hits":0,"misses":0,"failure":")" + c.failure + "\"}"));
    EXPECT_EQ(failure->reason, c.reason) << c.failure;
    EXPECT_TRUE(failure->message.starts_with(c.field)) << failure->message;
  }
}

TEST(FirstFailure, IsTheOneThatCounts) {
  World world;
  world.Building({Ended("source"), Ended("build", 1), Ended("scan", 10), Ended("push", 1)});
  EXPECT_EQ(Judge(world)->reason, "DockerfileFailed");
}

TEST(PodFailure, EvictionIsNotTheContainersFault) {
  World world;
  world.Building({Ended("source"), Ended("build", 137)});
  world.PodOf(JobRole::kBuild).phase = "Failed";
  world.PodOf(JobRole::kBuild).reason = "Evicted";
  world.PodOf(JobRole::kBuild).message = "The node was low on resource: memory";
  EXPECT_EQ(Judge(world)->reason, "Evicted");
  EXPECT_TRUE(Judge(world)->message.contains("memory"));
  world.PodOf(JobRole::kBuild).message =
      "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ";
  EXPECT_EQ(Judge(world)->reason, "DiskFull") << "it would use it up again";
  world.PodOf(JobRole::kBuild).message =
      "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi";
  EXPECT_EQ(Judge(world)->reason, "Evicted") << "a neighbour may have used it up";
}

TEST(PodFailure, DeadlineIsTheTimeout) {
  World world;
  world.Building({Ended("source"), Running("build")});
  world.PodOf(JobRole::kBuild).phase = "Failed";
  world.PodOf(JobRole::kBuild).reason = "DeadlineExceeded";
  EXPECT_EQ(Judge(world)->reason, "BuildTimeout");
}

TEST(PodThatCantStart, FailsAfterItsPatience) {
  for (const char* reason :
       {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}) {
    World world;
    world.Building({Stuck("source", reason)});
    const auto begun = world.PodOf(JobRole::kBuild).meta.created;
    EXPECT_FALSE(Judge(world, begun + kStartPatience - std::chrono::seconds(1))) << reason;
    const auto failure = Judge(world, begun + kStartPatience);
    ASSERT_TRUE(failure) << reason;
    EXPECT_EQ(failure->reason,
              std::string_view(reason).starts_with("Create") ? "PodCannotStart" : "ImagePullFailed");
    EXPECT_TRUE(failure->message.contains("the kubelet's words"));
  }
}

TEST(PodThatCantStart, IsCountedFromTheEndOfTheContainerBefore) {
  World world;
  world.Building({Ended("source"), Stuck("build", "ErrImagePull")});
  world.PodOf(JobRole::kBuild).meta.created = kNow - std::chrono::hours(1);
  EXPECT_FALSE(Judge(world));
  EXPECT_TRUE(Judge(world, kNow + kStartPatience));
}

TEST(PodThatCantStart, IsNotOneThatWaitsItsTurn) {
  World world;
  world.Building({Running("source"), Stuck("build", "PodInitializing"), Stuck("push", "ContainerCreating")});
  EXPECT_FALSE(Judge(world, kNow + std::chrono::hours(1)));
}

TEST(GateReport, IsWholeOrNothing) {
  const auto report = ParseGateReport(kFound);
  ASSERT_TRUE(report && report->findings);
  const auto& found = *report->findings;
  EXPECT_EQ(found.critical, 1);
  EXPECT_EQ(found.high, 2);
  EXPECT_EQ(found.closing, 2);
  EXPECT_EQ(found.suppressed, 3);
  ASSERT_EQ(found.worst.size(), 2U);
  EXPECT_EQ(found.worst[0],
            (resources::Finding{"CVE-2022-32149", "HIGH", "golang.org/x/text", "v0.3.5", "0.3.8"}));
  ASSERT_EQ(found.accepted.size(), 1U);
  EXPECT_EQ(found.accepted[0].id, "CVE-2024-1");
  EXPECT_EQ(found.database, ParseTime("2026-11-20T00:00:00Z"));
  for (const char* field : {"counts", "closing", "suppressed"}) {
    Json less = FoundJson();
    less.erase(field);
    EXPECT_FALSE(ParseGateReport(less.dump()).value_or(GateReport{}).findings) << field;
  }
  for (const Json& bad : {Json(-1), Json("0"), Json(1.5), Json(nullptr)}) {
    Json other = FoundJson();
    other["counts"]["HIGH"] = bad;
    EXPECT_FALSE(ParseGateReport(other.dump()).value_or(GateReport{}).findings) << bad;
  }
  EXPECT_FALSE(ParseGateReport(kFound.substr(0, kFound.size() - 1)));
}

TEST(GateReport, NamesNoMoreThanTenAndNothingThatDoesNotPrint) {
  Json found = FoundJson();
  for (int i = 0; i < 12; ++i) {
    found["worst"].push_back({{"id", "CVE\u001b[31m\n" + std::to_string(i)}});
    found["used"].push_back({{"id", "CVE"}});
  }
  const auto report = ParseGateReport(found.dump());
  ASSERT_EQ(report->findings->worst.size(), 10U);
  EXPECT_EQ(report->findings->worst[2].id, "CVE [31m 0");
  EXPECT_EQ(report->findings->accepted.size(), 10U);
}

TEST(PushReport, IsAnImageByDigestOrNone) {
  EXPECT_EQ(ParsePushReport(PushedReport())->image->ToString(), kImage);
  for (const char* text : {"", "[]", "7", "{"}) EXPECT_FALSE(ParsePushReport(text)) << text;
  EXPECT_FALSE(ParsePushReport(R"({"image":"registry.example.com/a:tag"})")->image);
  EXPECT_FALSE(ParsePushReport(R"({"image":7})")->image);
}

TEST(PrepareReport, HoldsAtMostEightBasesAndNothingThatDoesNotPrint) {
  std::string bases;
  for (int i = 0; i < 12; ++i) bases += R"({"image":"a\u001bb","digest":"sha256:1"},)";
  bases.pop_back();
  const auto report = ParsePrepareReport(R"({"bases":[7,)" + bases + "]}");
  ASSERT_EQ(report->bases.size(), 8U);
  EXPECT_EQ(report->bases[0].image, "a b");
  EXPECT_TRUE(ParsePrepareReport(R"({"bases":{}})")->bases.empty());
}

TEST(BuildReport, WithoutWholeFiguresIsNone) {
  EXPECT_EQ(ParseBuildReport(R"({"hits":2,"misses":3})")->cache.misses, 3);
  for (const char* text : {"", "{}", R"({"hits":1})", R"({"hits":-1,"misses":0})",
                           R"({"hits":"1","misses":0})", R"({"hits":99999999,"misses":0})"}) {
    EXPECT_FALSE(ParseBuildReport(text)) << text;
  }
}

TEST(StageOf, AContainerIsItsJobsAndNotOnlyItsNames) {
  EXPECT_EQ(StageOf(JobRole::kTest, "source"), "test");
  EXPECT_EQ(StageOf(JobRole::kBuild, "source"), "source");
  EXPECT_EQ(StageOf(JobRole::kBuild, "istio-proxy"), "");
  EXPECT_EQ(StageOf(JobRole::kReport, "report"), "report");
}

}  // namespace
}  // namespace slipway::image_build
