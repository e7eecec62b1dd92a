#include "image_build/outcome.h"

#include <gtest/gtest.h>

#include "image_build/names.h"
#include "image_build/report.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using resources::Failure;

const std::string kClean = R"({"counts":{"CRITICAL":0,"HIGH":0,"LOW":0,"MEDIUM":0,"UNKNOWN":0}})";
const std::string kFound = R"({"counts":{"CRITICAL":1,"HIGH":2,"LOW":0,"MEDIUM":0,"UNKNOWN":0}}
"CVE-2022-32149 golang.org/x/text v0.3.5 -> 0.3.8"
"CVE-2021-38561 golang.org/x/te)";

std::optional<Failure> Judge(World& world, TimePoint now = kNow) {
  const Reports reports = ReadReports(*world.image_pod);
  return FailureOf({world.build, world.Run(), *world.image_pod, reports}, now);
}

std::optional<Failure> JudgeContainer(ContainerState last) {
  World world;
  world.Building({Ended("source"), Ended("build"), Ended("scan", 0, kClean), Ended("push", 0, kImage)});
  for (auto& container : world.image_pod->containers) {
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
  world.image_pod->containers[1].reason = "OOMKilled";
  const auto failure = Judge(world);
  EXPECT_EQ(failure->reason, "BuildOutOfMemory");
  EXPECT_TRUE(failure->message.starts_with("spec.build.resources.limits.memory: ")) << failure->message;
  EXPECT_TRUE(failure->message.contains("512Mi"));
}

TEST(ScanFailure, TellsFindingsFromFailures) {
  const struct {
    int exit_code;
    std::string report;
    std::string reason;
  } cases[] = {
      {10, kFound, "VulnerabilitiesFound"},
      {10, "", "VulnerabilitiesFound"},
      {10, "{broken", "VulnerabilitiesFound"},
      {1, "", "ScanError"},
      {1, kClean, "ScanError"},
      {137, kFound, "ScanError"},
      {0, "", "ScanError"},
      {0, kClean.substr(0, 40), "ScanError"},
      {0, kFound, "ScanError"},
      {0, kClean, ""},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("scan", c.exit_code, c.report));
    EXPECT_EQ(failure ? failure->reason : "", c.reason) << c.exit_code << c.report;
  }
}

TEST(ScanFailure, CountsAndNamesTheWorst) {
  const auto failure = JudgeContainer(Ended("scan", 10, kFound));
  EXPECT_TRUE(failure->message.starts_with("spec.scan.failOn: ")) << failure->message;
  EXPECT_TRUE(failure->message.contains("1 critical, 2 high"));
  EXPECT_TRUE(failure->message.contains("CVE-2022-32149"));
}

TEST(PushFailure, IsToldByCranesLastWords) {
  const struct {
    std::string words;
    std::string reason;
    std::string field;
  } cases[] = {
      {"PUT https://r/v2: UNAUTHORIZED: authentication required", "RegistryDenied",
       "spec.output.credentialsSecretRef: "},
      {"unexpected status code 403 Forbidden", "RegistryDenied", "spec.output.credentialsSecretRef: "},
      {"DENIED: requested access", "RegistryDenied", "spec.output.credentialsSecretRef: "},
      {"dial tcp: lookup registry.example.com: no such host", "RegistryUnreachable",
       "spec.output.repository: registry.example.com "},
      {"connect: connection refused", "RegistryUnreachable", "spec.output.repository: "},
      {"i/o timeout", "RegistryUnreachable", "spec.output.repository: "},
      {"open /image/image.tar: permission denied", "PushFailed", "spec.output.repository: "},
      {"MANIFEST_INVALID", "PushFailed", "spec.output.repository: "},
      {"", "PushFailed", "spec.output.repository: "},
  };
  for (const auto& c : cases) {
    const auto failure = JudgeContainer(Ended("push", 1, c.words));
    EXPECT_EQ(failure->reason, c.reason) << c.words;
    EXPECT_TRUE(failure->message.starts_with(c.field)) << failure->message;
    EXPECT_TRUE(failure->message.contains(c.words)) << failure->message;
  }
}

TEST(PushFailure, QuotesTheErrorAndNotTheTriesBeforeIt) {
  const auto failure =
      JudgeContainer(Ended("push", 1, "07:57:34 retrying dial tcp: x\nError: PUT: DENIED: no\n"));
  EXPECT_EQ(failure->reason, "RegistryDenied");
  EXPECT_TRUE(failure->message.ends_with(": Error: PUT: DENIED: no")) << failure->message;
}

TEST(PushFailure, OfAFurtherTagIsOfTheSameStage) {
  World world;
  world.Building({Ended("source"), Ended("build"), Ended("scan", 0, kClean), Ended("push", 0, kImage),
                  Ended("tag-1", 1, "DENIED: no")});
  const auto failure = Judge(world);
  EXPECT_EQ(failure->reason, "RegistryDenied");
  EXPECT_EQ(failure->stage, "push");
  EXPECT_EQ(failure->container, "tag-1");
}

TEST(FirstFailure, IsTheOneThatCounts) {
  World world;
  world.Building({Ended("source"), Ended("build", 1), Ended("scan", 10), Ended("push", 1)});
  EXPECT_EQ(Judge(world)->reason, "DockerfileFailed");
}

TEST(PodFailure, EvictionIsNotTheContainersFault) {
  World world;
  world.Building({Ended("source"), Ended("build", 137)});
  world.image_pod->phase = "Failed";
  world.image_pod->reason = "Evicted";
  world.image_pod->message = "The node was low on resource: ephemeral-storage";
  const auto failure = Judge(world);
  EXPECT_EQ(failure->reason, "Evicted");
  EXPECT_TRUE(failure->message.contains("ephemeral-storage"));
}

TEST(PodFailure, DeadlineIsTheTimeout) {
  World world;
  world.Building({Ended("source"), Running("build")});
  world.image_pod->phase = "Failed";
  world.image_pod->reason = "DeadlineExceeded";
  EXPECT_EQ(Judge(world)->reason, "BuildTimeout");
}

TEST(PodThatCantStart, FailsAfterItsPatience) {
  for (const char* reason :
       {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}) {
    World world;
    world.Building({Stuck("source", reason)});
    const auto begun = world.image_pod->meta.created;
    EXPECT_FALSE(Judge(world, begun + kStartPatience - std::chrono::seconds(1))) << reason;
    const auto failure = Judge(world, begun + kStartPatience);
    ASSERT_TRUE(failure) << reason;
    EXPECT_EQ(failure->reason, "PodCannotStart");
    EXPECT_TRUE(failure->message.contains("the kubelet's words"));
  }
}

TEST(PodThatCantStart, IsCountedFromTheEndOfTheContainerBefore) {
  World world;
  world.Building({Ended("source"), Stuck("build", "ErrImagePull")});
  world.image_pod->meta.created = kNow - std::chrono::hours(1);
  EXPECT_FALSE(Judge(world));
  EXPECT_TRUE(Judge(world, kNow + kStartPatience));
}

TEST(PodThatCantStart, IsNotOneThatWaitsItsTurn) {
  World world;
  world.Building({Running("source"), Stuck("build", "PodInitializing"), Stuck("push", "ContainerCreating")});
  EXPECT_FALSE(Judge(world, kNow + std::chrono::hours(1)));
}

TEST(Stages, OfPushRunFromItsFirstToItsLastContainer) {
  World world;
  world.Building(
      {Ended("source"), Ended("build"), Ended("scan", 0, kClean), Ended("push"), Stuck("tag-1", "x")});
  auto run = world.Run();
  FollowStages(*world.image_pod, run);
  EXPECT_EQ(FindStage(run, "push")->state, StageState::kRunning);
  EXPECT_FALSE(FindStage(run, "push")->finished);
  world.image_pod->containers.back() = Ended("tag-1");
  FollowStages(*world.image_pod, run);
  EXPECT_EQ(FindStage(run, "push")->state, StageState::kSucceeded);
  EXPECT_TRUE(FindStage(run, "push")->finished);
}

TEST(FindingsReport, CutShortKeepsItsNumbers) {
  const auto findings = ParseFindings(kFound);
  ASSERT_TRUE(findings);
  EXPECT_EQ(findings->critical, 1);
  EXPECT_EQ(findings->high, 2);
  EXPECT_EQ(findings->worst.size(), 1U);
  EXPECT_FALSE(ParseFindings(R"({"counts":{"CRITICAL":-1,"HIGH":0,"LOW":0,"MEDIUM":0,"UNKNOWN":0}})"));
  EXPECT_FALSE(ParseFindings(R"({"counts":{"CRITICAL":"0","HIGH":0,"LOW":0,"MEDIUM":0,"UNKNOWN":0}})"));
}

TEST(FindingsReport, NamesNoMoreThanTenAndNothingThatDoesNotPrint) {
  std::string text = kFound.substr(0, kFound.find('\n') + 1);
  for (int i = 0; i < 12; ++i) text += "\"CVE\\u001b[31m\\n" + std::to_string(i) + "\"\n";
  const auto findings = ParseFindings(text);
  ASSERT_EQ(findings->worst.size(), 10U);
  EXPECT_EQ(findings->worst[0], "CVE [31m 0");
}

TEST(Tags, AreRenderedOnceEach) {
  EXPECT_EQ(RenderTags({"{{commit}}", "v1-{{shortCommit}}", "v1-aaaaaaaaaaaa"}, kSha),
            (std::vector<std::string>{kSha, "v1-aaaaaaaaaaaa"}));
  EXPECT_EQ(RenderTags({}, kSha), std::vector<std::string>{kSha});
}

}  // namespace
}  // namespace slipway::image_build
