// What the build container is told: paths, labels, build arguments.
#include <gtest/gtest.h>

#include <map>

#include "unit/image_build/manifests_world.h"

namespace slipway::image_build {
namespace {

TEST(Kaniko, FindsItsContextAndItsDockerfileBelowTheSource) {
  struct Row {
    std::string context_dir;
    std::string dockerfile;
    std::string context;
    std::string file;
  };
  const std::string root = "/kaniko/workspace/source";
  const std::vector<Row> rows{{".", "Dockerfile", root, root + "/Dockerfile"},
                              {"./", "Dockerfile", root, root + "/Dockerfile"},
                              {"a/b", "Dockerfile", root + "/a/b", root + "/a/b/Dockerfile"},
                              {"./a/", "./x/Dockerfile", root + "/a", root + "/a/x/Dockerfile"}};
  for (const auto& row : rows) {
    Rendered rendered;
    rendered.world.build.spec.source.context_dir = row.context_dir;
    rendered.world.build.spec.build.dockerfile = row.dockerfile;
    const auto job = rendered.Of(JobRole::kBuild);
    EXPECT_TRUE(Has(Step(job, "build"), "--context=dir://" + row.context)) << row.context_dir;
    EXPECT_TRUE(Has(Step(job, "build"), "--dockerfile=" + row.file)) << row.context_dir;
    EXPECT_TRUE(Has(Step(job, "source"), "--context-dir=" + row.context_dir));
    EXPECT_TRUE(Has(Step(job, "source"), "--dockerfile=" + row.dockerfile));
    const auto test = rendered.Of(JobRole::kTest, "unit OS=a");
    EXPECT_EQ(Step(test, "test")["workingDir"], "/workspace" + row.context.substr(17));
    EXPECT_TRUE(Has(Step(test, "source"), "--dockerfile="));
  }
}

std::map<std::string, std::string> LabelsOf(const Json& container) {
  std::map<std::string, std::string> labels;
  const std::string flag = "--label=";
  for (const std::string arg : container["args"]) {
    if (!arg.starts_with(flag)) continue;
    const auto equals = arg.find('=', flag.size());
    const auto [at, fresh] =
        labels.emplace(arg.substr(flag.size(), equals - flag.size()), arg.substr(equals + 1));
    EXPECT_TRUE(fresh) << arg;
  }
  return labels;
}

TEST(Labels, SayWhereTheImageIsFrom) {
  Rendered rendered;
  const std::string prefix = "org.opencontainers.image.";
  const std::map<std::string, std::string> of_branch{
      {prefix + "title", "app"},   {prefix + "version", std::string(12, 'a')},
      {prefix + "url", kUrl},      {prefix + "source", kUrl},
      {prefix + "revision", kSha}, {prefix + "ref.name", "refs/heads/main"}};
  EXPECT_EQ(LabelsOf(Step(rendered.Of(JobRole::kBuild), "build")), of_branch);
  rendered.run.ref = "refs/tags/v1.2.3+x";
  EXPECT_EQ(LabelsOf(Step(rendered.Of(JobRole::kBuild), "build")).at(prefix + "version"), "1.2.3_x");
  rendered.run.ref = "";
  EXPECT_EQ(LabelsOf(Step(rendered.Of(JobRole::kBuild), "build")).at(prefix + "ref.name"), "main");
}

TEST(Labels, OfTheSpecSayEverythingButWhereItIsFrom) {
  Rendered rendered;
  const std::string prefix = "org.opencontainers.image.";
  for (const char* name : {"title", "version", "url", "source", "revision", "ref.name", "vendor"}) {
    rendered.world.build.spec.output.labels[prefix + name] = "mine";
  }
  const auto labels = LabelsOf(Step(rendered.Of(JobRole::kBuild), "build"));
  for (const char* name : {"title", "version", "url", "vendor"}) EXPECT_EQ(labels.at(prefix + name), "mine");
  EXPECT_EQ(labels.at(prefix + "source"), kUrl);
  EXPECT_EQ(labels.at(prefix + "revision"), kSha);
  EXPECT_EQ(labels.at(prefix + "ref.name"), "refs/heads/main");
}

Strings BuildArgs(const Json& container) {
  Strings found;
  const std::string flag = "--build-arg=";
  for (const std::string arg : container["args"]) {
    if (arg.starts_with(flag)) found.push_back(arg.substr(flag.size()));
  }
  return found;
}

// Prepare expands FROM with the same values that Kaniko does, or it would look for another base.
TEST(BuildArgs, AreTheSameForBothAndOursCantBeOverridden) {
  Rendered rendered;
  rendered.world.build.spec.build.args = {
      {"GIT_COMMIT", "mine"}, {"TARGETARCH", "mine"}, {"TARGETOS", "mine"}, {"A", "1"}};
  const std::map<std::string, Strings> platforms{
      {"", {"GIT_COMMIT=" + kSha, "TARGETARCH=mine", "TARGETOS=mine", "A=1"}},
      {"linux/arm64",
       {"GIT_COMMIT=" + kSha, "TARGETARCH=arm64", "TARGETOS=linux", "TARGETPLATFORM=linux/arm64", "A=1"}},
      {"linux/arm/v7",
       {"GIT_COMMIT=" + kSha, "TARGETARCH=arm", "TARGETOS=linux", "TARGETPLATFORM=linux/arm/v7", "A=1"}}};
  for (const auto& [platform, expected] : platforms) {
    const auto job = rendered.Of(JobRole::kBuild, platform);
    EXPECT_EQ(BuildArgs(Step(job, "build")), expected) << platform;
    EXPECT_EQ(BuildArgs(Step(job, "prepare")), expected) << platform;
  }
}

}  // namespace
}  // namespace slipway::image_build
