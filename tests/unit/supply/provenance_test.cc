// What is said of an image: as the record of its run says it, each time the same.
#include "supply/provenance.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "supply/predicates.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;
using resources::JobRole;
using resources::StageState;

const std::string kSha(40, 'a');
const TimePoint kStart = *ParseTime("2026-01-02T03:04:05Z");

struct World {
  World() {
    build.meta.key = {"team-a", "app"};
    build.meta.uid = {"uid-1"};
    auto& spec = build.spec;
    spec.source.url = "https://git.example.com/team/app.git";
    spec.source.revision = "main";
    spec.build.dockerfile = "build/Dockerfile";
    spec.build.args = {{"MODE", "fast"}};
    spec.output.repository = "registry.example.com/team/app";
    spec.output.labels = {{"org.example.team", "a"}};
    spec.tests = {resources::TestSpec{.name = "unit", .image = "golang@sha256:1"}};
    run.number = 7;
    run.reason = "NewCommit";
    run.ref = "refs/heads/main";
    run.commit.emplace().sha = kSha;
    run.bases = {{"docker.io/library/alpine:3.20", "sha256:" + std::string(64, 'b')}};
    run.started = kStart;
    run.jobs = {{.name = "t",
                 .role = JobRole::kTest,
                 .leg = "unit GO=1.24",
                 .state = StageState::kSucceeded,
                 .started = kStart,
                 .finished = kStart + std::chrono::seconds(5)},
                {.name = "b",
                 .role = JobRole::kBuild,
                 .state = StageState::kSucceeded,
                 .finished = kStart + std::chrono::seconds(60)},
                {.name = "r", .role = JobRole::kReport, .finished = kStart + std::chrono::hours(1)}};
    run.stages.emplace_back().name = "scan";
    run.stages.back().started = kStart + std::chrono::seconds(40);
    run.stages.back().finished = kStart + std::chrono::seconds(42);
    run.findings.emplace();
    run.findings->medium = 2;
    run.findings->database = kStart - std::chrono::hours(3);
    run.findings->accepted = {{"CVE-2024-1", kStart + std::chrono::hours(24)}};
  }
  Json Provenance() const {
    return supply::Provenance(build, run, policy, {"kaniko@sha256:" + std::string(64, 'c')});
  }
  ImageBuild build;
  BuildRun run;
  resources::Policy policy;
};

TEST(Provenance, SaysFromWhatTheImageIs) {
  const Json definition = World().Provenance().at("buildDefinition");
  EXPECT_EQ(definition.at("buildType"), "https://slipway.dev/image-build/v1");
  const Json expected = Json::parse(R"({
    "source": {"url": "https://git.example.com/team/app.git", "revision": "main", "ref": "refs/heads/main",
               "contextDir": "."},
    "dockerfile": "build/Dockerfile", "args": {"MODE": "fast"}, "repository": "registry.example.com/team/app",
    "labels": {"org.example.team": "a"}})");
  EXPECT_EQ(definition.at("externalParameters"), expected);
  const Json dependencies = definition.at("resolvedDependencies");
  ASSERT_EQ(dependencies.size(), 2U);
  EXPECT_EQ(dependencies[0], (Json{{"uri", "git+https://git.example.com/team/app.git@refs/heads/main"},
                                   {"digest", {{"gitCommit", kSha}}}}));
  EXPECT_EQ(dependencies[1], (Json{{"uri", "oci://docker.io/library/alpine:3.20"},
                                   {"digest", {{"sha256", std::string(64, 'b')}}}}));
}

TEST(Provenance, SaysWhoBuiltItAndWhen) {
  World world;
  world.policy.builder_id = "https://platform.example/slipway";
  world.run.approval = resources::Approval{"approve-1", "ada"};
  const Json predicate = world.Provenance();
  const Json details = predicate.at("runDetails");
  EXPECT_EQ(details.at("builder").at("id"), "https://platform.example/slipway");
  EXPECT_EQ(details.at("builder").at("builderDependencies").at(0),
            (Json{{"uri", "oci://kaniko"}, {"digest", {{"sha256", std::string(64, 'c')}}}}));
  EXPECT_EQ(details.at("metadata"), (Json{{"invocationId", "team-a/app/uid-1/7"},
                                          {"startedOn", "2026-01-02T03:04:05Z"},
                                          {"finishedOn", "2026-01-02T03:05:05Z"}}))
      << "the commit status is told later, and does not count";
  const Json internal = predicate.at("buildDefinition").at("internalParameters");
  EXPECT_EQ(internal.at("run"), 7);
  EXPECT_EQ(internal.at("reason"), "NewCommit");
  EXPECT_EQ(internal.at("baseImages").at("listed"), world.run.bases.size());
  EXPECT_EQ(internal.at("baseImages").at("atMost"), 8) << "whoever reads it knows that there may be more";
  EXPECT_EQ(internal.at("approval"), (Json{{"decision", "approve-1"}, {"actor", "ada"}}));
}

TEST(Provenance, OfAFullCommitNamesNoRef) {
  World world;
  world.run.ref.clear();
  world.run.bases.clear();
  world.build.spec.source.revision = kSha;
  const Json definition = world.Provenance().at("buildDefinition");
  EXPECT_EQ(definition.at("resolvedDependencies").size(), 1U);
  EXPECT_EQ(definition.at("resolvedDependencies").at(0).at("uri"),
            "git+https://git.example.com/team/app.git");
  EXPECT_FALSE(definition.at("externalParameters").at("source").contains("ref"));
}

TEST(Provenance, SaysWhatTheSpecChose) {
  const std::vector<std::pair<std::function<void(resources::ImageBuildSpec&)>, const char*>> rows{
      {[](auto& s) { s.build.target = "release"; }, "/target"},
      {[](auto& s) { s.build.platforms = {"linux/arm64"}; }, "/platforms"},
      {[](auto& s) { s.source.semver = "^1"; }, "/source/semver"},
      {[](auto& s) { s.source.submodules = true; }, "/source/submodules"},
      {[](auto& s) { s.source.depth = 1; }, "/source/depth"}};
  for (const auto& [choose, pointer] : rows) {
    World world;
    const auto at = Json::json_pointer(pointer);
    EXPECT_FALSE(world.Provenance().at("buildDefinition").at("externalParameters").contains(at)) << pointer;
    choose(world.build.spec);
    EXPECT_TRUE(world.Provenance().at("buildDefinition").at("externalParameters").contains(at)) << pointer;
  }
}

TEST(TestsPredicate, NamesEachLeg) {
  World world;
  const Json expected = Json::parse(R"({"result": "PASSED", "commit": {"sha": "x"}, "tests": [
    {"name": "unit GO=1.24", "image": "golang@sha256:1", "result": "PASSED", "startedOn": "2026-01-02T03:04:05Z",
     "finishedOn": "2026-01-02T03:04:10Z"}]})");
  Json predicate = TestsPredicate(world.build, world.run);
  EXPECT_EQ(predicate.at("commit").at("sha"), kSha);
  predicate["commit"]["sha"] = "x";
  EXPECT_EQ(predicate, expected);
}

TEST(TestsPredicate, IsPassedOnlyIfEachLegPassed) {
  World world;
  resources::RunJob leg{.name = "l", .role = JobRole::kTest, .leg = "lint"};
  for (const StageState state : {StageState::kFailed, StageState::kRunning, StageState::kSkipped}) {
    World one;
    leg.state = state;
    one.run.jobs.push_back(leg);
    EXPECT_EQ(TestsPredicate(one.build, one.run).at("result"), "FAILED");
  }
}

TEST(ScanPredicate, HasWhatCosignAsksOfOne) {
  World world;
  const Json predicate = ScanPredicate(world.build, world.run, "https://b", "trivy@sha256:1");
  EXPECT_EQ(predicate.at("invocation").at("builder.id"), "https://b");
  EXPECT_EQ(predicate.at("invocation").at("event_id"), "uid-1/7");
  EXPECT_EQ(predicate.at("scanner").at("uri"), "oci://trivy@sha256:1");
  EXPECT_EQ(predicate.at("scanner").at("db").at("version"), "2026-01-02T00:04:05Z");
  EXPECT_EQ(predicate.at("metadata"),
            (Json{{"scanStartedOn", "2026-01-02T03:04:45Z"}, {"scanFinishedOn", "2026-01-02T03:04:47Z"}}));
  const Json result = predicate.at("scanner").at("result");
  EXPECT_EQ(result.at("counts"),
            (Json{{"critical", 0}, {"high", 0}, {"medium", 2}, {"low", 0}, {"unknown", 0}}));
  EXPECT_EQ(result.at("failOn"), "High");
  EXPECT_EQ(result.at("accepted"),
            Json::array({{{"id", "CVE-2024-1"}, {"expires", "2026-01-03T03:04:05Z"}}}));
  EXPECT_FALSE(result.contains("platforms"));
  world.build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  const Json of_two = ScanPredicate(world.build, world.run, "b", "t").at("scanner").at("result");
  EXPECT_EQ(of_two.at("platforms"), (Json{"linux/amd64", "linux/arm64"}));
  world.build.spec.build.platforms.clear();
  EXPECT_EQ(result.at("exceptions"), Json::array());
  // The run's record is cut, the spec's own list is not: what bounds exceptions asks it of all of them.
  world.build.spec.scan.exceptions.assign(12, {"CVE-2024-9", "", "2099-12-31", "no fix"});
  world.build.spec.scan.exceptions[1].package = "zlib";
  const Json all =
      ScanPredicate(world.build, world.run, "b", "t").at("scanner").at("result").at("exceptions");
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all[0], (Json{{"id", "CVE-2024-9"}, {"expires", "2099-12-31T00:00:00Z"}}));
  EXPECT_EQ(all[1].at("package"), "zlib");
  world.run.stages.clear();
  EXPECT_EQ(ScanPredicate(world.build, world.run, "b", "t").at("metadata").at("scanFinishedOn"),
            "2026-01-02T03:04:05Z")
      << "without its times cosign would take none of it";
}

}  // namespace
}  // namespace slipway::supply
